#!/usr/bin/env bash
# Trains weft-guide from nothing on one GPU, in one call that needs nothing but this folder, Python with torch,
# tokenizers, safetensors, numpy and jinja2, and no network. See docs/BUILTIN-MODEL.md.
#   ./gpu.sh OUT MINUTES [arguments of train.py]
# MINUTES is the training's; making the tokenizer, the first texts, the file and the test take about two more (estimated). OUT gets
# tokenizer.json, weights.safetensors, weft-guide.gguf, log.txt and wrong.jsonl, each below 16 MiB. The weights and the
# file are there before the test begins; then `./make.sh model OUT` where Go is installs them.
set -euo pipefail
began=$SECONDS
mkdir -p "$1"
out=$(cd "$1" && pwd) minutes=$2
shift 2
cd "$(dirname "$0")"
python=${PYTHON:-python3}
export PYTHONUNBUFFERED=1 TOKENIZERS_PARALLELISM=false

step() { echo "[$((SECONDS - began)) s of the whole] $*"; }

step "tokenizer"
$python bpe.py facts.json "$out/tokenizer.json" "${BPE_TEXTS:-100000}"
step "training for $minutes minutes"
$python train.py --out "$out" --tokenizer "$out/tokenizer.json" --minutes "$minutes" --stream --by-clock --texts 100000000 \
  --floor 0 --user-end 0.03 --save-every 500 --no-test "$@"
$python export.py "$out/weights.safetensors" "$out/tokenizer.json" "$out/weft-guide.gguf"
step "test of what the training made"
$python train.py --out "$out" --tokenizer "$out/tokenizer.json" --test "$@" || echo "the test failed; the weights are there"
rm -f "$out"/meeting.*
step "done"
ls -l "$out"

#!/usr/bin/env bash
# Makes what train.py reads, and the model of what it wrote. See docs/BUILTIN-MODEL.md.
#   ./make.sh data        facts.json from the docs and bin/weft, and the rules of evalset.jsonl by it; its questions stay,
#                         and those of new topics are added
#   ./make.sh anew        the same, with an evalset.jsonl and a tokenizer.json of today's text: then train from nothing
#   ./make.sh model OUT   weft-guide.gguf, docs/builtin-scores.md and the golden answers, from OUT/weights.safetensors
#                         and OUT/tokenizer.json, if that is there, which becomes tokenizer.json
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
root=../..

case ${1:-} in
  data)
    $python facts.py $root/bin/weft > facts.json
    $python generate.py facts.json grow
    $python overlap.py facts.json
    ;;
  anew)
    $python facts.py $root/bin/weft > facts.json
    $python generate.py facts.json eval
    $python bpe.py facts.json tokenizer.json
    ;;
  model)
    if [ -e "$2/tokenizer.json" ]; then cp "$2/tokenizer.json" tokenizer.json; fi
    $python export.py "$2/weights.safetensors" tokenizer.json $root/model/builtin/weft-guide.gguf
    (cd $root && ./build.sh && go test -count=1 -run Builtin . -update)
    $python check.py $root/bin/weft builtin "$2/weights.safetensors" tokenizer.json facts.json
    $python evaluate.py $root/bin/weft builtin $root/docs/builtin-scores.md
    ;;
  *) sed -n '2,7s/^# *//p' "$0"; exit 2 ;;
esac

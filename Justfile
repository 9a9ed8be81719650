# Recipes are one-liners over build.sh; `just --list` shows them.

# build bin/weft
build:
    ./build.sh

# formatting and vet
[group('check')]
check:
    ./build.sh check

# the whole test run
[group('check')]
test:
    ./build.sh test

# the tests under the race detector
[group('check')]
race:
    ./build.sh race

# compile ptx/src to ptx/gen
[group('gpu')]
kernels:
    ./build.sh kernels

# dist/gpu: all that a GPU machine without Go needs
[group('gpu')]
gpu-bundle:
    ./build.sh gpu-bundle

# offline throughput on the CPU with the test model
[group('bench')]
bench: build model
    bin/weft bench latency --model models/SmolLM2-135M-Instruct.Q4_1.gguf --device cpu

# fetch the real test model into models/
[group('run')]
model:
    ./build.sh model

# flag reference
[group('docs')]
docs: build
    bin/weft flags > docs/flags.md

# serve the test model
[group('run')]
serve: build model
    bin/weft serve --model models/SmolLM2-135M-Instruct.Q4_1.gguf

# every fuzz target for ten minutes
[group('check')]
fuzz:
    ./build.sh fuzz 10m

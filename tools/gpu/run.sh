#!/usr/bin/env bash
# Runs weft's tests on a Linux machine with an NVIDIA GPU and nothing else but its driver.
# usage: run.sh [tests] [sanitize] [doctor] [quick] [types] [startup] [fused] [deterministic]     default: tests doctor
# Each step prints PASS, FAIL or skipped, and writes its log to $LOGS (default: ./logs); a GPU that does not open is a FAIL.
# Exit 1 if any failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
LOGS=${LOGS:-logs}
mkdir -p "$LOGS"
failed=0
export WEFT_REQUIRE_GPU=1 # else simulated GPUs would stand in for one that does not open

step() { # step NAME COMMAND...
  local name=$1 start=$SECONDS; shift
  if "$@" > "$LOGS/$name.log" 2>&1; then
    echo "PASS $name ($((SECONDS - start)) s)"
  else
    echo "FAIL $name ($((SECONDS - start)) s)"
    grep -E -A5 '^(---|===|panic|FAIL|\s+\S+_test.go|weft:)' "$LOGS/$name.log" | grep -v -E '=== RUN|--- PASS' | head -n 40
    failed=1
  fi
  grep -h 'skipped:' "$LOGS/$name.log" | sort | uniq -c | head -n 5
}

tests() {
  local t
  for t in "$here"/*.test; do
    step "$(basename "$t")" timeout 200 "$t" -test.v
  done
}

sanitize() {
  command -v compute-sanitizer > /dev/null || { echo "skipped: no compute-sanitizer on this machine"; return; }
  step memcheck timeout 280 compute-sanitizer --tool memcheck --error-exitcode 9 "$here/backend-cuda.test" -test.run '^TestGPU_' -test.short -test.v
}

# quick runs what tells most in a minute: every kernel, and every family against transformers.
quick() {
  step selftest timeout 60 "$here/backend-cuda.test" -test.v -test.run 'TestGPU_SelfTest|TestGPU_Conformance$/^(types|attention|step)$|TestGPU_ConformanceOverlapped/^(attention|step)$' -test.short
  step golden timeout 60 "$here/internal-golden.test" -test.v -test.run TestGPU_AgreesWithTransformers
}

# types holds f16 to the host and to transformers, and tells how near bf16 comes; it wants SmolLM2 in WEFT_MODEL_DIR.
types() {
  step types-selftest timeout 60 "$here/backend-cuda.test" -test.v -test.run 'TestGPU_SelfTestInF16|TestGPU_ConformanceInF16' -test.short
  WEFT_MODEL_DIR="${WEFT_MODEL_DIR:-$here/models}" step types timeout 120 "$here/internal-golden.test" -test.v -test.run 'TestGPU_SmolLM2|TestGPU_F16'
  grep -E '=== RUN .*SmolLM2|tokens compared|leads by' "$LOGS/types.log"
}

startup() { "$here/weft" bench startup -m "$here/models/Qwen3-0.6B" --load dummy --max-context 4096 2>> "$LOGS/startup.log"; }

# fused checks the kernels that do several operations of a layer, then measures decode steps with and without them, and each
# kernel alone. CSV goes to $LOGS; what is wrong is not measured. Its limits add up to 9 minutes.
fused() {
  local before=$failed what
  failed=0
  step fused-kernels timeout 60 "$here/ptx.test" -test.v -test.run 'TestFused|TestAttendDecode'
  step fused-selftest timeout 60 "$here/backend-cuda.test" -test.v -test.run 'TestGPU_SelfTest$|TestGPU_Conformance$/^(fused|attention|step)$' -test.short
  step fused-golden timeout 60 "$here/internal-golden.test" -test.v -test.run TestGPU_AgreesWithTransformers
  if [ $failed = 0 ]; then
    for what in off on; do fused_steps Qwen3-0.6B $what --batch 1,16,32,64,256 --rounds 2; done
    for what in off on; do fused_steps Qwen3-8B $what --batch 1,16,32,64,256 --rounds 1; done
    timeout 60 "$here/weft" bench kernels --run '^(norm_gated|norm_heads|add_linear)/.*M=(1|16|32) |^attend_decode' --variants --csv "$LOGS/fused-kernels.csv" 2>> "$LOGS/fused.log" ||
      { echo "FAIL fused kernels alone"; failed=1; }
  fi
  failed=$((before | failed))
}

fused_steps() { # fused_steps MODEL WHAT FLAGS...
  local model=$1 what=$2 flags=; shift 2
  [ $what = on ] || flags=--no-overlap-kernels
  echo "$model, fused: $what"
  timeout 60 "$here/weft" bench latency -m "$here/models/$model" --load dummy --max-context 2048 --prompt 512 --output 256 --first 128 $flags "$@" --csv "$LOGS/fused-$model-$what.csv" 2>> "$LOGS/fused.log" || { echo "FAIL $model $what"; failed=1; }
}

# deterministic checks that results depend on their request alone with --deterministic, and measures what that costs.
deterministic() {
  local flag
  step steady timeout 60 "$here/ptx.test" -test.v -test.run Steady
  step deterministic timeout 200 "$here/internal-golden.test" -test.v -test.run TestGPU_Deterministic
  for flag in "" --deterministic; do
    echo "deterministic: ${flag:-off}"
    "$here/weft" bench latency -m "$here/models/Qwen3-0.6B" --load dummy --max-context 4096 --batch 1,16,64,256 --output 64 --first 128,1024 --rounds 1 $flag 2>> "$LOGS/deterministic.log"
  done
}

doctor() { step doctor "$here/weft" doctor; tail -n 25 "$LOGS/doctor.log"; }

[ $# -gt 0 ] || set -- tests doctor
for s in "$@"; do "$s"; done
exit $failed

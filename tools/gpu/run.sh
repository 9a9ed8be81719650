#!/usr/bin/env bash
# Runs weft's tests on a Linux machine with an NVIDIA GPU and nothing else but its driver.
# usage: run.sh [tests] [sanitize] [doctor]     default: tests doctor
# Each step prints PASS, FAIL or skipped, and writes its log to $LOGS (default: ./logs). Exit 1 if any failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
LOGS=${LOGS:-logs}
mkdir -p "$LOGS"
failed=0

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
  step memcheck timeout 280 compute-sanitizer --tool memcheck --error-exitcode 9 "$here/backend-cuda.test" -test.short -test.v
}

doctor() { step doctor "$here/weft" doctor; tail -n 25 "$LOGS/doctor.log"; }

[ $# -gt 0 ] || set -- tests doctor
for s in "$@"; do "$s"; done
exit $failed

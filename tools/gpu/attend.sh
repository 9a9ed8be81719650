#!/usr/bin/env bash
# Checks and times attention on a GPU: attend.sh, beside ptx.test. One line a shape, a column a kernel.
set -u
here=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-.}
pivot() { # pivot UNIT: rows by shape, columns by kernel
  awk -v unit="$1" '/^Benchmark/ {
    sub(/-[0-9]+$/, "", $1); n = split($1, part, "/"); name = part[n]; row = part[2]
    for (i = 3; i < n; i++) row = row "/" part[i]
    if (!(row in seen)) { seen[row] = 1; rows[++r] = row }
    if (!(name in known)) { known[name] = 1; names[++c] = name }
    for (i = 3; i < NF; i++) { if ($(i+1) == unit) v[row, name] = $i; if ($(i+1) == "µs/launch") us[row, name] = $i }
  } END {
    printf "%-14s", unit " (µs)"; for (j = 1; j <= c; j++) { sub(/^attend_(decode|prefill)/, "*", names[j]); printf " %18s", names[j]; } print ""
    for (i = 1; i <= r; i++) { printf "%-14s", rows[i]; for (j = 1; j <= c; j++) { m = names[j]; sub(/^\*/, "attend_" op, m); printf " %18s", v[rows[i], m] " (" us[rows[i], m] ")" } print "" }
  }' op="$2"
}
timeout 100 "$here/ptx.test" -test.run 'Attend.*_GPU' -test.v > "$OUT/attend_test.log" 2>&1
grep -E '^(---|panic|FAIL|PASS)|^ +[a-z_]*test.go.*(want|error|cannot|element)|skipped' "$OUT/attend_test.log" | cut -c1-300 | head -n 20
timeout 60 "$here/ptx.test" -test.run '^$' -test.bench "${BENCH:-AttendDecode}" -test.benchtime 1x > "$OUT/decode.log" 2>&1
pivot GB/s decode < "$OUT/decode.log"; grep -E 'panic|FAIL|timing_test.go|bench_test.go' "$OUT/decode.log" | head -5
timeout 60 "$here/ptx.test" -test.run '^$' -test.bench AttendPrefill -test.benchtime 1x > "$OUT/prefill.log" 2>&1
pivot TFLOP/s prefill < "$OUT/prefill.log"; grep -E 'panic|FAIL|timing_test.go|bench_test.go' "$OUT/prefill.log" | head -5

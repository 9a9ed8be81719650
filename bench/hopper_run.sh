#!/bin/bash
# What bench/hopper.sh packed, run on the GPU machine. Logs and CSV go to $OUT; a summary comes last. Mechanisms first, then
# results, then times if all results are right (or FORCE_BENCH is set).
cd "$(dirname "$0")" || exit 1
OUT=${OUT:-.}
export WEFT_REQUIRE_GPU=1
say() { echo "== $* ($SECONDS s)"; }
failures() { grep -E '_test.go:|panic|^        (element|cu)' "$1" | cut -c1-190 | head -"$2"; }
nvidia-smi --query-gpu=name,driver_version,clocks.sm,power.limit --format=csv,noheader
timeout 30 ./driver.test -test.run 'ParametersAligned|ClusterAndOverlap' -test.v >"$OUT/test.log.driver" 2>&1
say "driver: rc $?"
failures "$OUT/test.log.driver" 4
# Each mechanism in a process of its own: a fault in one would fail the others.
wrong=0
for test in $(./ptx.test -test.list '^TestMechanism'); do
	timeout 20 ./ptx.test -test.run "^$test\$" -test.v >"$OUT/test.log.$test" 2>&1
	rc=$?
	say "$test: rc $rc"
	[ $rc = 0 ] || wrong=1
	[ $rc = 0 ] || failures "$OUT/test.log.$test" 5
done
for v in skinny_n8 skinny_n16 skinny_n32 skinny_n64 skinny_n128 gemm_128x64 gemm_128x128 gemm_128x192 gemm_128x256 gemm_256x128; do
	[ $SECONDS -lt 90 ] || { wrong=1; say "no time for $v"; continue; }
	WEFT_TEST_VARIANT=$v timeout 20 ./ptx.test -test.run EveryKernelGives -test.v >"$OUT/test.log.$v" 2>&1
	rc=$?
	say "$v: rc $rc, $(grep -c ' on M=' "$OUT/test.log.$v") wrong"
	[ $rc = 0 ] || wrong=1
	[ $rc = 0 ] || failures "$OUT/test.log.$v" 3
done
timeout 30 ./ptx.test -test.run 'LargeShapes|OverlappedChain' -test.v >"$OUT/test.log.large" 2>&1
rc=$?
say "large shapes and overlapped chain: rc $rc"
[ $rc = 0 ] || failures "$OUT/test.log.large" 8
grep -q -- '--- PASS: TestLinear_LargeShapes' "$OUT/test.log.large" || wrong=1
if [ $wrong = 0 ] || [ -n "$FORCE_BENCH" ]; then
	timeout 40 python3 linear.py cases.csv "$OUT/peers.csv"
	say "peers: rc $?"
	timeout $((145 - SECONDS)) ./kernelbench -variants -peers "$OUT/peers.csv" -out "$OUT" >"$OUT/table.txt" 2>&1
	say "bench: rc $?"
fi
if sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) && [ -z "$SKIP_SANITIZER" ]; then
	for run in memcheck:skinny_n8 memcheck:gemm_128x128 racecheck:skinny_n8; do
		tool=${run%%:*} v=${run#*:}
		WEFT_TEST_SMALL=1 WEFT_TEST_VARIANT=$v timeout 30 "$sanitizer" --tool "$tool" ./ptx.test -test.run EveryKernelGives >"$OUT/$tool.log.$v" 2>&1
		say "$tool $v: rc $?, $(grep -E 'SUMMARY' "$OUT/$tool.log.$v" | head -1)"
	done
fi
cat "$OUT"/*.log.* >"$OUT/tests.txt" 2>/dev/null; rm -f "$OUT"/*.log.*
[ -f "$OUT/table.txt" ] || exit 0
grep -E 'kernelbench:|719|700' "$OUT/table.txt" | head -3
awk 'NR == 1 || $1 == "square" || /(^|[^0-9])(1|64|2048) +[0-9]+\.[0-9]+ +[0-9]+\.[0-9]+ /' "$OUT/table.txt" | grep -v compiled | cut -c1-104

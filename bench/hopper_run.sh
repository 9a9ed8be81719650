#!/bin/bash
# What bench/hopper.sh packed, run on the GPU machine. Logs and CSV go to $OUT; the table comes last.
cd "$(dirname "$0")" || exit 1
OUT=${OUT:-.}
export WEFT_REQUIRE_GPU=1
say() { echo "== $* ($SECONDS s)"; }
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,power.limit --format=csv,noheader
if ptxas=$(command -v ptxas || ls /usr/local/cuda/bin/ptxas 2>/dev/null); then
	for f in gen/*.ptx; do
		"$ptxas" -v -arch=sm_90a -o /tmp/k.cubin "$f" >>"$OUT/ptxas.log" 2>&1
	done
	say "ptxas of this machine: $(grep -c 'Used' "$OUT/ptxas.log") kernels, $(grep -cE '\(C[0-9]+\)' "$OUT/ptxas.log") warnings, spills: $(grep -cE '[1-9][0-9]* bytes spill' "$OUT/ptxas.log")"
	grep -E '\(C[0-9]+\)' "$OUT/ptxas.log" | cut -c1-200 | sort | uniq -c | head -5
fi
for v in skinny gemm_128x64 gemm_128x128 gemm_128x192 gemm_128x256 gemm_256x128; do
	WEFT_TEST_VARIANT=$v timeout 40 ./ptx.test -test.run EveryKernelGives -test.v >"$OUT/test.log.$v" 2>&1
	say "$v against float64: rc $?"
	grep -vE '^=== |^---|^ok|^PASS' "$OUT/test.log.$v" | cut -c1-220 | head -12
done
timeout 60 ./ptx.test -test.run 'LargeShapes|OverlappedChain' -test.v >"$OUT/test.log.large" 2>&1
say "large shapes and overlapped chain: rc $?"
grep -vE '^=== ' "$OUT/test.log.large" | cut -c1-220 | head -30
timeout 120 python3 linear.py cases.csv "$OUT/peers.csv"
say "peers: rc $?"
timeout 200 ./kernelbench -variants -peers "$OUT/peers.csv" -out "$OUT" >"$OUT/table.txt" 2>&1
say "bench: rc $?"
if sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) && [ -z "$SKIP_SANITIZER" ]; then
	for run in memcheck:skinny_n8 memcheck:gemm_128x128 racecheck:skinny_n8; do
		tool=${run%%:*} v=${run#*:}
		WEFT_TEST_SMALL=1 WEFT_TEST_VARIANT=$v timeout 30 "$sanitizer" --tool "$tool" ./ptx.test -test.run EveryKernelGives >"$OUT/$tool.log.$v" 2>&1
		say "$tool $v: rc $?, $(grep -E 'SUMMARY' "$OUT/$tool.log.$v" | head -1)"
	done
fi
cat "$OUT"/*.log.* >"$OUT/tests.txt" 2>/dev/null; rm -f "$OUT"/*.log.*
grep compiled "$OUT/table.txt"
awk 'NR == 1 || $1 == "square" || /(^|[^0-9])(1|16|64|128|256|512|2048|8192) +[0-9]+\.[0-9]+ +[0-9]+\.[0-9]+ /' "$OUT/table.txt" | cut -c1-104

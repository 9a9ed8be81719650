#!/bin/bash
# What bench/hopper.sh packed, run on the GPU machine: checks the kernels, times the peers, then weft beside them. Logs, CSV
# and plot go to $OUT; the table comes last. RUN='^attend_' takes the cases that a regular expression finds; SKIP_CHECKS=1
# only times; SKIP_SANITIZER=1 ends with the table; MECHANISMS=1 tests first what kernels are made of; LIMIT is the seconds
# that all may take.
cd "$(dirname "$0")" || exit 1
OUT=${OUT:-.}
export WEFT_REQUIRE_GPU=1
say() { echo "== $* ($SECONDS s)"; }
failures() { grep -E '_test.go:|panic|^        (element|cu)' "$1" | cut -c1-190 | head -"$2"; }
nvidia-smi --query-gpu=name,driver_version,clocks.sm,power.limit --format=csv,noheader
wrong=0
if [ -n "$MECHANISMS" ]; then
	timeout 30 ./driver.test -test.run 'ParametersAligned|ClusterAndOverlap' -test.v >"$OUT/test.log.driver" 2>&1
	say "driver: rc $?"
	failures "$OUT/test.log.driver" 4
	# Each mechanism in a process of its own: a fault in one would fail the others.
	for test in $(./ptx.test -test.list '^TestMechanism'); do
		timeout 20 ./ptx.test -test.run "^$test\$" -test.v >"$OUT/test.log.$test" 2>&1
		rc=$?
		say "$test: rc $rc"
		[ $rc = 0 ] || wrong=1
		[ $rc = 0 ] || failures "$OUT/test.log.$test" 5
	done
fi
check() { # variants by a prefix, or large shapes
	local run=EveryKernelGives
	[ "$1" != large ] || run='LargeShapes|TestLinear_(Overlapped|Forms)|Steady'
	[ "$1" != fused ] || run=TestFused
	[ "$1" != attention ] || run='TestAttend_Matches|TestAttendPrefill_IsTheSame|TestAttendDecode'
	WEFT_TEST_VARIANT=${1#large} timeout -k 2 90 ./ptx.test -test.run "$run" -test.v >"$OUT/test.log.$1" 2>&1
	echo $? >"$OUT/rc.$1"
}
if [ -z "$SKIP_CHECKS" ]; then
	checks="skinny_n8 skinny_n16 skinny_n32 skinny_n64 gemm_128 swap gemm_m skinny_m large fused attention"
	for v in $checks; do check "$v" & done
	wait
	for v in $checks; do
		rc=$(cat "$OUT/rc.$v")
		say "$v: rc $rc, $(grep -c ' on M=' "$OUT/test.log.$v") wrong"
		[ "$rc" = 0 ] || wrong=1
		[ "$rc" = 0 ] || failures "$OUT/test.log.$v" 5
	done
	hung=$(grep -lxE '124|137' "$OUT"/rc.*)
	rm -f "$OUT"/rc.*
	# A kernel that does not end keeps the GPU from all that follows.
	[ -z "$hung" ] || { say "given up: $(basename -a $hung) did not end in time"; exit 1; }
fi
# Sizes between those that tell are left out.
RUN=${RUN:-'^(linear|gated_linear|logits)/.*/M=(1|16|64|128|256|512|2048|8192) |square|^[^lg]'}
./weft bench kernels --run "$RUN" --list >"$OUT/cases.csv"
timeout 120 python3 kernels.py "$OUT/cases.csv" "$OUT/peers.csv" >"$OUT/peers.txt" 2>&1
say "peers: rc $?, $(tail -1 "$OUT/peers.txt")"
peers="--peers $OUT/peers.csv"
[ -s "$OUT/peers.csv" ] || peers=
# What is wrong is not timed: the choices alone are.
variants=--variants
[ $wrong = 0 ] || variants=
timeout -k 5 $((${LIMIT:-400} - SECONDS)) ./weft bench kernels --run "$RUN" $variants $peers --csv "$OUT/kernels.csv" --plot "$OUT/kernels.svg" >"$OUT/table.txt" 2>&1
say "bench: rc $?"
if sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null) && [ -z "$SKIP_SANITIZER" ]; then
	for run in memcheck:skinny_n8 memcheck:gemm_128x128 memcheck:swap_128x128 racecheck:skinny_n8 racecheck:swap_128x128; do
		tool=${run%%:*} v=${run#*:}
		WEFT_TEST_SMALL=1 WEFT_TEST_VARIANT=$v timeout 30 "$sanitizer" --tool "$tool" ./ptx.test -test.run EveryKernelGives >"$OUT/$tool.log.$v" 2>&1
		say "$tool $v: rc $?, $(grep -E 'SUMMARY' "$OUT/$tool.log.$v" | head -1)"
	done
fi
cat "$OUT"/*.log.* >"$OUT/tests.txt" 2>/dev/null; rm -f "$OUT"/*.log.*
[ -f "$OUT/table.txt" ] || exit 0
cat "$OUT/table.txt"

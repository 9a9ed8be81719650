package simt

import (
	"math"
	"strings"
	"testing"
)

// exchange has each of 64 threads read, by way of shared memory, what another warp wrote.
func exchange(between string) snippet {
	return snippet{block: 64, declare: ".shared .align 4 .b8 words[256];", code: `
	mov.u64 %rd1, words;
	mul.wide.u32 %rd2, %t, 4;
	add.s64 %rd2, %rd1, %rd2;
	mov.u32 %r2, 0;
	add.s32 %r1, %t, 1000;
	st.shared.u32 [%rd2], %r1;
` + between + `
	xor.b32 %r3, %t, 32;
	mul.wide.u32 %rd3, %r3, 4;
	add.s64 %rd3, %rd1, %rd3;
	ld.shared.u32 %r0, [%rd3];`}
}

func TestBarrier_OrdersWhatWarpsWrite(t *testing.T) {
	for seed := range uint64(20) {
		s := exchange("bar.sync 0;")
		s.seed = seed
		s.wantWords(t, each(64, func(i int) uint32 { return uint32(i^32) + 1000 })...)
	}
}

// TestBarrier_AMissingOneIsSeen finds, under some seed, that a warp reads before the other wrote.
func TestBarrier_AMissingOneIsSeen(t *testing.T) {
	for seed := range uint64(20) {
		s := exchange("")
		s.seed = seed
		got, err := s.run()
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] == all {
				return
			}
		}
	}
	t.Error("20 schedules gave every warp what the other wrote, want one that reads poison")
}

func TestBarrier_CountsNamesAndReduces(t *testing.T) {
	snippet{block: 96, code: `
	setp.ge.u32 %p1, %t, 64;
	mov.u32 %r0, 1;
	@%p1 bra third;
	bar.sync 3, 64;
	bra met;
third:
	bar.arrive 4, 64;
	mov.u32 %r0, 2;
	bra end;
met:
	setp.lt.u32 %p2, %t, 32;
	@%p2 bra end;
	bar.sync 4, 64;
end:
	setp.eq.s32 %p3, %t, 70;
	bar.red.or.pred %p4, 0, %p3;
	@%p4 add.s32 %r0, %r0, 10;`}.wantWords(t, each(96, func(i int) uint32 { return 11 + uint32(i/64) })...)
}

func TestDeadlock_SaysWhereEachWarpStands(t *testing.T) {
	snippet{block: 64, code: "setp.lt.u32 %p1, %t, 32;\n@%p1 bra skip;\nbar.sync 1, 64;\nskip:\nmov.u32 %r0, 0;"}.
		wantFault(t, Deadlock, "nobody can go on", "warp 1", "bar.sync 1, 64", "waits at a barrier")
	snippet{steps: 1e5, code: "again:\nld.global.u32 %r1, [%out];\nsetp.ne.s32 %p1, %r1, 3;\n@%p1 bra again;\nmov.u32 %r0, 0;"}.
		wantFault(t, Deadlock, "does not end")
}

// Blocks that run at once on a device may wait for each other, whether they sleep or not.
func TestGrid_BlocksThatLookForOthersEnd(t *testing.T) {
	for _, sleep := range []string{"", "nanosleep.u32 20;"} {
		snippet{grid: 9, in: []uint32{0}, code: `
	setp.ne.u32 %p1, %t, 0;
	@%p1 bra done;
	atom.global.add.u32 %r0, [%out], 1;
again:
	` + sleep + `
	ld.relaxed.gpu.global.u32 %r1, [%out];
	setp.ne.u32 %p1, %r1, 9;
	@%p1 bra again;
done:
	mov.u32 %r0, 9;`}.wantWords(t, 9, 9)
	}
}

// copied copies 16 bytes a thread by cp.async and reads one word of them.
func copied(wait string) snippet {
	return snippet{words: 128, in: each(128, func(i int) uint32 { return uint32(i) * 3 }), declare: ".shared .align 16 .b8 words[512];", code: `
	mov.u64 %rd1, words;
	cvt.u32.u64 %r1, %rd1;
	shl.b32 %r2, %t, 4;
	add.s32 %r1, %r1, %r2;
	cvt.u64.u32 %rd2, %r2;
	add.s64 %rd2, %out, %rd2;
	cp.async.cg.shared.global [%r1], [%rd2], 16, 8;
	cp.async.commit_group;
` + wait + `
	ld.shared.u32 %r3, [%r1+4];
	ld.shared.u32 %r4, [%r1+8];
	add.s32 %r0, %r3, %r4;`}
}

func TestCopy_LandsAtItsWaitAndFillsWithZeros(t *testing.T) {
	copied("cp.async.wait_group 0;").wantWords(t, each(32, func(i int) uint32 { return uint32(4*i+1) * 3 })...)
	copied("cp.async.wait_all;").wantWords(t, 3)
}

func TestCopy_APredicateHasLanesReadNothing(t *testing.T) {
	s := copied("cp.async.wait_all;")
	s.code = "setp.lt.u32 %p1, %t, 8;\n" + strings.ReplaceAll(s.code, "16, 8;", "16, %p1;")
	s.wantWords(t, each(32, func(i int) uint32 {
		if i < 8 {
			return 0
		}
		return uint32(4*i+1)*3 + uint32(4*i+2)*3
	})...)
}

func TestCopy_AMissingWaitReadsWhatWasThere(t *testing.T) {
	poisoned := uint32(0xfffffffe) // all ones twice
	copied("").wantWords(t, poisoned)
	copied("cp.async.wait_group 1;").wantWords(t, poisoned)
}

func TestMemory_BoundsAndAlignmentAreChecked(t *testing.T) {
	snippet{code: "mov.u32 %r0, 1;\nst.global.u32 [%out+128], %r0;"}.wantFault(t, Address, "kernel k, PTX line", "st.global.u32 [%out+128], %r0", "thread [0 0 0] of block [0 0 0]", "0x10080", "was never allocated")
	snippet{words: 33, code: "mov.u32 %r0, 1;\nst.global.v4.u32 [%out+128], {%r0,%r0,%r0,%r0};"}.wantFault(t, Address, "goes past the end")
	snippet{code: "mov.u32 %r0, 1;\nst.global.v2.u32 [%out+4], {%r0,%r0};"}.wantFault(t, Misaligned, "8 bytes at 0x10004")
	snippet{declare: ".shared .align 4 .b8 s[64];", code: "mov.u64 %rd1, s;\nld.shared.u32 %r0, [%rd1+64];"}.wantFault(t, Address, "shared memory", "has 64")
	snippet{code: "mov.u64 %rd1, 0;\nld.shared.u32 %r0, [%rd1];"}.wantFault(t, Address, "shared memory")
}

func TestDecode_RefusesWhatItDoesNotKnow(t *testing.T) {
	for code, want := range map[string]string{
		"add.sat.s32 %r0, %r1, %r2;":     "PTX line 17: instruction add.sat.s32 is not played",
		"ld.global.v3.u32 %r0, [%out];":  "ld.global.v3.u32 is not played",
		"add.s32 %r0, %rd1, 1;":          "another width",
		"bra nowhere;":                   "label nowhere is not there",
		"mov.u32 %r0, unknown;":          "unknown is not a register",
		"call foo;":                      "instruction call is not played",
		".local .align 4 .b8 depot[16];": "is not played",
	} {
		_, err := snippet{code: code}.run()
		wantText(t, code, err, want)
	}
}

// mbarrier snippets wait for a phase; %r1 is the barrier's address.
const mbarrierStart = `
	mov.u64 %rd1, bar;
	cvt.u32.u64 %r1, %rd1;
	setp.eq.s32 %p1, %t, 0;
`

func TestMbarrier_EndsPhasesByArrivalsAndBytes(t *testing.T) {
	s := snippet{block: 64, declare: ".shared .align 8 .b8 bar[8];", code: mbarrierStart + `
	@%p1 mbarrier.init.shared::cta.b64 [%r1], 64;
	bar.sync 0;
	mov.u32 %r0, 0;
	mov.u32 %r2, 0;
phase:
	mbarrier.arrive.shared::cta.b64 _, [%r1];
again:
	mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r1], %r2;
	@!%p2 bra again;
	xor.b32 %r2, %r2, 1;
	add.s32 %r0, %r0, 1;
	setp.lt.s32 %p3, %r0, 5;
	@%p3 bra phase;`}
	s.wantWords(t, each(64, func(int) uint32 { return 5 })...)

	s.code = mbarrierStart + "@%p1 mbarrier.init.shared::cta.b64 [%r1], 64;\nbar.sync 0;\nmov.u32 %r2, 4;\n@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], %r2;\n" +
		"mov.u32 %r2, 0;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 %p2, [%r1], %r2;\n@!%p2 bra again;\nmov.u32 %r0, 0;"
	s.wantFault(t, Deadlock, "parity 0 is to end; in phase 0, 63 of 64 arrivals and 4 bytes are missing")

	s.code = mbarrierStart + "mbarrier.arrive.shared::cta.b64 _, [%r1];\nmov.u32 %r0, 0;"
	s.wantFault(t, Instruction, "holds no barrier")
	s.code = mbarrierStart + "@%p1 mbarrier.init.shared::cta.b64 [%r1], 1;\nbar.sync 0;\nst.shared.u32 [%rd1], %t;\nmbarrier.arrive.shared::cta.b64 _, [%r1];\nmov.u32 %r0, 0;"
	s.wantFault(t, Instruction, "written over")
}

func TestCluster_WordsSentArriveAndAnEndedBlockIsNotReached(t *testing.T) {
	const declare = ".shared .align 8 .b8 bar[8];\n.shared .align 4 .b8 word[4];"
	const start = mbarrierStart + `
	mov.u32 %r9, %cluster_ctarank;
	xor.b32 %r10, %r9, 1;
	mov.u64 %rd2, word;
	cvt.u32.u64 %r2, %rd2;
	mapa.shared::cluster.u32 %r3, %r2, %r10;
	mapa.shared::cluster.u32 %r4, %r1, %r10;
	mov.u32 %r5, 4;
	mbarrier.init.shared::cta.b64 [%r1], 1;
	mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], %r5;
	fence.mbarrier_init.release.cluster;
	barrier.cluster.arrive.relaxed;
	barrier.cluster.wait.acquire;
	add.s32 %r6, %r9, 50;
	mov.b32 %f1, %r6;
	st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.f32 [%r3], %f1, [%r4];
`
	const wait = `
	mov.u32 %r7, 0;
again:
	mbarrier.try_wait.parity.shared::cta.b64 %p2, [%r1], %r7;
	@!%p2 bra again;
	ld.shared.u32 %r0, [%r2];
	mov.u32 %t, %r9;
`
	snippet{block: 1, cluster: 2, words: 2, declare: declare, code: start + wait}.wantWords(t, 51, 50)
	snippet{block: 1, cluster: 2, words: 2, declare: declare, code: start + "setp.eq.s32 %p3, %r9, 1;\n@%p3 bra out;\n" + wait + "out:\n"}.
		wantFault(t, Address, "has ended")
}

// matrixOf is rows of 64 bf16 that count up.
func matrixOf(rows int) []uint32 {
	return each(32*rows, func(i int) uint32 {
		one := func(j int) uint32 { return toBF16(math.Float32bits(float32(j%64 + j/64))) }
		return one(2*i) | one(2*i+1)<<16
	})
}

func TestWgmma_ARegisterInUseIsNotTouched(t *testing.T) {
	const product = `
	mov.u64 %rd1, tiles;
	shr.u64 %rd1, %rd1, 4;
	mov.u64 %rd2, 0x4000004000010000;
	or.b64 %rd1, %rd1, %rd2;
	mov.f32 %f0, 0f00000000;
	mov.f32 %f1, %f0;
	mov.f32 %f2, %f0;
	mov.f32 %f3, %f0;
	setp.eq.b32 %p1, 0, 0;
	wgmma.fence.sync.aligned;
	wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f0,%f1,%f2,%f3}, %rd1, %rd1, %p1, 1, 1, 0, 0;
	wgmma.commit_group.sync.aligned;
`
	s := snippet{block: 128, declare: ".shared .align 1024 .b8 tiles[8192];"}
	s.code = product + "mov.b32 %r0, %f0;"
	s.wantFault(t, Instruction, "a register that a wgmma works on")
	s.code = product + "wgmma.wait_group.sync.aligned 0;\nmov.b32 %r0, %f0;"
	s.wantWords(t, canonicalNaN) // of poison
}

// TestProxy_WhatThreadsStoreIsFencedBeforeWgmmaReadsIt: each thread stores a word of the operand that all multiply.
func TestProxy_WhatThreadsStoreIsFencedBeforeWgmmaReadsIt(t *testing.T) {
	run := func(fence string) snippet {
		return snippet{block: 128, declare: ".shared .align 1024 .b8 tiles[8192];", code: `
	mov.u64 %rd1, tiles;
	mul.wide.u32 %rd3, %t, 4;
	add.s64 %rd3, %rd1, %rd3;
	mov.u32 %r1, 0;
	st.shared.u32 [%rd3], %r1;
	` + fence + `
	bar.sync 0;
	shr.u64 %rd1, %rd1, 4;
	mov.u64 %rd2, 0x4000004000010000;
	or.b64 %rd1, %rd1, %rd2;
	setp.eq.b32 %p1, 0, 1;
	wgmma.fence.sync.aligned;
	wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%f0,%f1,%f2,%f3}, %rd1, %rd1, %p1, 1, 1, 0, 0;
	wgmma.commit_group.sync.aligned;
	wgmma.wait_group.sync.aligned 0;
	mov.b32 %r0, %f0;`}
	}
	run("").wantFault(t, Instruction, "no fence.proxy.async")
	run("setp.eq.u32 %p2, %t, 0;\n@%p2 fence.proxy.async.shared::cta;").wantFault(t, Instruction, "where thread 3 stored") // a fence is for its own thread
	if _, err := run("fence.proxy.async.shared::cta;").run(); err != nil {
		t.Error(err)
	}
}

package simt

import "testing"

func TestWarp_LanesPartAndMeetAgain(t *testing.T) {
	// Odd lanes take the long way; the ballot behind wants all of them together.
	snippet{code: `
	and.b32 %r1, %t, 1;
	setp.eq.s32 %p1, %r1, 0;
	mov.u32 %r2, 5;
	@%p1 bra even;
	mov.u32 %r2, 7;
	add.s32 %r2, %r2, %t;
even:
	vote.sync.ballot.b32 %r3, %p1, -1;
	add.s32 %r0, %r2, %r3;`}.wantWords(t, each(32, func(i int) uint32 {
		if i%2 == 0 {
			return 0x55555555 + 5
		}
		return 0x55555555 + 7 + uint32(i)
	})...)
}

func TestWarp_EachLaneLoopsAsLongAsItsOwnCount(t *testing.T) {
	snippet{code: `
	mov.u32 %r0, 0;
	mov.u32 %r1, 0;
again:
	setp.ge.u32 %p1, %r1, %t;
	@%p1 bra done;
	add.s32 %r0, %r0, %r1;
	add.s32 %r1, %r1, 1;
	bra again;
done:`}.wantWords(t, each(32, func(i int) uint32 { return uint32(i * (i - 1) / 2) })...)
}

func TestWarp_APredicateGuardsTheLanesItHolds(t *testing.T) {
	snippet{code: "setp.lt.u32 %p1, %t, 3;\nmov.u32 %r0, 9;\n@%p1 mov.u32 %r0, 1;\n@!%p1 add.s32 %r0, %r0, %t;"}.wantWords(t, 1, 1, 1, 12, 13)
}

// TestWarp_WhoSpinsHoldsNobodyUp has lane 0 wait, at a lower place of the code, for what lane 1 does at a higher one.
func TestWarp_WhoSpinsHoldsNobodyUp(t *testing.T) {
	snippet{in: []uint32{0}, code: `
	setp.ne.u32 %p1, %t, 0;
	@%p1 bra other;
again:
	ld.global.cv.s32 %r1, [%out+4];
	setp.ne.s32 %p2, %r1, 77;
	@%p2 bra again;
	bra met;
other:
	mov.u32 %r2, 77;
	st.global.u32 [%out+4], %r2;
met:
	mov.u32 %r0, 77;`}.wantWords(t, 77, 77)
}

func TestShuffle_EveryKind(t *testing.T) {
	shuffled := func(kind, b, c string) snippet {
		return snippet{code: "shfl.sync." + kind + ".b32 %r1|%p1, %t, " + b + ", " + c + ", -1;\nselp.u32 %r2, 100, 0, %p1;\nadd.s32 %r0, %r1, %r2;"}
	}
	shuffled("bfly", "5", "31").wantWords(t, each(32, func(i int) uint32 { return uint32(i^5) + 100 })...)
	shuffled("idx", "3", "31").wantWords(t, each(32, func(i int) uint32 { return 103 })...)
	shuffled("idx", "3", "0x181f").wantWords(t, each(32, func(i int) uint32 { return uint32(i&24|3) + 100 })...) // segments of eight
	shuffled("up", "2", "0").wantWords(t, each(32, func(i int) uint32 {
		if i < 2 {
			return uint32(i)
		}
		return uint32(i-2) + 100
	})...)
	shuffled("down", "2", "31").wantWords(t, each(32, func(i int) uint32 {
		if i > 29 {
			return uint32(i)
		}
		return uint32(i+2) + 100
	})...)
	snippet{code: "setp.lt.u32 %p1, %t, 16;\n@%p1 bra skip;\nshfl.sync.idx.b32 %r0|%p2, %t, 3, 31, 0xffff0000;\nskip:"}.
		wantFault(t, Instruction, "lane 3, which does not take part")
}

func TestVotes_CountTheLanesOfTheMask(t *testing.T) {
	snippet{code: `
	setp.lt.u32 %p1, %t, 5;
	vote.sync.any.pred %p2, %p1, -1;
	vote.sync.all.pred %p3, %p1, -1;
	redux.sync.add.s32 %r1, %t, -1;
	selp.u32 %r2, 1000, 0, %p2;
	selp.u32 %r3, 5000, 0, %p3;
	add.s32 %r0, %r1, %r2;
	add.s32 %r0, %r0, %r3;`}.wantWords(t, 1496, 1496)
	snippet{code: "and.b32 %r1, %t, 3;\nmatch.any.sync.b32 %r0, %r1, -1;"}.wantWords(t, 0x11111111, 0x22222222)
}

func TestAtomics_GiveEachThreadItsOwnOldValue(t *testing.T) {
	snippet{words: 1, block: 96, in: []uint32{0}, code: "atom.global.add.u32 %r1, [%out], 1;\nsetp.eq.s32 %p1, %r1, 95;\n@%p1 bra last;\nret;\nlast:\nmov.u32 %r2, 7;\nst.global.u32 [%out], %r2;\nret;"}.
		wantWords(t, 7)
	snippet{words: 2, in: []uint32{5, 0}, code: "cvt.u64.u32 %rd1, %t;\nred.global.max.u64 [%out], %rd1;\nret;"}.wantWords(t, 31, 0)
}

#include "textflag.h"
#include "neon_arm64.h"

// Weighted sums of value rows: out[i*ldo+c] += Σ p[i*ldp+k]·v[k*ldv+c] for four rows i and 16 columns, keys in order.

#define LOAD16(r, a, b, c, d) \
	FLDPQ (r), (a, b); \
	FLDPQ 32(r), (c, d)

#define SAVE16(r, a, b, c, d) \
	FSTPQ (a, b), (r); \
	FSTPQ (c, d), 32(r)

#define ADD16(e, p, a, b, c, d) \
	FMLALANE(e, p, 16, a); \
	FMLALANE(e, p, 17, b); \
	FMLALANE(e, p, 18, c); \
	FMLALANE(e, p, 19, d)

// KEY adds the next value row, weighted with lane e of V20 to V23.
#define KEY(e) \
	LOAD16(R8, F16, F17, F18, F19); \
	ADD   R9, R8, R8; \
	ADD16(e, 20, 0, 1, 2, 3); \
	ADD16(e, 21, 4, 5, 6, 7); \
	ADD16(e, 22, 8, 9, 10, 11); \
	ADD16(e, 23, 12, 13, 14, 15)

// func mix16NEON(out *float32, ldo int, p *float32, ldp int, v *float32, ldv int, keys int)
TEXT ·mix16NEON(SB), NOSPLIT, $0-56
	MOVD out+0(FP), R0
	MOVD ldo+8(FP), R10
	MOVD p+16(FP), R4
	MOVD ldp+24(FP), R11
	MOVD v+32(FP), R8
	MOVD ldv+40(FP), R9
	MOVD keys+48(FP), R12
	LSL  $2, R9, R9
	ADD  R10<<2, R0, R1
	ADD  R10<<2, R1, R2
	ADD  R10<<2, R2, R3
	ADD  R11<<2, R4, R5
	ADD  R11<<2, R5, R6
	ADD  R11<<2, R6, R7
	LOAD16(R0, F0, F1, F2, F3)
	LOAD16(R1, F4, F5, F6, F7)
	LOAD16(R2, F8, F9, F10, F11)
	LOAD16(R3, F12, F13, F14, F15)
	SUBS $4, R12, R12
	BLT  rest

four:
	FMOVQ.P 16(R4), F20
	FMOVQ.P 16(R5), F21
	FMOVQ.P 16(R6), F22
	FMOVQ.P 16(R7), F23
	KEY(0)
	KEY(1)
	KEY(2)
	KEY(3)
	SUBS $4, R12, R12
	BGE  four

rest:
	ADDS $4, R12, R12
	BEQ  done

one:
	FMOVS.P 4(R4), F20
	FMOVS.P 4(R5), F21
	FMOVS.P 4(R6), F22
	FMOVS.P 4(R7), F23
	KEY(0)
	SUBS $1, R12, R12
	BGT  one

done:
	SAVE16(R0, F0, F1, F2, F3)
	SAVE16(R1, F4, F5, F6, F7)
	SAVE16(R2, F8, F9, F10, F11)
	SAVE16(R3, F12, F13, F14, F15)
	RET

// func spin()
// ISB drains the pipeline, which takes tens of cycles; YIELD takes none where cores have one thread.
TEXT ·spin(SB), NOSPLIT, $0-0
	ISB $15
	RET

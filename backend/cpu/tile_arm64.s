#include "textflag.h"
#include "neon_arm64.h"

// Tiles of dot products: out[i*ldo+j] = x[i]·w[j] for i < rows, j < 3, over k floats, k a positive multiple of 16.
// Lane l of a sum takes the products k = l mod 8 in order, in two registers; STORE3 adds the lanes as dot_arm64.s does.

#define ARGS \
	MOVD out+0(FP), R0; \
	MOVD ldo+8(FP), R1; \
	MOVD x+16(FP), R2; \
	MOVD ldx+24(FP), R3; \
	MOVD w+32(FP), R8; \
	MOVD ldw+40(FP), R4; \
	MOVD k+48(FP), R7; \
	LSL  $2, R1, R1; \
	LSL  $2, R3, R3; \
	LSL  $2, R4, R4; \
	ADD  R4, R8, R9; \
	ADD  R4, R9, R10; \
	ADD  R3, R2, R11; \
	ADD  R3, R11, R12; \
	ADD  R3, R12, R13

#define ZERO6(a, b, c, d, e, f) \
	VEOR a.B16, a.B16, a.B16; \
	VEOR b.B16, b.B16, b.B16; \
	VEOR c.B16, c.B16, c.B16; \
	VEOR d.B16, d.B16, d.B16; \
	VEOR e.B16, e.B16, e.B16; \
	VEOR f.B16, f.B16, f.B16

#define WEIGHTS \
	FLDPQ.P 32(R8), (F24, F25); \
	FLDPQ.P 32(R9), (F26, F27); \
	FLDPQ.P 32(R10), (F28, F29)

// ROW adds the products of the next 8 floats of x and the weights.
#define ROW(x, a0, a1, b0, b1, c0, c1) \
	FLDPQ.P 32(x), (F30, F31); \
	VFMLA   V24.S4, V30.S4, a0.S4; \
	VFMLA   V26.S4, V30.S4, b0.S4; \
	VFMLA   V28.S4, V30.S4, c0.S4; \
	VFMLA   V25.S4, V31.S4, a1.S4; \
	VFMLA   V27.S4, V31.S4, b1.S4; \
	VFMLA   V29.S4, V31.S4, c1.S4

// STORE3 adds the lanes of a0+a1, b0+b1 and c0+c1 and stores three floats.
#define STORE3(a0, a1, b0, b1, c0, c1) \
	FADD(a1, a0, 24); \
	FADD(b1, b0, 25); \
	FADD(c1, c0, 26); \
	FADDP(25, 24, 24); \
	FADDP(26, 26, 26); \
	FADDP(26, 24, 24); \
	FMOVD F24, (R0); \
	ADD   $8, R0, R14; \
	VST1  V24.S[2], (R14); \
	ADD   R1, R0, R0

// func tile1NEON(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile1NEON(SB), NOSPLIT, $0-56
	ARGS
	ZERO6(V0, V1, V2, V3, V4, V5)

loop:
	WEIGHTS
	ROW(R2, V0, V1, V2, V3, V4, V5)
	WEIGHTS
	ROW(R2, V0, V1, V2, V3, V4, V5)
	SUBS $16, R7, R7
	BGT  loop
	STORE3(0, 1, 2, 3, 4, 5)
	RET

// func tile2NEON(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile2NEON(SB), NOSPLIT, $0-56
	ARGS
	ZERO6(V0, V1, V2, V3, V4, V5)
	ZERO6(V6, V7, V8, V9, V10, V11)

loop:
	WEIGHTS
	ROW(R2, V0, V1, V2, V3, V4, V5)
	ROW(R11, V6, V7, V8, V9, V10, V11)
	WEIGHTS
	ROW(R2, V0, V1, V2, V3, V4, V5)
	ROW(R11, V6, V7, V8, V9, V10, V11)
	SUBS $16, R7, R7
	BGT  loop
	STORE3(0, 1, 2, 3, 4, 5)
	STORE3(6, 7, 8, 9, 10, 11)
	RET

// func tile4NEON(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile4NEON(SB), NOSPLIT, $0-56
	ARGS
	ZERO6(V0, V1, V2, V3, V4, V5)
	ZERO6(V6, V7, V8, V9, V10, V11)
	ZERO6(V12, V13, V14, V15, V16, V17)
	ZERO6(V18, V19, V20, V21, V22, V23)

loop:
	WEIGHTS
	ROW(R2, V0, V1, V2, V3, V4, V5)
	ROW(R11, V6, V7, V8, V9, V10, V11)
	ROW(R12, V12, V13, V14, V15, V16, V17)
	ROW(R13, V18, V19, V20, V21, V22, V23)
	WEIGHTS
	ROW(R2, V0, V1, V2, V3, V4, V5)
	ROW(R11, V6, V7, V8, V9, V10, V11)
	ROW(R12, V12, V13, V14, V15, V16, V17)
	ROW(R13, V18, V19, V20, V21, V22, V23)
	SUBS $16, R7, R7
	BGT  loop
	STORE3(0, 1, 2, 3, 4, 5)
	STORE3(6, 7, 8, 9, 10, 11)
	STORE3(12, 13, 14, 15, 16, 17)
	STORE3(18, 19, 20, 21, 22, 23)
	RET

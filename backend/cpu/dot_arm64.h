// What the dot products share. R0 to R3 point into the four weight rows, R5 into x, R4 to out; R7 counts the floats
// left. Row r sums in V(2r) and V(2r+1), lane l of the two taking the products k = l mod 8 in order.

#define DOT_ARGS \
	MOVD out+0(FP), R4; \
	MOVD x+8(FP), R5; \
	MOVD w+16(FP), R0; \
	MOVD ldw+24(FP), R6; \
	MOVD k+32(FP), R7; \
	ADD  R6, R0, R1; \
	ADD  R6, R1, R2; \
	ADD  R6, R2, R3; \
	VEOR V0.B16, V0.B16, V0.B16; \
	VEOR V1.B16, V1.B16, V1.B16; \
	VEOR V2.B16, V2.B16, V2.B16; \
	VEOR V3.B16, V3.B16, V3.B16; \
	VEOR V4.B16, V4.B16, V4.B16; \
	VEOR V5.B16, V5.B16, V5.B16; \
	VEOR V6.B16, V6.B16, V6.B16; \
	VEOR V7.B16, V7.B16, V7.B16

#define ADVANCE(bytes) \
	ADD $bytes, R0, R0; \
	ADD $bytes, R1, R1; \
	ADD $bytes, R2, R2; \
	ADD $bytes, R3, R3

// X16 loads the next 16 floats of x into V8 to V11.
#define X16 \
	FLDPQ.P 32(R5), (F8, F9); \
	FLDPQ.P 32(R5), (F10, F11)

// PRODUCTS adds those of x with V16 to V19.
#define PRODUCTS(a0, a1) \
	VFMLA V8.S4, V16.S4, a0.S4; \
	VFMLA V9.S4, V17.S4, a1.S4; \
	VFMLA V10.S4, V18.S4, a0.S4; \
	VFMLA V11.S4, V19.S4, a1.S4

// ROW adds the products of x and the codes in V26 times lane e of V24; ROWPLUS and ROWMINUS first add or subtract
// lane e of V25.
#define ROW(e, a0, a1) \
	WIDEN; \
	TIMES(e); \
	PRODUCTS(a0, a1)

#define ROWPLUS(e, a0, a1) \
	WIDEN; \
	TIMES(e); \
	PLUS(e); \
	PRODUCTS(a0, a1)

#define ROWMINUS(e, a0, a1) \
	WIDEN; \
	TIMES(e); \
	MINUS(e); \
	PRODUCTS(a0, a1)

// FOUR multiplies the next 16 floats of x with those that codes(row) and the row macro make of each weight row.
#define FOUR(codes, row) \
	X16; \
	codes(R0); \
	row(0, V0, V1); \
	codes(R1); \
	row(1, V2, V3); \
	codes(R2); \
	row(2, V4, V5); \
	codes(R3); \
	row(3, V6, V7)

#define DOT_END \
	FADD(1, 0, 0); \
	FADD(3, 2, 2); \
	FADD(5, 4, 4); \
	FADD(7, 6, 6); \
	FADDP(2, 0, 0); \
	FADDP(6, 4, 4); \
	FADDP(4, 0, 0); \
	FMOVQ F0, (R4); \
	RET

// LEVEL replaces the codes in V26 by the values of the iq4 types plus 128, which LEVELS loads.
#define LEVEL VTBL V26.B16, [V12.B16], V26.B16

#define LEVELS \
	MOVD $0x766a5d4f3f2d1801, R9; \
	VMOV R9, V12.D[0]; \
	MOVD $0xf1d9c5b5a6998d81, R9; \
	VMOV R9, V12.D[1]

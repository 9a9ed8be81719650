#include "textflag.h"

// Tiles of dot products: out[i*ldo+j] = x[i]·w[j] for i < rows, j < 6, over k floats, k a positive multiple of 16.
// Lane l of a sum takes the products k = l mod 16 in order; SUM4 and SUM2 add the lanes in one fixed order, the same
// in every AVX kernel of this package.

// FOLD adds the halves of z (whose low half is y) into the low register to.
#define FOLD(z, y, to) \
	VEXTRACTF64X4 $1, z, Y24; \
	VADDPS        Y24, y, to

// SUM4 adds the lanes of Y0 to Y3 into the four floats of X0; SUM2 of Y4 and Y5 into the low two of X4.
#define SUM4 \
	VHADDPS      Y1, Y0, Y0; \
	VHADDPS      Y3, Y2, Y2; \
	VHADDPS      Y2, Y0, Y0; \
	VEXTRACTF128 $1, Y0, X1; \
	VADDPS       X1, X0, X0

#define SUM2 \
	VHADDPS      Y5, Y4, Y4; \
	VHADDPS      Y4, Y4, Y4; \
	VEXTRACTF128 $1, Y4, X5; \
	VADDPS       X5, X4, X4

#define STORE6 \
	SUM4; \
	SUM2; \
	VMOVUPS X0, (DI); \
	VMOVLPS X4, 16(DI); \
	ADDQ    DX, DI

#define ROW0(src) \
	VMOVUPS     src, Z30; \
	VFMADD231PS Z24, Z30, Z0; \
	VFMADD231PS Z25, Z30, Z1; \
	VFMADD231PS Z26, Z30, Z2; \
	VFMADD231PS Z27, Z30, Z3; \
	VFMADD231PS Z28, Z30, Z4; \
	VFMADD231PS Z29, Z30, Z5

#define ROW1(src) \
	VMOVUPS     src, Z31; \
	VFMADD231PS Z24, Z31, Z6; \
	VFMADD231PS Z25, Z31, Z7; \
	VFMADD231PS Z26, Z31, Z8; \
	VFMADD231PS Z27, Z31, Z9; \
	VFMADD231PS Z28, Z31, Z10; \
	VFMADD231PS Z29, Z31, Z11

#define ROW2(src) \
	VMOVUPS     src, Z30; \
	VFMADD231PS Z24, Z30, Z12; \
	VFMADD231PS Z25, Z30, Z13; \
	VFMADD231PS Z26, Z30, Z14; \
	VFMADD231PS Z27, Z30, Z15; \
	VFMADD231PS Z28, Z30, Z16; \
	VFMADD231PS Z29, Z30, Z17

#define ROW3(src) \
	VMOVUPS     src, Z31; \
	VFMADD231PS Z24, Z31, Z18; \
	VFMADD231PS Z25, Z31, Z19; \
	VFMADD231PS Z26, Z31, Z20; \
	VFMADD231PS Z27, Z31, Z21; \
	VFMADD231PS Z28, Z31, Z22; \
	VFMADD231PS Z29, Z31, Z23

#define CLEAR6(a, b, c, d, e, f) \
	VPXORD a, a, a; \
	VPXORD b, b, b; \
	VPXORD c, c, c; \
	VPXORD d, d, d; \
	VPXORD e, e, e; \
	VPXORD f, f, f

#define ARGS \
	MOVQ out+0(FP), DI; \
	MOVQ ldo+8(FP), DX; \
	MOVQ x+16(FP), SI; \
	MOVQ ldx+24(FP), R8; \
	MOVQ w+32(FP), R9; \
	MOVQ ldw+40(FP), R10; \
	MOVQ k+48(FP), CX; \
	SHLQ $2, DX; \
	SHLQ $2, R8; \
	SHLQ $2, R10; \
	LEAQ (R8)(R8*2), R11; \
	LEAQ (R10)(R10*2), R13; \
	ADDQ R9, R13

#define WEIGHTS \
	VMOVUPS (R9), Z24; \
	VMOVUPS (R9)(R10*1), Z25; \
	VMOVUPS (R9)(R10*2), Z26; \
	VMOVUPS (R13), Z27; \
	VMOVUPS (R13)(R10*1), Z28; \
	VMOVUPS (R13)(R10*2), Z29

#define NEXT \
	ADDQ $64, SI; \
	ADDQ $64, R9; \
	ADDQ $64, R13; \
	SUBQ $16, CX

// func tile1AVX512(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile1AVX512(SB), NOSPLIT, $0-56
	ARGS
	CLEAR6(Z0, Z1, Z2, Z3, Z4, Z5)

loop:
	WEIGHTS
	ROW0((SI))
	NEXT
	JG loop
	FOLD(Z0, Y0, Y0)
	FOLD(Z1, Y1, Y1)
	FOLD(Z2, Y2, Y2)
	FOLD(Z3, Y3, Y3)
	FOLD(Z4, Y4, Y4)
	FOLD(Z5, Y5, Y5)
	STORE6
	VZEROUPPER
	RET

// func tile2AVX512(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile2AVX512(SB), NOSPLIT, $0-56
	ARGS
	CLEAR6(Z0, Z1, Z2, Z3, Z4, Z5)
	CLEAR6(Z6, Z7, Z8, Z9, Z10, Z11)

loop:
	WEIGHTS
	ROW0((SI))
	ROW1((SI)(R8*1))
	NEXT
	JG loop
	FOLD(Z0, Y0, Y0)
	FOLD(Z1, Y1, Y1)
	FOLD(Z2, Y2, Y2)
	FOLD(Z3, Y3, Y3)
	FOLD(Z4, Y4, Y4)
	FOLD(Z5, Y5, Y5)
	STORE6
	FOLD(Z6, Y6, Y0)
	FOLD(Z7, Y7, Y1)
	FOLD(Z8, Y8, Y2)
	FOLD(Z9, Y9, Y3)
	FOLD(Z10, Y10, Y4)
	FOLD(Z11, Y11, Y5)
	STORE6
	VZEROUPPER
	RET

// func tile4AVX512(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile4AVX512(SB), NOSPLIT, $0-56
	ARGS
	CLEAR6(Z0, Z1, Z2, Z3, Z4, Z5)
	CLEAR6(Z6, Z7, Z8, Z9, Z10, Z11)
	CLEAR6(Z12, Z13, Z14, Z15, Z16, Z17)
	CLEAR6(Z18, Z19, Z20, Z21, Z22, Z23)

loop:
	WEIGHTS
	ROW0((SI))
	ROW1((SI)(R8*1))
	ROW2((SI)(R8*2))
	ROW3((SI)(R11*1))
	NEXT
	JG loop
	FOLD(Z0, Y0, Y0)
	FOLD(Z1, Y1, Y1)
	FOLD(Z2, Y2, Y2)
	FOLD(Z3, Y3, Y3)
	FOLD(Z4, Y4, Y4)
	FOLD(Z5, Y5, Y5)
	STORE6
	FOLD(Z6, Y6, Y0)
	FOLD(Z7, Y7, Y1)
	FOLD(Z8, Y8, Y2)
	FOLD(Z9, Y9, Y3)
	FOLD(Z10, Y10, Y4)
	FOLD(Z11, Y11, Y5)
	STORE6
	FOLD(Z12, Y12, Y0)
	FOLD(Z13, Y13, Y1)
	FOLD(Z14, Y14, Y2)
	FOLD(Z15, Y15, Y3)
	FOLD(Z16, Y16, Y4)
	FOLD(Z17, Y17, Y5)
	STORE6
	FOLD(Z18, Y18, Y0)
	FOLD(Z19, Y19, Y1)
	FOLD(Z20, Y20, Y2)
	FOLD(Z21, Y21, Y3)
	FOLD(Z22, Y22, Y4)
	FOLD(Z23, Y23, Y5)
	STORE6
	VZEROUPPER
	RET

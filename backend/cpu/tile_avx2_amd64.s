#include "textflag.h"

// Tiles of dot products: out[i*ldo+j] = x[i]·w[j] for i < rows, j < 3, over k floats, k a positive multiple of 16.
// A sum has 16 lanes in two registers and adds them in the order of the AVX-512 kernels.

#define HALF0(off) \
	VMOVUPS     off(SI), Y15; \
	VFMADD231PS Y12, Y15, Y0; \
	VFMADD231PS Y13, Y15, Y1; \
	VFMADD231PS Y14, Y15, Y2

#define HALF1(off) \
	VMOVUPS     off(SI), Y15; \
	VFMADD231PS Y12, Y15, Y3; \
	VFMADD231PS Y13, Y15, Y4; \
	VFMADD231PS Y14, Y15, Y5

#define SECOND0(off) \
	VMOVUPS     off(SI)(R8*1), Y15; \
	VFMADD231PS Y12, Y15, Y6; \
	VFMADD231PS Y13, Y15, Y7; \
	VFMADD231PS Y14, Y15, Y8

#define SECOND1(off) \
	VMOVUPS     off(SI)(R8*1), Y15; \
	VFMADD231PS Y12, Y15, Y9; \
	VFMADD231PS Y13, Y15, Y10; \
	VFMADD231PS Y14, Y15, Y11

#define WEIGHTS(off) \
	VMOVUPS off(R9), Y12; \
	VMOVUPS off(R9)(R10*1), Y13; \
	VMOVUPS off(R9)(R10*2), Y14

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
	SHLQ $2, R10

#define NEXT \
	ADDQ $64, SI; \
	ADDQ $64, R9; \
	SUBQ $16, CX

// STORE3 adds the lanes of a0+a1, b0+b1 and c0+c1 and stores three floats.
#define STORE3(a0, a1, b0, b1, c0, c1) \
	VADDPS       a1, a0, Y12; \
	VADDPS       b1, b0, Y13; \
	VADDPS       c1, c0, Y14; \
	VHADDPS      Y13, Y12, Y12; \
	VHADDPS      Y14, Y14, Y14; \
	VHADDPS      Y14, Y12, Y12; \
	VEXTRACTF128 $1, Y12, X13; \
	VADDPS       X13, X12, X12; \
	VMOVLPS      X12, (DI); \
	VEXTRACTPS   $2, X12, 8(DI); \
	ADDQ         DX, DI

// func tile1AVX2(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile1AVX2(SB), NOSPLIT, $0-56
	ARGS
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5

loop:
	WEIGHTS(0)
	HALF0(0)
	WEIGHTS(32)
	HALF1(32)
	NEXT
	JG loop
	STORE3(Y0, Y3, Y1, Y4, Y2, Y5)
	VZEROUPPER
	RET

// func tile2AVX2(out *float32, ldo int, x *float32, ldx int, w *float32, ldw int, k int)
TEXT ·tile2AVX2(SB), NOSPLIT, $0-56
	ARGS
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11

loop:
	WEIGHTS(0)
	HALF0(0)
	SECOND0(0)
	WEIGHTS(32)
	HALF1(32)
	SECOND1(32)
	NEXT
	JG loop
	STORE3(Y0, Y3, Y1, Y4, Y2, Y5)
	STORE3(Y6, Y9, Y7, Y10, Y8, Y11)
	VZEROUPPER
	RET

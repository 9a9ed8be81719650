#include "textflag.h"

// e^x in float32, 2 ulp: range reduction and polynomial of Cephes' expf. Below -87.3 it gives e^-87.3 and above 88.3
// e^88.3; NaN stays NaN.

DATA expc<>+0(SB)/4, $-87.3
DATA expc<>+4(SB)/4, $88.3
DATA expc<>+8(SB)/4, $1.44269504
DATA expc<>+12(SB)/4, $0.693359375
DATA expc<>+16(SB)/4, $-2.12194440e-4
DATA expc<>+20(SB)/4, $1.9875691500e-4
DATA expc<>+24(SB)/4, $1.3981999507e-3
DATA expc<>+28(SB)/4, $8.3334519073e-3
DATA expc<>+32(SB)/4, $4.1665795894e-2
DATA expc<>+36(SB)/4, $1.6666665459e-1
DATA expc<>+40(SB)/4, $5.0000001201e-1
DATA expc<>+44(SB)/4, $1.0
GLOBL expc<>(SB), RODATA|NOPTR, $48

// EXP replaces Y0 by e^Y0. It uses Y1 to Y3.
#define EXP \
	VBROADCASTSS expc<>+0(SB), Y1; \
	VMAXPS       Y0, Y1, Y0; \
	VBROADCASTSS expc<>+4(SB), Y1; \
	VMINPS       Y0, Y1, Y0; \
	VBROADCASTSS expc<>+8(SB), Y1; \
	VMULPS       Y0, Y1, Y1; \
	VROUNDPS     $0, Y1, Y1; \
	VBROADCASTSS expc<>+12(SB), Y2; \
	VFNMADD231PS Y2, Y1, Y0; \
	VBROADCASTSS expc<>+16(SB), Y2; \
	VFNMADD231PS Y2, Y1, Y0; \
	VBROADCASTSS expc<>+20(SB), Y2; \
	VBROADCASTSS expc<>+24(SB), Y3; \
	VFMADD213PS  Y3, Y0, Y2; \
	VBROADCASTSS expc<>+28(SB), Y3; \
	VFMADD213PS  Y3, Y0, Y2; \
	VBROADCASTSS expc<>+32(SB), Y3; \
	VFMADD213PS  Y3, Y0, Y2; \
	VBROADCASTSS expc<>+36(SB), Y3; \
	VFMADD213PS  Y3, Y0, Y2; \
	VBROADCASTSS expc<>+40(SB), Y3; \
	VFMADD213PS  Y3, Y0, Y2; \
	VMULPS       Y0, Y0, Y3; \
	VFMADD213PS  Y0, Y3, Y2; \
	VADDPS       Y15, Y2, Y2; \
	VCVTPS2DQ    Y1, Y1; \
	VPSLLD       $23, Y1, Y1; \
	VPADDD       Y1, Y2, Y0

// func expSumAVX2(p *float32, n int, top float32) float32
// p[i] = e^(p[i]-top); returns their sum. n is a positive multiple of 8.
TEXT ·expSumAVX2(SB), NOSPLIT, $0-28
	MOVQ         p+0(FP), DI
	MOVQ         n+8(FP), CX
	VBROADCASTSS top+16(FP), Y14
	VBROADCASTSS expc<>+44(SB), Y15
	VXORPS       Y13, Y13, Y13

loop:
	VMOVUPS (DI), Y0
	VSUBPS  Y14, Y0, Y0
	EXP
	VMOVUPS Y0, (DI)
	VADDPS  Y0, Y13, Y13
	ADDQ    $32, DI
	SUBQ    $8, CX
	JG      loop
	VHADDPS      Y13, Y13, Y13
	VHADDPS      Y13, Y13, Y13
	VEXTRACTF128 $1, Y13, X0
	VADDSS       X0, X13, X0
	VMOVSS       X0, ret+24(FP)
	VZEROUPPER
	RET

DATA signs<>+0(SB)/4, $0x80000000
GLOBL signs<>(SB), RODATA|NOPTR, $4

// func gateAVX2(gate, arg, up *float32, n int)
// gate[i] = gate[i] / (1+e^-arg[i]) · up[i]. n is a positive multiple of 8.
TEXT ·gateAVX2(SB), NOSPLIT, $0-32
	MOVQ         gate+0(FP), DI
	MOVQ         arg+8(FP), SI
	MOVQ         up+16(FP), DX
	MOVQ         n+24(FP), CX
	VBROADCASTSS expc<>+44(SB), Y15
	VBROADCASTSS signs<>(SB), Y14

loop:
	VXORPS  (SI), Y14, Y0
	EXP
	VADDPS  Y15, Y0, Y0
	VMOVUPS (DI), Y1
	VDIVPS  Y0, Y1, Y0
	VMULPS  (DX), Y0, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, DI
	ADDQ    $32, SI
	ADDQ    $32, DX
	SUBQ    $8, CX
	JG      loop
	VZEROUPPER
	RET

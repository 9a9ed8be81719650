#include "textflag.h"

// The largest of many floats, and where it is.

DATA lowest<>+0(SB)/4, $0xff800000
GLOBL lowest<>(SB), RODATA|NOPTR, $4

// func maxAVX2(p *float32, n int) float32
// NaN when one is NaN. n is a positive multiple of 32.
TEXT ·maxAVX2(SB), NOSPLIT, $0-20
	MOVQ         p+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS lowest<>(SB), Y0
	VMOVAPS      Y0, Y1
	VMOVAPS      Y0, Y2
	VMOVAPS      Y0, Y3
	VXORPS       Y8, Y8, Y8

loop:
	VMOVUPS (SI), Y4
	VMOVUPS 32(SI), Y5
	VMOVUPS 64(SI), Y6
	VMOVUPS 96(SI), Y7
	VMAXPS  Y4, Y0, Y0
	VMAXPS  Y5, Y1, Y1
	VMAXPS  Y6, Y2, Y2
	VMAXPS  Y7, Y3, Y3
	VCMPPS  $3, Y4, Y5, Y4 // unordered: one of the two is NaN
	VCMPPS  $3, Y6, Y7, Y6
	VORPS   Y4, Y8, Y8
	VORPS   Y6, Y8, Y8
	ADDQ    $128, SI
	SUBQ    $32, CX
	JG      loop
	VMAXPS       Y1, Y0, Y0
	VMAXPS       Y3, Y2, Y2
	VMAXPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0x4e, X0, X1
	VMAXPS       X1, X0, X0
	VPERMILPS    $0xb1, X0, X1
	VMAXPS       X1, X0, X0
	VPTEST       Y8, Y8
	JZ           done
	VPCMPEQD     X0, X0, X0 // all ones is a NaN

done:
	VMOVSS X0, ret+16(FP)
	VZEROUPPER
	RET

// func indexAVX2(p *float32, n int, v float32) int
// Returns the first place of v; n when there is none. n is a positive multiple of 32.
TEXT ·indexAVX2(SB), NOSPLIT, $0-32
	MOVQ         p+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS v+16(FP), Y0
	XORQ         AX, AX

loop:
	VCMPPS    $0, (SI)(AX*4), Y0, Y1
	VCMPPS    $0, 32(SI)(AX*4), Y0, Y2
	VCMPPS    $0, 64(SI)(AX*4), Y0, Y3
	VCMPPS    $0, 96(SI)(AX*4), Y0, Y4
	VORPS     Y1, Y2, Y5
	VORPS     Y3, Y4, Y6
	VORPS     Y5, Y6, Y5
	VPTEST    Y5, Y5
	JNZ       found
	ADDQ      $32, AX
	CMPQ      AX, CX
	JL        loop
	MOVQ      CX, ret+24(FP)
	VZEROUPPER
	RET

found:
	VMOVMSKPS Y1, R8
	VMOVMSKPS Y2, R9
	VMOVMSKPS Y3, R10
	VMOVMSKPS Y4, R11
	SHLQ      $8, R9
	SHLQ      $16, R10
	SHLQ      $24, R11
	ORQ       R9, R8
	ORQ       R11, R10
	ORQ       R10, R8
	BSFQ      R8, R8
	ADDQ      R8, AX
	MOVQ      AX, ret+24(FP)
	VZEROUPPER
	RET

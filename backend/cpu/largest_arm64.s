#include "textflag.h"
#include "neon_arm64.h"

// The largest of many floats, and where it is.

// func maxNEON(p *float32, n int) float32
// The largest of p, NaN when one is. n is a positive multiple of 32.
TEXT ·maxNEON(SB), NOSPLIT, $0-20
	MOVD p+0(FP), R0
	MOVD n+8(FP), R1
	MOVD $0xff800000, R2
	VDUP R2, V16.S4
	VDUP R2, V17.S4
	VDUP R2, V18.S4
	VDUP R2, V19.S4

loop:
	VLD1.P 64(R0), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R0), [V4.S4, V5.S4, V6.S4, V7.S4]
	FMAX(0, 16, 16)
	FMAX(1, 17, 17)
	FMAX(2, 18, 18)
	FMAX(3, 19, 19)
	FMAX(4, 16, 16)
	FMAX(5, 17, 17)
	FMAX(6, 18, 18)
	FMAX(7, 19, 19)
	SUBS   $32, R1, R1
	BGT    loop
	FMAX(17, 16, 16)
	FMAX(19, 18, 18)
	FMAX(18, 16, 16)
	FMAXV(16, 16)
	FMOVS F16, ret+16(FP)
	RET

// func indexNEON(p *float32, n int, v float32) int
// The first place of v in p, or n. n is a positive multiple of 32.
TEXT ·indexNEON(SB), NOSPLIT, $0-32
	MOVD  p+0(FP), R0
	MOVD  n+8(FP), R1
	MOVW  v+16(FP), R2
	FMOVS v+16(FP), F17
	VDUP  R2, V16.S4
	MOVD  R0, R3
	MOVD  R1, R4

loop:
	VLD1.P 64(R3), [V0.S4, V1.S4, V2.S4, V3.S4]
	VLD1.P 64(R3), [V4.S4, V5.S4, V6.S4, V7.S4]
	FCMEQ(16, 0, 0)
	FCMEQ(16, 1, 1)
	FCMEQ(16, 2, 2)
	FCMEQ(16, 3, 3)
	FCMEQ(16, 4, 4)
	FCMEQ(16, 5, 5)
	FCMEQ(16, 6, 6)
	FCMEQ(16, 7, 7)
	VORR   V1.B16, V0.B16, V0.B16
	VORR   V3.B16, V2.B16, V2.B16
	VORR   V5.B16, V4.B16, V4.B16
	VORR   V7.B16, V6.B16, V6.B16
	VORR   V2.B16, V0.B16, V0.B16
	VORR   V6.B16, V4.B16, V4.B16
	VORR   V4.B16, V0.B16, V0.B16
	VMOV   V0.D[0], R5
	VMOV   V0.D[1], R6
	ORR    R6, R5, R5
	CBNZ   R5, found
	SUBS   $32, R4, R4
	BGT    loop
	MOVD   R1, ret+24(FP)
	RET

found:
	SUB $128, R3, R3

one:
	FMOVS.P 4(R3), F0
	FCMPS   F17, F0
	BNE     one
	SUB     R0, R3, R3
	LSR     $2, R3, R3
	SUB     $1, R3, R3
	MOVD    R3, ret+24(FP)
	RET

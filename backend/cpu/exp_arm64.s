#include "textflag.h"
#include "neon_arm64.h"

// e^x in float32, 2 ulp: range reduction and polynomial of Cephes' expf, operation for operation as in exp_amd64.s.
// Below -87.3 it gives e^-87.3 and above 88.3 e^88.3; NaN stays NaN.

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

// EXPC loads the constants, a register each from V16 on.
#define EXPC \
	MOVD    $expc<>(SB), R9; \
	VLD1R.P 4(R9), [V16.S4]; \
	VLD1R.P 4(R9), [V17.S4]; \
	VLD1R.P 4(R9), [V18.S4]; \
	VLD1R.P 4(R9), [V19.S4]; \
	VLD1R.P 4(R9), [V20.S4]; \
	VLD1R.P 4(R9), [V21.S4]; \
	VLD1R.P 4(R9), [V22.S4]; \
	VLD1R.P 4(R9), [V23.S4]; \
	VLD1R.P 4(R9), [V24.S4]; \
	VLD1R.P 4(R9), [V25.S4]; \
	VLD1R.P 4(R9), [V26.S4]; \
	VLD1R   (R9), [V27.S4]

// EXP replaces x, whose number is nx, by e^x. n, p and q are scratch.
#define EXP(x, nx, n, nn, p, np, q, nq) \
	FMAX(16, nx, nx); \
	FMIN(17, nx, nx); \
	FMUL(18, nx, nn); \
	FRINTN(nn, nn); \
	VFMLS V19.S4, n.S4, x.S4; \
	VFMLS V20.S4, n.S4, x.S4; \
	VMOV  V22.B16, p.B16; \
	VFMLA V21.S4, x.S4, p.S4; \
	VMOV  V23.B16, q.B16; \
	VFMLA p.S4, x.S4, q.S4; \
	VMOV  V24.B16, p.B16; \
	VFMLA q.S4, x.S4, p.S4; \
	VMOV  V25.B16, q.B16; \
	VFMLA p.S4, x.S4, q.S4; \
	VMOV  V26.B16, p.B16; \
	VFMLA q.S4, x.S4, p.S4; \
	FMUL(nx, nx, nq); \
	VFMLA p.S4, q.S4, x.S4; \
	FADD(27, nx, nx); \
	FCVTNS(nn, nn); \
	VSHL  $23, n.S4, n.S4; \
	VADD  n.S4, x.S4, x.S4

// func expSumNEON(p *float32, n int, top float32) float32
// p[i] = e^(p[i]-top); returns their sum. n is a positive multiple of 8.
TEXT ·expSumNEON(SB), NOSPLIT, $0-28
	MOVD  p+0(FP), R0
	MOVD  n+8(FP), R1
	MOVW  top+16(FP), R2
	VDUP  R2, V28.S4
	EXPC
	VEOR  V30.B16, V30.B16, V30.B16
	VEOR  V31.B16, V31.B16, V31.B16

loop:
	FLDPQ (R0), (F0, F1)
	FSUB(28, 0, 0)
	FSUB(28, 1, 1)
	EXP(V0, 0, V2, 2, V3, 3, V4, 4)
	EXP(V1, 1, V5, 5, V6, 6, V7, 7)
	FSTPQ.P (F0, F1), 32(R0)
	FADD(0, 30, 30)
	FADD(1, 31, 31)
	SUBS  $8, R1, R1
	BGT   loop
	FADDP(30, 30, 30)
	FADDP(31, 31, 31)
	FADDP(30, 30, 30)
	FADDP(31, 31, 31)
	FADDS F31, F30, F0
	FMOVS F0, ret+24(FP)
	RET

// func gateNEON(gate, arg, up *float32, n int)
// gate[i] = gate[i] / (1+e^-arg[i]) · up[i]. n is a positive multiple of 8.
TEXT ·gateNEON(SB), NOSPLIT, $0-32
	MOVD gate+0(FP), R0
	MOVD arg+8(FP), R2
	MOVD up+16(FP), R3
	MOVD n+24(FP), R1
	EXPC

loop:
	FLDPQ.P 32(R2), (F0, F1)
	FNEG(0, 0)
	FNEG(1, 1)
	EXP(V0, 0, V2, 2, V3, 3, V4, 4)
	EXP(V1, 1, V5, 5, V6, 6, V7, 7)
	FADD(27, 0, 0)
	FADD(27, 1, 1)
	FLDPQ   (R0), (F2, F3)
	FLDPQ.P 32(R3), (F4, F5)
	FDIV(0, 2, 2)
	FDIV(1, 3, 3)
	FMUL(4, 2, 2)
	FMUL(5, 3, 3)
	FSTPQ.P (F2, F3), 32(R0)
	SUBS    $8, R1, R1
	BGT     loop
	RET

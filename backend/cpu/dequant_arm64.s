#include "textflag.h"
#include "neon_arm64.h"

// Dequantisation of whole blocks, rounding for rounding as in quant_block.go.

#define DEQUANT_ARGS \
	MOVD dst_base+0(FP), R0; \
	MOVD dst_len+8(FP), R7; \
	MOVD src_base+24(FP), R1

// SCALE makes V24 the floats of the f16s at R1.
#define SCALE \
	FMOVS (R1), F24; \
	FCVTL(24, 24)

#define WRITE16 \
	FSTPQ.P (F16, F17), 32(R0); \
	FSTPQ.P (F18, F19), 32(R0)

// func dequantiseQ4_0NEON(dst []float32, src []byte)
TEXT ·dequantiseQ4_0NEON(SB), NOSPLIT, $0-48
	DEQUANT_ARGS
	OFFSET(8)
	VMOVI $15, V31.B16

loop:
	SCALE
	LOW(2(R1))
	WIDEN
	TIMES(0)
	WRITE16
	HIGH(2(R1))
	WIDEN
	TIMES(0)
	WRITE16
	ADD  $18, R1, R1
	SUBS $32, R7, R7
	BGT  loop
	RET

// func dequantiseQ4_1NEON(dst []float32, src []byte)
TEXT ·dequantiseQ4_1NEON(SB), NOSPLIT, $0-48
	DEQUANT_ARGS
	OFFSET(0)
	ONES
	VMOVI $15, V31.B16

loop:
	SCALE
	VDUP V24.S[1], V25.S4
	LOW(4(R1))
	WIDEN
	TIMES(0)
	PLUS(0)
	WRITE16
	HIGH(4(R1))
	WIDEN
	TIMES(0)
	PLUS(0)
	WRITE16
	ADD  $20, R1, R1
	SUBS $32, R7, R7
	BGT  loop
	RET

// func dequantiseQ8_0NEON(dst []float32, src []byte)
TEXT ·dequantiseQ8_0NEON(SB), NOSPLIT, $0-48
	DEQUANT_ARGS
	OFFSET(128)
	VMOVI $128, V31.B16

loop:
	VLD1  (R1), V24.H[0]
	FCVTL(24, 24)
	FMOVQ 2(R1), F26
	VEOR  V31.B16, V26.B16, V26.B16
	WIDEN
	TIMES(0)
	WRITE16
	FMOVQ 18(R1), F26
	VEOR  V31.B16, V26.B16, V26.B16
	WIDEN
	TIMES(0)
	WRITE16
	ADD   $34, R1, R1
	SUBS  $32, R7, R7
	BGT   loop
	RET

// func dequantiseBF16NEON(dst []float32, src []byte)
// len(dst) is a multiple of 16.
TEXT ·dequantiseBF16NEON(SB), NOSPLIT, $0-48
	DEQUANT_ARGS
	VEOR V31.B16, V31.B16, V31.B16

loop:
	FLDPQ.P 32(R1), (F0, F1)
	VZIP1   V0.H8, V31.H8, V16.H8
	VZIP2   V0.H8, V31.H8, V17.H8
	VZIP1   V1.H8, V31.H8, V18.H8
	VZIP2   V1.H8, V31.H8, V19.H8
	WRITE16
	SUBS    $16, R7, R7
	BGT     loop
	RET

// func dequantiseF16NEON(dst []float32, src []byte)
// len(dst) is a multiple of 16.
TEXT ·dequantiseF16NEON(SB), NOSPLIT, $0-48
	DEQUANT_ARGS

loop:
	FLDPQ.P 32(R1), (F0, F1)
	FCVTL(0, 16)
	FCVTL2(0, 17)
	FCVTL(1, 18)
	FCVTL2(1, 19)
	WRITE16
	SUBS    $16, R7, R7
	BGT     loop
	RET

// func expandNEON(dst *float32, codes *uint64, scale, minimum *float32, n int)
// n is a positive multiple of 16.
TEXT ·expandNEON(SB), NOSPLIT, $0-40
	MOVD  dst+0(FP), R0
	MOVD  codes+8(FP), R1
	MOVD  scale+16(FP), R2
	MOVD  minimum+24(FP), R3
	MOVD  n+32(FP), R7
	OFFSET(128)
	ONES
	VMOVI $128, V31.B16

loop:
	FMOVQ.P 16(R1), F26
	FMOVS.P 4(R2), F24
	FMOVS.P 4(R3), F25
	VEOR    V31.B16, V26.B16, V26.B16
	WIDEN
	TIMES(0)
	MINUS(0)
	WRITE16
	SUBS    $16, R7, R7
	BGT     loop
	RET

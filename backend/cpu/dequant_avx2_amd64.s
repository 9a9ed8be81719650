#include "textflag.h"

// Dequantisation of whole blocks with AVX2 and F16C, rounding for rounding as in quant_block.go.

DATA nibbles<>+0(SB)/8, $0x0f0f0f0f0f0f0f0f
DATA nibbles<>+8(SB)/8, $0x0f0f0f0f0f0f0f0f
GLOBL nibbles<>(SB), RODATA|NOPTR, $16

DATA eights<>+0(SB)/8, $0x0808080808080808
DATA eights<>+8(SB)/8, $0x0808080808080808
GLOBL eights<>(SB), RODATA|NOPTR, $16

#define ARGS \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ src_base+24(FP), SI; \
	VMOVDQU nibbles<>(SB), X15; \
	VMOVDQU eights<>(SB), X14

// SCALE broadcasts the f16 at m to the floats of y, whose low half is x.
#define SCALE(m, x, y) \
	VPBROADCASTW m, x; \
	VCVTPH2PS    x, y

// SPLIT puts the low nibbles at m into X2 and the high ones into X3.
#define SPLIT(m) \
	VMOVDQU m, X2; \
	VPSRLW  $4, X2, X3; \
	VPAND   X15, X2, X2; \
	VPAND   X15, X3, X3

// WRITE8 writes d·q (+ m) for the low 8 bytes q of x at off.
#define WRITE8(x, off) \
	VPMOVSXBD x, Y4; \
	VCVTDQ2PS Y4, Y4; \
	VMULPS    Y0, Y4, Y4; \
	VMOVUPS   Y4, off(DI)

#define WRITE8M(x, off) \
	VPMOVSXBD x, Y4; \
	VCVTDQ2PS Y4, Y4; \
	VMULPS    Y0, Y4, Y4; \
	VADDPS    Y1, Y4, Y4; \
	VMOVUPS   Y4, off(DI)

// func dequantiseQ4_1AVX2(dst []float32, src []byte)
TEXT ·dequantiseQ4_1AVX2(SB), NOSPLIT, $0-48
	ARGS

loop:
	SCALE((SI), X0, Y0)
	SCALE(2(SI), X1, Y1)
	SPLIT(4(SI))
	WRITE8M(X2, 0)
	WRITE8M(X3, 64)
	VPSRLDQ $8, X2, X2
	VPSRLDQ $8, X3, X3
	WRITE8M(X2, 32)
	WRITE8M(X3, 96)
	ADDQ $128, DI
	ADDQ $20, SI
	SUBQ $32, CX
	JG   loop
	VZEROUPPER
	RET

// func dequantiseQ4_0AVX2(dst []float32, src []byte)
TEXT ·dequantiseQ4_0AVX2(SB), NOSPLIT, $0-48
	ARGS

loop:
	SCALE((SI), X0, Y0)
	SPLIT(2(SI))
	VPSUBB X14, X2, X2
	VPSUBB X14, X3, X3
	WRITE8(X2, 0)
	WRITE8(X3, 64)
	VPSRLDQ $8, X2, X2
	VPSRLDQ $8, X3, X3
	WRITE8(X2, 32)
	WRITE8(X3, 96)
	ADDQ $128, DI
	ADDQ $18, SI
	SUBQ $32, CX
	JG   loop
	VZEROUPPER
	RET

// func dequantiseQ8_0AVX2(dst []float32, src []byte)
TEXT ·dequantiseQ8_0AVX2(SB), NOSPLIT, $0-48
	ARGS

loop:
	SCALE((SI), X0, Y0)
	WRITE8(2(SI), 0)
	WRITE8(10(SI), 32)
	WRITE8(18(SI), 64)
	WRITE8(26(SI), 96)
	ADDQ $128, DI
	ADDQ $34, SI
	SUBQ $32, CX
	JG   loop
	VZEROUPPER
	RET

// func dequantiseBF16AVX2(dst []float32, src []byte)
// len(dst) is a multiple of 8.
TEXT ·dequantiseBF16AVX2(SB), NOSPLIT, $0-48
	ARGS

loop:
	VPMOVZXWD (SI), Y0
	VPSLLD    $16, Y0, Y0
	VMOVUPS   Y0, (DI)
	ADDQ      $32, DI
	ADDQ      $16, SI
	SUBQ      $8, CX
	JG        loop
	VZEROUPPER
	RET

// func dequantiseF16AVX2(dst []float32, src []byte)
// len(dst) is a multiple of 8.
TEXT ·dequantiseF16AVX2(SB), NOSPLIT, $0-48
	ARGS

loop:
	VCVTPH2PS (SI), Y0
	VMOVUPS   Y0, (DI)
	ADDQ      $32, DI
	ADDQ      $16, SI
	SUBQ      $8, CX
	JG        loop
	VZEROUPPER
	RET

// func expandAVX2(dst *float32, codes *uint64, scale, minimum *float32, n int)
// n is a positive multiple of 16.
TEXT ·expandAVX2(SB), NOSPLIT, $0-40
	MOVQ dst+0(FP), DI
	MOVQ codes+8(FP), SI
	MOVQ scale+16(FP), R8
	MOVQ minimum+24(FP), R9
	MOVQ n+32(FP), CX

loop:
	VBROADCASTSS (R8), Y0
	VBROADCASTSS (R9), Y1
	VPMOVSXBD    (SI), Y2
	VPMOVSXBD    8(SI), Y3
	VCVTDQ2PS    Y2, Y2
	VCVTDQ2PS    Y3, Y3
	VMULPS       Y0, Y2, Y2
	VMULPS       Y0, Y3, Y3
	VSUBPS       Y1, Y2, Y2
	VSUBPS       Y1, Y3, Y3
	VMOVUPS      Y2, (DI)
	VMOVUPS      Y3, 32(DI)
	ADDQ         $64, DI
	ADDQ         $16, SI
	ADDQ         $4, R8
	ADDQ         $4, R9
	SUBQ         $16, CX
	JG           loop
	VZEROUPPER
	RET

#include "textflag.h"
#include "nibbles_avx512_amd64.h"

// Dequantisation of whole blocks, rounding for rounding as in quant_block.go.

// SCALE broadcasts the f16 at m to the floats of z, whose low half is y.
#define SCALE(m, y, z) \
	VPBROADCASTW m, y; \
	VCVTPH2PS    y, z

// TABLEQ4_1 makes z0 the 16 values of the block at r.
#define TABLEQ4_1(r, y0, z0, y1, z1) \
	VPBROADCASTD (r), y1; \
	VCVTPH2PS    y1, z1; \
	VMOVSLDUP    z1, z0; \
	VMOVSHDUP    z1, z1; \
	VMULPS       Z31, z0, z0; \
	VADDPS       z1, z0, z0

#define TABLEQ4_0(r, y0, z0) \
	SCALE((r), y0, z0); \
	VMULPS Z31, z0, z0

#define DEQUANT_ARGS \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ src_base+24(FP), SI

// NIBBLES writes the 32 values of the nibbles at m from the table in Z0.
#define NIBBLES(m) \
	VPMOVZXBD m, Z2; \
	VPERMPS   Z0, Z2, Z3; \
	VPSRLD    $4, Z2, Z2; \
	VPERMPS   Z0, Z2, Z4; \
	VMOVUPS   Z3, (DI); \
	VMOVUPS   Z4, 64(DI)

// func dequantiseQ4_1AVX512(dst []float32, src []byte)
TEXT ·dequantiseQ4_1AVX512(SB), NOSPLIT, $0-48
	DEQUANT_ARGS
	VMOVUPS iota16<>(SB), Z31

loop:
	TABLEQ4_1(SI, Y0, Z0, Y1, Z1)
	NIBBLES(4(SI))
	ADDQ $128, DI
	ADDQ $20, SI
	SUBQ $32, CX
	JG   loop
	VZEROUPPER
	RET

// func dequantiseQ4_0AVX512(dst []float32, src []byte)
TEXT ·dequantiseQ4_0AVX512(SB), NOSPLIT, $0-48
	DEQUANT_ARGS
	IOTAQ4_0

loop:
	TABLEQ4_0(SI, Y0, Z0)
	NIBBLES(2(SI))
	ADDQ $128, DI
	ADDQ $18, SI
	SUBQ $32, CX
	JG   loop
	VZEROUPPER
	RET

// func dequantiseQ8_0AVX512(dst []float32, src []byte)
TEXT ·dequantiseQ8_0AVX512(SB), NOSPLIT, $0-48
	DEQUANT_ARGS

loop:
	SCALE((SI), Y0, Z0)
	VPMOVSXBD 2(SI), Z1
	VPMOVSXBD 18(SI), Z2
	VCVTDQ2PS Z1, Z1
	VCVTDQ2PS Z2, Z2
	VMULPS    Z0, Z1, Z1
	VMULPS    Z0, Z2, Z2
	VMOVUPS   Z1, (DI)
	VMOVUPS   Z2, 64(DI)
	ADDQ      $128, DI
	ADDQ      $34, SI
	SUBQ      $32, CX
	JG        loop
	VZEROUPPER
	RET

// func dequantiseBF16AVX512(dst []float32, src []byte)
// len(dst) is a multiple of 16.
TEXT ·dequantiseBF16AVX512(SB), NOSPLIT, $0-48
	DEQUANT_ARGS

loop:
	VPMOVZXWD (SI), Z0
	VPSLLD    $16, Z0, Z0
	VMOVUPS   Z0, (DI)
	ADDQ      $64, DI
	ADDQ      $32, SI
	SUBQ      $16, CX
	JG        loop
	VZEROUPPER
	RET

// func dequantiseF16AVX512(dst []float32, src []byte)
// len(dst) is a multiple of 16.
TEXT ·dequantiseF16AVX512(SB), NOSPLIT, $0-48
	DEQUANT_ARGS

loop:
	VCVTPH2PS (SI), Z0
	VMOVUPS   Z0, (DI)
	ADDQ      $64, DI
	ADDQ      $32, SI
	SUBQ      $16, CX
	JG        loop
	VZEROUPPER
	RET

#include "textflag.h"
#include "dot_amd64.h"
#include "nibbles_avx512_amd64.h"

// Dot products of four weight rows with one x that dequantise in registers, rounding for rounding as in
// quant_block.go: out[i] = x·w[i] for i < 4, lanes added as in tile_avx512_amd64.s.

// TABLEQ4_1 makes z the 16 values of the block whose scale is at d and minimum at m. The product of an f16 and a nibble
// is exact, so that one rounding is the same as two.
#define TABLEQ4_1(d, m, z) \
	VBROADCASTSS     m, z; \
	VFMADD231PS.BCST d, Z31, z

#define ARGS \
	DOT_ARGS; \
	VPXORD Z0, Z0, Z0; \
	VPXORD Z1, Z1, Z1; \
	VPXORD Z2, Z2, Z2; \
	VPXORD Z3, Z3, Z3

#define END \
	FOLD; \
	DOT_END

// DOTNIBBLES adds to acc the products of x (Z4, Z5) and the nibbles at m, looked up in z0.
#define DOTNIBBLES(m, z0, z1, z2, acc) \
	VPMOVZXBD   m, z1; \
	VPERMPS     z0, z1, z2; \
	VPSRLD      $4, z1, z1; \
	VPERMPS     z0, z1, z1; \
	VFMADD231PS Z4, z2, acc; \
	VFMADD231PS Z5, z1, acc

// func dotQ4_1AVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_1AVX512(SB), NOSPLIT, $64-40
	ARGS
	VMOVUPS iota16<>(SB), Z31

loop:
	AHEAD($20)
	VMOVUPS (DX), Z4
	VMOVUPS 64(DX), Z5
	SCALES((SI), X6, scales-64(SP))
	SCALES((R9), X8, scales-48(SP))
	SCALES((R10), X10, scales-32(SP))
	SCALES((R11), X12, scales-16(SP))
	TABLEQ4_1(scales-64(SP), scales-60(SP), Z6)
	TABLEQ4_1(scales-48(SP), scales-44(SP), Z8)
	TABLEQ4_1(scales-32(SP), scales-28(SP), Z10)
	TABLEQ4_1(scales-16(SP), scales-12(SP), Z12)
	DOTNIBBLES(4(SI), Z6, Z14, Z15, Z0)
	DOTNIBBLES(4(R9), Z8, Z16, Z17, Z1)
	DOTNIBBLES(4(R10), Z10, Z18, Z19, Z2)
	DOTNIBBLES(4(R11), Z12, Z20, Z21, Z3)
	ADDQ $128, DX
	ADVANCE($20)
	SUBQ $32, CX
	JG   loop
	END

// func dotQ4_0AVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_0AVX512(SB), NOSPLIT, $64-40
	ARGS
	IOTAQ4_0

loop:
	AHEAD($18)
	VMOVUPS (DX), Z4
	VMOVUPS 64(DX), Z5
	SCALES((SI), X6, scales-64(SP))
	SCALES((R9), X8, scales-48(SP))
	SCALES((R10), X10, scales-32(SP))
	SCALES((R11), X12, scales-16(SP))
	VMULPS.BCST scales-64(SP), Z31, Z6
	VMULPS.BCST scales-48(SP), Z31, Z8
	VMULPS.BCST scales-32(SP), Z31, Z10
	VMULPS.BCST scales-16(SP), Z31, Z12
	DOTNIBBLES(2(SI), Z6, Z14, Z15, Z0)
	DOTNIBBLES(2(R9), Z8, Z16, Z17, Z1)
	DOTNIBBLES(2(R10), Z10, Z18, Z19, Z2)
	DOTNIBBLES(2(R11), Z12, Z20, Z21, Z3)
	ADDQ $128, DX
	ADVANCE($18)
	SUBQ $32, CX
	JG   loop
	END

// DOTQ8_0 adds to acc the products of x and the block at r.
#define DOTQ8_0(r, x0, f, z1, z2, acc) \
	SCALES((r), x0, f); \
	VPMOVSXBD   2(r), z1; \
	VPMOVSXBD   18(r), z2; \
	VCVTDQ2PS   z1, z1; \
	VCVTDQ2PS   z2, z2; \
	VMULPS.BCST f, z1, z1; \
	VMULPS.BCST f, z2, z2; \
	VFMADD231PS Z4, z1, acc; \
	VFMADD231PS Z5, z2, acc

// func dotQ8_0AVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ8_0AVX512(SB), NOSPLIT, $64-40
	ARGS

loop:
	AHEAD($34)
	VMOVUPS (DX), Z4
	VMOVUPS 64(DX), Z5
	DOTQ8_0(SI, X6, scales-64(SP), Z7, Z8, Z0)
	DOTQ8_0(R9, X9, scales-48(SP), Z10, Z11, Z1)
	DOTQ8_0(R10, X12, scales-32(SP), Z13, Z14, Z2)
	DOTQ8_0(R11, X15, scales-16(SP), Z16, Z17, Z3)
	ADDQ $128, DX
	ADVANCE($34)
	SUBQ $32, CX
	JG   loop
	END

// func dotBF16AVX512(out, x *float32, w *byte, ldw, k int)
// k is a multiple of 16.
TEXT ·dotBF16AVX512(SB), NOSPLIT, $0-40
	ARGS

loop:
	ROWSAHEAD
	VMOVUPS   (DX), Z4
	VPMOVZXWD (SI), Z5
	VPMOVZXWD (R9), Z6
	VPMOVZXWD (R10), Z7
	VPMOVZXWD (R11), Z8
	VPSLLD    $16, Z5, Z5
	VPSLLD    $16, Z6, Z6
	VPSLLD    $16, Z7, Z7
	VPSLLD    $16, Z8, Z8
	VFMADD231PS Z4, Z5, Z0
	VFMADD231PS Z4, Z6, Z1
	VFMADD231PS Z4, Z7, Z2
	VFMADD231PS Z4, Z8, Z3
	ADDQ      $64, DX
	ADVANCE($32)
	SUBQ      $16, CX
	JG        loop
	END

// func dotF16AVX512(out, x *float32, w *byte, ldw, k int)
// k is a multiple of 16.
TEXT ·dotF16AVX512(SB), NOSPLIT, $0-40
	ARGS

loop:
	ROWSAHEAD
	VMOVUPS   (DX), Z4
	VCVTPH2PS (SI), Z5
	VCVTPH2PS (R9), Z6
	VCVTPH2PS (R10), Z7
	VCVTPH2PS (R11), Z8
	VFMADD231PS Z4, Z5, Z0
	VFMADD231PS Z4, Z6, Z1
	VFMADD231PS Z4, Z7, Z2
	VFMADD231PS Z4, Z8, Z3
	ADDQ      $64, DX
	ADVANCE($32)
	SUBQ      $16, CX
	JG        loop
	END

// func dotF32AVX512(out, x *float32, w *byte, ldw, k int)
// k is a multiple of 16.
TEXT ·dotF32AVX512(SB), NOSPLIT, $0-40
	ARGS

loop:
	ROWSAHEAD
	VMOVUPS (DX), Z4
	VFMADD231PS (SI), Z4, Z0
	VFMADD231PS (R9), Z4, Z1
	VFMADD231PS (R10), Z4, Z2
	VFMADD231PS (R11), Z4, Z3
	ADDQ    $64, DX
	ADVANCE($64)
	SUBQ    $16, CX
	JG      loop
	END

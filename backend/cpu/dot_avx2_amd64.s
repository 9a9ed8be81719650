#include "textflag.h"
#include "dot_amd64.h"

// Dot products as in dot_avx512_amd64.s, bit for bit: a sum's 16 lanes are in two registers.

DATA nibble<>+0(SB)/4, $15
GLOBL nibble<>(SB), RODATA|NOPTR, $4

DATA less8<>+0(SB)/4, $-8.0
GLOBL less8<>(SB), RODATA|NOPTR, $4

#define ARGS \
	DOT_ARGS; \
	VXORPS Y0, Y0, Y0; \
	VXORPS Y1, Y1, Y1; \
	VXORPS Y2, Y2, Y2; \
	VXORPS Y3, Y3, Y3; \
	VXORPS Y4, Y4, Y4; \
	VXORPS Y5, Y5, Y5; \
	VXORPS Y6, Y6, Y6; \
	VXORPS Y7, Y7, Y7

// TIMES adds to acc the products of eight codes, in y as integers, and the x at off: Y8 is their scale, Y9 their
// minimum. The product of scale and code is exact, so that one rounding is the same as two.
#define TIMES(y, off, acc) \
	VCVTDQ2PS   y, y; \
	VFMADD213PS Y9, Y8, y; \
	VFMADD231PS off(DX), y, acc

// NIBBLES adds the products of 32 x and the nibbles at at(r). Y15 is 15s.
#define NIBBLES(r, at, lo, hi) \
	VPMOVZXBD at(r), Y10; \
	VPMOVZXBD 8+at(r), Y11; \
	VPAND     Y15, Y10, Y12; \
	VPAND     Y15, Y11, Y13; \
	VPSRLD    $4, Y10, Y10; \
	VPSRLD    $4, Y11, Y11; \
	TIMES(Y12, 0, lo); \
	TIMES(Y13, 32, hi); \
	TIMES(Y10, 64, lo); \
	TIMES(Y11, 96, hi)

#define DOTQ4_1(r, f, fm, lo, hi) \
	SCALES((r), X8, f); \
	VBROADCASTSS f, Y8; \
	VBROADCASTSS fm, Y9; \
	NIBBLES(r, 4, lo, hi)

// func dotQ4_1AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_1AVX2(SB), NOSPLIT, $64-40
	ARGS
	VPBROADCASTD nibble<>(SB), Y15

loop:
	AHEAD($20)
	DOTQ4_1(SI, scales-64(SP), scales-60(SP), Y0, Y4)
	DOTQ4_1(R9, scales-48(SP), scales-44(SP), Y1, Y5)
	DOTQ4_1(R10, scales-32(SP), scales-28(SP), Y2, Y6)
	DOTQ4_1(R11, scales-16(SP), scales-12(SP), Y3, Y7)
	ADDQ $128, DX
	ADVANCE($20)
	SUBQ $32, CX
	JG   loop
	DOT_END

// DOTQ4_0 takes d·q - 8d for d·(q-8): both are exact.
#define DOTQ4_0(r, f, lo, hi) \
	SCALES((r), X8, f); \
	VBROADCASTSS f, Y8; \
	VMULPS       Y14, Y8, Y9; \
	NIBBLES(r, 2, lo, hi)

// func dotQ4_0AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_0AVX2(SB), NOSPLIT, $64-40
	ARGS
	VPBROADCASTD nibble<>(SB), Y15
	VBROADCASTSS less8<>(SB), Y14

loop:
	AHEAD($18)
	DOTQ4_0(SI, scales-64(SP), Y0, Y4)
	DOTQ4_0(R9, scales-48(SP), Y1, Y5)
	DOTQ4_0(R10, scales-32(SP), Y2, Y6)
	DOTQ4_0(R11, scales-16(SP), Y3, Y7)
	ADDQ $128, DX
	ADVANCE($18)
	SUBQ $32, CX
	JG   loop
	DOT_END

// BYTES adds to acc the products of the eight x at off and the bytes at m.
#define BYTES(m, off, y, acc) \
	VPMOVSXBD   m, y; \
	VCVTDQ2PS   y, y; \
	VMULPS      Y8, y, y; \
	VFMADD231PS off(DX), y, acc

#define DOTQ8_0(r, f, lo, hi) \
	SCALES((r), X8, f); \
	VBROADCASTSS f, Y8; \
	BYTES(2(r), 0, Y10, lo); \
	BYTES(10(r), 32, Y11, hi); \
	BYTES(18(r), 64, Y12, lo); \
	BYTES(26(r), 96, Y13, hi)

// func dotQ8_0AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ8_0AVX2(SB), NOSPLIT, $64-40
	ARGS

loop:
	AHEAD($34)
	DOTQ8_0(SI, scales-64(SP), Y0, Y4)
	DOTQ8_0(R9, scales-48(SP), Y1, Y5)
	DOTQ8_0(R10, scales-32(SP), Y2, Y6)
	DOTQ8_0(R11, scales-16(SP), Y3, Y7)
	ADDQ $128, DX
	ADVANCE($34)
	SUBQ $32, CX
	JG   loop
	DOT_END

// ROWS4 adds to a, b, c and d the products of x and eight values of each row, at at, as READ reads them.
#define ROWS4(READ, at, x, a, b, c, d) \
	READ(at(SI), Y10); \
	READ(at(R9), Y11); \
	READ(at(R10), Y12); \
	READ(at(R11), Y13); \
	VFMADD231PS x, Y10, a; \
	VFMADD231PS x, Y11, b; \
	VFMADD231PS x, Y12, c; \
	VFMADD231PS x, Y13, d

// TURN16 does 16 values of four rows.
#define TURN16(READ, half) \
	ROWSAHEAD; \
	VMOVUPS (DX), Y8; \
	VMOVUPS 32(DX), Y9; \
	ROWS4(READ, 0, Y8, Y0, Y1, Y2, Y3); \
	ROWS4(READ, half, Y9, Y4, Y5, Y6, Y7); \
	ADDQ    $64, DX; \
	ADVANCE($(2*half)); \
	SUBQ    $16, CX

#define READBF16(m, y) \
	VPMOVZXWD m, y; \
	VPSLLD    $16, y, y

#define READF16(m, y) VCVTPH2PS m, y

#define READF32(m, y) VMOVUPS m, y

// func dotBF16AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotBF16AVX2(SB), NOSPLIT, $0-40
	ARGS

loop:
	TURN16(READBF16, 16)
	JG loop
	DOT_END

// func dotF16AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotF16AVX2(SB), NOSPLIT, $0-40
	ARGS

loop:
	TURN16(READF16, 16)
	JG loop
	DOT_END

// func dotF32AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotF32AVX2(SB), NOSPLIT, $0-40
	ARGS

loop:
	TURN16(READF32, 32)
	JG loop
	DOT_END

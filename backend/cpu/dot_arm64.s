#include "textflag.h"
#include "neon_arm64.h"
#include "dot_arm64.h"

// Dot products of four weight rows with one x that dequantise in registers, rounding for rounding as in
// quant_block.go: out[i] = x·w[i] for i < 4, lanes added as in tile_arm64.s. Instructions a weight, counted in the
// disassembly: f32 0.44, f16 and bf16 0.62, q8_0 and q4_0 1.37, iq4_nl 1.43, q4_1 1.64, q5_0 1.68, q5_1 1.95.

// SCALES makes V24 the floats of the f16s that begin the four blocks.
#define SCALES \
	VLD1 (R0), V24.H[0]; \
	VLD1 (R1), V24.H[1]; \
	VLD1 (R2), V24.H[2]; \
	VLD1 (R3), V24.H[3]; \
	FCVTL(24, 24)

// PAIRS does that for the first f16s of the blocks, and makes V25 the floats of the second.
#define PAIRS \
	VLD1  (R0), V24.S[0]; \
	VLD1  (R1), V24.S[1]; \
	VLD1  (R2), V24.S[2]; \
	VLD1  (R3), V24.S[3]; \
	VUZP2 V24.H8, V24.H8, V25.H8; \
	VUZP1 V24.H8, V24.H8, V24.H8; \
	FCVTL(24, 24); \
	FCVTL(25, 25)

#define LOWQ4_0(r) LOW(2(r))
#define HIGHQ4_0(r) HIGH(2(r))

// func dotQ4_0NEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_0NEON(SB), NOSPLIT, $0-40
	DOT_ARGS
	OFFSET(8)
	VMOVI $15, V31.B16

loop:
	SCALES
	FOUR(LOWQ4_0, ROW)
	FOUR(HIGHQ4_0, ROW)
	ADVANCE(18)
	SUBS $32, R7, R7
	BGT  loop
	DOT_END

#define LOWQ4_1(r) LOW(4(r))
#define HIGHQ4_1(r) HIGH(4(r))

// func dotQ4_1NEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_1NEON(SB), NOSPLIT, $0-40
	DOT_ARGS
	OFFSET(0)
	ONES
	VMOVI $15, V31.B16

loop:
	PAIRS
	FOUR(LOWQ4_1, ROWPLUS)
	FOUR(HIGHQ4_1, ROWPLUS)
	ADVANCE(20)
	SUBS $32, R7, R7
	BGT  loop
	DOT_END

// fifths are the bytes of a word that hold the fifth bits of each of 32 values, then the bit of every value.
DATA fifths<>+0(SB)/8, $0x0000000000000000
DATA fifths<>+8(SB)/8, $0x0101010101010101
DATA fifths<>+16(SB)/8, $0x0202020202020202
DATA fifths<>+24(SB)/8, $0x0303030303030303
DATA fifths<>+32(SB)/8, $0x8040201008040201
DATA fifths<>+40(SB)/8, $0x8040201008040201
GLOBL fifths<>(SB), RODATA|NOPTR, $48

#define FIFTHS \
	MOVD  $fifths<>(SB), R9; \
	VLD1  (R9), [V12.B16, V13.B16, V14.B16]; \
	VMOVI $16, V15.B16

// FIFTH adds to the codes in V26 the fifth bits in the word at m: those of the first 16 values when half is V12, of the
// others when it is V13.
#define FIFTH(m, half) \
	FMOVS  m, F27; \
	VTBL   half.B16, [V27.B16], V27.B16; \
	VCMTST V14.B16, V27.B16, V27.B16; \
	VAND   V15.B16, V27.B16, V27.B16; \
	VORR   V27.B16, V26.B16, V26.B16

#define LOWQ5_0(r) \
	LOW(6(r)); \
	FIFTH(2(r), V12)

#define HIGHQ5_0(r) \
	HIGH(6(r)); \
	FIFTH(2(r), V13)

// func dotQ5_0NEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_0NEON(SB), NOSPLIT, $0-40
	DOT_ARGS
	OFFSET(16)
	FIFTHS
	VMOVI $15, V31.B16

loop:
	SCALES
	FOUR(LOWQ5_0, ROW)
	FOUR(HIGHQ5_0, ROW)
	ADVANCE(22)
	SUBS $32, R7, R7
	BGT  loop
	DOT_END

#define LOWQ5_1(r) \
	LOW(8(r)); \
	FIFTH(4(r), V12)

#define HIGHQ5_1(r) \
	HIGH(8(r)); \
	FIFTH(4(r), V13)

// func dotQ5_1NEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_1NEON(SB), NOSPLIT, $0-40
	DOT_ARGS
	OFFSET(0)
	ONES
	FIFTHS
	VMOVI $15, V31.B16

loop:
	PAIRS
	FOUR(LOWQ5_1, ROWPLUS)
	FOUR(HIGHQ5_1, ROWPLUS)
	ADVANCE(24)
	SUBS $32, R7, R7
	BGT  loop
	DOT_END

#define LOWIQ4_NL(r) \
	LOW(2(r)); \
	LEVEL

#define HIGHIQ4_NL(r) \
	HIGH(2(r)); \
	LEVEL

// func dotIQ4_NLNEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotIQ4_NLNEON(SB), NOSPLIT, $0-40
	DOT_ARGS
	OFFSET(128)
	LEVELS
	VMOVI $15, V31.B16

loop:
	SCALES
	FOUR(LOWIQ4_NL, ROW)
	FOUR(HIGHIQ4_NL, ROW)
	ADVANCE(18)
	SUBS $32, R7, R7
	BGT  loop
	DOT_END

#define LOWQ8_0(r) \
	FMOVQ 2(r), F26; \
	VEOR  V31.B16, V26.B16, V26.B16

#define HIGHQ8_0(r) \
	FMOVQ 18(r), F26; \
	VEOR  V31.B16, V26.B16, V26.B16

// func dotQ8_0NEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ8_0NEON(SB), NOSPLIT, $0-40
	DOT_ARGS
	OFFSET(128)
	VMOVI $128, V31.B16

loop:
	SCALES
	FOUR(LOWQ8_0, ROW)
	FOUR(HIGHQ8_0, ROW)
	ADVANCE(34)
	SUBS $32, R7, R7
	BGT  loop
	DOT_END

#define ROWBF16(r, a0, a1) \
	FLDPQ.P 32(r), (F26, F27); \
	VZIP1   V26.H8, V31.H8, V16.H8; \
	VZIP2   V26.H8, V31.H8, V17.H8; \
	VZIP1   V27.H8, V31.H8, V18.H8; \
	VZIP2   V27.H8, V31.H8, V19.H8; \
	PRODUCTS(a0, a1)

// func dotBF16NEON(out, x *float32, w *byte, ldw, k int)
// k is a multiple of 16.
TEXT ·dotBF16NEON(SB), NOSPLIT, $0-40
	DOT_ARGS
	VEOR V31.B16, V31.B16, V31.B16

loop:
	X16
	ROWBF16(R0, V0, V1)
	ROWBF16(R1, V2, V3)
	ROWBF16(R2, V4, V5)
	ROWBF16(R3, V6, V7)
	SUBS $16, R7, R7
	BGT  loop
	DOT_END

#define ROWF16(r, a0, a1) \
	FLDPQ.P 32(r), (F26, F27); \
	FCVTL(26, 16); \
	FCVTL2(26, 17); \
	FCVTL(27, 18); \
	FCVTL2(27, 19); \
	PRODUCTS(a0, a1)

// func dotF16NEON(out, x *float32, w *byte, ldw, k int)
// k is a multiple of 16.
TEXT ·dotF16NEON(SB), NOSPLIT, $0-40
	DOT_ARGS

loop:
	X16
	ROWF16(R0, V0, V1)
	ROWF16(R1, V2, V3)
	ROWF16(R2, V4, V5)
	ROWF16(R3, V6, V7)
	SUBS $16, R7, R7
	BGT  loop
	DOT_END

#define ROWF32(r, a0, a1) \
	FLDPQ.P 32(r), (F16, F17); \
	FLDPQ.P 32(r), (F18, F19); \
	PRODUCTS(a0, a1)

// func dotF32NEON(out, x *float32, w *byte, ldw, k int)
// k is a multiple of 16.
TEXT ·dotF32NEON(SB), NOSPLIT, $0-40
	DOT_ARGS

loop:
	X16
	ROWF32(R0, V0, V1)
	ROWF32(R1, V2, V3)
	ROWF32(R2, V4, V5)
	ROWF32(R3, V6, V7)
	SUBS $16, R7, R7
	BGT  loop
	DOT_END

#include "textflag.h"
#include "neon_arm64.h"
#include "dot_arm64.h"
#include "dot_super_arm64.h"

// Dot products of four rows of super-blocks, as in dot_arm64.s: the scales and minima of a super-block go to the frame
// as floats first, rounding for rounding as in quant_super.go. A code times its scale is exact in a float there, so
// that subtracting a minimum is the one rounding. Instructions a weight: q4_k 1.88, q5_k 2.14, q6_k 1.70.

// SCALES6 unpacks the eight 6-bit scales and minima of r's super-block (superBlock.scales).
#define SCALES6(r, at) \
	VLD1  (r), V24.S[0]; \
	FCVTL(24, 24); \
	MOVWU 4(r), R14; \
	MOVWU 8(r), R15; \
	MOVWU 12(r), R16; \
	AND   $0x3f3f3f3f, R14, R17; \
	AND   $0x3f3f3f3f, R15, R19; \
	LSR   $6, R14, R14; \
	LSR   $6, R15, R15; \
	AND   $0x03030303, R14, R14; \
	AND   $0x03030303, R15, R15; \
	AND   $0x0f0f0f0f, R16, R20; \
	LSR   $4, R16, R16; \
	AND   $0x0f0f0f0f, R16, R16; \
	ORR   R14<<4, R20, R20; \
	ORR   R15<<4, R16, R16; \
	ORR   R20<<32, R17, R17; \
	ORR   R16<<32, R19, R19; \
	VMOV  R17, V26.D[0]; \
	VMOV  R19, V26.D[1]; \
	WIDEN; \
	FMULLANE(0, 24, 16, 16); \
	FMULLANE(0, 24, 17, 17); \
	FMULLANE(1, 24, 18, 18); \
	FMULLANE(1, 24, 19, 19); \
	SAVE16(at)

#define LOWQ4_K(r, q, at) LOW(at(r))
#define HIGHQ4_K(r, q, at) HIGH(at(r))

// func dotQ4_KNEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_KNEON(SB), NOSPLIT, $256-40
	DOT_ARGS
	OFFSET(0)
	ONES
	VMOVI $15, V31.B16

loop:
	BASE(256)
	SCALES6(R0, 0)
	SCALES6(R1, 64)
	SCALES6(R2, 128)
	SCALES6(R3, 192)
	MOVD $4, R8

group:
	GROUPMINUS(LOWQ4_K, 16, 0, 64)
	GROUPMINUS(LOWQ4_K, 32, 0, 64)
	GROUPMINUS(HIGHQ4_K, 16, 4, 64)
	GROUPMINUS(HIGHQ4_K, 32, 4, 64)
	ADVANCE(32)
	ADD  $8, R6, R6
	SUBS $1, R8, R8
	BGT  group
	ADVANCE(16)
	SUBS $256, R7, R7
	BGT  loop
	DOT_END

// FIFTHQ5_K adds to the codes in V26 the bits V13 of the bytes at m.
#define FIFTHQ5_K(m) \
	FMOVQ  m, F27; \
	VCMTST V13.B16, V27.B16, V27.B16; \
	VAND   V15.B16, V27.B16, V27.B16; \
	VORR   V27.B16, V26.B16, V26.B16

#define LOWQ5_K(r, q, at) \
	LOW(at(q)); \
	FIFTHQ5_K(16+at(r))

#define HIGHQ5_K(r, q, at) \
	HIGH(at(q)); \
	FIFTHQ5_K(16+at(r))

// func dotQ5_KNEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_KNEON(SB), NOSPLIT, $256-40
	DOT_ARGS
	OFFSET(0)
	ONES
	VMOVI $15, V31.B16
	VMOVI $16, V15.B16

loop:
	BASE(256)
	SCALES6(R0, 0)
	SCALES6(R1, 64)
	SCALES6(R2, 128)
	SCALES6(R3, 192)
	SECOND(48)
	VMOVI $1, V13.B16
	MOVD $4, R8

group:
	GROUPMINUS(LOWQ5_K, 0, 0, 64)
	GROUPMINUS(LOWQ5_K, 16, 0, 64)
	VSHL $1, V13.B16, V13.B16
	GROUPMINUS(HIGHQ5_K, 0, 4, 64)
	GROUPMINUS(HIGHQ5_K, 16, 4, 64)
	VSHL $1, V13.B16, V13.B16
	STEP(32)
	ADD  $8, R6, R6
	SUBS $1, R8, R8
	BGT  group
	ADVANCE(176)
	SUBS $256, R7, R7
	BGT  loop
	DOT_END

// SCALES8 multiplies the 16 signed scales of r's super-block with d.
#define SCALES8(r, at) \
	HALF(208(r)); \
	FMOVQ 192(r), F26; \
	VEOR  V14.B16, V26.B16, V26.B16; \
	WIDEN; \
	TIMES(0); \
	SAVE16(at)

// PAIRQ6_K adds to the codes in V26 the pairs of bits that are in bits 4 and 5 of V27.
#define PAIRQ6_K \
	VAND V13.B16, V27.B16, V27.B16; \
	VORR V27.B16, V26.B16, V26.B16

#define CODES0Q6_K(r, q, at) \
	LOW(at(r)); \
	FMOVQ at(q), F27; \
	VSHL  $4, V27.B16, V27.B16; \
	PAIRQ6_K

#define CODES1Q6_K(r, q, at) \
	LOW(32+at(r)); \
	FMOVQ at(q), F27; \
	VSHL  $2, V27.B16, V27.B16; \
	PAIRQ6_K

#define CODES2Q6_K(r, q, at) \
	HIGH(at(r)); \
	FMOVQ at(q), F27; \
	PAIRQ6_K

#define CODES3Q6_K(r, q, at) \
	HIGH(32+at(r)); \
	FMOVQ at(q), F27; \
	VUSHR $2, V27.B16, V27.B16; \
	PAIRQ6_K

// func dotQ6_KNEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ6_KNEON(SB), NOSPLIT, $256-40
	DOT_ARGS
	VMOVI $15, V31.B16
	VMOVI $128, V14.B16
	VMOVI $0x30, V13.B16

loop:
	BASE(256)
	OFFSET(128)
	SCALES8(R0, 0)
	SCALES8(R1, 64)
	SCALES8(R2, 128)
	SCALES8(R3, 192)
	OFFSET(32)
	SECOND(128)
	MOVD $2, R8

half:
	GROUP(CODES0Q6_K, 0, 0, 64)
	GROUP(CODES0Q6_K, 16, 4, 64)
	GROUP(CODES1Q6_K, 0, 8, 64)
	GROUP(CODES1Q6_K, 16, 12, 64)
	GROUP(CODES2Q6_K, 0, 16, 64)
	GROUP(CODES2Q6_K, 16, 20, 64)
	GROUP(CODES3Q6_K, 0, 24, 64)
	GROUP(CODES3Q6_K, 16, 28, 64)
	ADVANCE(64)
	STEP(32)
	ADD  $32, R6, R6
	SUBS $1, R8, R8
	BGT  half
	ADVANCE(82)
	SUBS $256, R7, R7
	BGT  loop
	DOT_END

#include "textflag.h"
#include "neon_arm64.h"
#include "dot_arm64.h"
#include "dot_super_arm64.h"

// Dot products of four rows of the super-blocks of q2_k, q3_k and iq4_xs, as in dot_super_arm64.s. Instructions a
// weight: q2_k 1.87, q3_k 1.81, iq4_xs 1.56.

// SCALES4 unpacks the 16 4-bit scales and minima of r's super-block.
#define SCALES4(r, at) \
	HALF(80(r)); \
	LOW((r)); \
	WIDEN; \
	TIMES(0); \
	SAVE16(at); \
	HALF(82(r)); \
	HIGH((r)); \
	WIDEN; \
	TIMES(0); \
	SAVE16(at+64)

// CODES0 makes V26 the lowest pairs of bits of the bytes at m, CODES1 to CODES3 the next ones.
#define CODES0(m) \
	FMOVQ m, F26; \
	VAND  V14.B16, V26.B16, V26.B16

#define CODES1(m) \
	FMOVQ m, F26; \
	VUSHR $2, V26.B16, V26.B16; \
	VAND  V14.B16, V26.B16, V26.B16

#define CODES2(m) \
	FMOVQ m, F26; \
	VUSHR $4, V26.B16, V26.B16; \
	VAND  V14.B16, V26.B16, V26.B16

#define CODES3(m) \
	FMOVQ m, F26; \
	VUSHR $6, V26.B16, V26.B16

#define CODES0Q2_K(r, q, at) CODES0(at(r))
#define CODES1Q2_K(r, q, at) CODES1(at(r))
#define CODES2Q2_K(r, q, at) CODES2(at(r))
#define CODES3Q2_K(r, q, at) CODES3(at(r))

// func dotQ2_KNEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ2_KNEON(SB), NOSPLIT, $512-40
	DOT_ARGS
	OFFSET(0)
	ONES
	VMOVI $15, V31.B16
	VMOVI $3, V14.B16

loop:
	BASE(512)
	SCALES4(R0, 0)
	SCALES4(R1, 128)
	SCALES4(R2, 256)
	SCALES4(R3, 384)
	MOVD $2, R8

half:
	GROUPMINUS(CODES0Q2_K, 16, 0, 128)
	GROUPMINUS(CODES0Q2_K, 32, 4, 128)
	GROUPMINUS(CODES1Q2_K, 16, 8, 128)
	GROUPMINUS(CODES1Q2_K, 32, 12, 128)
	GROUPMINUS(CODES2Q2_K, 16, 16, 128)
	GROUPMINUS(CODES2Q2_K, 32, 20, 128)
	GROUPMINUS(CODES3Q2_K, 16, 24, 128)
	GROUPMINUS(CODES3Q2_K, 32, 28, 128)
	ADVANCE(32)
	ADD  $32, R6, R6
	SUBS $1, R8, R8
	BGT  half
	ADVANCE(20)
	SUBS $256, R7, R7
	BGT  loop
	DOT_END

// SCALESQ3_K unpacks the 16 6-bit scales of r's super-block.
#define SCALESQ3_K(r, at) \
	HALF(108(r)); \
	MOVD  96(r), R14; \
	MOVWU 104(r), R15; \
	AND   $0x0f0f0f0f0f0f0f0f, R14, R16; \
	LSR   $4, R14, R14; \
	AND   $0x0f0f0f0f0f0f0f0f, R14, R14; \
	LSR   $2, R15, R17; \
	ORR   R17<<32, R15, R17; \
	AND   $0x0303030303030303, R17, R17; \
	ORR   R17<<4, R16, R16; \
	LSR   $4, R15, R19; \
	LSR   $6, R15, R20; \
	ORR   R20<<32, R19, R19; \
	AND   $0x0303030303030303, R19, R19; \
	ORR   R19<<4, R14, R14; \
	VMOV  R16, V26.D[0]; \
	VMOV  R14, V26.D[1]; \
	WIDEN; \
	TIMES(0); \
	SAVE16(at)

// THIRD adds to the codes in V26 the bits V13 of the bytes at m.
#define THIRD(m) \
	FMOVQ  m, F27; \
	VCMTST V13.B16, V27.B16, V27.B16; \
	VAND   V15.B16, V27.B16, V27.B16; \
	VORR   V27.B16, V26.B16, V26.B16

#define CODES0Q3_K(r, q, at) \
	CODES0(at(q)); \
	THIRD(at(r))

#define CODES1Q3_K(r, q, at) \
	CODES1(at(q)); \
	THIRD(at(r))

#define CODES2Q3_K(r, q, at) \
	CODES2(at(q)); \
	THIRD(at(r))

#define CODES3Q3_K(r, q, at) \
	CODES3(at(q)); \
	THIRD(at(r))

// func dotQ3_KNEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ3_KNEON(SB), NOSPLIT, $256-40
	DOT_ARGS
	VMOVI $3, V14.B16
	VMOVI $4, V15.B16

loop:
	BASE(256)
	OFFSET(32)
	SCALESQ3_K(R0, 0)
	SCALESQ3_K(R1, 64)
	SCALESQ3_K(R2, 128)
	SCALESQ3_K(R3, 192)
	OFFSET(4)
	SECOND(32)
	VMOVI $1, V13.B16
	MOVD  $2, R8

half:
	GROUP(CODES0Q3_K, 0, 0, 64)
	GROUP(CODES0Q3_K, 16, 4, 64)
	VSHL $1, V13.B16, V13.B16
	GROUP(CODES1Q3_K, 0, 8, 64)
	GROUP(CODES1Q3_K, 16, 12, 64)
	VSHL $1, V13.B16, V13.B16
	GROUP(CODES2Q3_K, 0, 16, 64)
	GROUP(CODES2Q3_K, 16, 20, 64)
	VSHL $1, V13.B16, V13.B16
	GROUP(CODES3Q3_K, 0, 24, 64)
	GROUP(CODES3Q3_K, 16, 28, 64)
	VSHL $1, V13.B16, V13.B16
	STEP(32)
	ADD  $32, R6, R6
	SUBS $1, R8, R8
	BGT  half
	ADVANCE(110)
	SUBS $256, R7, R7
	BGT  loop
	DOT_END

// pairs are the shifts that bring pair of bits g of a half-word to bits 4 and 5, for g < 8.
DATA pairs<>+0(SB)/8, $0xfffe000000020004
DATA pairs<>+8(SB)/8, $0xfff6fff8fffafffc
GLOBL pairs<>(SB), RODATA|NOPTR, $16

// SCALESIQ4_XS unpacks the eight 6-bit scales of r's super-block: low nibbles in four bytes, high pairs in a half-word.
#define SCALESIQ4_XS(r, at) \
	HALF((r)); \
	FMOVS 4(r), F26; \
	VUSHR $4, V26.B16, V27.B16; \
	VAND  V31.B16, V26.B16, V26.B16; \
	VZIP1 V27.B16, V26.B16, V26.B16; \
	VUXTL V26.B8, V26.H8; \
	MOVHU 2(r), R14; \
	VDUP  R14, V27.H8; \
	USHL(14, 27, 27); \
	VAND  V13.B16, V27.B16, V27.B16; \
	VORR  V27.B16, V26.B16, V26.B16; \
	VZIP1 V29.H8, V26.H8, V16.H8; \
	VZIP2 V29.H8, V26.H8, V17.H8; \
	FSUB(30, 16, 16); \
	FSUB(30, 17, 17); \
	FMULLANE(0, 24, 16, 16); \
	FMULLANE(0, 24, 17, 17); \
	FSTPQ (F16, F17), at(R6)

#define LOWIQ4_XS(r, q, at) \
	LOW(at(r)); \
	LEVEL

#define HIGHIQ4_XS(r, q, at) \
	HIGH(at(r)); \
	LEVEL

// func dotIQ4_XSNEON(out, x *float32, w *byte, ldw, k int)
TEXT ·dotIQ4_XSNEON(SB), NOSPLIT, $128-40
	DOT_ARGS
	LEVELS
	VMOVI $15, V31.B16
	MOVD  $pairs<>(SB), R9
	FMOVQ (R9), F14
	MOVD  $0x30, R9
	VDUP  R9, V13.H8

loop:
	BASE(128)
	OFFSET(32)
	SCALESIQ4_XS(R0, 0)
	SCALESIQ4_XS(R1, 32)
	SCALESIQ4_XS(R2, 64)
	SCALESIQ4_XS(R3, 96)
	OFFSET(128)
	MOVD $8, R8

group:
	GROUP(LOWIQ4_XS, 8, 0, 32)
	GROUP(HIGHIQ4_XS, 8, 0, 32)
	ADVANCE(16)
	ADD  $4, R6, R6
	SUBS $1, R8, R8
	BGT  group
	ADVANCE(8)
	SUBS $256, R7, R7
	BGT  loop
	DOT_END

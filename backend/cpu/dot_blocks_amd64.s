#include "textflag.h"
#include "dot_amd64.h"

// Dot products, as in dot_avx512_amd64.s bit for bit, with rows of the types that take more unpacking. A block of each
// row is unpacked to codes, signed bytes, and a scale and a minimum for every 16, in the frame at BX: 256 codes, 16
// scales, 16 minima.
//
// Code · scale is exact in every type, so that fusing it with the subtraction of the minimum changes nothing.

#define BYTES32(name, v) \
	DATA name<>+0(SB)/8, v; \
	DATA name<>+8(SB)/8, v; \
	DATA name<>+16(SB)/8, v; \
	DATA name<>+24(SB)/8, v; \
	GLOBL name<>(SB), RODATA|NOPTR, $32

BYTES32(b03, $0x0303030303030303)
BYTES32(b04, $0x0404040404040404)
BYTES32(b0f, $0x0f0f0f0f0f0f0f0f)
BYTES32(b10, $0x1010101010101010)
BYTES32(b20, $0x2020202020202020)
BYTES32(b30, $0x3030303030303030)
BYTES32(b3f, $0x3f3f3f3f3f3f3f3f)
BYTES32(bits, $0x8040201008040201)

// spread sends byte i to the bytes 8i to 8i+7.
DATA spread<>+0(SB)/8, $0x0000000000000000
DATA spread<>+8(SB)/8, $0x0101010101010101
DATA spread<>+16(SB)/8, $0x0202020202020202
DATA spread<>+24(SB)/8, $0x0303030303030303
GLOBL spread<>(SB), RODATA|NOPTR, $32

// levels are those of quant_block.go, twice.
DATA levels<>+0(SB)/8, $0xf6eaddcfbfad9881
DATA levels<>+8(SB)/8, $0x7159453526190d01
DATA levels<>+16(SB)/8, $0xf6eaddcfbfad9881
DATA levels<>+24(SB)/8, $0x7159453526190d01
GLOBL levels<>(SB), RODATA|NOPTR, $32

DATA evens<>+0(SB)/4, $0
DATA evens<>+4(SB)/4, $2
DATA evens<>+8(SB)/4, $4
DATA evens<>+12(SB)/4, $6
GLOBL evens<>(SB), RODATA|NOPTR, $16

// ROWS makes one kernel: UNPACK reads a block of so many bytes and values at R9, and TIMES16 multiplies 16 values of each
// row, which START and END prepare and finish.
#define ROWS(bytes, values, UNPACK, START, TIMES16, END) \
	DOT_ARGS; \
	LEAQ frame-1600(SP), BX; \
	ADDQ $63, BX; \
	ANDQ $~63, BX; \
	START; \
block: \
	MOVQ SI, R9; \
	MOVQ $4, R10; \
row: \
	PREFETCHT0 (R9)(R8*8); \
	PREFETCHT0 64(R9)(R8*8); \
	PREFETCHT0 128(R9)(R8*8); \
	UNPACK; \
	ADDQ $384, BX; \
	ADDQ R8, R9; \
	DECQ R10; \
	JNZ  row; \
	SUBQ $(4*384), BX; \
	MOVQ BX, R11; \
	MOVQ BX, R12; \
	MOVQ $(values/16), AX; \
group: \
	TIMES16; \
	ADDQ $16, R11; \
	ADDQ $4, R12; \
	ADDQ $64, DX; \
	DECQ AX; \
	JNZ  group; \
	ADDQ $bytes, SI; \
	SUBQ $values, CX; \
	JG   block; \
	END

#define STARTAVX2 \
	VXORPS Y0, Y0, Y0; \
	VXORPS Y1, Y1, Y1; \
	VXORPS Y2, Y2, Y2; \
	VXORPS Y3, Y3, Y3; \
	VXORPS Y4, Y4, Y4; \
	VXORPS Y5, Y5, Y5; \
	VXORPS Y6, Y6, Y6; \
	VXORPS Y7, Y7, Y7

// ROWAVX2 adds to lo and hi the products of the x in Y8 and Y9, and the codes of the row at offset at of R11.
#define ROWAVX2(at, lo, hi) \
	VBROADCASTSS 256+at(R12), Y10; \
	VBROADCASTSS 320+at(R12), Y11; \
	VPMOVSXBD    at(R11), Y12; \
	VPMOVSXBD    8+at(R11), Y13; \
	VCVTDQ2PS    Y12, Y12; \
	VCVTDQ2PS    Y13, Y13; \
	VFMSUB213PS  Y11, Y10, Y12; \
	VFMSUB213PS  Y11, Y10, Y13; \
	VFMADD231PS  Y8, Y12, lo; \
	VFMADD231PS  Y9, Y13, hi

#define TIMES16AVX2 \
	VMOVUPS (DX), Y8; \
	VMOVUPS 32(DX), Y9; \
	ROWAVX2(0, Y0, Y4); \
	ROWAVX2(384, Y1, Y5); \
	ROWAVX2(768, Y2, Y6); \
	ROWAVX2(1152, Y3, Y7)

#define ENDAVX2 DOT_END

#define STARTAVX512 \
	VPXORD Z0, Z0, Z0; \
	VPXORD Z1, Z1, Z1; \
	VPXORD Z2, Z2, Z2; \
	VPXORD Z3, Z3, Z3

#define ROWAVX512(at, x, y, acc) \
	VBROADCASTSS     320+at(R12), x; \
	VPMOVSXBD        at(R11), y; \
	VCVTDQ2PS        y, y; \
	VFMSUB132PS.BCST 256+at(R12), x, y; \
	VFMADD231PS      Z16, y, acc

#define TIMES16AVX512 \
	VMOVUPS (DX), Z16; \
	ROWAVX512(0, Z17, Z18, Z0); \
	ROWAVX512(384, Z19, Z20, Z1); \
	ROWAVX512(768, Z21, Z22, Z2); \
	ROWAVX512(1152, Z23, Z24, Z3)

#define ENDAVX512 \
	FOLD; \
	DOT_END

// HALF makes y eight times the f16 at m; x is its low half.
#define HALF(m, x, y) \
	VPBROADCASTW m, x; \
	VCVTPH2PS    x, y

// FLOATS16 writes the products of y and the 16 signed bytes of x at off.
#define FLOATS16(x, y, off) \
	VPMOVSXBD x, Y10; \
	VPSRLDQ   $8, x, x; \
	VPMOVSXBD x, Y11; \
	VCVTDQ2PS Y10, Y10; \
	VCVTDQ2PS Y11, Y11; \
	VMULPS    y, Y10, Y10; \
	VMULPS    y, Y11, Y11; \
	VMOVUPS   Y10, off(BX); \
	VMOVUPS   Y11, off+32(BX)

#define NOMINIMA \
	VXORPS  Y10, Y10, Y10; \
	VMOVUPS Y10, 320(BX); \
	VMOVUPS Y10, 352(BX)

// NIBBLES makes Y8 the low and then the high halves of the 16 bytes at m.
#define NIBBLES(m) \
	VMOVDQU     m, X8; \
	VPSRLW      $4, X8, X9; \
	VINSERTI128 $1, X9, Y8, Y8; \
	VPAND       b0f<>(SB), Y8, Y8

// FIFTHS adds 16 to the bytes of Y8 whose bit is set in the 32 at m.
#define FIFTHS(m) \
	VPBROADCASTD m, Y9; \
	VPSHUFB      spread<>(SB), Y9, Y9; \
	VPAND        bits<>(SB), Y9, Y9; \
	VPCMPEQB     bits<>(SB), Y9, Y9; \
	VPAND        b10<>(SB), Y9, Y9; \
	VPOR         Y9, Y8, Y8

#define Q5_0 \
	NIBBLES(6(R9)); \
	FIFTHS(2(R9)); \
	VPSUBB  b10<>(SB), Y8, Y8; \
	VMOVDQU Y8, (BX); \
	HALF((R9), X10, Y10); \
	VXORPS  Y11, Y11, Y11; \
	VMOVUPS Y10, 256(BX); \
	VMOVUPS Y11, 320(BX)

#define Q5_1 \
	NIBBLES(8(R9)); \
	FIFTHS(4(R9)); \
	VMOVDQU Y8, (BX); \
	HALF((R9), X10, Y10); \
	HALF(2(R9), X11, Y11); \
	VXORPS  Y9, Y9, Y9; \
	VSUBPS  Y11, Y9, Y11; \
	VMOVUPS Y10, 256(BX); \
	VMOVUPS Y11, 320(BX)

#define IQ4_NL \
	NIBBLES(2(R9)); \
	VMOVDQU levels<>(SB), Y9; \
	VPSHUFB Y8, Y9, Y8; \
	VMOVDQU Y8, (BX); \
	HALF((R9), X10, Y10); \
	VXORPS  Y11, Y11, Y11; \
	VMOVUPS Y10, 256(BX); \
	VMOVUPS Y11, 320(BX)

// TWOS makes Y10 to Y13 the 2-bit codes of the bytes in Y8, lowest bits first.
#define TWOS \
	VPAND   b03<>(SB), Y8, Y10; \
	VPSRLW  $2, Y8, Y9; \
	VPAND   b03<>(SB), Y9, Y11; \
	VPSRLW  $4, Y8, Y9; \
	VPAND   b03<>(SB), Y9, Y12; \
	VPSRLW  $6, Y8, Y9; \
	VPAND   b03<>(SB), Y9, Y13

#define Q2_K \
	VMOVDQU 16(R9), Y8; \
	TWOS; \
	VMOVDQU Y10, (BX); \
	VMOVDQU Y11, 32(BX); \
	VMOVDQU Y12, 64(BX); \
	VMOVDQU Y13, 96(BX); \
	VMOVDQU 48(R9), Y8; \
	TWOS; \
	VMOVDQU Y10, 128(BX); \
	VMOVDQU Y11, 160(BX); \
	VMOVDQU Y12, 192(BX); \
	VMOVDQU Y13, 224(BX); \
	VMOVDQU (R9), X8; \
	VPSRLW  $4, X8, X9; \
	VPAND   b0f<>(SB), X8, X8; \
	VPAND   b0f<>(SB), X9, X9; \
	HALF(80(R9), X12, Y12); \
	HALF(82(R9), X13, Y13); \
	FLOATS16(X8, Y12, 256); \
	FLOATS16(X9, Y13, 320)

// THIRD writes the codes y with their third bits, in Y14 at bit 2, less 4.
#define THIRD(y, off) \
	VPAND   b04<>(SB), Y14, Y14; \
	VPOR    Y14, y, y; \
	VPSUBB  b04<>(SB), y, y; \
	VMOVDQU y, off(BX)

#define Q3_K \
	VMOVDQU (R9), Y15; \
	VMOVDQU 32(R9), Y8; \
	TWOS; \
	VPSLLW  $2, Y15, Y14; \
	THIRD(Y10, 0); \
	VPSLLW  $1, Y15, Y14; \
	THIRD(Y11, 32); \
	VMOVDQA Y15, Y14; \
	THIRD(Y12, 64); \
	VPSRLW  $1, Y15, Y14; \
	THIRD(Y13, 96); \
	VMOVDQU 64(R9), Y8; \
	TWOS; \
	VPSRLW  $2, Y15, Y14; \
	THIRD(Y10, 128); \
	VPSRLW  $3, Y15, Y14; \
	THIRD(Y11, 160); \
	VPSRLW  $4, Y15, Y14; \
	THIRD(Y12, 192); \
	VPSRLW  $5, Y15, Y14; \
	THIRD(Y13, 224); \
	VMOVQ        96(R9), X8; \
	VPSRLW       $4, X8, X9; \
	VPUNPCKLQDQ  X9, X8, X8; \
	VPAND        b0f<>(SB), X8, X8; \
	VPBROADCASTD 104(R9), X9; \
	VPSRLVD      evens<>(SB), X9, X9; \
	VPAND        b03<>(SB), X9, X9; \
	VPSLLW       $4, X9, X9; \
	VPOR         X9, X8, X8; \
	VPSUBB       b20<>(SB), X8, X8; \
	HALF(108(R9), X12, Y12); \
	FLOATS16(X8, Y12, 256); \
	NOMINIMA

// SIXES writes the scales and minima of q4_k and q5_k: eight of each in 6 bits, each for 32 values.
#define SIXES \
	VMOVQ      4(R9), X8; \
	VMOVD      12(R9), X9; \
	VPSRLW     $4, X9, X10; \
	VPUNPCKLDQ X10, X9, X9; \
	VPAND      b0f<>(SB), X9, X9; \
	VPSRLW     $2, X8, X10; \
	VPAND      b30<>(SB), X10, X10; \
	VPOR       X10, X9, X9; \
	VPAND      b3f<>(SB), X8, X8; \
	VPUNPCKLDQ X9, X8, X8; \
	VPUNPCKHBW X8, X8, X9; \
	VPUNPCKLBW X8, X8, X8; \
	HALF((R9), X12, Y12); \
	HALF(2(R9), X13, Y13); \
	FLOATS16(X8, Y12, 256); \
	FLOATS16(X9, Y13, 320)

// LOWHIGH makes Y8 the low and Y9 the high halves of the 32 bytes at m.
#define LOWHIGH(m) \
	VMOVDQU m, Y8; \
	VPSRLW  $4, Y8, Y9; \
	VPAND   b0f<>(SB), Y8, Y8; \
	VPAND   b0f<>(SB), Y9, Y9

#define PAIR4(c) \
	LOWHIGH(16+32*c(R9)); \
	VMOVDQU Y8, 64*c(BX); \
	VMOVDQU Y9, 64*c+32(BX)

#define Q4_K \
	PAIR4(0); \
	PAIR4(1); \
	PAIR4(2); \
	PAIR4(3); \
	SIXES

// PAIR5 adds fifth bits: SHIFT0 by n0 and SHIFT1 by n1 bring those of Y15 to bit 4.
#define PAIR5(c, SHIFT0, n0, SHIFT1, n1) \
	LOWHIGH(48+32*c(R9)); \
	SHIFT0  n0, Y15, Y10; \
	SHIFT1  n1, Y15, Y11; \
	VPAND   b10<>(SB), Y10, Y10; \
	VPAND   b10<>(SB), Y11, Y11; \
	VPOR    Y10, Y8, Y8; \
	VPOR    Y11, Y9, Y9; \
	VMOVDQU Y8, 64*c(BX); \
	VMOVDQU Y9, 64*c+32(BX)

#define Q5_K \
	VMOVDQU 16(R9), Y15; \
	PAIR5(0, VPSLLW, $4, VPSLLW, $3); \
	PAIR5(1, VPSLLW, $2, VPSLLW, $1); \
	PAIR5(2, VPSRLW, $0, VPSRLW, $1); \
	PAIR5(3, VPSRLW, $2, VPSRLW, $3); \
	SIXES

// HIGH6 writes the codes y with their high bits, in Y14 at bits 4 and 5, less 32.
#define HIGH6(y, off) \
	VPAND   b30<>(SB), Y14, Y14; \
	VPOR    Y14, y, y; \
	VPSUBB  b20<>(SB), y, y; \
	VMOVDQU y, off(BX)

#define HALF6(h) \
	VMOVDQU 128+32*h(R9), Y15; \
	LOWHIGH(64*h(R9)); \
	VPSLLW  $4, Y15, Y14; \
	HIGH6(Y8, 128*h); \
	VMOVDQA Y15, Y14; \
	HIGH6(Y9, 128*h+64); \
	LOWHIGH(64*h+32(R9)); \
	VPSLLW  $2, Y15, Y14; \
	HIGH6(Y8, 128*h+32); \
	VPSRLW  $2, Y15, Y14; \
	HIGH6(Y9, 128*h+96)

#define Q6_K \
	HALF6(0); \
	HALF6(1); \
	VMOVDQU 192(R9), X8; \
	HALF(208(R9), X12, Y12); \
	FLOATS16(X8, Y12, 256); \
	NOMINIMA

#define PAIRIQ4(c) \
	LOWHIGH(8+32*c(R9)); \
	VPSHUFB      Y8, Y15, Y8; \
	VPSHUFB      Y9, Y15, Y9; \
	VMOVDQU      X8, 64*c(BX); \
	VMOVDQU      X9, 64*c+16(BX); \
	VEXTRACTI128 $1, Y8, 64*c+32(BX); \
	VEXTRACTI128 $1, Y9, 64*c+48(BX)

#define IQ4_XS \
	VMOVDQU    levels<>(SB), Y15; \
	PAIRIQ4(0); \
	PAIRIQ4(1); \
	PAIRIQ4(2); \
	PAIRIQ4(3); \
	MOVL       4(R9), AX; \
	MOVWLZX    2(R9), R11; \
	MOVQ       b0f<>(SB), R12; \
	MOVQ       b30<>(SB), R13; \
	PDEPQ      R12, AX, AX; \
	PDEPQ      R13, R11, R11; \
	ORQ        R11, AX; \
	VMOVQ      AX, X8; \
	VPSUBB     b20<>(SB), X8, X8; \
	VPUNPCKLBW X8, X8, X8; \
	HALF((R9), X12, Y12); \
	FLOATS16(X8, Y12, 256); \
	NOMINIMA

// func dotQ5_0AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_0AVX2(SB), 0, $1600-40
	ROWS(22, 32, Q5_0, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotQ5_0AVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_0AVX512(SB), 0, $1600-40
	ROWS(22, 32, Q5_0, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotQ5_1AVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_1AVX2(SB), 0, $1600-40
	ROWS(24, 32, Q5_1, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotQ5_1AVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_1AVX512(SB), 0, $1600-40
	ROWS(24, 32, Q5_1, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotIQ4_NLAVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotIQ4_NLAVX2(SB), 0, $1600-40
	ROWS(18, 32, IQ4_NL, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotIQ4_NLAVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotIQ4_NLAVX512(SB), 0, $1600-40
	ROWS(18, 32, IQ4_NL, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotQ2_KAVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ2_KAVX2(SB), 0, $1600-40
	ROWS(84, 256, Q2_K, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotQ2_KAVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ2_KAVX512(SB), 0, $1600-40
	ROWS(84, 256, Q2_K, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotQ3_KAVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ3_KAVX2(SB), 0, $1600-40
	ROWS(110, 256, Q3_K, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotQ3_KAVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ3_KAVX512(SB), 0, $1600-40
	ROWS(110, 256, Q3_K, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotQ4_KAVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_KAVX2(SB), 0, $1600-40
	ROWS(144, 256, Q4_K, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotQ4_KAVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ4_KAVX512(SB), 0, $1600-40
	ROWS(144, 256, Q4_K, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotQ5_KAVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_KAVX2(SB), 0, $1600-40
	ROWS(176, 256, Q5_K, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotQ5_KAVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ5_KAVX512(SB), 0, $1600-40
	ROWS(176, 256, Q5_K, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotQ6_KAVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ6_KAVX2(SB), 0, $1600-40
	ROWS(210, 256, Q6_K, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotQ6_KAVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotQ6_KAVX512(SB), 0, $1600-40
	ROWS(210, 256, Q6_K, STARTAVX512, TIMES16AVX512, ENDAVX512)

// func dotIQ4_XSAVX2(out, x *float32, w *byte, ldw, k int)
TEXT ·dotIQ4_XSAVX2(SB), 0, $1600-40
	ROWS(136, 256, IQ4_XS, STARTAVX2, TIMES16AVX2, ENDAVX2)

// func dotIQ4_XSAVX512(out, x *float32, w *byte, ldw, k int)
TEXT ·dotIQ4_XSAVX512(SB), 0, $1600-40
	ROWS(136, 256, IQ4_XS, STARTAVX512, TIMES16AVX512, ENDAVX512)

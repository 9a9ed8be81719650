// Instructions that Go's assembler does not know, as words; numbers are those of vector registers, the last one is
// written, and e is a lane. Each macro's comment is what a disassembler prints for it.

// FMUL d.4S, n.4S, m.4S
#define FMUL(m, n, d) WORD $(0x6e20dc00 | m<<16 | n<<5 | d)

// FADD d.4S, n.4S, m.4S
#define FADD(m, n, d) WORD $(0x4e20d400 | m<<16 | n<<5 | d)

// FSUB d.4S, n.4S, m.4S
#define FSUB(m, n, d) WORD $(0x4ea0d400 | m<<16 | n<<5 | d)

// FDIV d.4S, n.4S, m.4S
#define FDIV(m, n, d) WORD $(0x6e20fc00 | m<<16 | n<<5 | d)

// FADDP d.4S, n.4S, m.4S: the sums of pairs of n, then of m.
#define FADDP(m, n, d) WORD $(0x6e20d400 | m<<16 | n<<5 | d)

// FMAX d.4S, n.4S, m.4S
#define FMAX(m, n, d) WORD $(0x4e20f400 | m<<16 | n<<5 | d)

// FMIN d.4S, n.4S, m.4S
#define FMIN(m, n, d) WORD $(0x4ea0f400 | m<<16 | n<<5 | d)

// FMAXV d, n.4S: the largest lane of n, NaN when one is.
#define FMAXV(n, d) WORD $(0x6e30f800 | n<<5 | d)

// FCMEQ d.4S, n.4S, m.4S: all ones where equal.
#define FCMEQ(m, n, d) WORD $(0x4e20e400 | m<<16 | n<<5 | d)

// FNEG d.4S, n.4S
#define FNEG(n, d) WORD $(0x6ea0f800 | n<<5 | d)

// FMUL d.4S, n.4S, m.S[e]
#define FMULLANE(e, m, n, d) WORD $(0x4f809000 | (e&1)<<21 | (e>>1)<<11 | m<<16 | n<<5 | d)

// FMLA d.4S, n.4S, m.S[e]
#define FMLALANE(e, m, n, d) WORD $(0x4f801000 | (e&1)<<21 | (e>>1)<<11 | m<<16 | n<<5 | d)

// FMLS d.4S, n.4S, m.S[e]
#define FMLSLANE(e, m, n, d) WORD $(0x4f805000 | (e&1)<<21 | (e>>1)<<11 | m<<16 | n<<5 | d)

// FRINTN d.4S, n.4S: to the nearest integer, ties to even.
#define FRINTN(n, d) WORD $(0x4e218800 | n<<5 | d)

// FCVTNS d.4S, n.4S: to the nearest int32, ties to even.
#define FCVTNS(n, d) WORD $(0x4e21a800 | n<<5 | d)

// FCVTL d.4S, n.4H: the low four f16s to floats.
#define FCVTL(n, d) WORD $(0x0e217800 | n<<5 | d)

// FCVTL2 d.4S, n.8H: the high four f16s to floats.
#define FCVTL2(n, d) WORD $(0x4e217800 | n<<5 | d)

// USHL d.8H, n.8H, m.8H: left by lanes of m, right where they are negative.
#define USHL(m, n, d) WORD $(0x6e604400 | m<<16 | n<<5 | d)

// WIDEN makes V16 to V19 the floats of the 16 bytes of V26 less an offset: a byte c in the mantissa of 2^23 is 2^23+c,
// and V30 holds 2^23 plus the offset. V29 is 0x4b00 in each half-word.
#define WIDEN \
	VUXTL  V26.B8, V16.H8; \
	VUXTL2 V26.B16, V18.H8; \
	VZIP2  V29.H8, V16.H8, V17.H8; \
	VZIP1  V29.H8, V16.H8, V16.H8; \
	VZIP2  V29.H8, V18.H8, V19.H8; \
	VZIP1  V29.H8, V18.H8, V18.H8; \
	FSUB(30, 16, 16); \
	FSUB(30, 17, 17); \
	FSUB(30, 18, 18); \
	FSUB(30, 19, 19)

// OFFSET sets V29 and V30 for WIDEN.
#define OFFSET(n) \
	MOVD $0x4b00, R9; \
	VDUP R9, V29.H8; \
	MOVD $(0x4b000000 + n), R9; \
	VDUP R9, V30.S4

// TIMES multiplies V16 to V19 by lane e of V24.
#define TIMES(e) \
	FMULLANE(e, 24, 16, 16); \
	FMULLANE(e, 24, 17, 17); \
	FMULLANE(e, 24, 18, 18); \
	FMULLANE(e, 24, 19, 19)

// PLUS adds lane e of V25 to V16 to V19, MINUS subtracts it: V28 holds ones, so the product is exact.
#define PLUS(e) \
	FMLALANE(e, 25, 28, 16); \
	FMLALANE(e, 25, 28, 17); \
	FMLALANE(e, 25, 28, 18); \
	FMLALANE(e, 25, 28, 19)

#define MINUS(e) \
	FMLSLANE(e, 25, 28, 16); \
	FMLSLANE(e, 25, 28, 17); \
	FMLSLANE(e, 25, 28, 18); \
	FMLSLANE(e, 25, 28, 19)

// ONES sets V28 for PLUS and MINUS.
#define ONES \
	MOVD $0x3f800000, R9; \
	VDUP R9, V28.S4

// LOW makes V26 the low nibbles of the 16 bytes at m, HIGH the high ones. V31 holds 15 in each byte.
#define LOW(m) \
	FMOVQ m, F26; \
	VAND  V31.B16, V26.B16, V26.B16

#define HIGH(m) \
	FMOVQ m, F26; \
	VUSHR $4, V26.B16, V26.B16

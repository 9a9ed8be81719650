// What the dot products of all vector widths share: four weight rows (SI, R9, R10, R11) with one x (DX), CX values to go.

// SCALES leaves in the frame at f the floats of the f16s at m, to be broadcast as they are loaded again: that takes the
// load ports, which have time, and not the port that every shuffle wants. x is scratch.
#define SCALES(m, x, f) \
	VCVTPH2PS m, x; \
	VMOVUPS   x, f

#define DOT_ARGS \
	MOVQ   out+0(FP), DI; \
	MOVQ   x+8(FP), DX; \
	MOVQ   w+16(FP), SI; \
	MOVQ   ldw+24(FP), R8; \
	MOVQ   k+32(FP), CX; \
	LEAQ   (SI)(R8*1), R9; \
	LEAQ   (SI)(R8*2), R10; \
	LEAQ   (R9)(R8*2), R11; \
	LEAQ   (SI)(R8*8), R12

// LINE asks for the line at offset at of R12, which runs over the rows of the call after the next in order of address,
// and for one further on into the second cache. Lines in order of address let the hardware's own streams follow, and
// a page and a half ahead of them hides the latency of memory, which the distance that the first cache bears does not.
#define LINE(at) \
	PREFETCHT1 at+6144(R12); \
	PREFETCHT0 at(R12)

// AHEAD asks for the lines of one turn, bytes long in each of the four rows; two lines are enough up to 34.
#define AHEAD(bytes) \
	LINE(0); \
	LINE(64); \
	ADDQ bytes*4, R12

// ROWSAHEAD asks for the next lines of the rows of the call after the next, for types whose rows are long.
#define ROWSAHEAD \
	PREFETCHT0 (SI)(R8*8); \
	PREFETCHT0 (R9)(R8*8); \
	PREFETCHT0 (R10)(R8*8); \
	PREFETCHT0 (R11)(R8*8)

#define ADVANCE(bytes) \
	ADDQ bytes, SI; \
	ADDQ bytes, R9; \
	ADDQ bytes, R10; \
	ADDQ bytes, R11

// FOLD brings the halves of Z0 to Z3 there where DOT_END wants them.
#define FOLD \
	VEXTRACTF64X4 $1, Z0, Y4; \
	VEXTRACTF64X4 $1, Z1, Y5; \
	VEXTRACTF64X4 $1, Z2, Y6; \
	VEXTRACTF64X4 $1, Z3, Y7

// DOT_END stores the sums of four rows, whose first eight lanes are in Y0 to Y3 and whose last are in Y4 to Y7.
#define DOT_END \
	VADDPS        Y4, Y0, Y0; \
	VADDPS        Y5, Y1, Y1; \
	VADDPS        Y6, Y2, Y2; \
	VADDPS        Y7, Y3, Y3; \
	VHADDPS       Y1, Y0, Y0; \
	VHADDPS       Y3, Y2, Y2; \
	VHADDPS       Y2, Y0, Y0; \
	VEXTRACTF128  $1, Y0, X1; \
	VADDPS        X1, X0, X0; \
	VMOVUPS       X0, (DI); \
	VZEROUPPER; \
	RET

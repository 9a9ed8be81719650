// What the dot products of super-blocks share. R6 points to the scales of the first row in the frame, those of the next
// rows are size bytes on each; R10 to R13 are second pointers into the rows.

// BASE makes R6 point to the n bytes of the frame, named scales.
#define BASE(n) MOVD $scales-n(SP), R6

// HALF makes lane 0 of V24 the float of the f16 at m.
#define HALF(m) \
	MOVHU  m, R14; \
	FMOVS  R14, F24; \
	FCVTHS F24, F24

// GROUP is FOUR with codes(row, second pointer, at) and a row's scale at s bytes after its first one.
#define GROUP(codes, at, s, size) \
	X16; \
	codes(R0, R10, at); \
	FMOVS s(R6), F24; \
	ROW(0, V0, V1); \
	codes(R1, R11, at); \
	FMOVS s+size(R6), F24; \
	ROW(0, V2, V3); \
	codes(R2, R12, at); \
	FMOVS s+2*size(R6), F24; \
	ROW(0, V4, V5); \
	codes(R3, R13, at); \
	FMOVS s+3*size(R6), F24; \
	ROW(0, V6, V7)

// GROUPMINUS does that and subtracts the minima, which lie half way to the next row's scales.
#define GROUPMINUS(codes, at, s, size) \
	X16; \
	codes(R0, R10, at); \
	FMOVS s(R6), F24; \
	FMOVS s+size/2(R6), F25; \
	ROWMINUS(0, V0, V1); \
	codes(R1, R11, at); \
	FMOVS s+size(R6), F24; \
	FMOVS s+size+size/2(R6), F25; \
	ROWMINUS(0, V2, V3); \
	codes(R2, R12, at); \
	FMOVS s+2*size(R6), F24; \
	FMOVS s+2*size+size/2(R6), F25; \
	ROWMINUS(0, V4, V5); \
	codes(R3, R13, at); \
	FMOVS s+3*size(R6), F24; \
	FMOVS s+3*size+size/2(R6), F25; \
	ROWMINUS(0, V6, V7)

// SECOND makes R10 to R13 point at bytes after R0 to R3, and STEP moves them.
#define SECOND(at) \
	ADD $at, R0, R10; \
	ADD $at, R1, R11; \
	ADD $at, R2, R12; \
	ADD $at, R3, R13

#define STEP(bytes) \
	ADD $bytes, R10, R10; \
	ADD $bytes, R11, R11; \
	ADD $bytes, R12, R12; \
	ADD $bytes, R13, R13

// SAVE16 writes V16 to V19 at bytes after R6.
#define SAVE16(at) \
	FSTPQ (F16, F17), at(R6); \
	FSTPQ (F18, F19), at+32(R6)

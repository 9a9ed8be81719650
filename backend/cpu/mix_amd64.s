#include "textflag.h"

// Weighted sums of value rows: out[i*ldo+c] += Σ p[i*ldp+k]·v[k*ldv+c] for four rows i, keys in order.

#define ARGS \
	MOVQ out+0(FP), DI; \
	MOVQ ldo+8(FP), DX; \
	MOVQ p+16(FP), SI; \
	MOVQ ldp+24(FP), R8; \
	MOVQ v+32(FP), R9; \
	MOVQ ldv+40(FP), R10; \
	MOVQ keys+48(FP), CX; \
	SHLQ $2, DX; \
	SHLQ $2, R8; \
	SHLQ $2, R10; \
	LEAQ (R8)(R8*2), R11; \
	LEAQ (DX)(DX*2), R12

#define LOAD64(at, a, b, c, d) \
	VMOVUPS at, a; \
	VMOVUPS 64 at, b; \
	VMOVUPS 128 at, c; \
	VMOVUPS 192 at, d

#define SAVE64(at, a, b, c, d) \
	VMOVUPS a, at; \
	VMOVUPS b, 64 at; \
	VMOVUPS c, 128 at; \
	VMOVUPS d, 192 at

#define ADD64(p, a, b, c, d) \
	VBROADCASTSS p, Z20; \
	VFMADD231PS  Z16, Z20, a; \
	VFMADD231PS  Z17, Z20, b; \
	VFMADD231PS  Z18, Z20, c; \
	VFMADD231PS  Z19, Z20, d

// func mix64AVX512(out *float32, ldo int, p *float32, ldp int, v *float32, ldv int, keys int)
// 64 columns.
TEXT ·mix64AVX512(SB), NOSPLIT, $0-56
	ARGS
	LOAD64((DI), Z0, Z1, Z2, Z3)
	LOAD64((DI)(DX*1), Z4, Z5, Z6, Z7)
	LOAD64((DI)(DX*2), Z8, Z9, Z10, Z11)
	LOAD64((DI)(R12*1), Z12, Z13, Z14, Z15)

loop:
	LOAD64((R9), Z16, Z17, Z18, Z19)
	ADD64((SI), Z0, Z1, Z2, Z3)
	ADD64((SI)(R8*1), Z4, Z5, Z6, Z7)
	ADD64((SI)(R8*2), Z8, Z9, Z10, Z11)
	ADD64((SI)(R11*1), Z12, Z13, Z14, Z15)
	ADDQ R10, R9
	ADDQ $4, SI
	DECQ CX
	JNZ  loop
	SAVE64((DI), Z0, Z1, Z2, Z3)
	SAVE64((DI)(DX*1), Z4, Z5, Z6, Z7)
	SAVE64((DI)(DX*2), Z8, Z9, Z10, Z11)
	SAVE64((DI)(R12*1), Z12, Z13, Z14, Z15)
	VZEROUPPER
	RET

#define ADD16(p, a, b) \
	VBROADCASTSS p, Y10; \
	VFMADD231PS  Y8, Y10, a; \
	VFMADD231PS  Y9, Y10, b

// func mix16AVX2(out *float32, ldo int, p *float32, ldp int, v *float32, ldv int, keys int)
// 16 columns.
TEXT ·mix16AVX2(SB), NOSPLIT, $0-56
	ARGS
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS (DI)(DX*1), Y2
	VMOVUPS 32(DI)(DX*1), Y3
	VMOVUPS (DI)(DX*2), Y4
	VMOVUPS 32(DI)(DX*2), Y5
	VMOVUPS (DI)(R12*1), Y6
	VMOVUPS 32(DI)(R12*1), Y7

loop:
	VMOVUPS (R9), Y8
	VMOVUPS 32(R9), Y9
	ADD16((SI), Y0, Y1)
	ADD16((SI)(R8*1), Y2, Y3)
	ADD16((SI)(R8*2), Y4, Y5)
	ADD16((SI)(R11*1), Y6, Y7)
	ADDQ R10, R9
	ADDQ $4, SI
	DECQ CX
	JNZ  loop
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, (DI)(DX*1)
	VMOVUPS Y3, 32(DI)(DX*1)
	VMOVUPS Y4, (DI)(DX*2)
	VMOVUPS Y5, 32(DI)(DX*2)
	VMOVUPS Y6, (DI)(R12*1)
	VMOVUPS Y7, 32(DI)(R12*1)
	VZEROUPPER
	RET

// func spin()
TEXT ·spin(SB), NOSPLIT, $0-0
	PAUSE
	RET

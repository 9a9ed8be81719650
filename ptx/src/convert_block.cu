// convert_block.cu: blocks of 32 weights with one scale, to bf16 or f32 in the layout that the kernels read.
// data    src: n elements of one type from element first of a [R,cols] source; dst [*,cols] bf16, or f32 when wide
// math    exact dequantisation in fp32 (an offset is one more rounding), then one rounding to dst's type
// needs   sm_80+; first and n multiples of 8 but for the source's end     launch  grid-stride over groups of 8, block 256
// moves   the source and the destination once; floor: faster than the host link
// source  block layouts: ggml-org/ggml, docs/gguf.md and ggml-common.h
// pairs   ../convert.go (launcher), ../../backend/cpu (oracle)
#include "convert.cuh"

// nibble j of a block lies in the low half of byte j, or in the high half of byte j-16. nibbles gives eight of them.
__device__ __forceinline__ void nibbles(const u8* q, int at, int (&code)[8]) {
	for (int j = 0; j < 8; j++) code[j] = q[at % 16 + j] >> (at / 16 * 4) & 15;
}

__device__ __forceinline__ void scaled(const int (&code)[8], float d, float m, float (&f)[8]) {
	for (int j = 0; j < 8; j++) f[j] = d * code[j] + m;
}

struct Q8_0 {  // scale, 32 i8
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 32 * 34;
		const float d = half_at(b);
		for (int j = 0; j < 8; j++) f[j] = d * static_cast<signed char>(b[2 + i % 32 + j]);
	}
};

template <int Bytes, int Nibbles, bool Minimum, bool Fifth, int Offset>
struct Nibble {  // scale, minimum if any, 32 fifth bits if any, 16 bytes
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 32 * Bytes;
		const int at = i % 32;
		int code[8];
		nibbles(b + Nibbles, at, code);
		const int fifth = Fifth ? b[Nibbles - 4 + at / 8] : 0;  // bit j is of element at+j
		for (int j = 0; j < 8; j++) code[j] += (fifth >> j & 1) * 16 - Offset;
		scaled(code, half_at(b), Minimum ? half_at(b + 2) : 0.f, f);
	}
};

struct IQ4_NL {  // scale, 16 bytes of indices
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 32 * 18;
		int code[8];
		nibbles(b + 2, i % 32, code);
		for (int j = 0; j < 8; j++) code[j] = iq4_level(code[j]);
		scaled(code, half_at(b), 0.f, f);
	}
};

using Q4_0 = Nibble<18, 2, false, false, 8>;
using Q4_1 = Nibble<20, 4, true, false, 0>;
using Q5_0 = Nibble<22, 6, false, true, 16>;
using Q5_1 = Nibble<24, 8, true, true, 0>;

CONVERT(convert_q8_0, Q8_0)
CONVERT(convert_q4_0, Q4_0)
CONVERT(convert_q4_1, Q4_1)
CONVERT(convert_q5_0, Q5_0)
CONVERT(convert_q5_1, Q5_1)
CONVERT(convert_iq4_nl, IQ4_NL)

// convert_super.cu: super-blocks of 256 weights with scales of small integers, to bf16 or f32 as the kernels read them.
// data    src: n elements of one type from element first of a [R,cols] source; dst [*,cols] bf16, or f32 when wide
// math    exact dequantisation in fp32 (a minimum is one more rounding), then one rounding to dst's type
// needs   sm_80+; first and n multiples of 8 but for the source's end     launch  grid-stride over groups of 8, block 256
// moves   the source and the destination once; floor: faster than the host link
// source  block layouts: ggml-org/ggml, docs/gguf.md and ggml-common.h
// pairs   ../convert.go (launcher), ../../backend/cpu (oracle)
#include "convert.cuh"

// two gives 2-bit code at+j: 32 bytes hold a half of 128, each quarter of it in another pair of bits. at is a multiple of 8.
__device__ __forceinline__ int two(const u8* q, int at, int j) { return q[at / 128 * 32 + at % 32 + j] >> (at % 128 / 32 * 2) & 3; }

struct Q2_K {  // sixteen 4-bit pairs of scale and minimum, 64 bytes, scale of scales, scale of minima
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 256 * 84;
		const int at = i % 256, pair = b[at / 16];
		const float d = half_at(b + 80) * (pair & 15), m = half_at(b + 82) * (pair >> 4);
		for (int j = 0; j < 8; j++) f[j] = d * two(b + 16, at, j) - m;
	}
};

struct Q3_K {  // 32 bytes of third bits, 64 bytes, sixteen 6-bit scales in 12 bytes, scale; a clear third bit takes 4 off
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 256 * 110;
		const u8* s = b + 96;
		const int at = i % 256, g = at / 16;
		const int scale = (s[g % 8] >> (g / 8 * 4) & 15) | (s[8 + g % 4] >> (g / 4 * 2) & 3) << 4;
		const float d = half_at(b + 108) * (scale - 32);
		for (int j = 0; j < 8; j++) f[j] = d * (two(b + 32, at, j) + (b[at % 32 + j] >> (at / 32) & 1) * 4 - 4);
	}
};

// sixes gives the scale and the minimum of group g of eight, 6 bits each in 12 bytes.
__device__ __forceinline__ void sixes(const u8* s, int g, int& scale, int& low) {
	if (g < 4) {
		scale = s[g] & 63;
		low = s[g + 4] & 63;
	} else {
		scale = (s[g + 4] & 15) | (s[g - 4] >> 6) << 4;
		low = (s[g + 4] >> 4) | (s[g] >> 6) << 4;
	}
}

template <int Bytes, bool Fifth>
struct Nibble_K {  // scales of scales and of minima, eight 6-bit pairs, 32 bytes of fifth bits if any, 128 bytes
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 256 * Bytes;
		const int at = i % 256, g = at / 32;
		int scale, low;
		sixes(b + 4, g, scale, low);
		const float d = half_at(b) * scale, m = half_at(b + 2) * low;
		const u8 *q = b + Bytes - 128 + at / 64 * 32 + at % 32, *fifth = b + 16 + at % 32;
		for (int j = 0; j < 8; j++) {
			int code = q[j] >> (g % 2 * 4) & 15;
			if (Fifth) code |= (fifth[j] >> g & 1) << 4;
			f[j] = d * code - m;
		}
	}
};

struct Q6_K {  // 128 bytes of low nibbles, 64 of high pairs, 16 i8 scales, scale
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 256 * 210;
		const int at = i % 256, half = at / 128, quarter = at % 128 / 32, l = at % 32;
		const u8* low = b + 64 * half + (quarter % 2) * 32 + l;
		const float d = half_at(b + 208) * static_cast<signed char>(b[192 + at / 16]);
		for (int j = 0; j < 8; j++) {
			const int lo = low[j] >> (quarter / 2 * 4) & 15;
			f[j] = d * ((lo | two(b + 128, at, j) << 4) - 32);
		}
	}
};

struct IQ4_XS {  // scale, eight high pairs and eight low nibbles of scales, 128 bytes of indices
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 256 * 136;
		const int at = i % 256, g = at / 32;
		const int scale = (b[4 + g / 2] >> (g % 2 * 4) & 15) | (b[2 + g / 4] >> (g % 4 * 2) & 3) << 4;
		const float d = half_at(b) * (scale - 32);
		const u8* q = b + 8 + g * 16 + at % 16;
		for (int j = 0; j < 8; j++) f[j] = d * iq4_level(q[j] >> (at % 32 / 16 * 4) & 15);
	}
};

using Q4_K = Nibble_K<144, false>;
using Q5_K = Nibble_K<176, true>;

CONVERT(convert_q2_k, Q2_K)
CONVERT(convert_q3_k, Q3_K)
CONVERT(convert_q4_k, Q4_K)
CONVERT(convert_q5_k, Q5_K)
CONVERT(convert_q6_k, Q6_K)
CONVERT(convert_iq4_xs, IQ4_XS)

// convert.cu: weights as files hold them, or made up, to bf16 or f32 in the layout that the kernels read.
// data    src: n elements of one type from element first of a [R,cols] source; dst [*,cols] bf16, or f32 when wide
// math    exact dequantisation in fp32, one rounding; random: Box-Muller over splitmix64 of (seed, element), as on the CPU
// needs   sm_80+; first and n multiples of 8 but for the source's end     launch  grid-stride over groups of 8, block 256
// moves   the source and the destination once; floor: faster than the host link
// source  block layouts: ggml-org/ggml, docs/gguf.md and ggml-common.h
// pairs   ../convert.go (launcher), ../../backend/cpu (oracle)
#include "common.cuh"

__device__ __forceinline__ float half_at(const u8* p) { return __half2float(__ushort_as_half(static_cast<u16>(p[0] | p[1] << 8))); }

// A reader gives elements i to i+7 of its source; i is a multiple of 8.
struct F32 {
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) { load8(reinterpret_cast<const float*>(src) + i, f); }
};

struct F16 {
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		for (int j = 0; j < 8; j++) f[j] = __half2float(reinterpret_cast<const __half*>(src)[i + j]);
	}
};

struct BF16 {
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) { unpack8(reinterpret_cast<const uint4*>(src)[i / 8], f); }
};

struct Q8_0 {  // 32 elements: scale, 32 i8
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 32 * 34;
		const float d = half_at(b);
		for (int j = 0; j < 8; j++) f[j] = d * static_cast<signed char>(b[2 + i % 32 + j]);
	}
};

// nibbles of a 32-element block: the first 16 elements are the low halves, the others the high ones.
__device__ __forceinline__ void nibbles(const u8* q, int i, float scale, float shift, float (&f)[8]) {
	for (int j = 0; j < 8; j++) f[j] = scale * (i < 16 ? q[i + j] & 15 : q[i - 16 + j] >> 4) + shift;
}

struct Q4_0 {  // 32 elements: scale, 16 bytes; values are offset by 8
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 32 * 18;
		const float d = half_at(b);
		nibbles(b + 2, i % 32, d, -8 * d, f);
	}
};

struct Q4_1 {  // 32 elements: scale, minimum, 16 bytes
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 32 * 20;
		nibbles(b + 4, i % 32, half_at(b), half_at(b + 2), f);
	}
};

struct Q4_K {  // 256 elements: scale, minimum, eight 6-bit pairs of both in 12 bytes, 128 bytes
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 256 * 144;
		const u8 *s = b + 4, *q = b + 16;
		const int at = i % 256, sub = at / 32;
		int scale, low;
		if (sub < 4) {
			scale = s[sub] & 63;
			low = s[sub + 4] & 63;
		} else {
			scale = (s[sub + 4] & 15) | (s[sub - 4] >> 6) << 4;
			low = (s[sub + 4] >> 4) | (s[sub] >> 6) << 4;
		}
		const float d = half_at(b) * scale, m = half_at(b + 2) * low;
		q += at / 64 * 32 + at % 32;
		for (int j = 0; j < 8; j++) f[j] = d * (sub % 2 ? q[j] >> 4 : q[j] & 15) - m;
	}
};

struct Q6_K {  // 256 elements: 128 bytes of low nibbles, 64 of high pairs, 16 i8 scales, scale
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const u8* b = src + i / 256 * 210;
		const int at = i % 256, half = at / 128, quarter = at % 128 / 32, l = at % 32;
		const u8* low = b + 64 * half + (quarter % 2) * 32 + l;
		const u8* high = b + 128 + 32 * half + l;
		const float d = half_at(b + 208) * static_cast<signed char>(b[192 + at / 16]);
		for (int j = 0; j < 8; j++) {
			const int lo = quarter < 2 ? low[j] & 15 : low[j] >> 4;
			f[j] = d * ((lo | (high[j] >> 2 * quarter & 3) << 4) - 32);
		}
	}
};

__device__ __forceinline__ u64 mix(u64 x) {  // splitmix64's finaliser (Steele et al. 2014)
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

// normal returns element i of the sequence seed: the cosine branch of Box and Muller 1958.
__device__ __forceinline__ float normal(u64 seed, i64 i) {
	const u64 h = mix(seed + 0x9e3779b97f4a7c15ull * static_cast<u64>(i + 1));
	const float u = (static_cast<float>(static_cast<u32>(h >> 32)) + 0.5f) * 0x1p-32f;
	return sqrtf(-2.f * logf(u)) * cospif(static_cast<float>(static_cast<u32>(h)) * 0x1p-31f);
}

// place returns the destination of element e: row after row from row0, or, when pair is 1 (gate) or 2 (up), rows in
// groups of eight with the other matrix's groups between them.
__device__ __forceinline__ i64 place(i64 e, i64 cols, int row0, int pair) {
	i64 row = e / cols;
	if (pair) row = row / 8 * 16 + row % 8 + 8 * (pair - 1);
	return (row + row0) * cols + e % cols;
}

__device__ __forceinline__ void put(void* dst, const float (&f)[8], i64 e, i64 end, i64 cols, int row0, int pair, int wide) {
	if (!wide && cols % 8 == 0) {
		*reinterpret_cast<uint4*>(static_cast<bf16*>(dst) + place(e, cols, row0, pair)) = pack8(f);
		return;
	}
#pragma unroll
	for (int j = 0; j < 8; j++) {
		if (e + j >= end) break;
		const i64 at = place(e + j, cols, row0, pair);
		if (wide) static_cast<float*>(dst)[at] = f[j];
		else static_cast<bf16*>(dst)[at] = __float2bfloat16(f[j]);
	}
}

#define CONVERT(name, Reader)                                                                                                               \
	extern "C" __global__ void __launch_bounds__(256) name(void* dst, const u8* src, i64 first, i64 n, i64 cols, int row0, int pair, int wide) { \
		_Pragma("unroll 1") for (i64 i = 8ll * (blockIdx.x * 256 + threadIdx.x); i < n; i += 8ll * 256 * gridDim.x) {                                                 \
			float f[8] = {};                                                                                                                         \
			Reader::read(src, i, f);                                                                                                                 \
			put(dst, f, first + i, first + n, cols, row0, pair, wide);                                                                               \
		}                                                                                                                                          \
	}

CONVERT(convert_f32, F32)
CONVERT(convert_f16, F16)
CONVERT(convert_bf16, BF16)
CONVERT(convert_q8_0, Q8_0)
CONVERT(convert_q4_0, Q4_0)
CONVERT(convert_q4_1, Q4_1)
CONVERT(convert_q4_k, Q4_K)
CONVERT(convert_q6_k, Q6_K)

extern "C" __global__ void __launch_bounds__(256) random_normal(void* dst, i64 n, i64 cols, u64 seed, int row0, int pair, int wide, float std) {
#pragma unroll 1
	for (i64 i = 8ll * (blockIdx.x * 256 + threadIdx.x); i < n; i += 8ll * 256 * gridDim.x) {
		float f[8];
		for (int j = 0; j < 8; j++) f[j] = std * normal(seed, i + j);
		put(dst, f, i, n, cols, row0, pair, wide);
	}
}

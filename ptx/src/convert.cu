// convert.cu: plain weights as files hold them, or made up, to bf16 or f32 in the layout that the kernels read.
// data    src: n elements of one type from element first of a [R,cols] source; dst [*,cols] bf16, or f32 when wide
// math    exact widening to fp32, one rounding; random: Box-Muller over splitmix64 of (seed, element), as on the CPU
// needs   sm_80+; first and n multiples of 8 but for the source's end     launch  grid-stride over groups of 8, block 256
// moves   the source and the destination once; floor: faster than the host link
// source  F8_E4M3: Micikevicius et al. 2022, arXiv:2209.05433
// pairs   ../convert.go (launcher), ../../backend/cpu (oracle)
#include "convert.cuh"

struct F32 {
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) { load8(reinterpret_cast<const float*>(src) + i, f); }
};

struct F16 {
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		for (int j = 0; j < 8; j++) f[j] = __half2float(reinterpret_cast<const __half*>(src)[i + j]);
	}
};

struct BF16 {
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		const uint4 v = reinterpret_cast<const uint4*>(src)[i / 8];
		const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
		for (int j = 0; j < 4; j++) {
			const float2 p = unpack2_bf16(w[j]);
			f[2 * j] = p.x;
			f[2 * j + 1] = p.y;
		}
	}
};

struct F8E4M3 {  // 1 sign, 4 exponent (bias 7), 3 mantissa bits; 0x7f is NaN and there is no infinity
	static __device__ void read(const u8* src, i64 i, float (&f)[8]) {
		for (int j = 0; j < 8; j++) {
			const u32 u = src[i + j], m = u & 0x7f;
			// The bits at bf16's place are the value times 2^-120, subnormal ones included.
			const float v = __uint_as_float((u >> 7) << 31 | m << 20) * 0x1p120f;
			f[j] = m == 0x7f ? __uint_as_float(0x7fc00000) : v;
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

CONVERT(convert_f32, F32)
CONVERT(convert_f16, F16)
CONVERT(convert_bf16, BF16)
CONVERT(convert_f8_e4m3, F8E4M3)

extern "C" __global__ void __launch_bounds__(256) random_normal(void* dst, i64 n, i64 cols, u64 seed, int row0, int pair, int wide, float std) {
#pragma unroll 1
	for (i64 i = 8ll * (blockIdx.x * 256 + threadIdx.x); i < n; i += 8ll * 256 * gridDim.x) {
		float f[8];
		for (int j = 0; j < 8; j++) f[j] = std * normal(seed, i + j);
		put(dst, f, i, n, cols, row0, pair, wide);
	}
}

// linear.cuh: what the linear kernels share: their parameters, the epilogues, and the sum over split K.
#pragma once
#include "common.cuh"

// LINEAR_PARAMS are the parameters of every linear kernel, mirrored by linearArgs in ../linear.go. ws and arrived are
// scratch for splits > 1: partial sums of each tile, and a count of the blocks that wrote theirs, zero between launches.
#define LINEAR_PARAMS                                                                                                                     \
	void *y, const bf16 *x, const bf16 *w, const float *bias, float *ws, u32 *arrived, int m, int n, int k, int slice, int splits, int act, \
	    float scale, float softcap
#define LINEAR_ARGS Linear{y, x, w, bias, ws, arrived, m, n, k, slice, splits, act, scale, softcap}

struct Linear {
	void* y;            // [M,N] bf16, [M,N/2] bf16 when gated, [M,N] f32 for logits
	const bf16* x;      // [M,K]
	const bf16* w;      // [N,K]; gated: rows of gate and up alternate in groups of eight
	const float* bias;  // [N] or null
	float* ws;
	u32* arrived;
	int m, n, k;
	int slice;  // columns of K that one split takes
	int splits, act;
	float scale, softcap;
};

enum Epilogue { kPlain, kGated, kLogits, kArgmax };  // kArgmax: logits of which the largest is kept

constexpr int kErf = 1;  // the activation that is not a sigmoid

// activate has no branch, so that the compiler interleaves many: Erf stands for act == kErf. The others are x times the
// sigmoid of a polynomial: 0.5 (1 + tanh u) = 1 / (1 + e^-2u).
template <bool Erf>
__device__ __forceinline__ float activate(float x, int act) {
	if (Erf) return 0.5f * x * (1.f + erff(x * 0.70710678f));
	const float linear = act == 0 ? 1.f : 2.f * 0.79788456f, cubic = act == 0 ? 0.f : 2.f * 0.79788456f * 0.044715f;
	return __fdividef(x, 1.f + __expf(-x * (linear + cubic * x * x)));
}

__device__ __forceinline__ float activate(float x, int act) { return act == kErf ? activate<true>(x, act) : activate<false>(x, act); }

__device__ __forceinline__ float soften(float v, float softcap) {
	return softcap * (1.f - __fdividef(2.f, 1.f + __expf(__fdividef(2.f * v, softcap))));  // tanh u = 1 - 2 / (1 + e^2u)
}

// cap makes a logit of a sum. The product is rounded by itself, or some kernels would add it to itself in one operation.
__device__ __forceinline__ float cap(float v, const Linear& p) {
	v = __fmul_rn(v, p.scale);
	return p.softcap <= 0.f ? v : soften(v, p.softcap);
}

// store8 finishes eight neighbouring outputs of a token and writes those that exist.
template <Epilogue E>
__device__ __forceinline__ void store8(const Linear& p, int row, int col, float (&f)[8]) {
	const int width = E == kGated ? p.n / 2 : p.n;
	const i64 at = static_cast<i64>(row) * width + col;
	const bool whole = width % 8 == 0;
	if constexpr (E == kLogits) {
		float* y = static_cast<float*>(p.y) + at;
#pragma unroll
		for (int j = 0; j < 8; j++) f[j] = cap(f[j], p);
		if (whole) {
			reinterpret_cast<float4*>(y)[0] = {f[0], f[1], f[2], f[3]};
			reinterpret_cast<float4*>(y)[1] = {f[4], f[5], f[6], f[7]};
			return;
		}
#pragma unroll
		for (int j = 0; j < 8; j++)
			if (col + j < width) y[j] = f[j];
	} else {
		bf16* y = static_cast<bf16*>(p.y) + at;
		if (E == kPlain && p.bias) {
#pragma unroll
			for (int j = 0; j < 8; j++)
				if (col + j < width) f[j] += p.bias[col + j];
		}
		if (whole) {
			*reinterpret_cast<uint4*>(y) = pack8(f);
			return;
		}
#pragma unroll
		for (int j = 0; j < 8; j++)
			if (col + j < width) y[j] = __float2bfloat16(f[j]);
	}
}

// last_of says whether this block is the last of the splits of tile to get here; the others' writes are then visible.
// It takes no shared memory of its own: the driver's linker would put the stages, whose addresses the swizzle wants
// aligned, right behind it.
__device__ __forceinline__ bool last_of(const Linear& p, int tile) {
	__threadfence();
	__syncthreads();
	int last = 0;
	if (threadIdx.x == 0) {
		last = atomicAdd(p.arrived + tile, 1) == p.splits - 1;
		if (last) p.arrived[tile] = 0;  // for the next launch
	}
	last = __syncthreads_or(last);
	if (last) __threadfence();
	return last;
}

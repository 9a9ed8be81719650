// argmax_sm90.cuh: the likeliest token of each row, in the kernels of linear_sm90.cuh that make the logits: none goes to memory.
//
// The best rank that a block knows of a token lies in its shared memory over all its tiles. At its end it adds its ranks to those of
// the other blocks, and sample_best of sample.cu makes tokens of them.
#pragma once
#include "linear_sm90.cuh"
#include "sample.cuh"

// kNone is below the rank of every token above -Inf, as finite numbers begin there.
constexpr u64 kNone = 0x00800000ull << 32;

// greater_or_nan is the larger of two, NaN where one is.
__device__ __forceinline__ float greater_or_nan(float a, float b) {
	asm("max.NaN.f32 %0, %0, %1;" : "+f"(a) : "f"(b));
	return a;
}

// Best is a block's shared memory of them, eight bytes a token.
struct Best {
	u64* rank;  // kBad: the row holds NaN or Inf, or there is no such token

	// begin is for all threads of the block: of `tokens`, n are there. A barrier has to follow.
	__device__ __forceinline__ void begin(int tokens, int n) const {
#pragma unroll 1
		for (int i = threadIdx.x; i < tokens; i += blockDim.x) rank[i] = i < n ? kNone : kBad;
	}

	// end gives the ranks of n tokens to all blocks; it stands behind a barrier.
	__device__ __forceinline__ void end(u64* all, int n, int threads) const {
		for (int i = threadIdx.x; i < n; i += threads)
			if (rank[i] != kNone) atomicMax(all + i, rank[i]);
	}

	// wants says whether a logit may be the best so far of its token, or is bad.
	__device__ __forceinline__ bool wants(int token, float logit) const {
		return logit >= from_ordered(reinterpret_cast<volatile u32*>(rank + token)[1]) || bad(logit);
	}

	__device__ __forceinline__ void offer(int token, float logit, int id) const { atomicMax(rank + token, bad(logit) ? kBad : ranked(plus(logit, 0.f), id)); }
};

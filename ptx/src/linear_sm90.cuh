// linear_sm90.cuh: what the linear kernels of sm_90a share: their parameters, and the ring of stages between the warp
// that copies and the warps that multiply.
#pragma once
#include "hopper.cuh"
#include "linear.cuh"
#include "wgmma.cuh"

// HOPPER_PARAMS are the parameters of every linear kernel of sm_90a, mirrored by hopperArgs in ../linear_sm90.go. Boxes
// of x and w are 64 columns wide with the 128-byte swizzle; that of xtail has the rows that are left of x behind the last whole
// one. ymap is used for bf16 by GEMM alone.
// GEMM has clusters of `down` tiles that share w, goes through them in groups of `order` rows, and takes K in splits, whose sums
// meet in ws, which is absent() between launches, or are counted in arrived, which is zero.
#define HOPPER_PARAMS                                                                                                        \
	const __grid_constant__ TensorMap xmap, const __grid_constant__ TensorMap xtail, const __grid_constant__ TensorMap wmap,    \
	    const __grid_constant__ TensorMap ymap, void *y, const float *bias, float *ws, u32 *arrived, int m, int n, int k,       \
	    int order, int down, int splits, int act, float scale, float softcap
#define HOPPER_LINEAR Linear{y, nullptr, nullptr, bias, ws, arrived, m, n, k, 0, splits, act, scale, softcap}

constexpr int kStep = 64;  // columns of K in a stage

// Ring says which stage is next and in which phase its barriers are.
template <int Stages>
struct Ring {
	u32 full, empty;  // addresses of Stages barriers each
	int stage = 0;
	u32 phase = 0;

	__device__ __forceinline__ Ring(u32 barriers) : full(barriers), empty(barriers + 8 * Stages) {}

	// init is for all threads of the block, before a barrier of it. readers arrive at each stage that they have read.
	__device__ __forceinline__ void init(u32 readers) const {
		const u32 i = threadIdx.x;
		if (i >= 2 * Stages) return;
		barrier_init(full + 8 * i, i < Stages ? 1 : readers);
		barriers_ready();
	}
	__device__ __forceinline__ void wait_full() const { barrier_wait(full + 8 * stage, phase); }
	__device__ __forceinline__ void wait_empty() const { barrier_wait(empty + 8 * stage, phase ^ 1); }
	__device__ __forceinline__ void next() {
		if (++stage == Stages) stage = 0, phase ^= 1;
	}
};

// Tokens is x for the copy engine. It would read rows beyond the tensor as zeros, but that takes it longer than rows that are
// there: only these are copied, in boxes of a number of rows or what is left, and the others' sums are of no use.
struct Tokens {
	const TensorMap &map, &tail;
	int m;

	__device__ __forceinline__ int rows(int first, int most) const { return max(0, min(most, m - first)); }

	// map_of is the map for a box of `box` rows. Comparing rows() with box would be the same, but ptxas 12.9 makes one instruction
	// of that and of the minimum (VIMNMX.RELU with two predicates in one register), and then takes the wrong map.
	__device__ __forceinline__ const TensorMap& map_of(int first, int box) const { return first <= m - box ? map : tail; }

	__device__ __forceinline__ void prefetch() const { prefetch_map(map), prefetch_map(tail); }

	// copy copies a box of `box` rows from `first` on.
	__device__ __forceinline__ void copy(u32 to, int box, int first, int step, u32 bar, u64 policy) const {
		if (first < m) copy_box(to, map_of(first, box), step * kStep, first, bar, policy);
	}
	__device__ __forceinline__ void copy_to(u32 to, int box, int first, int step, u32 bar, u64 policy, u16 mask) const {
		if (first < m) copy_box_to(to, map_of(first, box), step * kStep, first, bar, policy, mask);
	}
};

__device__ __forceinline__ u32 align_1024(u32 addr) { return (addr + 1023) & ~1023u; }

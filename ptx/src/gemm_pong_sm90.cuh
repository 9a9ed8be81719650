// gemm_pong_sm90.cuh: a persistent GEMM whose two warpgroups take turns: each has a tile of 128x128 of its own, so that one
// multiplies while the other finishes its tile, for gemm_pong_sm90.cu.
//
// The warp that copies brings all of K of one tile and then all of the next. The warpgroups wait for stages in turns, so
// that no barrier is more than a phase ahead of who waits for it.
#pragma once
#include "gemm_cluster_sm90.cuh"

template <Epilogue E>
struct PingPong : ClusterGemm<128, 128, 6, E> {
	using Base = ClusterGemm<128, 128, 6, E>;
	static constexpr int kStages = 6;
	using Base::Base, Base::p, Base::ring, Base::smem, Base::tiles;

	// skip passes the stages of a tile that is the other's.
	__device__ __forceinline__ void skip(int n) {
		const int to = ring.stage + n;
		ring.phase ^= to / kStages & 1;
		ring.stage = to % kStages;
	}

	// turn_wait waits until the other warpgroup has waited for all its stages and says so by turn_pass.
	__device__ __forceinline__ void turn_wait(int group) const { named_sync(3 + group, 256); }
	__device__ __forceinline__ void turn_pass(int group) const { asm volatile("bar.arrive %0, 256;" ::"r"(4 - group) : "memory"); }

	// multiply passes the turn on, if pass, while its last products go on.
	__device__ __forceinline__ void multiply(float (&acc)[2][64], bool pass) {
		const int n_steps = Base::steps();
		int before = 0;
#pragma unroll
		for (int i = 0; i < 128; i++) acc[i / 64][i % 64] = 0;
#pragma unroll 1
		for (int step = 0; step < n_steps; step++, ring.next()) {
			const u32 at = smem + ring.stage * Base::kStageBytes;
			const u64 x = wgmma_tile(at), w = wgmma_tile(at + Base::kXBytes);
			ring.wait_full();
			wgmma_fence();
#pragma unroll
			for (int kk = 0; kk < 4; kk++)
#pragma unroll
				for (int i = 0; i < 2; i++) wgmma<128>(acc[i], x + 512 * i + 2 * kk, w + 2 * kk);
			wgmma_commit();
			wgmma_wait<1>();
			if (step > 0) Base::release(before);  // while the products of this stage go on
			before = ring.stage;
		}
		if (pass) turn_pass(threadIdx.x / 128);
		wgmma_wait<0>();
		Base::release(before);
		settle(acc[0]);
		settle(acc[1]);
	}

	__device__ __forceinline__ void finish(const float (&acc)[2][64], int m0, int n0, u32& turn) const {
#pragma unroll
		for (int i = 0; i < 2; i++) {
			if constexpr (E == kLogits) Base::write(acc[i], m0 + 64 * i, n0);
			else if (E == kGated && p.act == kErf) Base::template store<true>(acc[i], m0 + 64 * i, n0, turn);
			else Base::template store<false>(acc[i], m0 + 64 * i, n0, turn);
		}
	}

	__device__ __forceinline__ void consume() {
		const int group = __shfl_sync(kAll, threadIdx.x / 128, 0);  // uniform to the compiler
		float acc[2][64];
		u32 turn = 0;
		if (group == 1) skip(Base::steps());
#pragma unroll 1
		for (int tile = Base::first() + group * Base::stride(); tile < tiles; tile += 2 * Base::stride()) {
			int m0, n0;
			Base::place(tile, m0, n0);
			if (tile > Base::first()) turn_wait(group);
			multiply(acc, tile + Base::stride() < tiles);
			finish(acc, m0, n0, turn);
			skip(Base::steps());
		}
		if (E != kLogits && threadIdx.x % 128 == 0) store_done();
	}
};

template <Epilogue E>
__device__ __forceinline__ void gemm_pong_sm90(const TensorMap& xmap, const TensorMap& wmap, const TensorMap& ymap, const Linear& p, int order) {
	extern __shared__ u8 shared[];
	PingPong<E> g(xmap, wmap, ymap, p, order, align_1024(smem_addr(shared)));
	run_gemm(g, 4);
}

#define GEMM_PONG_SM90(name, E)                                                                       \
	extern "C" __global__ void __launch_bounds__(384, 1) name(HOPPER_PARAMS) {                           \
		gemm_pong_sm90<E>(xmap, wmap, ymap, HOPPER_LINEAR, order);                                        \
	}

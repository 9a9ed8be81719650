// gemm_wide_sm90.cuh: gemm_sm90.cuh's kernel of 128x256 tiles in clusters of up to 2x2, whose stores run beside the next
// tile's products, for gemm_wide_sm90.cu.
//
// A finished tile stays in registers as bf16. A quarter of it is stored behind each of the next tile's first products, so
// that the tensor cores wait for the epilogue's arithmetic alone.
#pragma once
#include "gemm_cluster_sm90.cuh"

// wgmma_set starts d = a · b^T.
__device__ __forceinline__ void wgmma_set(float (&d)[128], u64 a, u64 b) {
	asm volatile("{ .reg .pred add; setp.ne.b32 add, 0, 0; wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" WGMMA_REGS256 "}, %128, %129, add, 1, 1, 0, 0; }"
	             : WGMMA_D64(0), WGMMA_D64(64)
	             : "l"(a), "l"(b));
}

template <Epilogue E>
struct Wide : ClusterGemm<128, 256, 4, E> {
	using Base = ClusterGemm<128, 256, 4, E>;
	static constexpr int kParts = Base::kWide / 64;  // stores of a warpgroup's rows
	using Base::Base, Base::p, Base::ring, Base::smem, Base::tiles;

	float acc[128];
	u32 done[Base::kWide / 4];  // the tile before as bf16: columns 8j + 2·(lane%4), rows lane/4 and 8 more, are 2j and 2j + 1
	int m0 = 0, n0 = 0;         // of that tile, for this warpgroup
	u32 turn = 0;
	int before = 0;  // the stage that is read

	// start starts the products of a stage, those of a tile's first without the sums before, and end releases the stage
	// before it while they go on.
	template <bool First>
	__device__ __forceinline__ void start() {
		const u32 at = smem + ring.stage * Base::kStageBytes;
		const u64 x = wgmma_tile(at + threadIdx.x / 128 * 8192), w = wgmma_tile(at + Base::kXBytes);
		ring.wait_full();
		wgmma_fence();
#pragma unroll
		for (int kk = 0; kk < 4; kk++) {
			if (First && kk == 0) wgmma_set(acc, x, w);
			else wgmma<256>(acc, x + 2 * kk, w + 2 * kk);
		}
		wgmma_commit();
	}

	__device__ __forceinline__ void end(int step) {
		wgmma_wait<1>();
		if (step > 0) Base::release(before);
		before = ring.stage;
		ring.next();
	}

	// put stores columns 64c and on of the tile before.
	__device__ __forceinline__ void put(int c) {
		const int thread = threadIdx.x % 128, group = threadIdx.x / 128, lane = thread % 32, row = thread / 32 * 16 + lane % 16;
		const int y0 = (E == kGated ? n0 / 2 : n0) + 64 * c, width = E == kGated ? p.n / 2 : p.n;
		const u32 to = Base::out + (group * 2 + turn % 2) * Base::kBoxBytes;
		turn++;
		if (thread == 0) store_read<1>();
		named_sync(1 + group, 128);
#pragma unroll
		for (int j = 0; j < 8; j += 2) {
			const u32* v = done + 2 * (8 * c + j);
			stmatrix4(to + row * 128 + (((j + lane / 16) ^ (row & 7)) << 4), v[0], v[1], v[2], v[3]);
		}
		async_fence();
		named_sync(1 + group, 128);
		if (thread == 0) {
			if (m0 < p.m && y0 < width) store_box(Base::ymap, to, y0, m0);
			store_commit();
		}
	}

	__device__ __forceinline__ void put_all() {
#pragma unroll
		for (int c = 0; c < kParts; c++) put(c);
	}

	template <bool Erf>
	__device__ __forceinline__ void round() {
#pragma unroll
		for (int i = 0; i < Base::kWide / 4; i++) {
			const float2 f = Base::template value<Erf>(acc, n0, i / 2, i % 2);
			done[i] = pack2(f.x, f.y);
		}
	}

	// multiply computes a tile, and stores the one before if late.
	__device__ __forceinline__ void multiply(int n_steps, bool late) {
		int step = 1;
		start<true>();
		if (late) put(0);
		end(0);
		if (late) {
#pragma unroll
			for (; step < kParts; step++) {
				start<false>();
				put(step);
				end(step);
			}
		}
#pragma unroll 1
		for (; step < n_steps; step++) {
			start<false>();
			end(step);
		}
		wgmma_wait<0>();
		Base::release(before);
		settle(acc);
	}

	__device__ __forceinline__ void consume() {
		const int n_steps = Base::steps();
		const bool defer = n_steps >= kParts;
		bool late = false;
#pragma unroll 1
		for (int tile = Base::first(); tile < tiles; tile += Base::stride()) {
			multiply(n_steps, late);
			Base::place(tile, m0, n0);
			m0 += threadIdx.x / 128 * 64;
			if (E == kGated && p.act == kErf) round<true>();
			else round<false>();
			if (!defer) put_all();
			late = defer;
		}
		if (late) put_all();
		if (threadIdx.x % 128 == 0) store_done();
	}
};

template <Epilogue E>
__device__ __forceinline__ void gemm_wide_sm90(const TensorMap& xmap, const TensorMap& wmap, const TensorMap& ymap, const Linear& p, int order) {
	extern __shared__ u8 shared[];
	Wide<E> g(xmap, wmap, ymap, p, order, align_1024(smem_addr(shared)));
	run_gemm(g, 8);
}

#define GEMM_WIDE_SM90(name, E)                                                                       \
	extern "C" __global__ void __launch_bounds__(384, 1) name(HOPPER_PARAMS) {                           \
		gemm_wide_sm90<E>(xmap, wmap, ymap, HOPPER_LINEAR, order);                                        \
	}

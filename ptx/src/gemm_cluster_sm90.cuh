// gemm_cluster_sm90.cuh: what gemm_sm90.cuh becomes in clusters of 1x1, 2x1 or 2x2 blocks (tokens by features): those of the
// same features each copy half of w's tile to both, those of the same tokens half of x's.
#pragma once
#include "gemm_sm90.cuh"

template <int BM, int BN, int Stages, Epilogue E>
struct ClusterGemm : Gemm<BM, BN, Stages, E> {
	using Base = Gemm<BM, BN, Stages, E>;
	using Base::blocks, Base::cols, Base::order, Base::p, Base::rank, Base::ring, Base::rows, Base::smem, Base::steps, Base::wmap, Base::xmap;

	u32 down, across;  // blocks of the cluster that share w, that share x
	u32 row, col;      // of the block in the cluster
	int tiles;         // of clusters

	__device__ __forceinline__ ClusterGemm(const TensorMap& xmap, const TensorMap& wmap, const TensorMap& ymap, const Linear& p, int order, u32 base)
	    : Base(xmap, wmap, ymap, p, order, base) {
		down = min(blocks, 2), across = blocks / down;
		row = rank % down, col = rank / down;
		rows = ceil_div(p.m, BM * static_cast<int>(down));
		cols = ceil_div(p.n, BN * static_cast<int>(across));
		tiles = rows * cols;
	}

	// readers arrive at a stage that `warps` of each block read.
	__device__ __forceinline__ u32 readers(int warps) const { return warps * (blocks / 2 + 1); }

	__device__ __forceinline__ void place(int tile, int& m0, int& n0) const {
		const int group = tile / (order * cols), height = min(order, rows - order * group), in = tile % (order * cols);
		m0 = ((order * group + in % height) * down + row) * BM;
		n0 = (in / height * across + col) * BN;
	}

	__device__ __forceinline__ void fetch_w(int stage, int n0, int step, u64 policy) const {
		const u32 to = smem + stage * Base::kStageBytes + Base::kXBytes, full = ring.full + 8 * stage;
		barrier_expect(full, Base::kStageBytes);
		if (down == 2) {
			copy_box_to(to + row * (Base::kWBytes / 2), wmap, step * kStep, n0 + row * (BN / 2), full, policy, 3 << 2 * col);
			return;
		}
		copy_box(to, wmap, step * kStep, n0, full, policy);
		copy_box(to + Base::kWBytes / 2, wmap, step * kStep, n0 + BN / 2, full, policy);
	}

	__device__ __forceinline__ void fetch_x(int stage, int m0, int step, u64 policy) const {
		const u32 to = smem + stage * Base::kStageBytes, full = ring.full + 8 * stage;
		if (across == 2) {
			copy_box_to(to + col * (Base::kXBytes / 2), xmap, step * kStep, m0 + col * (BM / 2), full, policy, 5 << row);
			return;
		}
		copy_box(to, xmap, step * kStep, m0, full, policy);
		copy_box(to + Base::kXBytes / 2, xmap, step * kStep, m0 + BM / 2, full, policy);
	}

	__device__ __forceinline__ void produce() {
		const u64 policy = evict_normal();
		const int n_steps = steps(), ahead = min(n_steps, Stages);
		int m0, n0, step = ahead;
		place(Base::first(), m0, n0);
		for (int s = 0; s < ahead; s++) fetch_w(s, n0, s, policy);  // weights depend on no kernel
		wait_for_previous();
		for (int s = 0; s < ahead; s++, ring.next()) fetch_x(s, m0, s, policy);
		for (int tile = Base::first();;) {
			for (; step < n_steps; step++, ring.next()) {
				ring.wait_empty();
				fetch_w(ring.stage, n0, step, policy);
				fetch_x(ring.stage, m0, step, policy);
			}
			if ((tile += Base::stride()) >= tiles) break;
			place(tile, m0, n0);
			step = 0;
		}
		// The other blocks arrive at these barriers: this one stays until they have.
		for (int s = 0; s < Stages; s++, ring.next()) ring.wait_empty();
	}

	// release tells the blocks that copy to this one: itself, and those that share w or x.
	__device__ __forceinline__ void release(int stage) const {
		const u32 lane = threadIdx.x % 32;
		if (blocks == 1) {
			if (lane == 0) barrier_arrive(ring.empty + 8 * stage);
		} else if (lane <= blocks / 2) {
			barrier_arrive_at(ring.empty + 8 * stage, rank ^ lane);
		}
	}
};

// run_gemm is the kernel around G, whose stages `warps` of a block read.
template <class G>
__device__ __forceinline__ void run_gemm(G& g, int warps) {
	let_next_start();
	g.ring.init(g.readers(warps));
	if (g.blocks == 1) __syncthreads();
	else cluster_arrive(), cluster_wait();
	if (threadIdx.x >= 256) {
		fewer_registers<40>();
		if (threadIdx.x == 256) g.produce();
	} else {
		more_registers<232>();
		wait_for_previous();
		g.consume();
	}
}

// gemm_sm90.cuh: a persistent GEMM by TMA and wgmma, tiles of BM tokens by BN features, for gemm_*_sm90.cu.
//
// Warps 0 to 7 multiply, as two warpgroups that share a tile by rows; warp 8 copies. A cluster is 1x1, 2x1 or 2x2 tiles
// (tokens by features): blocks of the same features each copy half of w's tile to both, those of the same tokens half of
// x's. Clusters go through the tiles in groups of `order` rows of clusters, so that those that run together share x and w
// in L2.
#pragma once
#include "linear_sm90.cuh"

template <int BM, int BN, int Stages, Epilogue E>
struct Gemm {
	static constexpr int kMT = BM / 128;  // m64 fragments of a warpgroup
	static constexpr int kXBytes = BM * 128, kWBytes = BN * 128, kStageBytes = kXBytes + kWBytes;
	static constexpr int kWide = E == kGated ? BN / 2 : BN;  // columns of y in a tile
	static constexpr int kBox = kWide % 64 ? 32 : 64;        // columns of y in a store
	static constexpr int kBoxBytes = 8192;                   // what a store's place in shared memory takes

	const TensorMap &xmap, &wmap, &ymap;
	const Linear& p;
	int order;
	u32 smem, out;  // stages; two places for stores of each warpgroup
	Ring<Stages> ring;
	u32 blocks, rank;  // of the cluster
	u32 down, across;  // its blocks that share w, that share x
	u32 row, col;      // of the block in it
	int rows, cols;    // of the grid of clusters

	__device__ __forceinline__ Gemm(const TensorMap& xmap, const TensorMap& wmap, const TensorMap& ymap, const Linear& p, int order, u32 base)
	    : xmap(xmap), wmap(wmap), ymap(ymap), p(p), order(order), smem(base), out(base + Stages * kStageBytes), ring(out + 4 * kBoxBytes) {
		blocks = cluster_size();
		rank = cluster_rank();
		down = min(blocks, 2), across = blocks / down;
		row = rank % down, col = rank / down;
		rows = ceil_div(p.m, BM * static_cast<int>(down));
		cols = ceil_div(p.n, BN * static_cast<int>(across));
	}

	__device__ __forceinline__ int first() const { return blockIdx.x / blocks; }
	__device__ __forceinline__ int stride() const { return gridDim.x / blocks; }
	__device__ __forceinline__ int steps() const { return ceil_div(p.k, kStep); }

	__device__ __forceinline__ void place(int tile, int& m0, int& n0) const {
		const int group = tile / (order * cols), height = min(order, rows - order * group), in = tile % (order * cols);
		m0 = ((order * group + in % height) * down + row) * BM;
		n0 = (in / height * across + col) * BN;
	}

	// ---- the warp that copies

	__device__ __forceinline__ void fetch_w(int stage, int n0, int step, u64 policy) const {
		const u32 to = smem + stage * kStageBytes + kXBytes, full = ring.full + 8 * stage;
		barrier_expect(full, kStageBytes);
		if (down == 2) {
			copy_box_to(to + row * (kWBytes / 2), wmap, step * kStep, n0 + row * (BN / 2), full, policy, 3 << 2 * col);
			return;
		}
		copy_box(to, wmap, step * kStep, n0, full, policy);
		copy_box(to + kWBytes / 2, wmap, step * kStep, n0 + BN / 2, full, policy);
	}

	__device__ __forceinline__ void fetch_x(int stage, int m0, int step, u64 policy) const {
		const u32 to = smem + stage * kStageBytes, full = ring.full + 8 * stage;
		if (across == 2) copy_box_to(to + col * (kXBytes / 2), xmap, step * kStep, m0 + col * (BM / 2), full, policy, 5 << row);
		else copy_box(to, xmap, step * kStep, m0, full, policy);
	}

	__device__ __forceinline__ void produce() {
		const u64 policy = evict_normal();
		const int n_steps = steps(), ahead = min(n_steps, Stages);
		int m0, n0, step = ahead;
		place(first(), m0, n0);
		for (int s = 0; s < ahead; s++) fetch_w(s, n0, s, policy);  // weights depend on no kernel
		wait_for_previous();
		let_next_start();  // not before: see overlap.cuh
		for (int s = 0; s < ahead; s++, ring.next()) fetch_x(s, m0, s, policy);
		for (int tile = first();;) {
			for (; step < n_steps; step++, ring.next()) {
				ring.wait_empty();
				fetch_w(ring.stage, n0, step, policy);
				fetch_x(ring.stage, m0, step, policy);
			}
			if ((tile += stride()) >= rows * cols) break;
			place(tile, m0, n0);
			step = 0;
		}
		// The other blocks arrive at these barriers: this one stays until they have.
		for (int s = 0; s < Stages; s++, ring.next()) ring.wait_empty();
	}

	// ---- the warps that multiply

	// release tells the blocks that copy to this one: itself, and those that share w or x.
	__device__ __forceinline__ void release(int stage) const {
		const u32 lane = threadIdx.x % 32;
		if (blocks == 1) {
			if (lane == 0) barrier_arrive(ring.empty + 8 * stage);
		} else if (lane <= blocks / 2) {
			barrier_arrive_at(ring.empty + 8 * stage, rank ^ lane);
		}
	}

	__device__ __forceinline__ void multiply(float (&acc)[kMT][BN / 2]) {
		const u32 group = threadIdx.x / 128;
		const int n_steps = steps();
		int before = 0;
#pragma unroll
		for (int i = 0; i < kMT * BN / 2; i++) acc[i / (BN / 2)][i % (BN / 2)] = 0;
#pragma unroll 1
		for (int step = 0; step < n_steps; step++, ring.next()) {
			const u32 at = smem + ring.stage * kStageBytes;
			const u64 x = wgmma_tile(at + group * kMT * 8192), w = wgmma_tile(at + kXBytes);
			ring.wait_full();
			wgmma_fence();
#pragma unroll
			for (int kk = 0; kk < 4; kk++)
#pragma unroll
				for (int i = 0; i < kMT; i++) wgmma<BN>(acc[i], x + 512 * i + 2 * kk, w + 2 * kk);
			wgmma_commit();
			wgmma_wait<1>();
			if (step > 0) release(before);  // while the products of this stage go on
			before = ring.stage;
		}
		wgmma_wait<0>();
		release(before);
#pragma unroll
		for (int i = 0; i < kMT; i++) settle(acc[i]);
	}

	// value gives columns 8j + 2t and the next of y's tile, t = lane % 4, in the upper or lower half of a fragment.
	template <bool Erf>
	__device__ __forceinline__ float2 value(const float (&acc)[BN / 2], int n0, int j, int half) const {
		if constexpr (E == kGated) {
			const float* gate = acc + 8 * j + 2 * half;
			return {activate<Erf>(gate[0], p.act) * gate[4], activate<Erf>(gate[1], p.act) * gate[5]};
		}
		float2 v = {acc[4 * j + 2 * half], acc[4 * j + 2 * half + 1]};
		const int col = n0 + 8 * j + threadIdx.x % 4 * 2;
		if (E == kPlain && p.bias && col < p.n) v.x += p.bias[col], v.y += p.bias[col + 1];  // N is even here
		return v;
	}

	// store writes one m64 fragment: bf16 through shared memory, so that the copy engine writes whole lines.
	template <bool Erf>
	__device__ __forceinline__ void store(const float (&acc)[BN / 2], int m0, int n0, u32& turn) const {
		const int thread = threadIdx.x % 128, group = threadIdx.x / 128, lane = thread % 32;
		const int row = thread / 32 * 16 + lane % 16, y0 = E == kGated ? n0 / 2 : n0;
		const int width = E == kGated ? p.n / 2 : p.n;
#pragma unroll
		for (int c = 0; c < kWide / kBox; c++) {
			const u32 to = out + (group * 2 + turn % 2) * kBoxBytes;
			turn++;
			if (thread == 0) store_read<1>();
			named_sync(1 + group, 128);
#pragma unroll
			for (int j = 0; j < kBox / 8; j += 2) {
				const int at = j + lane / 16, cell = kBox == 64 ? at ^ (row & 7) : at ^ (row >> 1 & 3);
				u32 v[4];
#pragma unroll
				for (int h = 0; h < 4; h++) {
					const float2 f = value<Erf>(acc, n0, c * (kBox / 8) + j + h / 2, h % 2);
					v[h] = pack2(f.x, f.y);
				}
				stmatrix4(to + row * 2 * kBox + cell * 16, v[0], v[1], v[2], v[3]);
			}
			async_fence();
			named_sync(1 + group, 128);
			if (thread == 0) {
				if (m0 < p.m && y0 + c * kBox < width) store_box(ymap, to, y0 + c * kBox, m0);
				store_commit();
			}
		}
	}

	// write writes one m64 fragment of f32 straight from registers: four threads fill a sector.
	__device__ __forceinline__ void write(const float (&acc)[BN / 2], int m0, int n0) const {
		const int thread = threadIdx.x % 128, row = m0 + thread / 32 * 16 + thread % 32 / 4;
		const bool even = p.n % 2 == 0;
#pragma unroll
		for (int h = 0; h < 2; h++) {
			if (row + 8 * h >= p.m) continue;
			float* y = static_cast<float*>(p.y) + static_cast<i64>(row + 8 * h) * p.n;
#pragma unroll
			for (int j = 0; j < BN / 8; j++) {
				const int col = n0 + 8 * j + thread % 4 * 2;
				const float a = cap(acc[4 * j + 2 * h], p), b = cap(acc[4 * j + 2 * h + 1], p);
				if (even && col < p.n) *reinterpret_cast<float2*>(y + col) = {a, b};
				if (!even && col < p.n) y[col] = a;
				if (!even && col + 1 < p.n) y[col + 1] = b;
			}
		}
	}

	__device__ __forceinline__ void consume() {
		float acc[kMT][BN / 2];
		u32 turn = 0;
#pragma unroll 1
		for (int tile = first(); tile < rows * cols; tile += stride()) {
			int m0, n0;
			place(tile, m0, n0);
			multiply(acc);
			m0 += threadIdx.x / 128 * kMT * 64;
#pragma unroll
			for (int i = 0; i < kMT; i++) {
				if constexpr (E == kLogits) write(acc[i], m0 + 64 * i, n0);
				else if (E == kGated && p.act == kErf) store<true>(acc[i], m0 + 64 * i, n0, turn);
				else store<false>(acc[i], m0 + 64 * i, n0, turn);
			}
		}
		if (E != kLogits && threadIdx.x % 128 == 0) store_done();
	}
};

template <int BM, int BN, int Stages, Epilogue E>
__device__ __forceinline__ void gemm_sm90(const TensorMap& xmap, const TensorMap& wmap, const TensorMap& ymap, const Linear& p, int order) {
	extern __shared__ u8 shared[];
	Gemm<BM, BN, Stages, E> g(xmap, wmap, ymap, p, order, align_1024(smem_addr(shared)));
	g.ring.init(8 * (g.blocks / 2 + 1));
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

#define GEMM_SM90(name, BM, BN, STAGES, E)                                                            \
	extern "C" __global__ void __launch_bounds__(384, 1) name(HOPPER_PARAMS) {                           \
		gemm_sm90<BM, BN, STAGES, E>(xmap, wmap, ymap, HOPPER_LINEAR, order);                             \
	}
#define GEMM_SM90_ALL(name, BM, BN, STAGES)         \
	GEMM_SM90(name, BM, BN, STAGES, kPlain)            \
	GEMM_SM90(name##_gated, BM, BN, STAGES, kGated)    \
	GEMM_SM90(name##_logits, BM, BN, STAGES, kLogits)

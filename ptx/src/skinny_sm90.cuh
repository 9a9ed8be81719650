// skinny_sm90.cuh: a linear kernel for few tokens, w streamed by TMA, for skinny_n*_sm90.cu.
//
// Features are wgmma's 64-row side and tokens its columns. A tile is 64·C features by NT tokens: C warpgroups multiply,
// the last warp copies. Blocks of other tokens go through the same features at the same time, so that w is read from
// memory once. The blocks of a cluster take slices of K of the same features; each sends its sums of a token to the block
// that finishes the token, which adds them in the order of the slices. Unsplit, a block goes on to further tiles.
#pragma once
#include "argmax_sm90.cuh"

template <int NT, int C, int Stages, Epilogue E>
struct Skinny {
	static constexpr int kRows = 64 * C;  // features of a tile
	static constexpr int kWBytes = C * 8192, kXBytes = NT * 128, kStageBytes = kWBytes + kXBytes;
	static constexpr int kPitch = kRows + 4;  // floats of a token's sums, so that the writes of a warp meet no bank twice
	static constexpr int kThreads = 128 * C;  // that multiply

	const Tokens x;
	const TensorMap& wmap;
	const Linear& p;
	u32 smem, sums;  // stages; sums behind them
	Ring<Stages> ring;
	u32 sent;                // barrier that counts the sums from the cluster
	int splits, log_splits, rank;  // of the cluster: blocks, each with a slice of K
	int first_step, end_step;
	Best best;

	__device__ __forceinline__ Skinny(const Tokens& x, const TensorMap& wmap, const Linear& p, u8* base)
	    : x(x), wmap(wmap), p(p), smem(opaque(smem_addr(base))), sums(smem + Stages * kStageBytes),
	      ring(sums + NT * kPitch * 4), sent(ring.empty + 8 * Stages),
	      best{reinterpret_cast<u64*>(base + Stages * kStageBytes + NT * kPitch * 4) + 2 * Stages + 1} {
		splits = cluster_size();
		log_splits = 31 - __clz(splits);
		rank = cluster_rank();
		const int steps = ceil_div(p.k, kStep);
		first_step = rank * steps >> log_splits;
		end_step = (rank + 1) * steps >> log_splits;
	}

	__device__ __forceinline__ int first() const { return blockIdx.x >> log_splits; }
	__device__ __forceinline__ int stride() const { return gridDim.x >> log_splits; }
	__device__ __forceinline__ int end() const { return ceil_div(p.n, kRows); }
	__device__ __forceinline__ int token0() const { return blockIdx.y * NT; }
	__device__ __forceinline__ int tokens() const { return min(NT, p.m - token0()); }
	__device__ __forceinline__ int own_tokens() const { return (tokens() - rank + splits - 1) >> log_splits; }

	// init is for all threads, before a barrier of the block.
	__device__ __forceinline__ void init() const {
		ring.init(4 * C);
		if (threadIdx.x != 0) return;
		barrier_init(sent, 1);
		barriers_ready();
		barrier_expect(sent, own_tokens() * splits * kRows * 4);
	}

	__device__ __forceinline__ void fetch_w(int stage, int tile, int step, u64 policy) const {
		barrier_expect(ring.full + 8 * stage, kWBytes + tokens() * 128);
		copy_box(smem + stage * kStageBytes, wmap, step * kStep, tile * kRows, ring.full + 8 * stage, policy);
	}

	__device__ __forceinline__ void fetch_x(int stage, int step, u64 policy) const {
		x.copy(smem + stage * kStageBytes + kWBytes, NT, token0(), step, ring.full + 8 * stage, policy);
	}

	__device__ __forceinline__ void produce() {
		const u64 once = gridDim.y == 1 ? evict_first() : evict_normal(), again = evict_last();
		const int ahead = min(end_step - first_step, Stages);
		for (int s = 0; s < ahead; s++) fetch_w(s, first(), first_step + s, once);  // weights depend on no kernel
		x.prefetch();
		wait_for_previous();
		let_next_start();  // not before: see overlap.cuh
		for (int s = 0; s < ahead; s++, ring.next()) fetch_x(s, first_step + s, again);
		int step = first_step + ahead;
		for (int tile = first(); tile < end(); tile += stride(), step = first_step)
			for (; step < end_step; step++, ring.next()) {
				ring.wait_empty();
				fetch_w(ring.stage, tile, step, once);
				fetch_x(ring.stage, step, again);
			}
	}

	__device__ __forceinline__ void release(int stage) const {
		if (threadIdx.x % 32 == 0) barrier_arrive(ring.empty + 8 * stage);
	}

	__device__ __forceinline__ void multiply(float (&acc)[NT / 2]) {
		int before = 0;
#pragma unroll
		for (int i = 0; i < NT / 2; i++) acc[i] = 0;
#pragma unroll 1
		for (int step = first_step; step < end_step; step++, ring.next()) {
			const u32 at = smem + ring.stage * kStageBytes;
			const u64 w = wgmma_tile(at + threadIdx.x / 128 * 8192), x = wgmma_tile(at + kWBytes);
			ring.wait_full();
			wgmma_fence();
#pragma unroll
			for (int kk = 0; kk < 4; kk++) wgmma<NT>(acc, w + 2 * kk, x + 2 * kk);
			wgmma_commit();
			wgmma_wait<1>();
			if (step > first_step) release(before);  // while the products of this stage go on
			before = ring.stage;
		}
		wgmma_wait<0>();
		if (end_step > first_step) release(before);
		settle(acc);
	}

	// way is where the lane's sums of its first token go, at its first feature, in the block that finishes it.
	__device__ __forceinline__ u32 way() const {
		return at(rank * NT + threadIdx.x % 4 * 2 >> log_splits, threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4);
	}

	// spread sends each token's sums to the block that finishes it: token t to block t % splits, as its sums number
	// rank·(NT/splits) + t/splits. A lane has two neighbours of each eight tokens.
	__device__ __forceinline__ void spread(const float (&acc)[NT / 2], u32 way) const {
		const int first = threadIdx.x % 4 * 2, left = tokens() - first;
#pragma unroll
		for (int i = 0; i < NT / 4; i++) {
			const int token = i / 2 * 8 + i % 2;
			if (token >= left) continue;
			const float a = acc[i / 2 * 4 + i % 2], b = acc[i / 2 * 4 + i % 2 + 2];
			const u32 here = way + (token >> log_splits) * (kPitch * 4), to = first + i % 2 & splits - 1;
			if (splits == 1) {
				store_shared(here, a), store_shared(here + 32, b);
			} else {
				const u32 there = at_rank(here, to), bar = at_rank(sent, to);
				send(there, a, bar), send(there + 32, b, bar);
			}
		}
	}

	// between are the bytes between the sums of two slices, and at the address of features from col on in a row of the first's.
	__device__ __forceinline__ u32 between() const { return (NT * kPitch * 4) >> log_splits; }
	__device__ __forceinline__ u32 at(int row, int col) const { return sums + (row * kPitch + col) * 4; }

	__device__ __forceinline__ void read(int row, int col, float (&f)[8]) const {
		u32 from = at(row, col);
		load_shared8(from, f);
#pragma unroll 1
		for (int s = 1; s < splits; s++) {
			float g[8];
			load_shared8(from += between(), g);
#pragma unroll
			for (int j = 0; j < 8; j++) f[j] += g[j];
		}
	}

	// finish adds the slices of this block's tokens and writes their part of y.
	__device__ __forceinline__ void finish(int tile) const {
		constexpr int kWide = E == kGated ? 16 : 8, kParts = kRows / kWide;  // features that give eight values
		const int n = own_tokens() * kParts;
		for (int i = threadIdx.x; i < n; i += kThreads) {
			const int row = i / kParts, col = i % kParts * kWide, feature = tile * kRows + col;
			if (feature >= p.n) continue;
			float f[8];
			read(row, col, f);
			if constexpr (E == kGated) {
				float up[8];
				read(row, col + 8, up);
				if (p.act == kErf) {
#pragma unroll
					for (int j = 0; j < 8; j++) f[j] = activate<true>(f[j], p.act) * up[j];
				} else {
#pragma unroll
					for (int j = 0; j < 8; j++) f[j] = activate<false>(f[j], p.act) * up[j];
				}
			}
			store8<E>(p, token0() + row * splits + rank, feature / (kWide / 8), f);
		}
	}

	// keep_best makes logits of a tile's sums of this block's tokens and keeps the best of each, four features a thread at a time.
	__device__ __forceinline__ void keep_best(int tile) const {
		constexpr int kParts = kRows / 4;
		const int n = own_tokens() * kParts;
#pragma unroll 1
		for (int i = threadIdx.x; i < n; i += kThreads) {
			const int row = i / kParts, col = i % kParts * 4, feature = tile * kRows + col, token = row * splits + rank;
			float x[4];
			read4(row, col, x);
#pragma unroll
			for (int e = 0; e < 4; e++) x[e] = feature + e < p.n ? cap(x[e], p) : __int_as_float(0xff800000);
			const float top = greater_or_nan(greater_or_nan(x[0], x[1]), greater_or_nan(x[2], x[3]));
			if (best.wants(token, top)) best.offer(token, top, feature + (x[0] == top ? 0 : x[1] == top ? 1 : x[2] == top ? 2 : 3));
		}
	}

	__device__ __forceinline__ void read4(int row, int col, float (&f)[4]) const {
#pragma unroll 1
		for (int s = 0; s < splits; s++) {
			const float4 g = load_shared(at(row, col) + s * between());
			const float part[4] = {g.x, g.y, g.z, g.w};
#pragma unroll
			for (int e = 0; e < 4; e++) f[e] = s == 0 ? part[e] : f[e] + part[e];
		}
	}

	__device__ __forceinline__ void consume(u32 way, u64* ranks) {
		float acc[NT / 2];
#pragma unroll 1
		for (int tile = first(); tile < end(); tile += stride()) {
			multiply(acc);
			if (splits == 1) named_sync(1, kThreads);  // the tile before has been read
			else cluster_wait();                       // all blocks have started
			spread(acc, way);
			if (splits == 1) named_sync(1, kThreads);
			else barrier_wait(sent, 0);
			if constexpr (E == kArgmax) keep_best(tile);
			else finish(tile);
		}
		if constexpr (E == kArgmax) {
			named_sync(1, kThreads);
			best.end(ranks + token0(), tokens(), kThreads);
		}
	}
};

template <int NT, int Stages, Epilogue E>
__device__ __forceinline__ void skinny_sm90(const Tokens& x, const TensorMap& wmap, const Linear& p, u64* ranks = nullptr) {
	extern __shared__ u8 shared[];
	Skinny<NT, 1, Stages, E> g(x, wmap, p, shared + (align_1024(smem_addr(shared)) - smem_addr(shared)));
	g.init();
	if (E == kArgmax) g.best.begin(NT, g.tokens());
	__syncthreads();
	if (g.splits > 1) cluster_arrive();
	if (threadIdx.x < 128) {
		const u32 way = g.way();  // that depends on no kernel
		wait_for_previous();
		g.consume(way, ranks);
	} else {
		if (elected()) g.produce();
		if (g.splits > 1) cluster_wait();
	}
}

#define SKINNY_SM90(name, NT, STAGES, E)                                     \
	extern "C" __global__ void __launch_bounds__(160) name(HOPPER_PARAMS) {     \
		skinny_sm90<NT, STAGES, E>(Tokens{xmap, xtail, m}, wmap, HOPPER_LINEAR); \
	}
#define SKINNY_SM90_ALL(name, NT, STAGES)         \
	SKINNY_SM90(name, NT, STAGES, kPlain)            \
	SKINNY_SM90(name##_gated, NT, STAGES, kGated)    \
	SKINNY_SM90(name##_logits, NT, STAGES, kLogits)  \
	extern "C" __global__ void __launch_bounds__(160) name##_argmax(HOPPER_PARAMS, u64* ranks) {           \
		skinny_sm90<NT, STAGES, kArgmax>(Tokens{xmap, xtail, m}, wmap, HOPPER_LINEAR, ranks);               \
	}

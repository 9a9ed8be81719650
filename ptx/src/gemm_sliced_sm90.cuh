// gemm_sliced_sm90.cuh: a GEMM for few tiles: the blocks of a cluster take slices of K of one tile of 128x128, for
// gemm_sliced_sm90.cu.
//
// Warps 0 to 7 multiply, as two warpgroups that share the tile by rows; warp 8 copies. Each block finishes the same number
// of the tile's columns: a thread sends 16 bytes of its sums to the thread of the same number in the block that finishes
// them, which adds them in the order of the slices; they lie beside the stages, which others may still read. Besides, `share`
// tiles of the same features may share a cluster: blocks with the same slice each copy half of w's tile to both.
#pragma once
#include "linear_sm90.cuh"

// send4 is send for 16 bytes.
__device__ __forceinline__ void send4(u32 addr, u32 rank, float a, float b, float c, float d, u32 bar) {
	asm volatile(
	    "{ .reg .b32 at, counted; mapa.shared::cluster.u32 at, %0, %1; mapa.shared::cluster.u32 counted, %6, %1;\n"
	    "st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [at], {%2, %3, %4, %5}, [counted]; }" ::"r"(addr),
	    "r"(rank), "f"(a), "f"(b), "f"(c), "f"(d), "r"(bar)
	    : "memory");
}

template <Epilogue E>
struct Sliced {
	static constexpr int kCols = 128, kStages = 5, kXBytes = 16384, kWBytes = kCols * 128, kStageBytes = kXBytes + kWBytes;
	static constexpr int kChunks = kCols / 8;  // of four sums of a thread: two rows by two of eight columns
	static constexpr int kThreads = 256, kSumBytes = 128 * kCols * 4;
	static constexpr int kSums = kStages * kStageBytes, kBarriers = kSums + kSumBytes;

	const Tokens x;
	const TensorMap& wmap;
	const Linear& p;
	u32 smem;        // stages
	float* columns;  // finished, as rows of wide() + 8, when the stages have been read
	float4* sums;    // of these columns, from each slice
	Ring<kStages> ring;
	u32 sent;  // barrier that counts the sums from the cluster
	int share, splits, log_splits;
	int slice, mate;  // of the block
	int first_step, end_step;
	int m0, n0;

	__device__ __forceinline__ Sliced(const Tokens& x, const TensorMap& wmap, const Linear& p, int share, u8* base)
	    : x(x), wmap(wmap), p(p), smem(smem_addr(base)), columns(reinterpret_cast<float*>(base)),
	      sums(reinterpret_cast<float4*>(base + kSums)), ring(smem + kBarriers), sent(ring.empty + 8 * kStages), share(share) {
		log_splits = 31 - __clz(cluster_size() / share);
		splits = 1 << log_splits;
		slice = cluster_rank() & (splits - 1);
		mate = cluster_rank() >> log_splits;
		const int steps = ceil_div(p.k, kStep), rows = ceil_div(p.m, 128 * share), tile = blockIdx.x / cluster_size();
		first_step = slice * steps >> log_splits;
		end_step = (slice + 1) * steps >> log_splits;
		m0 = (tile % rows * share + mate) * 128;
		n0 = tile / rows * kCols;
	}

	__device__ __forceinline__ u32 block(int slice, int tile) const { return slice + (tile << log_splits); }
	__device__ __forceinline__ int chunks() const { return kChunks >> log_splits; }  // that a block finishes
	__device__ __forceinline__ int wide() const { return kCols >> log_splits; }      // columns, likewise

	// init is for all threads, before a barrier of the block.
	__device__ __forceinline__ void init() const {
		ring.init(8 * share);
		if (threadIdx.x != 0) return;
		barrier_init(sent, 1);
		barriers_ready();
		barrier_expect(sent, (splits - 1) * chunks() * kThreads * 16);
	}

	// ---- the warp that copies

	__device__ __forceinline__ void fetch_w(int stage, int step, u64 policy) const {
		const u32 to = smem + stage * kStageBytes + kXBytes, full = ring.full + 8 * stage;
		barrier_expect(full, kWBytes + x.rows(m0, 128) * 128);
		if (share == 2) {
			copy_box_to(to + mate * (kWBytes / 2), wmap, step * kStep, n0 + mate * (kCols / 2), full, policy, (1 | 1 << splits) << slice);
			return;
		}
		copy_box(to, wmap, step * kStep, n0, full, policy);
		copy_box(to + kWBytes / 2, wmap, step * kStep, n0 + kCols / 2, full, policy);
	}

	__device__ __forceinline__ void fetch_x(int stage, int step, u64 policy) const {
		x.copy(smem + stage * kStageBytes, 128, m0, step, ring.full + 8 * stage, policy);
	}

	__device__ __forceinline__ void produce() {
		const u64 policy = evict_normal();
		const int ahead = min(end_step - first_step, kStages);
		for (int s = 0; s < ahead; s++) fetch_w(s, first_step + s, policy);  // weights depend on no kernel
		wait_for_previous();
		let_next_start();  // not before: see overlap.cuh
		for (int s = 0; s < ahead; s++, ring.next()) fetch_x(s, first_step + s, policy);
		for (int step = first_step + ahead; step < end_step; step++, ring.next()) {
			ring.wait_empty();
			fetch_w(ring.stage, step, policy);
			fetch_x(ring.stage, step, policy);
		}
		// The other block arrives at these barriers: this one stays until it has.
		for (int s = 0; s < kStages; s++, ring.next()) ring.wait_empty();
	}

	// ---- the warps that multiply

	__device__ __forceinline__ void release(int stage) const {
		const int lane = threadIdx.x % 32;
		if (share == 1) {
			if (lane == 0) barrier_arrive(ring.empty + 8 * stage);
		} else if (lane < share) {
			barrier_arrive_at(ring.empty + 8 * stage, block(slice, lane));
		}
	}

	__device__ __forceinline__ void multiply(float (&acc)[kCols / 2]) {
		int before = 0;
#pragma unroll
		for (int i = 0; i < kCols / 2; i++) acc[i] = 0;
#pragma unroll 1
		for (int step = first_step; step < end_step; step++, ring.next()) {
			const u32 at = smem + ring.stage * kStageBytes;
			const u64 x = wgmma_tile(at + threadIdx.x / 128 * 8192), w = wgmma_tile(at + kXBytes);
			ring.wait_full();
			wgmma_fence();
#pragma unroll
			for (int kk = 0; kk < 4; kk++) wgmma<kCols>(acc, x + 2 * kk, w + 2 * kk);
			wgmma_commit();
			wgmma_wait<1>();
			if (step > first_step) release(before);  // while the products of this stage go on
			before = ring.stage;
		}
		wgmma_wait<0>();
		if (end_step > first_step) release(before);
		settle(acc);
	}

	// spread sends each chunk to the block that finishes it.
	__device__ __forceinline__ void spread(const float (&acc)[kCols / 2]) const {
#pragma unroll
		for (int i = 0; i < kChunks; i++) {
			const int to = i * splits / kChunks;
			float4* at = sums + (slice * chunks() + i % chunks()) * kThreads + threadIdx.x;
			if (to == slice) *at = {acc[4 * i], acc[4 * i + 1], acc[4 * i + 2], acc[4 * i + 3]};
			else send4(smem_addr(at), block(to, mate), acc[4 * i], acc[4 * i + 1], acc[4 * i + 2], acc[4 * i + 3], sent);
		}
	}

	// gather adds the slices of this block's columns, and lays them out as rows of wide() + 8 floats.
	__device__ __forceinline__ void gather() const {
		const int thread = threadIdx.x, lane = thread % 32, pitch = wide() + 8;
		float* to = columns + (thread / 32 * 16 + lane / 4) * pitch + lane % 4 * 2;
		for (int i = 0; i < chunks(); i++) {
			float4 v = sums[i * kThreads + thread];
			for (int s = 1; s < splits; s++) {
				const float4 u = sums[(s * chunks() + i) * kThreads + thread];
				v.x += u.x, v.y += u.y, v.z += u.z, v.w += u.w;
			}
			*reinterpret_cast<float2*>(to + 8 * i) = {v.x, v.y};
			*reinterpret_cast<float2*>(to + 8 * pitch + 8 * i) = {v.z, v.w};
		}
	}

	__device__ __forceinline__ void gate(float (&f)[8], const float* up) const {
		float v[8];
		load8(up, v);
		if (p.act == kErf) {
#pragma unroll
			for (int j = 0; j < 8; j++) f[j] = activate<true>(f[j], p.act) * v[j];
		} else {
#pragma unroll
			for (int j = 0; j < 8; j++) f[j] = activate<false>(f[j], p.act) * v[j];
		}
	}

	// finish writes this block's columns of y.
	__device__ __forceinline__ void finish() const {
		constexpr int kWide = E == kGated ? 16 : 8;  // features that give eight values
		const int parts = wide() / kWide, n = min(128, p.m - m0) * parts;
		for (int i = threadIdx.x; i < n; i += kThreads) {
			const int row = i / parts, col = i % parts * kWide, feature = n0 + slice * wide() + col;
			if (feature >= p.n) continue;
			const float* from = columns + row * (wide() + 8) + col;
			float f[8];
			load8(from, f);
			if constexpr (E == kGated) gate(f, from + 8);
			store8<E>(p, m0 + row, feature / (kWide / 8), f);
		}
	}

	__device__ __forceinline__ void consume() {
		float acc[kCols / 2];
		multiply(acc);
		spread(acc);
		barrier_wait(sent, 0);
		named_sync(1, kThreads);  // all have read the stages
		gather();
		named_sync(1, kThreads);
		finish();
	}
};

template <Epilogue E>
__device__ __forceinline__ void gemm_sliced_sm90(const Tokens& x, const TensorMap& wmap, const Linear& p, int share) {
	extern __shared__ u8 shared[];
	Sliced<E> g(x, wmap, p, share, shared + (align_1024(smem_addr(shared)) - smem_addr(shared)));
	g.init();
	__syncthreads();
	cluster_arrive();
	cluster_wait();  // the barriers of the others are there
	if (threadIdx.x < 256) {
		wait_for_previous();
		g.consume();
		return;
	}
	if (threadIdx.x == 256) g.produce();
}

#define GEMM_SLICED_SM90(name, E)                                                \
	extern "C" __global__ void __launch_bounds__(288, 1) name(HOPPER_PARAMS) {      \
		gemm_sliced_sm90<E>(Tokens{xmap, xtail, m}, wmap, HOPPER_LINEAR, order);                       \
	}

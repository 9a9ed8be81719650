// gemm.cuh: the tile of a tensor-core GEMM: x[BM,K] · w[BN,K]^T through shared memory, for gemm_*.cu.
#pragma once
#include "linear.cuh"

// A Tile is computed by WM × WN warps; K goes by 64 columns through a ring of Stages in shared memory. A row of a
// stage is 128 bytes, whose 16-byte chunks are permuted by the row's number so that ldmatrix meets no bank twice.
template <int BM, int BN, int WM, int WN, int Stages>
struct Tile {
	static constexpr int kThreads = 32 * WM * WN;
	static constexpr int kBK = 64;
	static constexpr int kStageBytes = (BM + BN) * 128;  // x's rows, then w's
	static constexpr int kPitch = BN + 8;                // floats of a row of sums, so that stores meet no bank twice
	static_assert(BM * kPitch * 4 <= Stages * kStageBytes, "the sums fit where the stages were");
	static constexpr int kMT = BM / WM / 16;        // m16 fragments of a warp
	static constexpr int kNT = BN / WN / 8;         // n8 fragments of a warp
	static_assert(kNT % 2 == 0, "ldmatrix reads two fragments of w at a time");

	float acc[kMT][kNT][4];
	u32 smem;
	int warp_m, warp_n, lane;

	__device__ __forceinline__ static u32 chunk(int row, int c) { return row * 128 + ((c ^ (row & 7)) << 4); }

	// fetch starts the copies of one stage; columns from k_end on and rows beyond the matrices become zeros.
	__device__ __forceinline__ void fetch(const Linear& p, int m0, int n0, int k0, int k_end, int stage) {
		const int row = threadIdx.x / 8, c = threadIdx.x % 8, k = k0 + 8 * c;
		const u32 to = smem + stage * kStageBytes + chunk(row, c);  // rows eight apart have the same permutation
		copy_rows<BM>(to, p.x, m0 + row, p.m, k, k < k_end, p.k);
		copy_rows<BN>(to + BM * 128, p.w, n0 + row, p.n, k, k < k_end, p.k);
	}

	template <int Rows>
	__device__ __forceinline__ static void copy_rows(u32 to, const bf16* from, int row, int rows, int k, bool inside, int stride) {
		constexpr int kPass = kThreads / 8;  // rows that the block copies at a time
		static_assert(Rows % kPass == 0 && kPass % 8 == 0, "");
		const bf16* at = from + static_cast<i64>(row) * stride + k;
#pragma unroll
		for (int i = 0; i < Rows / kPass; i++) {
			const bool valid = inside && row + i * kPass < rows;
			cp_async16(to + i * kPass * 128, valid ? at + static_cast<i64>(i * kPass) * stride : from, valid);
		}
	}

	// multiply adds the products of one stage. A thread's row keeps its number modulo eight from fragment to fragment,
	// so that the permuted chunk of the next 16 columns is one exclusive or away.
	__device__ __forceinline__ void multiply(int stage) {
		const u32 x = smem + stage * kStageBytes;
		const u32 a = x + chunk(warp_m + lane % 16, lane / 16);
		const u32 b = x + BM * 128 + chunk(warp_n + lane / 16 * 8 + lane % 8, lane / 8 % 2);
#pragma unroll
		for (int kk = 0; kk < kBK / 16; kk++) {
			u32 fa[kMT][4], fb[kNT / 2][4];
#pragma unroll
			for (int j = 0; j < kNT / 2; j++) ldmatrix4(fb[j], (b ^ kk << 5) + j * 16 * 128);
#pragma unroll
			for (int i = 0; i < kMT; i++) ldmatrix4(fa[i], (a ^ kk << 5) + i * 16 * 128);
#pragma unroll
			for (int i = 0; i < kMT; i++)
#pragma unroll
				for (int j = 0; j < kNT; j++) mma(acc[i][j], fa[i], fb[j / 2][j % 2 * 2], fb[j / 2][j % 2 * 2 + 1]);
		}
	}

	__device__ __forceinline__ void run(const Linear& p, int m0, int n0, int k0, int k_end) {
		const int steps = ceil_div(k_end - k0, kBK);
#pragma unroll
		for (int s = 0; s < Stages - 1; s++) {
			if (s < steps) fetch(p, m0, n0, k0 + s * kBK, k_end, s);
			cp_async_commit();
		}
		int stage = 0, free = Stages - 1;
#pragma unroll 1
		for (int s = 0; s < steps; s++) {
			cp_async_wait<Stages - 2>();
			__syncthreads();  // the stage is there, and everybody is done with the one that is fetched next
			const int next = s + Stages - 1;
			if (next < steps) fetch(p, m0, n0, k0 + next * kBK, k_end, free);
			cp_async_commit();
			multiply(stage);
			free = stage;
			stage = stage + 1 == Stages ? 0 : stage + 1;
		}
	}

	// spread writes the accumulators to shared memory, which the copies no longer use, row after row of kPitch floats.
	__device__ __forceinline__ void spread(float* out) {
		cp_async_wait<0>();
		__syncthreads();
		float* at = out + (warp_m + lane / 4) * kPitch + warp_n + lane % 4 * 2;
#pragma unroll
		for (int i = 0; i < kMT; i++)
#pragma unroll
			for (int j = 0; j < kNT; j++) {
				*reinterpret_cast<float2*>(at + 16 * i * kPitch + 8 * j) = {acc[i][j][0], acc[i][j][1]};
				*reinterpret_cast<float2*>(at + (16 * i + 8) * kPitch + 8 * j) = {acc[i][j][2], acc[i][j][3]};
			}
		__syncthreads();
	}
};

// Sums gives eight neighbouring sums of a tile: its own, or all splits' added in their order.
template <int BM, int BN, int Pitch>
struct Sums {
	const float* own;
	const float* parts;  // null: not split
	int splits;

	__device__ __forceinline__ void read(int row, int col, float (&f)[8]) const {
		if (!parts) return load8(own + row * Pitch + col, f);
#pragma unroll
		for (int j = 0; j < 8; j++) f[j] = 0;
		for (int s = 0; s < splits; s++) {
			const float4* v = reinterpret_cast<const float4*>(parts + (s * BM + row) * BN + col);
			const float4 a = __ldcg(v), b = __ldcg(v + 1);
			f[0] += a.x, f[1] += a.y, f[2] += a.z, f[3] += a.w, f[4] += b.x, f[5] += b.y, f[6] += b.z, f[7] += b.w;
		}
	}
};

// gemm computes one tile, or one split of it. Blocks go through the tiles in groups of eight rows of tiles, so that
// those that run together share w in L2.
template <class T, int BM, int BN, int WM, int WN, Epilogue E>
__device__ __forceinline__ void gemm(const Linear& p) {
	extern __shared__ __align__(1024) u8 shared[];
	const int rows = ceil_div(p.m, BM), cols = ceil_div(p.n, BN);
	const int tile = blockIdx.x, group = tile / (8 * cols), height = min(8, rows - 8 * group);
	const int m0 = (8 * group + tile % (8 * cols) % height) * BM, n0 = tile % (8 * cols) / height * BN;
	const int k0 = blockIdx.y * p.slice, k_end = min(p.k, k0 + p.slice);
	const int warp = threadIdx.x / 32;
	T t = {};
	t.smem = smem_addr(shared);
	t.lane = threadIdx.x % 32;
	t.warp_m = warp / WN * (BM / WM);
	t.warp_n = warp % WN * (BN / WN);
	t.run(p, m0, n0, k0, k_end);
	float* own = reinterpret_cast<float*>(shared);
	t.spread(own);
	Sums<BM, BN, T::kPitch> sums = {own, nullptr, p.splits};
	if (p.splits > 1) {
		float* parts = p.ws + static_cast<i64>(tile) * p.splits * BM * BN;
		for (int i = threadIdx.x; i < BM * BN / 4; i += T::kThreads)
			reinterpret_cast<float4*>(parts + blockIdx.y * BM * BN)[i] = *reinterpret_cast<float4*>(own + i / (BN / 4) * T::kPitch + i % (BN / 4) * 4);
		if (!last_of(p, tile)) return;
		sums.parts = parts;
	}
	constexpr int kWide = E == kGated ? 16 : 8;  // columns of a tile that give eight values
#pragma unroll 1
	for (int i = threadIdx.x; i < BM * BN / kWide; i += T::kThreads) {
		const int row = i / (BN / kWide), col = i % (BN / kWide) * kWide;
		if (m0 + row >= p.m || n0 + col >= p.n) continue;
		float f[8];
		sums.read(row, col, f);
		if constexpr (E == kGated) {
			float up[8];
			sums.read(row, col + 8, up);
#pragma unroll
			for (int j = 0; j < 8; j++) f[j] = activate(f[j], p.act) * up[j];
		}
		store8<E>(p, m0 + row, (n0 + col) / (kWide / 8), f);
	}
}

#define GEMM(name, BM, BN, WM, WN, STAGES, BLOCKS, E)                                       \
	extern "C" __global__ void __launch_bounds__(32 * WM * WN, BLOCKS) name(LINEAR_PARAMS) {   \
		gemm<Tile<BM, BN, WM, WN, STAGES>, BM, BN, WM, WN, E>(LINEAR_ARGS);                     \
	}

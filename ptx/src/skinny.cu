// skinny.cu: y = x · w^T with an epilogue for at most 8 or 16 tokens; w is streamed once, straight into registers.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums; warps and splits of K added in their order; bias, then one rounding; bitwise repeatable
// needs   sm_80+, M <= 16, K % 8 == 0, N % 16 == 0 when gated; rows 16-byte aligned   launch  grid (blocks, splits), block 256
// moves   2NK bytes; floor: 85% of HBM bandwidth when NK > 25 M
// source  -
// pairs   ../linear.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "linear.cuh"

// The weights are the matrix instruction's A side: 16 features by 16 of K; the tokens are the B side, 8 columns a
// fragment. A dot product may take K in any order as long as both sides take the same, so each thread loads 16
// contiguous bytes of a row, eight of K, and uses them as its part of two fragments.

constexpr int kWarps = 8;
constexpr int kStep = 64;  // columns of K that a warp takes at a time: 128 bytes of each of 16 rows
constexpr int kDepth = 2;  // steps in a batch of loads

struct Weights {
	uint4 v[kDepth][2][2];  // step, row g or g+8, half of the step
};

// Walk goes through this block's share: tile after tile of 16 features, and in each the warp's steps along K.
struct Walk {
	int tile, k;
};

__device__ __forceinline__ uint4 load_or_zero(const bf16* p, bool valid) { return valid ? load_stream(p) : uint4{0, 0, 0, 0}; }

__device__ __forceinline__ void fetch(Weights& w, const Linear& p, Walk at, int k_end) {
	const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
	for (int d = 0; d < kDepth; d++)
#pragma unroll
		for (int r = 0; r < 2; r++)
#pragma unroll
			for (int h = 0; h < 2; h++) {
				const int row = at.tile * 16 + g + 8 * r, k = at.k + d * kWarps * kStep + 32 * h + 8 * t;
				w.v[d][r][h] = load_or_zero(p.w + static_cast<i64>(row) * p.k + k, row < p.n && k < k_end);
			}
}

// multiply adds a batch of steps. Tokens beyond M read as zero.
template <int NT>
__device__ __forceinline__ void multiply(float (&acc)[NT][4], const Weights& w, const Linear& p, Walk at, int k_end) {
	const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
	for (int d = 0; d < kDepth; d++)
#pragma unroll
		for (int h = 0; h < 2; h++) {
			const int k = at.k + d * kWarps * kStep + 32 * h + 8 * t;
			const uint4 lo = w.v[d][0][h], hi = w.v[d][1][h];
#pragma unroll
			for (int j = 0; j < NT; j++) {
				uint4 b = {0, 0, 0, 0};
				if (8 * j + g < p.m && k < k_end) b = *reinterpret_cast<const uint4*>(p.x + (8 * j + g) * p.k + k);
				mma(acc[j], {lo.x, hi.x, lo.y, hi.y}, b.x, b.y);
				mma(acc[j], {lo.z, hi.z, lo.w, hi.w}, b.z, b.w);
			}
		}
}

// finish adds the warps' sums and, when K is split, the other blocks', and writes the tile.
template <int NT, Epilogue E>
__device__ __forceinline__ void finish(float (&acc)[NT][4], float (*part)[NT * 128], const Linear& p, int tile) {
	const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4, warp = threadIdx.x / 32;
	__syncthreads();  // the tile before has been read
#pragma unroll
	for (int j = 0; j < NT; j++)
#pragma unroll
		for (int c = 0; c < 4; c++) part[warp][(8 * j + 2 * t + c % 2) * 16 + g + 8 * (c / 2)] = acc[j][c];
	__syncthreads();
	constexpr int kSums = NT * 128;  // of a tile: token after token of 16 features
	const int i = threadIdx.x;
	float sum = 0;
	if (i < kSums) {
#pragma unroll
		for (int w = 0; w < kWarps; w++) sum += part[w][i];
	}
	if (p.splits > 1) {
		float* ws = p.ws + static_cast<i64>(tile) * p.splits * kSums + i;
		if (i < kSums) ws[blockIdx.y * kSums] = sum;
		if (!last_of(p, tile)) return;
		sum = 0;
		if (i < kSums)
			for (int s = 0; s < p.splits; s++) sum += __ldcg(ws + s * kSums);
	}
	const int token = i / 16, feature = tile * 16 + i % 16;
	if constexpr (E == kGated) {
		const float up = __shfl_down_sync(kAll, sum, 8);
		if (i >= kSums || i % 16 >= 8 || token >= p.m || feature >= p.n) return;
		static_cast<bf16*>(p.y)[token * (p.n / 2) + tile * 8 + i % 16] = __float2bfloat16(activate(sum, p.act) * up);
	} else {
		if (i >= kSums || token >= p.m || feature >= p.n) return;
		const i64 at = static_cast<i64>(token) * p.n + feature;
		if constexpr (E == kLogits) static_cast<float*>(p.y)[at] = cap(sum, p);
		else static_cast<bf16*>(p.y)[at] = __float2bfloat16(p.bias ? sum + p.bias[feature] : sum);
	}
}

template <int NT, Epilogue E>
__device__ __forceinline__ void skinny(const Linear& p) {
	__shared__ float part[kWarps][NT * 128];
	constexpr int kBatch = kDepth * kWarps * kStep;
	const int tiles = ceil_div(p.n, 16), k0 = blockIdx.y * p.slice, k_end = min(p.k, k0 + p.slice);
	const int first = k0 + threadIdx.x / 32 * kStep;
	Walk now = {static_cast<int>(blockIdx.x), first};
	Weights next;
	fetch(next, p, now, k_end);
	float acc[NT][4] = {};
	while (now.tile < tiles) {
		const Weights w = next;
		const bool ends = now.k - first + k0 + kBatch >= k_end;  // alike in all warps
		const Walk then = ends ? Walk{now.tile + static_cast<int>(gridDim.x), first} : Walk{now.tile, now.k + kBatch};
		fetch(next, p, then, k_end);
		multiply(acc, w, p, now, k_end);
		if (ends) {
			finish<NT, E>(acc, part, p, now.tile);
#pragma unroll
			for (int i = 0; i < 4 * NT; i++) acc[i / 4][i % 4] = 0;
		}
		now = then;
	}
}

#define SKINNY(name, NT, E) \
	extern "C" __global__ void __launch_bounds__(256, 2) name(LINEAR_PARAMS) { skinny<NT, E>(LINEAR_ARGS); }

SKINNY(skinny_m8, 1, kPlain)
SKINNY(skinny_m8_gated, 1, kGated)
SKINNY(skinny_m8_logits, 1, kLogits)
SKINNY(skinny_m16, 2, kPlain)
SKINNY(skinny_m16_gated, 2, kGated)
SKINNY(skinny_m16_logits, 2, kLogits)

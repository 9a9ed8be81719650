// attend_pass_sm90.cuh: what a warp of decode attention on Hopper does with 32 keys, for attend_decode_sm90.cu and
// attend_decode_few_sm90.cu, whose results are the same bits.
#pragma once
#include "hopper.cuh"
#include "attend_decode.cu"

constexpr int kWorkers = 4;  // of a block: they take the keys of a leaf in turns

// Swizzled is how K or V of 16 keys lie in shared memory, as the copy engine swizzles them: halves of 64 dimensions, each of 16
// rows of 128 bytes, whose 16-byte chunks are swapped by the row's low bits.
template <int D>
struct Swizzled {
	static constexpr int Half = kGroup * 128, Place = D / 64 * Half;
};

// The L2 cache gives up first what is copied: nobody reads it again before much else is read. This is what createpolicy gives
// for L2::evict_first, as a constant.
constexpr u64 kOnce = 0x12f0000000000000;

__device__ __forceinline__ void copy_once(u32 to, const void* from) {
	asm volatile("cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "l"(kOnce) : "memory");
}

// gather_rows copies 16 rows, of which eight lanes copy one, 128 bytes at a time. A lane has the slot of one of 32 keys; row is
// where those of the head begin.
template <int D>
__device__ __forceinline__ void gather_rows(u32 to, const bf16* plane, int row, int slot, int tile) {
	const int lane = threadIdx.x & 31, first = lane / 8, chunk = lane % 8;
	const u8* from = reinterpret_cast<const u8*>(plane) + chunk * 16;
	to += first * 128 + ((chunk ^ first) << 4);
#pragma unroll
	for (int i = 0; i < 4; i++) {
		const u8* line = from + static_cast<i64>(row + __shfl_sync(kAll, slot, 16 * tile + first + 4 * i)) * (2 * D);
#pragma unroll
		for (int d = 0; d < D / 64; d++) copy_once((to ^ (i & 1) << 6) + i * 512 + d * Swizzled<D>::Half, line + d * 128);
	}
}

// Pass is a worker's state for a leaf, of which it takes a turn's keys at once.
template <int D>
struct Pass : Heads<D, 1> {
	using R = Swizzled<D>;

	float s[kTiles][4];    // scores
	u32 weights[kTiles][2];

	// score multiplies the queries by the keys at k, number tile of the turn.
	__device__ __forceinline__ void score(int tile, u32 k) {
		const int lane = threadIdx.x & 31;
		constexpr int kChains = 4;  // of sums each, for the matrix units' latency
		float sums[kChains][4] = {};
		k += (lane & 15) * 128 + ((lane >> 4 ^ lane & 7) << 4);
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
			u32 a[4];
			ldmatrix4(a, (k ^ d % 4 << 5) + d / 4 * R::Half);
			mma(sums[d % kChains], a, this->q[0][d][0], this->q[0][d][1]);
		}
#pragma unroll
		for (int e = 0; e < 4; e++) s[tile][e] = (sums[0][e] + sums[1][e]) + (sums[2][e] + sums[3][e]);
	}

	// weigh makes weights of the scores from key on, of which those in [low, end) count. After the leaf's first turn it renews
	// what they are relative to only if a score is more than 2^kSlack times that: the lanes have nothing to exchange then
	// (Zadouri et al. 2026, FlashAttention-4, arXiv:2603.05451).
	__device__ __forceinline__ void weigh(bool first, int key, int low, int end, const Scores& f) {
		constexpr float kSlack = 8;
		float(&m)[2] = this->m[0], (&l)[2] = this->l[0];
		float scale = f.scale;
		if (f.softcap != 0.f) soften(s, f), scale = 1.f;
		const int at = key + (threadIdx.x & 31) / 4;
		bool rise = false;
#pragma unroll
		for (int i = 0; i < kTiles; i++) {
#pragma unroll
			for (int e = 0; e < 4; e++) {
				const int k = at + 16 * i + e / 2 * 8;
				s[i][e] = k >= low && k < end ? s[i][e] * scale : kMinusInf;
				rise |= s[i][e] > m[e % 2] + kSlack;
			}
		}
		if (first || __any_sync(kAll, rise)) {
#pragma unroll
			for (int e = 0; e < 2; e++) {
				float top = fmaxf(s[0][e], s[0][e + 2]);
#pragma unroll
				for (int i = 1; i < kTiles; i++) top = fmaxf(top, fmaxf(s[i][e], s[i][e + 2]));
				top = fmaxf(top, __shfl_xor_sync(kAll, top, 4));
				top = fmaxf(top, __shfl_xor_sync(kAll, top, 8));
				top = fmaxf(top, __shfl_xor_sync(kAll, top, 16));
				top = fmaxf(top, m[e]);
				const float old = exp2_fast(m[e] - (top == kMinusInf ? 0.f : top));
				m[e] = top;
				if (first) continue;
				l[e] *= old;
#pragma unroll
				for (int d = 0; d < D / 16; d++) this->o[0][d][e] *= old, this->o[0][d][e + 2] *= old;
			}
		}
#pragma unroll
		for (int i = 0; i < kTiles; i++) {
			float w[4];
#pragma unroll
			for (int e = 0; e < 4; e++) w[e] = exp2_fast(s[i][e] - (m[e % 2] == kMinusInf ? 0.f : m[e % 2]));
			l[0] += w[0] + w[2], l[1] += w[1] + w[3];
			weights[i][0] = transpose(pack2(w[0], w[1]));
			weights[i][1] = transpose(pack2(w[2], w[3]));
		}
	}

	// add takes in the values at v, of the same keys.
	__device__ __forceinline__ void add(int tile, u32 v) {
		const int lane = threadIdx.x & 31;
		v += ((lane & 7) + (lane >> 4) * 8) * 128 + ((lane >> 3 & 1 ^ lane & 7) << 4);
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
			u32 a[4];
			ldmatrix4_trans(a, (v ^ d % 4 << 5) + d / 4 * R::Half);
			mma(this->o[0][d], a, weights[tile][0], weights[tile][1]);
		}
	}
};

// attend.cuh: what the attention kernels share: where K and V lie, the tile shapes, and the softmax's arithmetic.
#pragma once
#include "common.cuh"

// Cache is one layer's K and V: [kv_heads][slots][D] bf16, and the slot of each (row, position) of the requests.
struct Cache {
	const bf16* k;
	const bf16* v;
	const int* pages;  // [rows][page_stride]
	i64 slots;
	i64 page_stride;
};

// Scores says what becomes of q·k: the softmax works in powers of two, with exponents softcap·tanh(scale·qk) or scale·qk.
struct Scores {
	float scale;    // the model's scale times log2(e), or over its softcap
	float softcap;  // the model's times log2(e), or 0
	int window;     // keys that a query sees, itself included; 0 for all
};

#define kMinusInf __int_as_float(0xff800000)

// Rows of shared memory are padded by 16 bytes: an odd number of 16-byte chunks, so that eight rows of one column lie
// in different banks.
__host__ __device__ constexpr int pitch(int d) { return 2 * d + 16; }

__device__ __forceinline__ float exp2_fast(float x) {
	float y;
	asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
	return y;
}

// soften applies softcap·tanh(scale·qk/softcap) to n scores and leaves exponents of two. tanh by exp2 is right to 1e-6;
// the tanh instruction is not.
template <int N>
__device__ __forceinline__ void soften(float (&s)[N][4], const Scores& f) {
#pragma unroll
	for (int n = 0; n < N; n++) {
#pragma unroll
		for (int e = 0; e < 4; e++) s[n][e] = f.softcap * (1.f - __fdividef(2.f, exp2_fast(s[n][e] * f.scale * 2.885390082f) + 1.f));
	}
}

// first_key is the first key that the query at pos sees.
__device__ __forceinline__ int first_key(int pos, int window) { return window > 0 ? max(0, pos + 1 - window) : 0; }

// fragment_a is the address of this lane's row in a 16x16 block of a row-major left operand, for ldmatrix4.
template <int D>
__device__ __forceinline__ u32 fragment_a(u32 base, int row, int col, int lane) {
	return base + (row + (lane & 15)) * pitch(D) + (col + (lane >> 4) * 8) * 2;
}

// fragment_k is the same for 16 keys x 16 dimensions of K as the right operand: registers 0,1 are the first eight
// keys, 2,3 the rest.
template <int D>
__device__ __forceinline__ u32 fragment_k(u32 base, int row, int col, int lane) {
	return base + (row + (lane & 7) + (lane >> 4) * 8) * pitch(D) + (col + ((lane >> 3) & 1) * 8) * 2;
}

// fragment_v is the same for V, for ldmatrix4_trans: registers 0,1 are the first eight dimensions, 2,3 the rest.
template <int D>
__device__ __forceinline__ u32 fragment_v(u32 base, int row, int col, int lane) {
	return base + (row + (lane & 15)) * pitch(D) + (col + (lane >> 4) * 8) * 2;
}

// ---- prefill ------------------------------------------------------------------------------------------------------

// Work is a block's tile: rows [row0, rows) of request b, row = token * group + head within the group.
struct Work {
	int token0;  // index of the request's first token
	int pos0;    // and its position
	int rows, row0;
	const int* page;
};

// find_work gives tile number i of the batch, the last tile of a request first since it sees the most keys. Every
// warp finds the same. It returns false past the last tile.
template <int M>
__device__ inline bool find_work(Work& w, int i, const Cache& c, const int* rows, const int* start, const int* context, int first, int requests, int group) {
	const int lane = threadIdx.x & 31;
	for (int b0 = first; b0 < requests; b0 += 32) {
		const int b = b0 + lane;
		int len = 0, tiles = 0;
		if (b < requests) len = start[b + 1] - start[b], tiles = ceil_div(len * group, M);
		int end = tiles;
#pragma unroll
		for (int o = 1; o < 32; o <<= 1) {
			const int v = __shfl_up_sync(kAll, end, o);
			if (lane >= o) end += v;
		}
		const u32 beyond = __ballot_sync(kAll, i < end);
		if (beyond) {
			const int l = __ffs(beyond) - 1;
			len = __shfl_sync(kAll, len, l), end = __shfl_sync(kAll, end, l);
			w.token0 = start[b0 + l];
			w.pos0 = context[b0 + l] - len;
			w.rows = len * group;
			w.row0 = (end - 1 - i) * M;
			w.page = c.pages + max(rows[b0 + l], 0) * c.page_stride;
			return true;
		}
		i -= __shfl_sync(kAll, end, 31);
	}
	return false;
}

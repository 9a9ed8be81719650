// attend_prefill.cu: causal attention of several new tokens a request over its cached and new keys, for any sm_80+ chip.
// data    q, out [T,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, online softmax in powers of two, P rounded to bf16; bitwise repeatable in any batch
// needs   sm_80+, D in {64, 96, 128, 256}, rows 16-byte aligned        launch  grid tiles*KVHeads, block 128
// moves   4*Heads*D operations a visible (query, key) pair; K and V once a tile of 128 (D=256: 64) rows = tokens x group
// source  Dao 2023, arXiv:2307.08691
// pairs   ../attend.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend.cuh"

// A softcap takes registers: it has kernels of its own, with smaller tiles where the output's sums leave few.
template <int D, bool Soft>
struct Shape {
	static constexpr int M = D <= (Soft ? 96 : 128) ? 128 : 64;  // rows: one query head of one token each
	static constexpr int N = D == 256 || (Soft && D == 96) ? 32 : 64;  // keys a step
	static constexpr int F = M / 64;                             // 16-row fragments a warp
	static constexpr int Threads = 128;
	static constexpr int Chunks = D / 8;
	static constexpr int QBytes = M * pitch(D);
	static constexpr int KBytes = N * pitch(D);
	static constexpr int Shared = QBytes + 2 * KBytes;
};

// load_rows starts the copy of N rows of one head of K or V, which slots names; a negative slot gives zeros.
template <int D, class S>
__device__ __forceinline__ void load_rows(u32 dst, const bf16* head, const int* slots) {
#pragma unroll 4
	for (int i = 0; i < S::N * S::Chunks / S::Threads; i++) {
		const int at = i * S::Threads + threadIdx.x, row = at / S::Chunks, chunk = at % S::Chunks;
		const int slot = slots[row];
		cp_async16(dst + row * pitch(D) + chunk * 16, head + static_cast<i64>(max(slot, 0)) * D + chunk * 8, slot >= 0);
	}
}

template <int D, class S>
__device__ __forceinline__ void load_queries(u32 dst, const bf16* q, const Work& w, i64 stride, int group) {
#pragma unroll 4
	for (int i = 0; i < S::M * S::Chunks / S::Threads; i++) {
		const int at = i * S::Threads + threadIdx.x, row = at / S::Chunks, chunk = at % S::Chunks;
		const int r = min(w.row0 + row, w.rows - 1), token = r / group;
		cp_async16(dst + row * pitch(D) + chunk * 16, q + (w.token0 + token) * stride + (r - token * group) * D + chunk * 8, w.row0 + row < w.rows);
	}
}

// softmax_step turns a fragment's scores into 2^(scale·(s - m)), m the row maxima so far, and scales what was
// accumulated under the former maxima.
template <int D, int NT>
__device__ __forceinline__ void softmax_step(float (&s)[NT][4], float (&o)[D / 8][4], float (&m)[2], float (&l)[2], float scale) {
#pragma unroll
	for (int h = 0; h < 2; h++) {
		float top = m[h];
#pragma unroll
		for (int n = 0; n < NT; n++) top = fmaxf(top, fmaxf(s[n][2 * h], s[n][2 * h + 1]));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 1));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 2));
		const float base = top == kMinusInf ? 0.f : top * scale, old = exp2_fast(m[h] * scale - base);
		m[h] = top;
		float sum = 0;
#pragma unroll
		for (int n = 0; n < NT; n++) {
			s[n][2 * h] = exp2_fast(s[n][2 * h] * scale - base);
			s[n][2 * h + 1] = exp2_fast(s[n][2 * h + 1] * scale - base);
			sum += s[n][2 * h] + s[n][2 * h + 1];
		}
		l[h] = l[h] * old + sum;
#pragma unroll
		for (int n = 0; n < D / 8; n++) o[n][2 * h] *= old, o[n][2 * h + 1] *= old;
	}
}

template <int D, bool Soft>
__device__ __forceinline__ void attend_tile(bf16* out, const bf16* q, const Cache& c, const int* rows, const int* start, const int* context, int first, int requests, int kv_heads, int group, i64 q_stride, i64 out_stride, const Scores& f) {
	using S = Shape<D, Soft>;
	extern __shared__ __align__(128) u8 shared[];
	__shared__ int slots[2][S::N];
	__shared__ int positions[S::M];  // of the rows' queries
	const int head = blockIdx.x % kv_heads, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
	Work w;
	if (!find_work<S::M>(w, blockIdx.x / kv_heads, c, rows, start, context, first, requests, group)) return;
	const bf16* k = c.k + head * c.slots * D;
	const bf16* v = c.v + head * c.slots * D;
	q += head * group * D;
	out += head * group * D;
	const u32 sq = smem_addr(shared), sk = sq + S::QBytes, sv = sk + S::KBytes;

	const int low = w.pos0 + w.row0 / group, high = w.pos0 + (min(w.row0 + S::M, w.rows) - 1) / group;  // positions of the tile's queries
	const int begin = first_key(low, f.window) / S::N;
	int j = high / S::N;
	const int key = threadIdx.x & (S::N - 1);  // of a step, for the first 64 threads
	if (threadIdx.x < S::N) {
		slots[j & 1][key] = j * S::N + key <= high ? w.page[j * S::N + key] : -1;
		if (j > begin) slots[~j & 1][key] = w.page[(j - 1) * S::N + key];
	}
	if (threadIdx.x < S::M) positions[threadIdx.x] = w.pos0 + min(w.row0 + static_cast<int>(threadIdx.x), w.rows - 1) / group;
	load_queries<D, S>(sq, q, w, q_stride, group);
	__syncthreads();
	load_rows<D, S>(sk, k, slots[j & 1]);
	cp_async_commit();

	float o[S::F][D / 8][4] = {}, m[S::F][2], l[S::F][2] = {};
#pragma unroll
	for (int i = 0; i < S::F; i++) {
#pragma unroll
		for (int h = 0; h < 2; h++) m[i][h] = kMinusInf;
	}
	const float scale = Soft ? 1.f : f.scale;  // of what softmax_step sees
	for (; j >= begin; j--) {
		int next = -1;
		if (threadIdx.x < S::N && j - 2 >= begin) next = w.page[(j - 2) * S::N + key];
		cp_async_wait<0>();
		__syncthreads();  // K of step j is there, V of step j+1 no longer read
		load_rows<D, S>(sv, v, slots[j & 1]);
		cp_async_commit();

		float s[S::F][S::N / 8][4] = {};
#pragma unroll 2
		for (int d = 0; d < D; d += 16) {
			u32 a[S::F][4];
#pragma unroll
			for (int i = 0; i < S::F; i++) ldmatrix4(a[i], fragment_a<D>(sq, (warp * S::F + i) * 16, d, lane));
#pragma unroll
			for (int n = 0; n < S::N / 16; n++) {
				u32 b[4];
				ldmatrix4(b, fragment_k<D>(sk, n * 16, d, lane));
#pragma unroll
				for (int i = 0; i < S::F; i++) {
					mma(s[i][2 * n], a[i], b[0], b[1]);
					mma(s[i][2 * n + 1], a[i], b[2], b[3]);
				}
			}
		}
		cp_async_wait<0>();
		__syncthreads();  // V of step j is there, K of step j no longer read
		if (j > begin) load_rows<D, S>(sk, k, slots[~j & 1]);
		cp_async_commit();
		if (threadIdx.x < S::N) slots[j & 1][key] = next;

		const int key0 = j * S::N + (lane & 3) * 2;
		const bool cut = (j + 1) * S::N > low + 1 || j * S::N < first_key(high, f.window);
#pragma unroll
		for (int i = 0; i < S::F; i++) {
			if constexpr (Soft) soften(s[i], f);
			if (cut) {
				const int* p = positions + (warp * S::F + i) * 16 + lane / 4;
				const int pos[2] = {p[0], p[8]}, from[2] = {first_key(pos[0], f.window), first_key(pos[1], f.window)};
#pragma unroll
				for (int n = 0; n < S::N / 8; n++) {
#pragma unroll
					for (int e = 0; e < 4; e++) {
						const int at = key0 + n * 8 + (e & 1);
						if (at > pos[e / 2] || at < from[e / 2]) s[i][n][e] = kMinusInf;
					}
				}
			}
			softmax_step<D>(s[i], o[i], m[i], l[i], scale);
		}
#pragma unroll
		for (int n = 0; n < S::N / 16; n++) {
			u32 p[S::F][4];
#pragma unroll
			for (int i = 0; i < S::F; i++) {
#pragma unroll
				for (int e = 0; e < 4; e++) p[i][e] = pack2(s[i][2 * n + e / 2][e % 2 * 2], s[i][2 * n + e / 2][e % 2 * 2 + 1]);
			}
#pragma unroll
			for (int d = 0; d < D / 16; d++) {
				u32 b[4];
				ldmatrix4_trans(b, fragment_v<D>(sv, n * 16, d * 16, lane));
#pragma unroll
				for (int i = 0; i < S::F; i++) {
					mma(o[i][2 * d], p[i], b[0], b[1]);
					mma(o[i][2 * d + 1], p[i], b[2], b[3]);
				}
			}
		}
	}
	// The queries' place is free: a warp reads and writes none but its own rows of it.
	__syncwarp();
	u8* stage = shared + warp * S::F * 16 * pitch(D);
#pragma unroll
	for (int i = 0; i < S::F; i++) {
#pragma unroll
		for (int h = 0; h < 2; h++) {
			float sum = l[i][h];
			sum += __shfl_xor_sync(kAll, sum, 1);
			sum += __shfl_xor_sync(kAll, sum, 2);
			const float inv = sum > 0.f ? 1.f / sum : 0.f;
			u8* line = stage + (i * 16 + h * 8 + lane / 4) * pitch(D) + (lane & 3) * 4;
#pragma unroll
			for (int n = 0; n < D / 8; n++) *reinterpret_cast<u32*>(line + n * 16) = pack2(o[i][n][2 * h] * inv, o[i][n][2 * h + 1] * inv);
		}
	}
	__syncwarp();
	for (int at = lane; at < S::F * 16 * S::Chunks; at += 32) {
		const int row = at / S::Chunks, chunk = at % S::Chunks, r = w.row0 + warp * S::F * 16 + row;
		if (r >= w.rows) break;
		const int token = r / group;
		*reinterpret_cast<uint4*>(out + (w.token0 + token) * out_stride + (r - token * group) * D + chunk * 8) = *reinterpret_cast<const uint4*>(stage + row * pitch(D) + chunk * 16);
	}
}

#define ATTEND_PREFILL(name, D, Soft)                                                                                        \
	extern "C" __global__ void __launch_bounds__(128)                                                                        \
	    name(bf16* out, const bf16* q, Cache c, const int* rows, const int* start, const int* context, int first,            \
	         int requests, int kv_heads, int group, i64 q_stride, i64 out_stride, Scores f) {                                \
		attend_tile<D, Soft>(out, q, c, rows, start, context, first, requests, kv_heads, group, q_stride, out_stride, f);    \
	}

ATTEND_PREFILL(attend_prefill_64, 64, false)
ATTEND_PREFILL(attend_prefill_96, 96, false)
ATTEND_PREFILL(attend_prefill_128, 128, false)
ATTEND_PREFILL(attend_prefill_256, 256, false)
ATTEND_PREFILL(attend_prefill_soft_64, 64, true)
ATTEND_PREFILL(attend_prefill_soft_96, 96, true)
ATTEND_PREFILL(attend_prefill_soft_128, 128, true)
ATTEND_PREFILL(attend_prefill_soft_256, 256, true)

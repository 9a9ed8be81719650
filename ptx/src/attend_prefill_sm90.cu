// attend_prefill_sm90.cu: attend_prefill.cu's attention on Hopper: warp groups that multiply, one that gathers K and V.
// data    q, out [T,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, online softmax in powers of two, P rounded to bf16; bitwise repeatable in any batch
// needs   sm_90a, D in {64, 128}, no softcap, rows 16-byte aligned        launch  grid min(SMs, tiles*KVHeads), block 384
// moves   4*Heads*D operations a visible (query, key) pair; goal: 480 TFLOP/s at D=128, 16k keys
// source  Shah et al. 2024 (FlashAttention-3), arXiv:2407.08608
// pairs   ../attend.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend_products_sm90.cuh"

// Shared memory holds rows of 64 dimensions, 128 bytes, whose 16-byte chunks are swapped by the row's low bits (the
// 128-byte swizzle of wgmma): tiles of 128 such rows, D/64 of them for 128 queries or keys.
constexpr int kRows = 128, kKeys = 128, kStages = 2, kBlock = 128 * 128, kConsumers = 2;

template <int D>
struct Shape {
	static constexpr int Chunks = D / 8;
	static constexpr int Tile = D / 64 * kBlock;
	static constexpr int Q = 0, K = Tile, V = K + kStages * Tile, Out = V + kStages * Tile;
	static constexpr int Shared = Out + Tile + 1024;
};

__device__ __forceinline__ u32 swizzled(int row, int chunk) { return (chunk >> 3) * kBlock + row * 128 + (((chunk ^ row) & 7) << 4); }

// ---- barriers ------------------------------------------------------------------------------------------------------

struct Barriers {
	u64 q_full, q_free, k_full[kStages], k_free[kStages], v_full[kStages], v_free[kStages];
};

__device__ __forceinline__ void barrier_init(u64& b, u32 arrivals) { asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(smem_addr(&b)), "r"(arrivals) : "memory"); }

__device__ __forceinline__ void barrier_arrive(u32 b) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(b) : "memory"); }

__device__ __forceinline__ void barrier_wait(u32 b, u32 parity) {
	u32 done = 0;
	while (!done) asm volatile("{.reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p;}" : "=r"(done) : "r"(b), "r"(parity) : "memory");
}

// Who waits for barrier_arrive_behind has to see the copies through its own see_copies, for the matrix units read by another way.
__device__ __forceinline__ void see_copies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// turn_wait and turn_pass let the consumers issue their products in turns, so that one's softmax runs during the
// other's products.
__device__ __forceinline__ void turn_wait(int consumer) { asm volatile("bar.sync %0, 256;" ::"r"(1 + consumer) : "memory"); }
__device__ __forceinline__ void turn_pass(int consumer) { asm volatile("bar.arrive %0, 256;" ::"r"(2 - consumer) : "memory"); }

// ---- products ------------------------------------------------------------------------------------------------------

// descriptor names a swizzled operand in shared memory: groups of eight rows are 1024 bytes apart, blocks of 64
// columns of a transposed operand kBlock.
__device__ __forceinline__ u64 descriptor(u32 addr) {
	addr = same_for_warp(addr);
	return (addr & 0x3ffff) >> 4 | static_cast<u64>(kBlock >> 4) << 16 | static_cast<u64>(1024 >> 4) << 32 | 1ull << 62;
}

template <int D>
__device__ __forceinline__ void multiply_keys(float (&s)[16][4], u32 q, u32 k) {
	wgmma_fence();
#pragma unroll
	for (int d = 0; d < D / 16; d++) {
		const u32 at = d / 4 * kBlock + d % 4 * 32;
		multiply(s, descriptor(q + at), descriptor(k + at), d > 0);
	}
	wgmma_commit();
}

template <int D>
__device__ __forceinline__ void add_values(float (&o)[D / 8][4], const u32 (&p)[8][4], u32 v) {
	wgmma_fence();
#pragma unroll
	for (int n = 0; n < kKeys / 16; n++) accumulate(o, p[n], descriptor(v + n * 2048));
	wgmma_commit();
}

// TensorMap and Spread are not for this kernel: it gathers all rows, and cuts no tile.
struct alignas(64) TensorMap {
	u8 bytes[128];
};

struct Spread {
	float4* sums;
	u32* counters;
	i64 room;
};

// ---- work ----------------------------------------------------------------------------------------------------------

struct Problem {
	const int* rows;
	const int* start;
	const int* context;
	int first, requests, kv_heads, group;
	i64 q_stride, out_stride;
};

__device__ __forceinline__ int count_tiles(const Problem& t) {
	int n = 0;
	for (int b = t.first + (threadIdx.x & 31); b < t.requests; b += 32) n += ceil_div((t.start[b + 1] - t.start[b]) * t.group, kRows);
#pragma unroll
	for (int o = 16; o > 0; o >>= 1) n += __shfl_xor_sync(kAll, n, o);
	return n;
}

// Item is one tile of one KV head. Blocks take items in rounds, every other round in reverse: items come longest
// first, so that each block gets its share of long ones.
struct Item {
	Work w;
	int head, low, high;  // positions of the tile's first and last query
	int begin, end;       // steps of kKeys keys

	__device__ __forceinline__ bool find(int round, int items, const Cache& c, const Problem& t, int window) {
		const int grid = gridDim.x, i = round * grid + (round & 1 ? grid - 1 - blockIdx.x : blockIdx.x);
		if (i >= items) return false;
		find_work<kRows>(w, i / t.kv_heads, c, t.rows, t.start, t.context, t.first, t.requests, t.group);
		head = i % t.kv_heads;
		low = w.pos0 + w.row0 / t.group, high = w.pos0 + (min(w.row0 + kRows, w.rows) - 1) / t.group;
		begin = first_key(low, window) / kKeys, end = high / kKeys + 1;
		return true;
	}
};

// ---- the producer --------------------------------------------------------------------------------------------------

// gather starts the copy of a step's rows of one head; slot is that of this lane's row of the warp's 32.
template <int D>
__device__ __forceinline__ void gather(u32 dst, const bf16* head, int slot) {
	const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3;
#pragma unroll 4
	for (int i = 0; i < Shape<D>::Chunks; i++) {
		const int at = i * 32 + lane, row = at / Shape<D>::Chunks, chunk = at % Shape<D>::Chunks;
		const int from = __shfl_sync(kAll, slot, row);
		cp_async16(dst + swizzled(warp * 32 + row, chunk), head + static_cast<i64>(max(from, 0)) * D + chunk * 8, from >= 0);
	}
}

// await_place waits until the consumers have read what a place held.
__device__ __forceinline__ void await_place(u32 b, u32 parity) {
	barrier_wait(b, parity);
	__syncwarp();
}

template <int D>
__device__ __forceinline__ void produce(const bf16* q, const Cache& c, const Problem& t, int window, u32 base, Barriers& bars, int items) {
	using S = Shape<D>;
	const int thread = threadIdx.x & 127;  // also the row of a step that this thread has the slot of
	u32 step = 0;
	Item it;
	int done = 0;
	for (int round = 0; round * static_cast<int>(gridDim.x) < items; round++) {
		if (!it.find(round, items, c, t, window)) continue;
		await_place(smem_addr(&bars.q_free), ~done & 1);
		const bf16* from = q + it.head * t.group * D;
#pragma unroll 1
		for (int i = 0; i < S::Chunks; i++) {
			const int at = i * 128 + thread, row = at / S::Chunks, chunk = at % S::Chunks;
			const int r = min(it.w.row0 + row, it.w.rows - 1), token = r / t.group;
			cp_async16(base + S::Q + swizzled(row, chunk), from + (it.w.token0 + token) * t.q_stride + (r - token * t.group) * D + chunk * 8, it.w.row0 + row < it.w.rows);
		}
		barrier_arrive_behind(smem_addr(&bars.q_full));
		done++;

		const bf16* k = c.k + it.head * c.slots * D;
		const bf16* v = c.v + it.head * c.slots * D;
		const int* page = it.w.page + thread;
		int slot = (it.end - 1) * kKeys + thread <= it.high ? page[(it.end - 1) * kKeys] : -1;
		for (int j = it.end - 1; j >= it.begin; j--, step++) {
			const u32 stage = step % kStages, parity = ~(step / kStages) & 1;
			const int next = j > it.begin ? page[(j - 1) * kKeys] : -1;
			await_place(smem_addr(&bars.k_free[stage]), parity);
			gather<D>(base + S::K + stage * S::Tile, k, slot);
			barrier_arrive_behind(smem_addr(&bars.k_full[stage]));
			await_place(smem_addr(&bars.v_free[stage]), parity);
			gather<D>(base + S::V + stage * S::Tile, v, slot);
			barrier_arrive_behind(smem_addr(&bars.v_full[stage]));
			slot = next;
		}
	}
	cp_async_wait<0>();
}

// ---- the consumers -------------------------------------------------------------------------------------------------

// cut_scores takes out what a query may not see of the keys from key0 on. positions are those of the warp's 16 rows, of
// which a thread has lane/4 and lane/4 + 8.
__device__ __forceinline__ void cut_scores(float (&s)[16][4], const int* positions, int key0, int window) {
	const int lane = threadIdx.x & 31;
#pragma unroll
	for (int h = 0; h < 2; h++) {
		const int pos = positions[lane / 4 + 8 * h], shift = key0 + (lane & 3) * 2, to = pos - shift, from = first_key(pos, window) - shift;
#pragma unroll
		for (int n = 0; n < 16; n++) {
#pragma unroll
			for (int e = 0; e < 2; e++) {
				if (n * 8 + e > to || n * 8 + e < from) s[n][2 * h + e] = kMinusInf;
			}
		}
	}
}

// softmax turns scores into 2^(scale·(s - m)), m the row maxima so far, and gives the factors of what was summed before.
__device__ __forceinline__ void softmax(float (&s)[16][4], float (&m)[2], float (&l)[2], float (&old)[2], float scale) {
#pragma unroll
	for (int h = 0; h < 2; h++) {
		float top = m[h];
#pragma unroll
		for (int n = 0; n < 16; n++) top = fmaxf(top, fmaxf(s[n][2 * h], s[n][2 * h + 1]));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 1));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 2));
		const float base = top == kMinusInf ? 0.f : top * scale;
		old[h] = exp2_fast(m[h] * scale - base);
		m[h] = top;
		float sum = 0;
#pragma unroll
		for (int n = 0; n < 16; n++) {
			s[n][2 * h] = exp2_fast(s[n][2 * h] * scale - base);
			s[n][2 * h + 1] = exp2_fast(s[n][2 * h + 1] * scale - base);
			sum += s[n][2 * h] + s[n][2 * h + 1];
		}
		l[h] = l[h] * old[h] + sum;
	}
}

__device__ __forceinline__ void pack(u32 (&p)[8][4], const float (&s)[16][4]) {
#pragma unroll
	for (int n = 0; n < 8; n++) {
#pragma unroll
		for (int e = 0; e < 4; e++) p[n][e] = pack2(s[2 * n + e / 2][e % 2 * 2], s[2 * n + e / 2][e % 2 * 2 + 1]);
	}
}

// write stores a warp's 16 rows through its own part of shared memory.
template <int D>
__device__ __forceinline__ void write(bf16* out, float (&o)[D / 8][4], float (&l)[2], u8* stage, const Work& w, int row, int group, i64 stride) {
	const int lane = threadIdx.x & 31;
	__syncwarp();  // the former tile's rows have been read
#pragma unroll
	for (int h = 0; h < 2; h++) {
		float sum = l[h];
		sum += __shfl_xor_sync(kAll, sum, 1);
		sum += __shfl_xor_sync(kAll, sum, 2);
		const float inv = sum > 0.f ? 1.f / sum : 0.f;
		const int r = row + lane / 4 + 8 * h;
#pragma unroll
		for (int n = 0; n < D / 8; n++) *reinterpret_cast<u32*>(stage + swizzled(r, n) + (lane & 3) * 4) = pack2(o[n][2 * h] * inv, o[n][2 * h + 1] * inv);
	}
	__syncwarp();
	for (int at = lane; at < 16 * Shape<D>::Chunks; at += 32) {
		const int r = row + at / Shape<D>::Chunks, chunk = at % Shape<D>::Chunks, line = w.row0 + r;
		if (line >= w.rows) break;
		const int token = line / group;
		*reinterpret_cast<uint4*>(out + (w.token0 + token) * stride + (line - token * group) * D + chunk * 8) = *reinterpret_cast<const uint4*>(stage + swizzled(r, chunk));
	}
}

template <int D>
__device__ __forceinline__ void consume(bf16* out, const Cache& c, const Problem& t, const Scores& f, u8* shared, u32 base, Barriers& bars, int items, int consumer) {
	using S = Shape<D>;
	__shared__ int queries[kRows];  // positions
	const int lane = threadIdx.x & 31, row = consumer * 64 + (threadIdx.x >> 5 & 3) * 16;
	const u32 q = base + S::Q + consumer * 64 * 128;
	int* positions = queries + row;
	u32 step = 0;
	int done = 0;
	Item it;
	if (consumer == 1) turn_pass(consumer);
	for (int round = 0; round * static_cast<int>(gridDim.x) < items; round++) {
		if (!it.find(round, items, c, t, f.window)) continue;
		float o[D / 8][4], s[16][4], m[2] = {kMinusInf, kMinusInf}, l[2] = {0, 0}, old[2];
		u32 p[8][4];
#pragma unroll
		for (int n = 0; n < D / 8; n++) o[n][0] = o[n][1] = o[n][2] = o[n][3] = 0;

		if (lane < 16) positions[lane] = it.w.pos0 + min(it.w.row0 + row + lane, it.w.rows - 1) / t.group;
		__syncwarp();
		barrier_wait(smem_addr(&bars.q_full), done & 1);
		barrier_wait(smem_addr(&bars.k_full[step % kStages]), step / kStages & 1);
		see_copies();
		turn_wait(consumer);
		multiply_keys<D>(s, q, base + S::K + step % kStages * S::Tile);
		turn_pass(consumer);
		wgmma_wait<0>();
		settled(s);
		if (lane == 0) barrier_arrive(smem_addr(&bars.k_free[step % kStages]));
		// The last step has the diagonal; the steps before it may.
		cut_scores(s, positions, (it.end - 1) * kKeys, f.window);
		softmax(s, m, l, old, f.scale);
		pack(p, s);

		for (int j = it.end - 2; j >= it.begin; j--, step++) {
			const u32 stage = step % kStages, ahead = (step + 1) % kStages;
			barrier_wait(smem_addr(&bars.k_full[ahead]), (step + 1) / kStages & 1);
			see_copies();
			turn_wait(consumer);
			multiply_keys<D>(s, q, base + S::K + ahead * S::Tile);
			barrier_wait(smem_addr(&bars.v_full[stage]), step / kStages & 1);
			see_copies();
			add_values<D>(o, p, base + S::V + stage * S::Tile);
			turn_pass(consumer);
			wgmma_wait<1>();
			settled(s);
			if (lane == 0) barrier_arrive(smem_addr(&bars.k_free[ahead]));
			if ((j + 1) * kKeys > it.low + 1 || j * kKeys < first_key(it.high, f.window)) cut_scores(s, positions, j * kKeys, f.window);
			softmax(s, m, l, old, f.scale);
			wgmma_wait<0>();
			settled(o);
			if (lane == 0) barrier_arrive(smem_addr(&bars.v_free[stage]));
#pragma unroll
			for (int n = 0; n < D / 8; n++) o[n][0] *= old[0], o[n][1] *= old[0], o[n][2] *= old[1], o[n][3] *= old[1];
			pack(p, s);
		}
		if (lane == 0) barrier_arrive(smem_addr(&bars.q_free));
		barrier_wait(smem_addr(&bars.v_full[step % kStages]), step / kStages & 1);
		see_copies();
		add_values<D>(o, p, base + S::V + step % kStages * S::Tile);
		wgmma_wait<0>();
		settled(o);
		if (lane == 0) barrier_arrive(smem_addr(&bars.v_free[step % kStages]));
		step++, done++;
		write<D>(out + it.head * t.group * D, o, l, shared + S::Out, it.w, row, t.group, t.out_stride);
	}
	if (consumer == 0) turn_wait(consumer);  // the other's last pass
}

template <int D>
__device__ __forceinline__ void attend(bf16* out, const bf16* q, const Cache& c, const Problem& t, const Scores& f) {
	extern __shared__ u8 unaligned[];
	__shared__ Barriers bars;
	const u32 base = smem_addr(unaligned) + 1023 & ~1023u;
	u8* shared = unaligned + (base - smem_addr(unaligned));
	if (threadIdx.x == 0) {
		barrier_init(bars.q_full, 128), barrier_init(bars.q_free, kConsumers * 4);
		for (int i = 0; i < kStages; i++) {
			barrier_init(bars.k_full[i], 128), barrier_init(bars.k_free[i], kConsumers * 4);
			barrier_init(bars.v_full[i], 128), barrier_init(bars.v_free[i], kConsumers * 4);
		}
		asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
	}
	__syncthreads();
	const int items = count_tiles(t) * t.kv_heads;
	if (threadIdx.x < 128) {
		asm volatile("setmaxnreg.dec.sync.aligned.u32 56;");
		produce<D>(q, c, t, f.window, base, bars, items);
	} else {
		asm volatile("setmaxnreg.inc.sync.aligned.u32 224;");
		consume<D>(out, c, t, f, shared, base, bars, items, threadIdx.x / 128 - 1);
	}
}

#define ATTEND_PREFILL(D)                                                                              \
	extern "C" __global__ void __launch_bounds__(384, 1)                                               \
	    attend_prefill_sm90_##D(const __grid_constant__ TensorMap, const __grid_constant__ TensorMap, bf16* out, const bf16* q, Cache c, Problem t, Scores f, Spread) {      \
		attend<D>(out, q, c, t, f);                                                                    \
	}

ATTEND_PREFILL(64)
ATTEND_PREFILL(128)

// attend_sm90.cuh: attention of prompts on Hopper, for attend_prefill_peeled_sm90.cu and attend_prefill_half_sm90.cu: warp
// groups that multiply, one that gathers K and V. A tile is 64 rows of queries for each of Consumers warp groups; keys come
// Keys at a time; Blocks blocks share a multiprocessor. Steps that hide keys from some query are apart from those that
// hide none, which need not ask. A block starts before the kernel ahead has ended, and waits for it with its barriers made.
#pragma once
#include "attend.cuh"
#include "overlap.cuh"

constexpr int kStages = 2;

// Shared memory holds rows of 64 dimensions, 128 bytes, whose 16-byte chunks are swapped by the row's low bits (the
// 128-byte swizzle of wgmma): D/64 blocks of such rows for the queries, and for the keys of a step.
template <int Dim, int ConsumerCount, int KeyCount, int BlockCount>
struct Shape {
	static constexpr int D = Dim, Consumers = ConsumerCount, Keys = KeyCount, Blocks = BlockCount;
	static constexpr int Rows = 64 * Consumers, Chunks = D / 8, Threads = 128 * (1 + Consumers);
	static constexpr int RowBlock = Rows * 128, KeyBlock = Keys * 128;
	static constexpr int QBytes = D / 64 * RowBlock, KBytes = D / 64 * KeyBlock;
	static constexpr int Q = 0, K = QBytes, V = K + kStages * KBytes, Out = V + kStages * KBytes;
	static constexpr int Shared = Out + QBytes + 1024;
	static constexpr int GatherRegisters = 56, MultiplyRegisters = Blocks == 1 ? 224 : 200;
	static constexpr int QueryUnroll = Blocks == 1 ? 1 : 4;  // more spills
};

template <int Block>
__device__ __forceinline__ u32 swizzled(int row, int chunk) { return (chunk >> 3) * Block + row * 128 + (((chunk ^ row) & 7) << 4); }

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

// barrier_arrive_behind arrives when this thread's copies so far have ended. Who waits has to see them through its own
// see_copies, for the matrix units read by another way.
__device__ __forceinline__ void barrier_arrive_behind(u32 b) { asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(b) : "memory"); }
__device__ __forceinline__ void see_copies() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// turn_wait and turn_pass let the consumers issue their products in turns, so that one's softmax runs during the
// other's products.
__device__ __forceinline__ void turn_wait(int consumer) { asm volatile("bar.sync %0, 256;" ::"r"(1 + consumer) : "memory"); }
__device__ __forceinline__ void turn_pass(int consumer) { asm volatile("bar.arrive %0, 256;" ::"r"(2 - consumer) : "memory"); }

// ---- products ------------------------------------------------------------------------------------------------------

// descriptor names a swizzled operand in shared memory: groups of eight rows are 1024 bytes apart, blocks of 64
// columns of a transposed operand Block.
template <int Block>
__device__ __forceinline__ u64 descriptor(u32 addr) {
	return (addr & 0x3ffff) >> 4 | static_cast<u64>(Block >> 4) << 16 | static_cast<u64>(1024 >> 4) << 32 | 1ull << 62;
}

__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

template <int N>
__device__ __forceinline__ void wgmma_wait() {
	asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

// settled tells the compiler that c was written behind its back, up to here.
template <int N>
__device__ __forceinline__ void settled(float (&c)[N][4]) {
#pragma unroll
	for (int i = 0; i < N; i++) asm volatile("" : "+f"(c[i][0]), "+f"(c[i][1]), "+f"(c[i][2]), "+f"(c[i][3])::"memory");
}

// multiply sets (or adds to, if add) c to the product of 64 rows of queries and 128 or 64 keys over 16 dimensions.
__device__ __forceinline__ void multiply(float (&c)[16][4], u64 a, u64 b, int add) {
	asm volatile("{.reg .pred p; setp.ne.b32 p, %66, 0; wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, %64, %65, p, 1, 1, 0, 0;}"
	             : "+f"(c[0][0]), "+f"(c[0][1]), "+f"(c[0][2]), "+f"(c[0][3]), "+f"(c[1][0]), "+f"(c[1][1]), "+f"(c[1][2]), "+f"(c[1][3]), "+f"(c[2][0]), "+f"(c[2][1]), "+f"(c[2][2]), "+f"(c[2][3]), "+f"(c[3][0]), "+f"(c[3][1]), "+f"(c[3][2]), "+f"(c[3][3]), "+f"(c[4][0]), "+f"(c[4][1]), "+f"(c[4][2]), "+f"(c[4][3]), "+f"(c[5][0]), "+f"(c[5][1]), "+f"(c[5][2]), "+f"(c[5][3]), "+f"(c[6][0]), "+f"(c[6][1]), "+f"(c[6][2]), "+f"(c[6][3]), "+f"(c[7][0]), "+f"(c[7][1]), "+f"(c[7][2]), "+f"(c[7][3]), "+f"(c[8][0]), "+f"(c[8][1]), "+f"(c[8][2]), "+f"(c[8][3]), "+f"(c[9][0]), "+f"(c[9][1]), "+f"(c[9][2]), "+f"(c[9][3]), "+f"(c[10][0]), "+f"(c[10][1]), "+f"(c[10][2]), "+f"(c[10][3]), "+f"(c[11][0]), "+f"(c[11][1]), "+f"(c[11][2]), "+f"(c[11][3]), "+f"(c[12][0]), "+f"(c[12][1]), "+f"(c[12][2]), "+f"(c[12][3]), "+f"(c[13][0]), "+f"(c[13][1]), "+f"(c[13][2]), "+f"(c[13][3]), "+f"(c[14][0]), "+f"(c[14][1]), "+f"(c[14][2]), "+f"(c[14][3]), "+f"(c[15][0]), "+f"(c[15][1]), "+f"(c[15][2]), "+f"(c[15][3])
	             : "l"(a), "l"(b), "r"(add));
}

__device__ __forceinline__ void multiply(float (&c)[8][4], u64 a, u64 b, int add) {
	asm volatile("{.reg .pred p; setp.ne.b32 p, %34, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, %32, %33, p, 1, 1, 0, 0;}"
	             : "+f"(c[0][0]), "+f"(c[0][1]), "+f"(c[0][2]), "+f"(c[0][3]), "+f"(c[1][0]), "+f"(c[1][1]), "+f"(c[1][2]), "+f"(c[1][3]), "+f"(c[2][0]), "+f"(c[2][1]), "+f"(c[2][2]), "+f"(c[2][3]), "+f"(c[3][0]), "+f"(c[3][1]), "+f"(c[3][2]), "+f"(c[3][3]), "+f"(c[4][0]), "+f"(c[4][1]), "+f"(c[4][2]), "+f"(c[4][3]), "+f"(c[5][0]), "+f"(c[5][1]), "+f"(c[5][2]), "+f"(c[5][3]), "+f"(c[6][0]), "+f"(c[6][1]), "+f"(c[6][2]), "+f"(c[6][3]), "+f"(c[7][0]), "+f"(c[7][1]), "+f"(c[7][2]), "+f"(c[7][3])
	             : "l"(a), "l"(b), "r"(add));
}

// accumulate adds the product of 64 rows of probabilities and 16 keys' values.
__device__ __forceinline__ void accumulate(float (&c)[16][4], const u32 (&a)[4], u64 b) {
	asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63}, {%64,%65,%66,%67}, %68, 1, 1, 1, 1;"
	             : "+f"(c[0][0]), "+f"(c[0][1]), "+f"(c[0][2]), "+f"(c[0][3]), "+f"(c[1][0]), "+f"(c[1][1]), "+f"(c[1][2]), "+f"(c[1][3]), "+f"(c[2][0]), "+f"(c[2][1]), "+f"(c[2][2]), "+f"(c[2][3]), "+f"(c[3][0]), "+f"(c[3][1]), "+f"(c[3][2]), "+f"(c[3][3]), "+f"(c[4][0]), "+f"(c[4][1]), "+f"(c[4][2]), "+f"(c[4][3]), "+f"(c[5][0]), "+f"(c[5][1]), "+f"(c[5][2]), "+f"(c[5][3]), "+f"(c[6][0]), "+f"(c[6][1]), "+f"(c[6][2]), "+f"(c[6][3]), "+f"(c[7][0]), "+f"(c[7][1]), "+f"(c[7][2]), "+f"(c[7][3]), "+f"(c[8][0]), "+f"(c[8][1]), "+f"(c[8][2]), "+f"(c[8][3]), "+f"(c[9][0]), "+f"(c[9][1]), "+f"(c[9][2]), "+f"(c[9][3]), "+f"(c[10][0]), "+f"(c[10][1]), "+f"(c[10][2]), "+f"(c[10][3]), "+f"(c[11][0]), "+f"(c[11][1]), "+f"(c[11][2]), "+f"(c[11][3]), "+f"(c[12][0]), "+f"(c[12][1]), "+f"(c[12][2]), "+f"(c[12][3]), "+f"(c[13][0]), "+f"(c[13][1]), "+f"(c[13][2]), "+f"(c[13][3]), "+f"(c[14][0]), "+f"(c[14][1]), "+f"(c[14][2]), "+f"(c[14][3]), "+f"(c[15][0]), "+f"(c[15][1]), "+f"(c[15][2]), "+f"(c[15][3])
	             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

__device__ __forceinline__ void accumulate(float (&c)[8][4], const u32 (&a)[4], u64 b) {
	asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31}, {%32,%33,%34,%35}, %36, 1, 1, 1, 1;"
	             : "+f"(c[0][0]), "+f"(c[0][1]), "+f"(c[0][2]), "+f"(c[0][3]), "+f"(c[1][0]), "+f"(c[1][1]), "+f"(c[1][2]), "+f"(c[1][3]), "+f"(c[2][0]), "+f"(c[2][1]), "+f"(c[2][2]), "+f"(c[2][3]), "+f"(c[3][0]), "+f"(c[3][1]), "+f"(c[3][2]), "+f"(c[3][3]), "+f"(c[4][0]), "+f"(c[4][1]), "+f"(c[4][2]), "+f"(c[4][3]), "+f"(c[5][0]), "+f"(c[5][1]), "+f"(c[5][2]), "+f"(c[5][3]), "+f"(c[6][0]), "+f"(c[6][1]), "+f"(c[6][2]), "+f"(c[6][3]), "+f"(c[7][0]), "+f"(c[7][1]), "+f"(c[7][2]), "+f"(c[7][3])
	             : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// hold keeps what v comes from ahead of what follows; v is not negative, so that nothing is written. Without it the
// assembler moves the wait for the product with the values ahead of the softmax that should run beside it.
__device__ __forceinline__ void hold(float v, u32 somewhere) {
	if (v < 0.f) asm volatile("st.shared.f32 [%0], %1;" ::"r"(somewhere), "f"(v) : "memory");
}

template <class S>
__device__ __forceinline__ void multiply_keys(float (&s)[S::Keys / 8][4], u32 q, u32 k) {
	wgmma_fence();
#pragma unroll
	for (int d = 0; d < S::D / 16; d++) {
		const int block = d / 4, at = d % 4 * 32;
		multiply(s, descriptor<S::RowBlock>(q + block * S::RowBlock + at), descriptor<S::KeyBlock>(k + block * S::KeyBlock + at), d > 0);
	}
	wgmma_commit();
}

template <class S>
__device__ __forceinline__ void add_values(float (&o)[S::D / 8][4], const u32 (&p)[S::Keys / 16][4], u32 v) {
	wgmma_fence();
#pragma unroll
	for (int n = 0; n < S::Keys / 16; n++) accumulate(o, p[n], descriptor<S::KeyBlock>(v + n * 2048));
	wgmma_commit();
}

// ---- work ----------------------------------------------------------------------------------------------------------

struct Problem {
	const int* rows;
	const int* start;
	const int* context;
	int first, requests, kv_heads, group;
	i64 q_stride, out_stride;
};

template <class S>
__device__ __forceinline__ int count_tiles(const Problem& t) {
	int n = 0;
	for (int b = t.first + (threadIdx.x & 31); b < t.requests; b += 32) n += ceil_div((t.start[b + 1] - t.start[b]) * t.group, S::Rows);
#pragma unroll
	for (int o = 16; o > 0; o >>= 1) n += __shfl_xor_sync(kAll, n, o);
	return n;
}

// Item is one tile of one KV head. Multiprocessors take items in rounds, every other round in reverse: items come longest
// first, so that each gets its share of long ones. The blocks of a multiprocessor are expected to be a grid's half apart.
template <class S>
struct Item {
	Work w;
	int head, low, high;  // positions of the tile's first and last query
	int begin, end;       // steps of Keys keys

	__device__ __forceinline__ bool find(int round, int items, const Cache& c, const Problem& t, int window) {
		const int wide = gridDim.x / S::Blocks, turn = round * S::Blocks + static_cast<int>(blockIdx.x) / wide, place = static_cast<int>(blockIdx.x) % wide;
		const int i = turn * wide + (turn & 1 ? wide - 1 - place : place);
		if (i >= items) return false;
		find_work<S::Rows>(w, i / t.kv_heads, c, t.rows, t.start, t.context, t.first, t.requests, t.group);
		head = i % t.kv_heads;
		low = w.pos0 + w.row0 / t.group, high = w.pos0 + (min(w.row0 + S::Rows, w.rows) - 1) / t.group;
		begin = first_key(low, window) / S::Keys, end = high / S::Keys + 1;
		return true;
	}
};

// ---- the producer --------------------------------------------------------------------------------------------------

// gather starts the copy of a step's rows of one head, a quarter of them in each warp; slot is that of row lane % Mine of
// the warp's.
template <class S>
__device__ __forceinline__ void gather(u32 dst, const bf16* head, int slot) {
	constexpr int Mine = S::Keys / 4;
	const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5 & 3;
#pragma unroll 4
	for (int i = 0; i < Mine * S::Chunks / 32; i++) {
		const int at = i * 32 + lane, row = at / S::Chunks, chunk = at % S::Chunks;
		const int from = __shfl_sync(kAll, slot, row);
		cp_async16(dst + swizzled<S::KeyBlock>(warp * Mine + row, chunk), head + static_cast<i64>(max(from, 0)) * S::D + chunk * 8, from >= 0);
	}
}

// await_place waits until the consumers have read what a place held.
__device__ __forceinline__ void await_place(u32 b, u32 parity) {
	barrier_wait(b, parity);
	__syncwarp();
}

template <class S>
__device__ __forceinline__ void produce(const bf16* q, const Cache& c, const Problem& t, int window, u32 base, Barriers& bars, int items) {
	const int thread = threadIdx.x & 127, row0 = thread / 32 * (S::Keys / 4) + thread % (S::Keys / 4);  // the row of a step whose slot this thread has
	u32 step = 0;
	Item<S> it;
	int done = 0;
	for (int round = 0; round * static_cast<int>(gridDim.x) < items; round++) {
		if (!it.find(round, items, c, t, window)) continue;
		const int* page = it.w.page + row0;
		int slot = (it.end - 1) * S::Keys + row0 <= it.high ? page[(it.end - 1) * S::Keys] : -1;  // on its way beside the queries
		await_place(smem_addr(&bars.q_free), ~done & 1);
		const bf16* from = q + it.head * t.group * S::D;
#pragma unroll S::QueryUnroll
		for (int i = 0; i < S::Rows * S::Chunks / 128; i++) {
			const int at = i * 128 + thread, row = at / S::Chunks, chunk = at % S::Chunks;
			const int r = min(it.w.row0 + row, it.w.rows - 1), token = r / t.group;
			cp_async16(base + S::Q + swizzled<S::RowBlock>(row, chunk), from + (it.w.token0 + token) * t.q_stride + (r - token * t.group) * S::D + chunk * 8, it.w.row0 + row < it.w.rows);
		}
		barrier_arrive_behind(smem_addr(&bars.q_full));
		done++;

		const bf16* k = c.k + it.head * c.slots * S::D;
		const bf16* v = c.v + it.head * c.slots * S::D;
		for (int j = it.end - 1; j >= it.begin; j--, step++) {
			const u32 stage = step % kStages, parity = ~(step / kStages) & 1;
			const int next = j > it.begin ? page[(j - 1) * S::Keys] : -1;
			await_place(smem_addr(&bars.k_free[stage]), parity);
			gather<S>(base + S::K + stage * S::KBytes, k, slot);
			barrier_arrive_behind(smem_addr(&bars.k_full[stage]));
			await_place(smem_addr(&bars.v_free[stage]), parity);
			gather<S>(base + S::V + stage * S::KBytes, v, slot);
			barrier_arrive_behind(smem_addr(&bars.v_full[stage]));
			slot = next;
		}
	}
	cp_async_wait<0>();
}

// ---- the consumers -------------------------------------------------------------------------------------------------

// cut_scores takes out what a query may not see of the keys from key0 on. positions are those of the warp's 16 rows, of
// which a thread has lane/4 and lane/4 + 8.
template <int N>
__device__ __forceinline__ void cut_scores(float (&s)[N][4], const int* positions, int key0, int window) {
	const int lane = threadIdx.x & 31;
#pragma unroll
	for (int h = 0; h < 2; h++) {
		const int pos = positions[lane / 4 + 8 * h], shift = key0 + (lane & 3) * 2, to = pos - shift, from = first_key(pos, window) - shift;
#pragma unroll
		for (int n = 0; n < N; n++) {
#pragma unroll
			for (int e = 0; e < 2; e++) {
				if (n * 8 + e > to || n * 8 + e < from) s[n][2 * h + e] = kMinusInf;
			}
		}
	}
}

// softmax turns scores into 2^(scale·(s - m)), m the row maxima so far, and gives the factors of what was summed before:
// exactly one where the maximum stays, so that a step whose keys a row does not see leaves nothing behind.
template <int N>
__device__ __forceinline__ void softmax(float (&s)[N][4], float (&m)[2], float (&l)[2], float (&old)[2], float scale) {
#pragma unroll
	for (int h = 0; h < 2; h++) {
		float top = m[h];
#pragma unroll
		for (int n = 0; n < N; n++) top = fmaxf(top, fmaxf(s[n][2 * h], s[n][2 * h + 1]));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 1));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 2));
		const float base = top == kMinusInf ? 0.f : top * scale;
		old[h] = m[h] == top ? 1.f : exp2_fast(m[h] * scale - base);
		m[h] = top;
		float sum = 0;
#pragma unroll
		for (int n = 0; n < N; n++) {
			s[n][2 * h] = exp2_fast(s[n][2 * h] * scale - base);
			s[n][2 * h + 1] = exp2_fast(s[n][2 * h + 1] * scale - base);
			sum += s[n][2 * h] + s[n][2 * h + 1];
		}
		l[h] = l[h] * old[h] + sum;
	}
}

template <int N>
__device__ __forceinline__ void pack(u32 (&p)[N][4], const float (&s)[2 * N][4]) {
#pragma unroll
	for (int n = 0; n < N; n++) {
#pragma unroll
		for (int e = 0; e < 4; e++) p[n][e] = pack2(s[2 * n + e / 2][e % 2 * 2], s[2 * n + e / 2][e % 2 * 2 + 1]);
	}
}

// write stores a warp's 16 rows through its own part of shared memory.
template <class S>
__device__ __forceinline__ void write(bf16* out, float (&o)[S::D / 8][4], float (&l)[2], u8* stage, const Work& w, int row, int group, i64 stride) {
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
		for (int n = 0; n < S::D / 8; n++) *reinterpret_cast<u32*>(stage + swizzled<S::RowBlock>(r, n) + (lane & 3) * 4) = pack2(o[n][2 * h] * inv, o[n][2 * h + 1] * inv);
	}
	__syncwarp();
	for (int at = lane; at < 16 * S::Chunks; at += 32) {
		const int r = row + at / S::Chunks, chunk = at % S::Chunks, line = w.row0 + r;
		if (line >= w.rows) break;
		const int token = line / group;
		*reinterpret_cast<uint4*>(out + (w.token0 + token) * stride + (line - token * group) * S::D + chunk * 8) = *reinterpret_cast<const uint4*>(stage + swizzled<S::RowBlock>(r, chunk));
	}
}

// Sums is a warp's 16 rows of the tile on their way through the keys.
template <class S>
struct Sums {
	float o[S::D / 8][4], s[S::Keys / 8][4], m[2] = {kMinusInf, kMinusInf}, l[2] = {0, 0}, old[2];
	u32 p[S::Keys / 16][4];
};

// advance multiplies the queries with the keys of step j and adds the values of the step before, whose probabilities are
// in p; the softmax of step j runs beside the latter. step counts those before j.
template <class S, bool Cut>
__device__ __forceinline__ void advance(Sums<S>& t, u32 q, u32 base, Barriers& bars, u32 step, int j, const int* positions, const Scores& f, int consumer) {
	const int lane = threadIdx.x & 31;
	const u32 stage = step % kStages, ahead = (step + 1) % kStages;
	barrier_wait(smem_addr(&bars.k_full[ahead]), (step + 1) / kStages & 1);
	see_copies();
	if (S::Consumers > 1) turn_wait(consumer);
	multiply_keys<S>(t.s, q, base + S::K + ahead * S::KBytes);
	barrier_wait(smem_addr(&bars.v_full[stage]), step / kStages & 1);
	see_copies();
	add_values<S>(t.o, t.p, base + S::V + stage * S::KBytes);
	if (S::Consumers > 1) turn_pass(consumer);
	wgmma_wait<1>();
	settled(t.s);
	if (lane == 0) barrier_arrive(smem_addr(&bars.k_free[ahead]));
	if (Cut) cut_scores(t.s, positions, j * S::Keys, f.window);
	softmax(t.s, t.m, t.l, t.old, f.scale);
	hold(t.l[0] + t.l[1], q);
	wgmma_wait<0>();
	settled(t.o);
	if (lane == 0) barrier_arrive(smem_addr(&bars.v_free[stage]));
#pragma unroll
	for (int n = 0; n < S::D / 8; n++) t.o[n][0] *= t.old[0], t.o[n][1] *= t.old[0], t.o[n][2] *= t.old[1], t.o[n][3] *= t.old[1];
	pack(t.p, t.s);
}

template <class S>
__device__ __forceinline__ void consume(bf16* out, const Cache& c, const Problem& t, const Scores& f, u8* shared, u32 base, Barriers& bars, int items, int consumer) {
	__shared__ int queries[S::Rows];  // positions
	const int lane = threadIdx.x & 31, row = consumer * 64 + (threadIdx.x >> 5 & 3) * 16;
	const u32 q = base + S::Q + consumer * 64 * 128;
	int* positions = queries + row;
	u32 step = 0;
	int done = 0;
	Item<S> it;
	if (consumer == 1) turn_pass(consumer);
	for (int round = 0; round * static_cast<int>(gridDim.x) < items; round++) {
		if (!it.find(round, items, c, t, f.window)) continue;
		Sums<S> r;
#pragma unroll
		for (int n = 0; n < S::D / 8; n++) r.o[n][0] = r.o[n][1] = r.o[n][2] = r.o[n][3] = 0;

		if (lane < 16) positions[lane] = it.w.pos0 + min(it.w.row0 + row + lane, it.w.rows - 1) / t.group;
		__syncwarp();
		barrier_wait(smem_addr(&bars.q_full), done & 1);
		barrier_wait(smem_addr(&bars.k_full[step % kStages]), step / kStages & 1);
		see_copies();
		if (S::Consumers > 1) turn_wait(consumer);
		multiply_keys<S>(r.s, q, base + S::K + step % kStages * S::KBytes);
		if (S::Consumers > 1) turn_pass(consumer);
		wgmma_wait<0>();
		settled(r.s);
		if (lane == 0) barrier_arrive(smem_addr(&bars.k_free[step % kStages]));
		cut_scores(r.s, positions, (it.end - 1) * S::Keys, f.window);
		softmax(r.s, r.m, r.l, r.old, f.scale);
		pack(r.p, r.s);

		// The last step has the diagonal, and the one before it may; a window hides keys of the first ones.
		int j = it.end - 2;
		const int bare = max(it.begin, ceil_div(first_key(it.high, f.window), S::Keys));  // steps from here on hide none ahead of them
		for (; j >= it.begin && ((j + 1) * S::Keys > it.low + 1 || j < bare); j--, step++) advance<S, true>(r, q, base, bars, step, j, positions, f, consumer);
		for (; j >= bare; j--, step++) advance<S, false>(r, q, base, bars, step, j, positions, f, consumer);
		for (; j >= it.begin; j--, step++) advance<S, true>(r, q, base, bars, step, j, positions, f, consumer);

		if (lane == 0) barrier_arrive(smem_addr(&bars.q_free));
		barrier_wait(smem_addr(&bars.v_full[step % kStages]), step / kStages & 1);
		see_copies();
		add_values<S>(r.o, r.p, base + S::V + step % kStages * S::KBytes);
		wgmma_wait<0>();
		settled(r.o);
		if (lane == 0) barrier_arrive(smem_addr(&bars.v_free[step % kStages]));
		step++, done++;
		write<S>(out + it.head * t.group * S::D, r.o, r.l, shared + S::Out, it.w, row, t.group, t.out_stride);
	}
	if (S::Consumers > 1 && consumer == 0) turn_wait(consumer);  // the other's last pass
}

template <class S>
__device__ __forceinline__ void attend(bf16* out, const bf16* q, const Cache& c, const Problem& t, const Scores& f) {
	extern __shared__ u8 unaligned[];
	__shared__ Barriers bars;
	const u32 base = smem_addr(unaligned) + 1023 & ~1023u;
	u8* shared = unaligned + (base - smem_addr(unaligned));
	let_next_start();
	if (threadIdx.x == 0) {
		barrier_init(bars.q_full, 128), barrier_init(bars.q_free, S::Consumers * 4);
		for (int i = 0; i < kStages; i++) {
			barrier_init(bars.k_full[i], 128), barrier_init(bars.k_free[i], S::Consumers * 4);
			barrier_init(bars.v_full[i], 128), barrier_init(bars.v_free[i], S::Consumers * 4);
		}
		asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
	}
	__syncthreads();
	wait_for_former();
	const int items = count_tiles<S>(t) * t.kv_heads;
	if (threadIdx.x < 128) {
		asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(S::GatherRegisters));
		produce<S>(q, c, t, f.window, base, bars, items);
	} else {
		asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(S::MultiplyRegisters));
		consume<S>(out, c, t, f, shared, base, bars, items, threadIdx.x / 128 - 1);
	}
}

#define ATTEND_SM90(name, SHAPE)                                                       \
	extern "C" __global__ void __launch_bounds__(SHAPE::Threads, SHAPE::Blocks)          \
	    name(bf16* out, const bf16* q, Cache c, Problem t, Scores f) {                   \
		attend<SHAPE>(out, q, c, t, f);                                                    \
	}

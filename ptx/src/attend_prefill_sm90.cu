// attend_prefill_sm90.cu: attention of prompts on Hopper. Warp groups multiply, 64 rows of queries each; one more gathers K
// and V, 128 keys of either at a time, into a ring of places.
// data    q, out [T,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, online softmax in powers of two, P rounded to bf16; repeatable, without room in any batch
// needs   sm_90a, D in {64, 128}, no softcap, rows 16-byte aligned        launch  grid SMs, fewer for fewer half tiles, block 384
// moves   4*Heads*D operations a visible (query, key) pair; goal: 480 TFLOP/s at D=128, 16k keys
// source  Shah et al. 2024 (FlashAttention-3), arXiv:2407.08608; spans as in Dao et al. 2023 (Flash-Decoding)
// pairs   ../attend.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend_prefill_work_sm90.cuh"
#include "attend_products_sm90.cuh"
#include "hopper.cuh"

constexpr int kConsumers = 2, kBlock = 128 * 128, kThreads = 128 * (1 + kConsumers);
constexpr int kGatherRegisters = 72, kMultiplyRegisters = 216;

// Shared memory holds rows of 64 dimensions, 128 bytes, whose 16-byte chunks are swapped by the row's low bits (the
// 128-byte swizzle of wgmma): D/64 blocks of such rows for the queries, and for the keys or values of a step.
template <int Dim, int PlaceCount>
struct Shape {
	static constexpr int D = Dim, Places = PlaceCount;
	static constexpr int Chunks = D / 8, Place = D / 64 * kBlock;
	static constexpr int Q = 0, Ring = Place, Out = Ring + Places * Place;
	static constexpr int Part = 128 * (D / 8 + 1);  // fours of floats that a warp group keeps of a span
};

__device__ __forceinline__ u32 swizzled(int row, int chunk) { return (chunk >> 3) * kBlock + row * 128 + (((chunk ^ row) & 7) << 4); }

// row_at gives the place of a row of the heads that begin at first: head row % group of token row / group.
template <class S, typename T>
__device__ __forceinline__ T* row_at(T* first, int row, const Problem& t, int stride) {
	const i64 between = static_cast<i64>(t.token_of(row)) * (2 * (stride - t.group * S::D));  // bytes of other heads
	return reinterpret_cast<T*>(reinterpret_cast<u64>(first) + between + static_cast<i64>(row) * (2 * S::D));
}

// ---- barriers ------------------------------------------------------------------------------------------------------

template <int P>
struct Barriers {
	u64 q_full, q_free, full[P], free[P];
};

// turn_wait and turn_pass let the consumers issue their products in turns, so that one's softmax runs during the other's
// products.
__device__ __forceinline__ void turn_wait(int consumer) {
	named_sync(1 + consumer, 256);
}

__device__ __forceinline__ void turn_pass(int consumer) {
	asm volatile("bar.arrive %0, 256;" ::"r"(2 - consumer) : "memory");
}

// group_sync is a barrier of one consumer.
__device__ __forceinline__ void group_sync(int consumer) { named_sync(4 + consumer, 128); }

// Ring counts the places in the order in which they are filled and read.
template <int P>
struct Ring {
	u32 place = 0, round = 0;
	__device__ __forceinline__ void next() {
		if (++place == P) place = 0, round ^= 1;
	}
};

// ---- products ------------------------------------------------------------------------------------------------------

// descriptor names a swizzled operand in shared memory: groups of eight rows are 1024 bytes apart, blocks of 64
// columns of a transposed operand kBlock. 16 bytes further on is one more.
__device__ __forceinline__ u64 descriptor(u32 addr) {
	addr = same_for_warp(addr);
	return (addr & 0x3ffff) >> 4 | static_cast<u64>(kBlock >> 4) << 16 | static_cast<u64>(1024 >> 4) << 32 | 1ull << 62;
}

// hold keeps what v comes from ahead of what follows; v is not negative, so that nothing is written. Without it the
// assembler moves the wait for the product with the values ahead of the softmax that should run beside it.
__device__ __forceinline__ void hold(float v, u32 somewhere) {
	if (v < 0.f) asm volatile("st.shared.f32 [%0], %1;" ::"r"(somewhere), "f"(v) : "memory");
}

template <class S>
__device__ __forceinline__ void multiply_keys(float (&s)[16][4], u32 q, u32 k) {
	const u64 a = descriptor(q), b = descriptor(k);
	wgmma_fence();
#pragma unroll
	for (int d = 0; d < S::D / 16; d++) multiply(s, a + (d / 4 * kBlock + d % 4 * 32) / 16, b + (d / 4 * kBlock + d % 4 * 32) / 16, d > 0);
	wgmma_commit();
}

template <class S>
__device__ __forceinline__ void add_values(float (&o)[S::D / 8][4], const u32 (&p)[8][4], u32 v) {
	const u64 b = descriptor(v);
	wgmma_fence();
#pragma unroll
	for (int n = 0; n < kKeys / 16; n++) accumulate(o, p[n], b + n * 2048 / 16);
	wgmma_commit();
}

// ---- the producer --------------------------------------------------------------------------------------------------

// Desk is what the warp groups tell each other.
template <class S>
struct Desk {
	Barriers<S::Places> bars;
	Item item;
	__align__(16) int slots[2][kKeys];  // of a step and the one before it
	bool last[kConsumers];
};

// Rows are where a step's keys or values of one head come from.
struct Rows {
	const bf16* head;
	const TensorMap& map;  // of all heads
	int first;             // row of it
};

// gather copies 16 rows, some by each of the warp's groups of lanes that have a row's chunks, to the place at to.
template <class S>
__device__ __forceinline__ void gather(u32 to, const bf16* head, const int* slots, int first) {
	constexpr int Count = S::Chunks / 2;
	const int lane = threadIdx.x & 31, row = first + lane / S::Chunks * Count, chunk = lane % S::Chunks;
	const bf16* from = head + chunk * 8;
	to += swizzled(row, chunk);
#pragma unroll
	for (int i = 0; i < Count; i += 4) {
		const int4 s = *reinterpret_cast<const int4*>(slots + row + i);
		const int slot[4] = {s.x, s.y, s.z, s.w};
#pragma unroll
		for (int e = 0; e < 4; e++) cp_async16((to ^ ((i + e) & 7) << 4) + (i + e) * 128, from + static_cast<u64>(static_cast<u32>(slot[e])) * S::D, true);
	}
}

// fill copies a step's rows into the next place, 32 in each warp. Where 16 slots follow each other, as those of a prompt
// mostly do, the copy engine takes their rows; runs has a bit for each half of the warp where they do.
template <class S>
__device__ __forceinline__ void fill(Ring<S::Places>& ring, Desk<S>& desk, u32 base, const Rows& rows, const int* slots, u32 runs) {
	const int mine = threadIdx.x & 96;
	const u32 to = base + S::Ring + ring.place * S::Place, full = smem_addr(&desk.bars.full[ring.place]);
	barrier_wait(smem_addr(&desk.bars.free[ring.place]), ring.round ^ 1);
	__syncwarp();
	if (elected()) {
		barrier_expect(full, __popc(runs) * 16 * 2 * S::D);
		const u64 policy = evict_normal();
#pragma unroll
		for (int h = 0; h < 2; h++) {
			const int row = mine + 16 * h;
#pragma unroll
			for (int d = 0; d < S::D; d += 64) {
				if (runs >> h & 1) copy_box(to + swizzled(row, d / 8), rows.map, d, rows.first + slots[row], full, policy);
			}
		}
	}
#pragma unroll 1
	for (int h = 0; h < 2; h++) {
		if (!(runs >> h & 1)) gather<S>(to, rows.head, slots, mine + 16 * h);
	}
	barrier_arrive_behind(full);
	ring.next();
}

// runs_of tells which halves of the warp have slots that follow each other.
__device__ __forceinline__ u32 runs_of(int slot) {
	const int lane = threadIdx.x & 31;
	const u32 next = __ballot_sync(kAll, slot == __shfl_sync(kAll, slot, lane & 16) + (lane & 15));
	return ((next & 0xffff) == 0xffff) | (next >> 16 == 0xffff) << 1;
}

// publish hands over an item, or the end of all.
template <class S>
__device__ __forceinline__ void publish(const Item& it, Desk<S>& desk, int done) {
	const int thread = threadIdx.x & 127;
	barrier_wait(smem_addr(&desk.bars.q_free), ~done & 1);
	__syncwarp();
	if (thread == 0) {
		desk.item = it;
		barrier_arrive(smem_addr(&desk.bars.q_full));
	}
}

// queries copies those of an item. Past its last row any one will do.
template <class S>
__device__ __forceinline__ void queries(const Item& it, const bf16* q, const Problem& t, u32 base, Desk<S>& desk) {
	constexpr int Step = 128 / S::Chunks;
	const int thread = threadIdx.x & 127, row = thread / S::Chunks, chunk = thread % S::Chunks;
	const u32 to = base + S::Q + swizzled(row, chunk);
	const bf16* from = q + static_cast<i64>(it.token0) * t.q_stride + it.head * t.group * S::D + chunk * 8;
#pragma unroll 1
	for (int h = 0; h < kConsumers; h++) {
		if ((h ? it.half[1].end : it.half[0].end) == 0) continue;
		const int at = row + (h ? it.half[1].row0 : it.half[0].row0);
#pragma unroll
		for (int i = 0; i < kHalf; i += Step) cp_async16(to + (h * kHalf + i) * 128, row_at<S>(from, min(at + i, it.rows - 1), t, t.q_stride), true);
	}
	barrier_arrive_behind(smem_addr(&desk.bars.q_full));
}

template <class S>
__device__ __forceinline__ void produce(const bf16* q, const Cache& c, const TensorMap& kmap, const TensorMap& vmap, const Problem& t, i64 room, int window, u32 base, Desk<S>& desk) {
	const int thread = threadIdx.x & 127, grid = gridDim.x, block = blockIdx.x;
	int done = 0, turn = 0;
	const Request own(t, t.first + (thread & 31));
	const Cut cut = choose_cut(t, own, window, room);
	Ring<S::Places> ring;
	Item it;
	const int* page;
	// Items come longest first; every other round goes the other way, so that each block gets its share of long ones.
	for (int round = 0; round * grid < cut.items; round++) {
		const int i = round * grid + (round & 1 ? grid - 1 - block : block);
		if (i >= cut.items || !find(it, page, i, c, t, own, window, cut)) continue;
		const i64 first = it.head * c.slots;
		const Rows k = {c.k + first * S::D, kmap, static_cast<int>(first)}, v = {c.v + first * S::D, vmap, static_cast<int>(first)};
		// Past the last key any one will do: its weight is zero. Padding has none.
		const auto slot = [&](int j) { return it.high < 0 ? 0 : page[min(j * kKeys + thread, it.high)]; };
		int next = slot(it.end - 1);
		if (done == 0) publish<S>(it, desk, done);
		u32 runs = 0, former = 0;
		for (int j = it.end - 1; j >= it.begin; j--, turn ^= 1) {
			__syncwarp();  // the slots of two steps ago have been read
			desk.slots[turn][thread] = next;
			__syncwarp();
			former = runs;
			runs = runs_of(next);
			if (j > it.begin) next = slot(j - 1);
			if (j == it.end - 1) wait_for_previous();  // the step's inputs, read so far, were there before: see overlap.cuh
			fill<S>(ring, desk, base, k, desk.slots[turn], runs);
			if (j == it.end - 1) {
				if (done > 0) publish<S>(it, desk, done);
				queries<S>(it, q, t, base, desk), done++;
			} else {
				fill<S>(ring, desk, base, v, desk.slots[turn ^ 1], former);
			}
		}
		fill<S>(ring, desk, base, v, desk.slots[turn ^ 1], runs);
	}
	wait_for_previous();
	it.end = 0;
	publish<S>(it, desk, done);
	barrier_arrive_behind(smem_addr(&desk.bars.q_full));
	cp_async_wait<0>();
}

// ---- the consumers -------------------------------------------------------------------------------------------------

// cut_scores takes out what a query may not see of the keys from key0 on; at are the positions of the thread's two rows.
__device__ __forceinline__ void cut_scores(float (&s)[16][4], const int (&at)[2], int key0, int window) {
#pragma unroll
	for (int h = 0; h < 2; h++) {
		const int to = at[h] - key0 - (threadIdx.x & 3) * 2;
#pragma unroll
		for (int n = 0; n < 16; n++) {
#pragma unroll
			for (int e = 0; e < 2; e++) {
				if (n * 8 + e > to) s[n][2 * h + e] = kMinusInf;
			}
		}
	}
	if (window == 0) return;
#pragma unroll
	for (int h = 0; h < 2; h++) {
		const int from = first_key(at[h], window) - key0 - (threadIdx.x & 3) * 2;
#pragma unroll
		for (int n = 0; n < 16; n++) {
#pragma unroll
			for (int e = 0; e < 2; e++) {
				if (n * 8 + e < from) s[n][2 * h + e] = kMinusInf;
			}
		}
	}
}

// softmax turns scores into 2^(scale·(s - m)), m the row maxima so far, and gives the factors of what was summed before:
// exactly one where the maximum stays, so that a step whose keys a row does not see leaves nothing behind. The second row's
// maximum takes in what is below all others and of a weight of the first: so ptxas has it found during the first row's exponents,
// that take the longest, and not before them.
__device__ __forceinline__ void softmax(float (&s)[16][4], float (&m)[2], float (&l)[2], float (&old)[2], float scale) {
#pragma unroll
	for (int h = 0; h < 2; h++) {
		float top = h == 0 ? m[0] : fmaxf(m[1], s[0][0] + kMinusInf);
#pragma unroll
		for (int n = 0; n < 16; n++) top = fmaxf(top, fmaxf(s[n][2 * h], s[n][2 * h + 1]));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 1));
		top = fmaxf(top, __shfl_xor_sync(kAll, top, 2));
		const float base = top == kMinusInf ? 0.f : top * scale;
		old[h] = m[h] == top ? 1.f : exp2_fast(m[h] * scale - base);
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

// Sums is a thread's two rows of the tile on their way through the keys.
template <class S>
struct Sums {
	float o[S::D / 8][4], m[2] = {kMinusInf, kMinusInf}, l[2] = {0, 0}, old[2];

	// rescale follows the maxima, which after some steps seldom move.
	__device__ __forceinline__ void rescale() {
		if (!__any_sync(kAll, old[0] != 1.f || old[1] != 1.f)) return;
#pragma unroll
		for (int n = 0; n < S::D / 8; n++) o[n][0] *= old[0], o[n][1] *= old[0], o[n][2] *= old[1], o[n][3] *= old[1];
	}

	// add takes in the sums of a span that lie at from.
	__device__ __forceinline__ void add(const float4* from, float scale) {
		const float4 ends = __ldcg(from + S::D / 8 * 128);
		const float top[2] = {fmaxf(m[0], ends.x), fmaxf(m[1], ends.y)}, its[2] = {ends.x, ends.y}, den[2] = {ends.z, ends.w};
		float mine[2];
#pragma unroll
		for (int h = 0; h < 2; h++) {
			old[h] = m[h] == kMinusInf ? 0.f : exp2_fast((m[h] - top[h]) * scale);
			mine[h] = its[h] == kMinusInf ? 0.f : exp2_fast((its[h] - top[h]) * scale);
			m[h] = top[h], l[h] = l[h] * old[h] + den[h] * mine[h];
		}
#pragma unroll
		for (int n0 = 0; n0 < S::D / 8; n0 += 8) {
			float4 v[8];  // all loads before the first use
#pragma unroll
			for (int n = 0; n < 8; n++) v[n] = __ldcg(from + (n0 + n) * 128);
#pragma unroll
			for (int n = 0; n < 8; n++) {
				float(&x)[4] = o[n0 + n];
				x[0] = x[0] * old[0] + v[n].x * mine[0], x[1] = x[1] * old[0] + v[n].y * mine[0];
				x[2] = x[2] * old[1] + v[n].z * mine[1], x[3] = x[3] * old[1] + v[n].w * mine[1];
			}
		}
	}
};

// meet keeps the sums of a span, and returns whether they have become those of the whole tile: the last consumer to come
// adds all up.
template <class S>
__device__ __forceinline__ bool meet(Sums<S>& r, const Spread& spread, const Item& it, int kv_heads, int consumer, bool& last, float scale) {
	const int thread = threadIdx.x & 127;
	const auto place = [&](int part) { return spread.sums + static_cast<i64>((it.first + part * kv_heads) * kConsumers + consumer) * S::Part + thread; };
	float4* to = place(it.part);
#pragma unroll
	for (int n = 0; n < S::D / 8; n++) __stcg(to + n * 128, {r.o[n][0], r.o[n][1], r.o[n][2], r.o[n][3]});
	__stcg(to + S::D / 8 * 128, {r.m[0], r.m[1], r.l[0], r.l[1]});
	__threadfence();
	group_sync(consumer);
	if (thread == 0) {
		u32* counter = spread.counters + it.first * kConsumers + consumer;
		last = atomicAdd(counter, 1) + 1 == it.parts;
		if (last) *counter = 0;  // for the next launch
	}
	group_sync(consumer);
	if (!last) return false;
	__threadfence();
	r.m[0] = r.m[1] = kMinusInf, r.l[0] = r.l[1] = 0;
#pragma unroll
	for (int n = 0; n < S::D / 8; n++) r.o[n][0] = r.o[n][1] = r.o[n][2] = r.o[n][3] = 0;
#pragma unroll 1
	for (int part = 0; part < it.parts; part++) r.add(place(part), scale);
	return true;
}

// write stores a warp's 16 rows through its own part of shared memory: rows of it from place on, of the item from row on.
template <class S>
__device__ __forceinline__ void write(bf16* out, const Sums<S>& r, u8* shared, u32 stage, const Item& it, int place, int row, const Problem& t) {
	constexpr int Step = 32 / S::Chunks;  // rows that a warp stores at once
	const int lane = threadIdx.x & 31, first = lane / S::Chunks, chunk = lane % S::Chunks;
	out += static_cast<i64>(it.token0) * t.out_stride + it.head * t.group * S::D + chunk * 8;
	__syncwarp();  // the former tile's rows have been read
	float inv[2];
	u32 seen[2];
#pragma unroll
	for (int h = 0; h < 2; h++) {
		float sum = r.l[h];
		sum += __shfl_xor_sync(kAll, sum, 1);
		sum += __shfl_xor_sync(kAll, sum, 2);
		inv[h] = __fdividef(1.f, sum);
		seen[h] = sum > 0.f ? ~0u : 0;  // a row of padding saw no key, and becomes zeros
	}
#pragma unroll
	for (int n = 0; n < S::D / 8; n += 2) {
		u32 v[4];
#pragma unroll
		for (int e = 0; e < 4; e++) v[e] = pack2(r.o[n + e / 2][e % 2 * 2] * inv[e % 2], r.o[n + e / 2][e % 2 * 2 + 1] * inv[e % 2]) & seen[e % 2];
		stmatrix4(stage + swizzled(place + (lane & 15), n + lane / 16), v[0], v[1], v[2], v[3]);
	}
	__syncwarp();
	const u32 from = swizzled(place + first, chunk);
	uint4 v[16 / Step];
#pragma unroll
	for (int i = 0; i < 16; i += Step) v[i / Step] = *reinterpret_cast<const uint4*>(shared + (from ^ (i & 7) << 4) + i * 128);
#pragma unroll
	for (int i = 0; i < 16; i += Step) {
		uint4* to = reinterpret_cast<uint4*>(row_at<S>(out, row + first + i, t, t.out_stride));
		if (row + first + i < it.rows) *to = v[i / Step];
	}
}

// Consumer takes a tile through its steps: 64 rows of queries at q.
template <class S>
struct Consumer {
	Desk<S>& desk;
	const u32 q, base;
	const int number, window;
	const float scale;
	Ring<S::Places> ring;
	int at[2];  // positions of the thread's two rows
	Sums<S> r;
	float s[16][4];
	u32 p[8][4];

	// await waits for places. It also fences, since the matrix units read what threads copied by another way.
	__device__ __forceinline__ void await(const Ring<S::Places>& a, const Ring<S::Places>& b) {
		barrier_wait(smem_addr(&desk.bars.full[a.place]), a.round);
		barrier_wait(smem_addr(&desk.bars.full[b.place]), b.round);
		async_fence();
	}
	__device__ __forceinline__ void await(const Ring<S::Places>& n) {
		barrier_wait(smem_addr(&desk.bars.full[n.place]), n.round);
		async_fence();
	}
	__device__ __forceinline__ u32 data(const Ring<S::Places>& n) const { return base + S::Ring + n.place * S::Place; }
	__device__ __forceinline__ void give(const Ring<S::Places>& n) {
		if ((threadIdx.x & 31) == 0) barrier_arrive(smem_addr(&desk.bars.free[n.place]));
	}

	// skip passes over a place that this consumer has no use for.
	__device__ __forceinline__ void skip() {
		barrier_wait(smem_addr(&desk.bars.full[ring.place]), ring.round);
		__syncwarp();  // no lane still waits when the place is filled again
		give(ring);
		ring.next();
	}

	// leave lets the other consumer have its steps down to end: keys of each, and the values of all but the last.
	__device__ __forceinline__ void leave(const Item& it, int end) {
#pragma unroll 1
		for (int j = it.end - 1; j >= end; j--) {
			turn_wait(number);
			turn_pass(number);
			skip();
			if (j < it.end - 1) skip();
		}
	}

	__device__ __forceinline__ void cut(const Half& half, int j) {
		if ((j + 1) * kKeys > half.low + 1 || j * kKeys < first_key(half.high, window)) cut_scores(s, at, j * kKeys, window);
	}

	// begin multiplies with the first keys, prepares for the tile meanwhile, and waits for the scores.
	__device__ __forceinline__ void begin(const Item& it, const Half& half, const Problem& t) {
		await(ring);
		turn_wait(number);
		multiply_keys<S>(s, q, data(ring));
		turn_pass(number);
		const int row = half.row0 + (threadIdx.x >> 5 & 3) * 16 + (threadIdx.x & 31) / 4;
#pragma unroll
		for (int h = 0; h < 2; h++) at[h] = it.pos0 + t.token_of(min(row + 8 * h, it.rows - 1));
		r.m[0] = r.m[1] = kMinusInf, r.l[0] = r.l[1] = 0;
#pragma unroll
		for (int n = 0; n < S::D / 8; n++) r.o[n][0] = r.o[n][1] = r.o[n][2] = r.o[n][3] = 0;
		wgmma_wait<0>();
		settled(s);
		give(ring);
		ring.next();
	}

	// values adds those of the next place.
	__device__ __forceinline__ void values() {
		await(ring);
		add_values<S>(r.o, p, data(ring));
		wgmma_wait<0>();
		settled(r.o);
		give(ring);
		ring.next();
	}

	// advance multiplies with the keys of step j and adds the values of the step before, whose probabilities are in p.
	__device__ __forceinline__ void advance(const Item& it, const Half& half, int j) {
		const Ring<S::Places> k = ring;
		ring.next();
		const Ring<S::Places> v = ring;
		ring.next();
		await(k, v);
		turn_wait(number);
		multiply_keys<S>(s, q, data(k));
		add_values<S>(r.o, p, data(v));
		turn_pass(number);
		wgmma_wait<1>();
		settled(s);
		give(k);
		cut(half, j);
		softmax(s, r.m, r.l, r.old, scale);
		hold(r.l[0] + r.l[1], q);
		wgmma_wait<0>();
		settled(r.o);
		give(v);
		r.rescale();
		pack(p, s);
	}

	// tile takes its half of an item, whose steps may begin behind those of the other half.
	__device__ __forceinline__ void tile(const Item& it, const Half& half, const Problem& t) {
		leave(it, half.end);
		begin(it, half, t);
		cut(half, half.end - 1);
		softmax(s, r.m, r.l, r.old, scale);
		pack(p, s);
		if (half.end < it.end) skip();  // values of the other's last step alone
		for (int j = half.end - 2; j >= it.begin; j--) advance(it, half, j);
		free_queries();
		values();
	}

	__device__ __forceinline__ void free_queries() {
		__syncwarp();  // all lanes know the item
		if ((threadIdx.x & 31) == 0) barrier_arrive(smem_addr(&desk.bars.q_free));
	}
};

template <class S>
__device__ __forceinline__ void consume(bf16* out, const Problem& t, const Scores& f, const Spread& spread, u8* shared, u32 base, Desk<S>& desk, int number) {
	const int row = (threadIdx.x >> 5 & 3) * 16;
	Consumer<S> c = {desk, base + S::Q + number * kHalf * 128, base, number, f.window, f.scale};
	if (number == kConsumers - 1) turn_pass(number);
	for (int done = 0;; done++) {
		barrier_wait(smem_addr(&desk.bars.q_full), done & 1);
		const Item it = desk.item;
		if (it.end == 0) break;
		const Half half = desk.item.half[number];
		if (half.end == 0) {
			c.leave(it, it.begin);
			c.skip();
			c.free_queries();
			continue;
		}
		c.tile(it, half, t);
		if (it.parts > 1 && !meet<S>(c.r, spread, it, t.kv_heads, number, desk.last[number], f.scale)) continue;
		write<S>(out, c.r, shared + S::Out, base + S::Out, it, number * kHalf + row, half.row0 + row, t);
	}
	if (number == 0) turn_wait(number);  // the other's last pass
}

template <class S>
__device__ __forceinline__ void attend(const TensorMap& kmap, const TensorMap& vmap, bf16* out, const bf16* q, const Cache& c, const Problem& t, const Scores& f, const Spread& spread) {
	extern __shared__ u8 unaligned[];
	__shared__ Desk<S> desk;
	const u32 base = smem_addr(unaligned) + 1023 & ~1023u;
	u8* shared = unaligned + (base - smem_addr(unaligned));
	if (threadIdx.x == 32) prefetch_map(kmap), prefetch_map(vmap);
	if (threadIdx.x == 0) {
		barrier_init(smem_addr(&desk.bars.q_full), 129), barrier_init(smem_addr(&desk.bars.q_free), kConsumers * 4);
		for (int i = 0; i < S::Places; i++) {
			barrier_init(smem_addr(&desk.bars.full[i]), 132), barrier_init(smem_addr(&desk.bars.free[i]), kConsumers * 4);
		}
		barriers_ready();
	}
	let_next_start();
	__syncthreads();
	if (threadIdx.x < 128) {
		fewer_registers<kGatherRegisters>();
		produce<S>(q, c, kmap, vmap, t, spread.room, f.window, base, desk);
	} else {
		more_registers<kMultiplyRegisters>();
		wait_for_previous();
		consume<S>(out, t, f, spread, shared, base, desk, threadIdx.x / 128 - 1);
	}
}

#define ATTEND_PREFILL(D, PLACES)                                                                                     \
	extern "C" __global__ void __launch_bounds__(kThreads, 1)                                                           \
	    attend_prefill_sm90_##D(const __grid_constant__ TensorMap kmap, const __grid_constant__ TensorMap vmap, bf16* out, \
	                            const bf16* q, Cache c, Problem t, Scores f, Spread spread) {                          \
		attend<Shape<D, PLACES>>(kmap, vmap, out, q, c, t, f, spread);                                                    \
	}

ATTEND_PREFILL(64, 10)
ATTEND_PREFILL(128, 5)

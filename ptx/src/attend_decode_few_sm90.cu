// attend_decode_few_sm90.cu: decode attention for few requests on Hopper, in blocks that take a leaf each.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    as attend_decode_sm90.cu, bit by bit
// needs   sm_90a, D in {64, 128}, at most 8 heads a KV head, B <= 32, kept absent   launch  grid that runs at once, block 128
// moves   4*D bytes a key and KV head; goal: the latency of one read behind the kernel ahead
// source  split KV as in Dao et al. 2023 (Flash-Decoding)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#define WEFT_HOPPER
#include "attend_leaves_sm90.cuh"

// With few requests time is what passes between the kernel ahead and the next. So this kernel plans without a barrier, has the
// keys of its first leaf in shared memory before the kernel ahead has ended, and goes straight through the rest: the sums of a
// pair's leaves go to memory, but for those of the last, whose block takes the others as they come.
//
// A worker has places for the keys of one turn, K and V of 16 each, and those of its next turn on their way as soon as they
// have been read.
//
// What runs behind the wait for the kernel ahead is not in the instruction cache, so little is left to do there. Addresses, masks
// and which way to go are made before it; all keys but the newest are copied before it; and a block whose leaves are of one turn,
// as most are, goes straight through one, or through each, for which the code then is at hand.

constexpr int kNone = -1;  // in place of a line: no key that counts, or one that the kernel ahead may still write

// copy_if copies 16 bytes of a line, or writes zeros for kNone.
__device__ __forceinline__ void copy_if(int line, u32 to, const void* from) {
	asm volatile("{ .reg .pred p; setp.lt.s32 p, %2, 0; cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, p, %3; }" ::"r"(to), "l"(from), "r"(line), "l"(kOnce) : "memory");
}

// Leaves are those of request number `lane`, on the line of all.
struct Leaves {
	int begin, end;  // all heads'
	int each, log;   // leaves of a head, units of one as a power of two
	int context, row;
};

__device__ __forceinline__ Leaves count_leaves(const Problem& t, int window) {
	const int lane = threadIdx.x & 31;
	Leaves l = {};
	if (lane < t.requests) {
		l.context = t.context[lane], l.row = t.rows[lane];
		const int units = count_units(l.context, window);
		l.log = leaf_log(units);
		l.each = (units + (1 << l.log) - 1) >> l.log;
	}
	l.end = l.each * t.kv_heads;
	l.begin = l.end;
#pragma unroll
	for (int o = 1; o < 32; o <<= 1) {
		const int v = __shfl_up_sync(kAll, l.end, o);
		if (lane >= o) l.end += v;
	}
	l.begin = l.end - l.begin;
	return l;
}

// Turn is the 32 keys that a worker takes at once.
struct Turn {
	int leaf;  // on the line
	int b, h, in, leaves;  // request, KV head, leaf of the pair
	int key, to, context;  // the leaf ends before to
	int low;               // the first key that counts
	bool single;           // no worker has more than one turn of the leaf
	int row;               // where the head's slots begin
	const int* page;

	// find gives the worker's first turn of the leaf, if there is one.
	__device__ __forceinline__ bool find(const Leaves& l, const Problem& t, const Cache& c, int window, int worker) {
		const u32 beyond = __ballot_sync(kAll, leaf < l.end);
		if (beyond == 0) return false;
		b = __ffs(beyond) - 1;
		const u32 at = leaf - __shfl_sync(kAll, l.begin, b);
		leaves = __shfl_sync(kAll, l.each, b), context = __shfl_sync(kAll, l.context, b);
		const int log = __shfl_sync(kAll, l.log, b);
		h = at / static_cast<u32>(leaves), in = at - h * leaves;
		const int from = (first_unit(context, window) + (in << log)) * kUnit;
		key = from + (worker + h) % kWorkers * kTurn, to = min(from + (kUnit << log), context);
		low = first_key(context - 1, window), single = log == 0;
		row = static_cast<int>(h * c.slots), page = c.pages + max(__shfl_sync(kAll, l.row, b), 0) * c.page_stride;
		return true;
	}

	// line is that of key + lane among the slots of all heads, or kNone.
	__device__ __forceinline__ int line() const {
		const int k = key + static_cast<int>(threadIdx.x & 31);
		return k >= low && k < to ? row + page[k] : kNone;
	}
};

// Lines are those of the eights of a turn's keys that a lane copies, 16 bytes of each.
struct Lines {
	int at[kTurn / 4];

	__device__ __forceinline__ void share(int line) {
#pragma unroll
		for (int i = 0; i < kTurn / 4; i++) at[i] = __shfl_sync(kAll, line, (threadIdx.x & 31) / 8 + 4 * i);
	}

	__device__ __forceinline__ void pin() const {
#pragma unroll
		for (int i = 0; i < kTurn / 4; i += 2) ::pin(static_cast<u32>(at[i]), static_cast<u32>(at[i + 1]));
	}
};

// fetch starts the copies of K or V of the turn's keys. Where there is no key it writes zeros, so that what is not weighed makes
// no NaN.
template <int D>
__device__ __forceinline__ void fetch(u32 to, const bf16* plane, const Lines& lines) {
	using S = Swizzled<D>;
	const int lane = threadIdx.x & 31, first = lane / 8, chunk = lane % 8;
	const u8* from = opaque(reinterpret_cast<const u8*>(plane) + chunk * 16);
	to += first * 128 + ((chunk ^ first) << 4);
#pragma unroll
	for (int i = 0; i < kTurn / 4; i++) {
		const u8* line = from + static_cast<i64>(lines.at[i]) * (2 * D);
		const u32 row = (to ^ (i & 1) << 6) + i / 4 * S::Place + i % 4 * 512;
#pragma unroll
		for (int d = 0; d < D / 64; d++) copy_if(lines.at[i], row + d * S::Half, line + d * 128);
	}
}

// Newest is a request's newest key, of which each lane copies 16 bytes behind the wait, first those of K.
template <int D>
struct Newest {
	static constexpr int Chunks = D / 8;

	const u8* from;
	u32 to;
	u32 key, value;  // the lane copies of either

	// find looks for it in the worker's first turn, whose K lies at keys, and takes it out of the lines.
	__device__ __forceinline__ void find(const Cache& c, const Turn& n, int& line, u32 keys) {
		using S = Swizzled<D>;
		const int lane = threadIdx.x & 31, at = n.context - 1 - n.key, chunk = lane % Chunks;
		const bool there = n.key < n.to && at < kTurn;
		const i64 row = max(__shfl_sync(kAll, line, at & 31), 0);
		from = opaque(reinterpret_cast<const u8*>(lane < Chunks ? c.k : c.v) + row * (2 * D) + chunk * 16);
		to = opaque(keys + (lane < Chunks ? 0 : kTiles * S::Place) + at / kGroup * S::Place + chunk / 8 * S::Half + at % kGroup * 128 + ((chunk ^ at) % 8 << 4));
		key = there && lane < Chunks, value = there && lane >= Chunks && lane < 2 * Chunks;
		if (there && lane == at) line = kNone;
	}

	__device__ __forceinline__ float4 load() const {
		float4 v;
		asm volatile("{ .reg .pred p; setp.ne.u32 p, %5, 0; @p ld.relaxed.gpu.global.v4.f32 {%0,%1,%2,%3}, [%4]; }" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "l"(from), "r"(key | value) : "memory");
		return v;
	}

	// store_key follows the wait for copies of keys, which leave zeros there, and store_value that for those of values.
	__device__ __forceinline__ void store_key(const float4& v) const { store_if(key, to, v); }
	__device__ __forceinline__ void store_value(const float4& v) const { store_if(value, to, v); }
};

// Job is a leaf of one turn: its queries, masks, and what becomes of its sums. A mask is added to a score, or it is the most that
// the score may be: so queries that are no numbers do not count either, where no key does.
template <int D, int E, int W, bool Bounds>
struct Job {
	const u32* q;  // where there is no head it is the last: what it gives is that head's
	float mask[kTiles * 2];
	Finish<D, W> finish;

	__device__ __forceinline__ Job(u32 meeting, const bf16* q0, bf16* out, float* kept, const Problem& t, const Turn& n)
	    : finish(meeting, t.group, out + n.b * t.out_stride + n.h * t.group * D, kept, n.b * t.kv_heads + n.h, n.in, n.leaves) {
		const int lane = threadIdx.x & 31;
		q = opaque(reinterpret_cast<const u32*>(q0 + n.b * t.q_stride + (n.h * t.group + min(lane / 4 * E / 2, t.group - 1)) * D + (lane & 3) * 2));
#pragma unroll
		for (int i = 0; i < kTiles * 2; i++) {
			const int key = n.key + lane / 4 + 8 * i;
			mask[i] = opaque(key < n.low || key >= n.to ? kMinusInf : Bounds ? -kMinusInf : 0.f);
		}
	}

	__device__ __forceinline__ void pin() const {
		::pin(q, __float_as_uint(mask[0])), ::pin(finish.sums, __float_as_uint(mask[1])), ::pin(__float_as_uint(mask[2]), __float_as_uint(mask[3]));
		finish.pin();
	}
};

// Once is what a worker does with its turn where a leaf has one, with E heads a lane of the two that a product has: up to four
// heads lie in every other column.
template <int D, int E>
struct Once {
	using S = Swizzled<D>;

	Place<D, E> place;
	u32 keys, k[4], v[4];  // where copies go, and what the lane reads for products, by 16 dimensions of 64
	float scale;

	u32 b[D / 16][2];
	float s[kTiles][4], m[E], l[E], o[D / 16][4];
	u32 weights[kTiles][2];

	__device__ __forceinline__ Once(u32 meeting, const Scores& f, u32 at, int worker, int heads) : place(meeting, worker, heads), keys(at) {
		const int lane = threadIdx.x & 31;
		const u32 k0 = keys + (lane & 15) * 128 + ((lane >> 4 ^ lane & 7) << 4);
		const u32 v0 = keys + kTiles * S::Place + ((lane & 7) + (lane >> 4) * 8) * 128 + ((lane >> 3 & 1 ^ lane & 7) << 4);
#pragma unroll
		for (int d = 0; d < 4; d++) k[d] = opaque(k0 ^ d << 5), v[d] = opaque(v0 ^ d << 5);
		scale = opaque(f.scale);
	}

	__device__ __forceinline__ void pin() const {
#pragma unroll
		for (int i = 0; i < 4; i++) ::pin(k[i], v[i]);
#pragma unroll
		for (int e = 0; e < E; e++) ::pin(place.sums[e], place.ends[e]);
		::pin(keys, __float_as_uint(scale));
	}

	// load reads the queries, score multiplies them by the keys, weigh makes weights of that, and add takes in the values: what Pass
	// does, in the same order, with sums that begin at zero.
	__device__ __forceinline__ void load(const u32* q) {
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
#pragma unroll
			for (int e = 0; e < 2; e++) asm volatile("ld.global.b32 %0, [%1];" : "=r"(b[d][e]) : "l"(q + d * 8 + e * 4) : "memory");
		}
	}

	__device__ __forceinline__ void score() {
#pragma unroll
		for (int i = 0; i < kTiles; i++) {
			constexpr int kChains = 4;
			float sums[kChains][4] = {};
#pragma unroll
			for (int d = 0; d < D / 16; d++) {
				u32 a[4];
				ldmatrix4(a, k[d % 4] + i * S::Place + d / 4 * S::Half);
				mma(sums[d % kChains], a, b[d][0], b[d][1]);
			}
#pragma unroll
			for (int e = 0; e < 4; e++) s[i][e] = (sums[0][e] + sums[1][e]) + (sums[2][e] + sums[3][e]);
		}
	}

	template <int W>
	__device__ __forceinline__ void weigh(const Job<D, E, W, false>& job) {
		weigh([&](float x, int i) { return __fmaf_rn(x, scale, job.mask[i]); });
	}
	template <int W>
	__device__ __forceinline__ void weigh(const Job<D, E, W, true>& job) {
		weigh([&](float x, int i) { return fminf(x * scale, job.mask[i]); });
	}
	template <class F>
	__device__ __forceinline__ void weigh(const F& masked) {
#pragma unroll
		for (int e = 0; e < E; e++) {
			m[e] = kLowest;
#pragma unroll
			for (int i = 0; i < kTiles * 2; i++) {
				float& x = s[i / 2][i % 2 * 2 + e];
				x = masked(x, i), m[e] = fmaxf(m[e], x);
			}
		}
#pragma unroll
		for (int i = 4; i < 32; i *= 2) {
#pragma unroll
			for (int e = 0; e < E; e++) m[e] = fmaxf(m[e], __shfl_xor_sync(kAll, m[e], i));
		}
#pragma unroll
		for (int i = 0; i < kTiles; i++) {
			float w[4] = {};
#pragma unroll
			for (int e = 0; e < E; e++) {
				w[e] = exp2_fast(s[i][e] - m[e]), w[e + 2] = exp2_fast(s[i][e + 2] - m[e]);
				l[e] = i == 0 ? w[e] + w[e + 2] : l[e] + (w[e] + w[e + 2]);
			}
			weights[i][0] = transpose(pack2(w[0], w[1]));
			weights[i][1] = transpose(pack2(w[2], w[3]));
		}
	}

	__device__ __forceinline__ void add() {
#pragma unroll
		for (int d = 0; d < D / 16; d++) o[d][0] = o[d][1] = o[d][2] = o[d][3] = 0;
#pragma unroll
		for (int i = 0; i < kTiles; i++) {
#pragma unroll
			for (int d = 0; d < D / 16; d++) {
				u32 a[4];
				ldmatrix4_trans(a, v[d % 4] + i * S::Place + d / 4 * S::Half);
				mma(o[d], a, weights[i][0], weights[i][1]);
			}
		}
		place.template hand<false>(o, m, l);
	}
};

__device__ __forceinline__ bool never(int heads) { return __builtin_expect(static_cast<int>(opaque(static_cast<u32>(heads))) < 0, 0); }

// run_once is for a block that has one leaf of one turn.
template <int D, int E, int W>
__device__ __forceinline__ void run_once(Once<D, E> once, Job<D, E, W, false> job, const Newest<D>& newest, int heads, bool busy) {
	if (never(heads)) once.pin(), job.pin();
	if (!busy) once.place.nothing(heads);
	wait_for_previous();
	if (busy) {
		const float4 late = newest.load();
		once.load(job.q);
		cp_async_wait<1>();
		__syncwarp();
		newest.store_key(late);
		__syncwarp();
		once.score();
		once.weigh(job);
		cp_async_wait<0>();
		__syncwarp();
		newest.store_value(late);
		__syncwarp();
		once.add();
	}
	__syncthreads();
	job.finish.run();
}

template <int D, int E, int W>
__device__ __forceinline__ void run_once(bf16* out, const bf16* q, float* kept, const Problem& t, const Scores& f, const Newest<D>& newest, const Turn& n, u32 keys, u32 meeting, bool busy) {
	run_once(Once<D, E>(meeting, f, keys, threadIdx.x >> 5, t.group), Job<D, E, W, false>(meeting, q, out, kept, t, n), newest, t.group, busy);
}

// run_each is for a block that may have some, all of one turn: copies of the next are under way while one is weighed. Workers
// without keys do as the others, over zeros that do not count.
template <int D, int E, int W>
__device__ __forceinline__ void run_each(bf16* out, const bf16* q, const Cache& c, float* kept, const Problem& t, const Scores& f, const Newest<D>& newest, const Leaves& line, Turn next, u32 keys, u32 meeting) {
	using S = Swizzled<D>;
	const int worker = threadIdx.x >> 5;
	const u32 values = keys + kTiles * S::Place;
	Once<D, E> once(meeting, f, keys, worker, t.group);
	Job<D, E, W, true> job(meeting, q, out, kept, t, next);
	Lines lines = {};
	auto go_on = [&] {
		next.leaf += gridDim.x;
		const bool more = next.find(line, t, c, f.window, worker);
		if (more) lines.share(next.line());
		return more;
	};
	bool more = go_on();
	Job<D, E, W, true> then(meeting, q, out, kept, t, next);
	then.finish.stay(job.finish);
	if (never(t.group)) once.pin(), job.pin(), then.pin(), lines.pin();
	wait_for_previous();
	const float4 late = newest.load();
	once.load(job.q);
	u32 key = newest.key, value = newest.value;
#pragma unroll 1
	for (;;) {
		cp_async_wait<1>();
		__syncwarp();
		store_if(key, newest.to, late), key = 0;
		__syncwarp();
		once.score();
		__syncwarp();
		if (more) fetch<D>(keys, c.k, lines), once.load(then.q);
		cp_async_commit();
		once.weigh(job);
		cp_async_wait<1>();
		__syncwarp();
		store_if(value, newest.to, late), value = 0;
		__syncwarp();
		once.add();
		__syncwarp();
		if (more) fetch<D>(values, c.v, lines);
		cp_async_commit();
		__syncthreads();
		Finish<D, W>(job.finish).run();
		if (!more) return;
		job = then, more = go_on();
		if (more) then = Job<D, E, W, true>(meeting, q, out, kept, t, next), then.finish.stay(job.finish);
		__syncthreads();  // the sums have been read
	}
}

template <int D>
__device__ __forceinline__ void attend_few(bf16* out, const bf16* q, const Cache& c, float* kept, const Problem& t, const Scores& f) {
	using S = Swizzled<D>;
	extern __shared__ __align__(128) u8 shared[];
	const int worker = threadIdx.x >> 5;
	const u32 base = smem_addr(shared) + 1023 & ~1023u, keys = base + worker * 2 * kTiles * S::Place, values = keys + kTiles * S::Place;
	const u32 meeting = base + kWorkers * 2 * kTiles * S::Place;
	let_next_start();
	const Leaves line = count_leaves(t, f.window);
	Turn next;
	next.leaf = blockIdx.x;
	if (!next.find(line, t, c, f.window, worker)) return;
	const bool busy = __any_sync(kAll, next.key < next.to);  // so that ptxas knows that all lanes go the same way
	int mine = next.line();
	Newest<D> newest;
	newest.find(c, next, mine, keys);
	Lines lines;
	lines.share(mine);
	fetch<D>(keys, c.k, lines);
	cp_async_commit();
	fetch<D>(values, c.v, lines);
	cp_async_commit();

	const int all = __shfl_sync(kAll, line.end, 31);
	const bool each = all > static_cast<int>(gridDim.x) && __all_sync(kAll, line.log == 0), once = next.single && next.leaf + static_cast<int>(gridDim.x) >= all;
	if (__any_sync(kAll, f.softcap == 0.f && (each || once))) {
		if (!each) {
			if (t.group * D / 2 <= kThreads) run_once<D, 1, 2>(out, q, kept, t, f, newest, next, keys, meeting, busy);
			else if (t.group <= 4) run_once<D, 1, 4>(out, q, kept, t, f, newest, next, keys, meeting, busy);
			else run_once<D, 2, 4>(out, q, kept, t, f, newest, next, keys, meeting, busy);
		} else {
			if (t.group * D / 2 <= kThreads) run_each<D, 1, 2>(out, q, c, kept, t, f, newest, line, next, keys, meeting);
			else if (t.group <= 4) run_each<D, 1, 4>(out, q, c, kept, t, f, newest, line, next, keys, meeting);
			else run_each<D, 2, 4>(out, q, c, kept, t, f, newest, line, next, keys, meeting);
		}
		return;
	}

	auto pair_of = [&](const Turn& n) { return n.b * t.kv_heads + n.h; };
	auto out_of = [&](const Turn& n) { return out + n.b * t.out_stride + n.h * t.group * D; };
	auto queries_of = [&](const Turn& n) { return q + n.b * t.q_stride + n.h * t.group * D; };
	const Place<D, 2> place(meeting, worker, t.group);
	Pass<D> a;
	int pair = pair_of(next);  // whose queries are in registers
	bool more = true;
	wait_for_previous();
	const float4 late = newest.load();
	a.load(queries_of(next), t.group);
	cp_async_wait<0>();
	__syncwarp();
	newest.store_key(late);
	newest.store_value(late);
#pragma unroll 1
	while (more) {
		const Turn n = next;
		if (pair_of(n) != pair) a.load(queries_of(n), t.group), pair = pair_of(n);
		a.start();
		bool ends;
#pragma unroll 1
		do {
			const int key = next.key, to = next.to;
			next.key += kWorkers * kTurn;
			ends = next.key >= next.to;
			if (ends) {
				next.leaf += gridDim.x;
				more = next.find(line, t, c, f.window, worker);
			}
			if (more) lines.share(next.line());
			cp_async_wait<1>();
			__syncwarp();
			if (key < to) {
				a.score(0, keys);
				a.score(1, keys + S::Place);
			}
			__syncwarp();
			if (more && next.key < next.to) fetch<D>(keys, c.k, lines);
			cp_async_commit();
			if (key < to) a.weigh(key == n.key, key, n.low, to, f);
			cp_async_wait<1>();
			__syncwarp();
			if (key < to) {
				a.add(0, values);
				a.add(1, values + S::Place);
			}
			__syncwarp();
			if (more && next.key < next.to) fetch<D>(values, c.v, lines);
			cp_async_commit();
		} while (!ends);
		const float tops[2] = {fmaxf(a.m[0][0], kLowest), fmaxf(a.m[0][1], kLowest)};
		place.template hand<true>(a.o[0], tops, a.l[0]);
		Finish<D, 4> finish(meeting, t.group, out_of(n), kept, pair_of(n), n.in, n.leaves);
		__syncthreads();
		finish.run();
		if (more) __syncthreads();  // the sums have been read
	}
}

#define ATTEND_DECODE_FEW_SM90(D)                                                                                          \
	extern "C" __global__ void __launch_bounds__(128, 3)                                                                   \
	    attend_decode_few_sm90_##D(bf16* out, const bf16* q, Cache c, float* kept, Problem t, Scores f) {                 \
		attend_few<D>(out, q, c, kept, t, f);                                                                                \
	}

ATTEND_DECODE_FEW_SM90(64)
ATTEND_DECODE_FEW_SM90(128)

// attend_decode_few_sm90.cu: decode attention for few requests on Hopper, in blocks that take a leaf each.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    as attend_decode_sm90.cu, bit by bit
// needs   sm_90a, D in {64, 128}, at most 8 heads a KV head, B <= 32, kept absent   launch  grid that runs at once, block 128
// moves   4*D bytes a key and KV head; goal: the latency of one read behind the kernel ahead
// source  split KV as in Dao et al. 2023 (Flash-Decoding)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#define WEFT_HOPPER
#include "attend_pass_sm90.cuh"

// With few requests time is what passes between the kernel ahead and the next. So this kernel plans without a barrier, has the
// keys of its first leaf in shared memory before the kernel ahead has ended, and goes straight through the rest: the sums of a
// pair's leaves go to memory, but for those of the last, whose block takes the others as they come.
//
// A worker has places for the keys of one turn, K and V of 16 each, and those of its next turn on their way as soon as they
// have been read.

constexpr u32 kAllParts = (1 << kTiles) - 1;  // of a turn, 16 keys each

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
		row = static_cast<int>(h * c.slots), page = c.pages + max(__shfl_sync(kAll, l.row, b), 0) * c.page_stride;
		return true;
	}

	// newest is the parts that have the request's newest key, as a mask of 16 keys each.
	__device__ __forceinline__ u32 newest() const {
		const int left = context - key;
		return key >= to || left > kTurn ? 0 : left > kGroup ? 2 : 3;
	}

	// slot is that of key + lane; past the end any key will do, as its weight is zero.
	__device__ __forceinline__ int slot() const { return key < to ? page[min(key + static_cast<int>(threadIdx.x & 31), to - 1)] : 0; }
};

// fetch starts the copies of K or V of the turn's keys that mask has.
template <int D>
__device__ __forceinline__ void fetch(u32 to, const bf16* plane, const Turn& n, int slot, u32 mask) {
	if (n.key < n.to) {
#pragma unroll
		for (int tile = 0; tile < kTiles; tile++)
			if (mask >> tile & 1) gather_rows<D>(to + tile * Swizzled<D>::Place, plane, n.row, slot, tile);
	}
	cp_async_commit();
}

// Kept is where leaves of a pair wait for its last: of each four dimensions of all heads the sums, then maximum and denominator.
// All of it is absent between launches.
template <int D>
struct Kept {
	static constexpr int kFours = 8 * D / 4;   // of a leaf, for the most heads
	static constexpr int kBatch = 8;           // leaves that are read together
	static constexpr int kLeaf = kFours * 24;  // bytes of one
	static_assert(kMaxLeaves % kBatch == 0, "a batch would go beyond its pair");

	u8 *sums, *ends;  // of leaf 0

	__device__ __forceinline__ Kept(float* kept, int pair, int i) {
		u8* at = reinterpret_cast<u8*>(kept) + static_cast<i64>(pair) * (kMaxLeaves * kLeaf);
		sums = opaque(at + i * 16), ends = opaque(at + kFours * 16 + i * 8);
	}

	__device__ __forceinline__ void put(int leaf, const float4& o, const float2& e) const {
		leave(reinterpret_cast<float4*>(sums + leaf * kLeaf), o), leave(reinterpret_cast<float2*>(ends + leaf * kLeaf), e);
	}

	// total waits for the first n leaves and adds them up, from left to right. What is absent makes a NaN.
	__device__ __forceinline__ Sum total(int n) const {
#pragma unroll 1
		for (int looks = 1;; looks++) {
			bool all = true;
			Sum s;
#pragma unroll 1
			for (int leaf = 0; leaf < n; leaf += kBatch) {
				float4 o[kBatch];
				float2 e[kBatch];
#pragma unroll
				for (int j = 0; j < kBatch; j++) {
					o[j] = look(reinterpret_cast<const float4*>(sums + leaf * kLeaf + j * kLeaf));
					e[j] = look(reinterpret_cast<const float2*>(ends + leaf * kLeaf + j * kLeaf));
				}
#pragma unroll
				for (int j = 0; j < kBatch; j++) {
					const Sum x = {e[j].x, e[j].y, o[j]};
					if (leaf + j == 0) s = x;
					else if (leaf + j < n) s.add(x);
				}
				if (__builtin_expect(looks % kPatience, 1)) continue;
#pragma unroll
				for (int j = 0; j < kBatch; j++) all &= leaf + j >= n || is_present(o[j]) && is_present(e[j]);
			}
			const float any = s.l + (s.o.x + s.o.y) + (s.o.z + s.o.w);
			if (__builtin_expect(any == any && s.m == s.m, 1) || looks % kPatience == 0 && all) return s;
		}
	}

	// clear is for the next launch.
	__device__ __forceinline__ void clear(int n) const {
#pragma unroll 1
		for (int leaf = 0; leaf < n; leaf += kBatch) {
#pragma unroll
			for (int j = 0; j < kBatch; j++) put(leaf + j, absent(), absent2());
		}
	}
};

// finish_leaf adds up the workers' sums of the leaf, and behind the pair's last those of all. The others come before it on the
// line, and so from blocks that wait for none that come later.
template <int D>
__device__ __forceinline__ void finish_leaf(bf16* to, float* kept_at, const Turn& n, int pair, const Desk& desk) {
	const int before = n.leaves - 1, fours = desk.heads * D / 4;
	for (int i = threadIdx.x; i < fours; i += blockDim.x) {
		Sum x = gather<D>(desk, i);
		const Kept<D> kept(kept_at, pair, i);
		if (n.in < before) {
			kept.put(n.in, x.o, {x.m, x.l});
			continue;
		}
		if (before > 0) {
			Sum s = kept.total(before);
			s.add(x);
			x = s;
		}
		x.write(to + i * 4);
		kept.clear(before);
	}
}

template <int D>
__device__ __forceinline__ void attend_few(bf16* out, const bf16* q, const Cache& c, float* kept, const Problem& t, const Scores& f) {
	using S = Swizzled<D>;
	extern __shared__ __align__(128) u8 shared[];
	const int worker = threadIdx.x >> 5;
	const u32 base = smem_addr(shared) + 1023 & ~1023u, keys = base + worker * 2 * kTiles * S::Place, values = keys + kTiles * S::Place;
	Desk desk = {reinterpret_cast<float*>(shared + (base - smem_addr(shared)) + kWorkers * 2 * kTiles * S::Place), nullptr, kWorkers, t.group, 1};
	desk.ends = desk.sums + kWorkers * desk.heads * Shape<D>::Row;
	let_next_start();
	const Leaves line = count_leaves(t, f.window);
	Turn next;
	next.leaf = blockIdx.x;
	if (!next.find(line, t, c, f.window, worker)) return;
	int slot = next.slot();
	// The kernel ahead may still write the newest key: its 16 are copied behind the wait, from L2.
	u32 late = next.newest();
	fetch<D>(keys, c.k, next, slot, kAllParts & ~late);
	fetch<D>(values, c.v, next, slot, kAllParts & ~late);
	if (late >> (threadIdx.x & 31) / kGroup & 1) reach<D>(c, next.row, slot);

	Pass<D> a;
	int pair = -1;  // whose queries are in registers
	bool more = true;
	wait_for_previous();
#pragma unroll 1
	while (more) {
		const Turn n = next;
		const int mine = n.b * t.kv_heads + n.h;
		if (mine != pair) a.load(q + n.b * t.q_stride + n.h * t.group * D, t.group), pair = mine;
		a.start();
		const int low = first_key(n.context - 1, f.window);
		bool ends;
#pragma unroll 1
		do {
			const int key = next.key, to = next.to;
			if (late) {
				fetch<D>(keys, c.k, next, slot, late);
				fetch<D>(values, c.v, next, slot, late);
				late = 0;
			}
			next.key += kWorkers * kTurn;
			ends = next.key >= next.to;
			if (ends) {
				next.leaf += gridDim.x;
				more = next.find(line, t, c, f.window, worker);
			}
			if (more) slot = next.slot();
			cp_async_wait<1>();
			__syncwarp();
			if (key < to) {
				a.score(0, keys);
				a.score(1, keys + S::Place);
			}
			__syncwarp();
			if (more) fetch<D>(keys, c.k, next, slot, kAllParts);
			else cp_async_commit();
			if (key < to) a.weigh(key == n.key, key, low, to, f);
			cp_async_wait<1>();
			__syncwarp();
			if (key < to) {
				a.add(0, values);
				a.add(1, values + S::Place);
			}
			__syncwarp();
			if (more) fetch<D>(values, c.v, next, slot, kAllParts);
		} while (!ends);
		float* tops = desk.tops_of(worker);
		a.hand(desk.sums_of<D>(worker), tops, tops + desk.heads, t.group);
		__syncthreads();
		finish_leaf<D>(out + n.b * t.out_stride + n.h * t.group * D, kept, n, mine, desk);
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

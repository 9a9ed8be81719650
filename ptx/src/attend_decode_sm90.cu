// attend_decode_sm90.cu: decode attention on Hopper, in blocks of half a multiprocessor that read the cache before the kernel
//                        ahead of them has ended.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, softmax in powers of two, P rounded to bf16; the same bits in any batch
// needs   sm_90a, D in {64, 128}, at most 8 heads a KV head, B <= 512, counters zero   launch  grid 2*SMs, block 192
// moves   4*D bytes a key and KV head; floor: 93% of HBM bandwidth at >= 160 MB of K and V, 96% at >= 600 MB
// source  split KV as in Dao et al. 2023 (Flash-Decoding), shares as in Osama et al. 2023 (Stream-K, arXiv:2301.03598)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#define WEFT_HOPPER
#include "attend_pass_sm90.cuh"

// Blocks may start before the kernel ahead has ended, and copy what they can by then: the cache as former steps left it. The
// step's inputs are there too, because the kernel ahead lets them start only once it waits no more itself; queries and the
// newest key of a request are not.
//
// A block has four workers and two warps of closers, so that registers are enough to have the next operands of the matrix
// units on their way. Two blocks fit on a multiprocessor: what one of them leaves of the memory's time the other fills, and
// the one that ends first makes room for the next kernel.
//
// A worker copies by itself what it reads, through a ring of places for K or V of 16 keys. Their rows lie there as the copy
// engine swizzles them: halves of 64 dimensions, each of 16 rows of 128 bytes, whose 16-byte chunks are swapped by the row's
// low bits. The engine copies 16 slots that follow each other; others, the lanes gather.
template <int D>
struct Ring : Swizzled<D> {
	static constexpr int Places = D == 64 ? 9 : 5;          // so that all but one are of whole turns
	static constexpr int Parts = 2 * kTiles;                // of a turn: K of each 16 keys, then V
	static constexpr int Ahead = ceil_div(Places, Parts);   // turns whose slots are under way, or there
	static constexpr int Slates = Ahead < 4 ? 4 : 8;        // more than Ahead
};

// copy_rows starts the copy of 16 whole rows from row r on; map has halves of rows as matrices.
__device__ __forceinline__ void copy_rows(u32 to, const TensorMap& map, int r, u32 bar) {
	asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%3, %4, %3}], [%2], %5;" ::"r"(to), "l"(&map), "r"(bar), "r"(0), "r"(r), "l"(kOnce) : "memory");
}

__device__ __forceinline__ void copy_word(u32 to, const void* from) { asm volatile("cp.async.ca.shared.global [%0], [%1], 4;" ::"r"(to), "l"(from) : "memory"); }

// Slate is what a worker notes of a turn, Ahead turns before its copies start.
struct Slate {
	int slots[32];
	int row, left;  // where the head's slots begin, and how many keys the request has from the turn's first on: 0 if there is no turn
};

// Lead starts a worker's copies, one turn of keys after another.
template <int D>
struct Lead {
	using R = Ring<D>;

	u32 ring, full;  // the places, and their barriers
	u32 gathered;    // places that the engine was not the last to write
	bool few;        // keys, that the lanes fetch sooner
	Slate* slates;
	int turn;

	int slot, row, left;  // of the turn in hand
	u32 runs;             // which 16 keys of it the engine copies

	Walk s;  // the turn that comes next on a slate
	int key, end;
	const int* page;

	__device__ __forceinline__ void enter(const Plan& p, const Cache& c, int window, int worker) {
		s.keys(p, window, worker, kWorkers, key, end);
		page = c.pages + max(p.row[s.b], 0) * c.page_stride;
	}

	// note starts the copy of the next turn's slots to slate number at.
	__device__ __forceinline__ void note(int at, const Plan& p, const Problem& t, const Cache& c, int window, int worker) {
		const int lane = threadIdx.x & 31;
		Slate& slate = slates[at % R::Slates];
		while (s.more() && key >= end) {
			s.next(p, t.requests, t.kv_heads);
			if (s.more()) enter(p, c, window, worker);
		}
		const bool more = s.more();
		if (more) copy_word(smem_addr(&slate.slots[lane]), page + min(key + lane % kTurn, end - 1));  // past the end any key will do: its weight is zero
		if (lane == 0) slate.row = static_cast<int>(s.h * c.slots), slate.left = more ? p.context[s.b] - key : 0;
		key += kWorkers * kTurn;
	}

	// take gets the next turn in hand.
	__device__ __forceinline__ void take(const Plan& p, const Problem& t, const Cache& c, int window, int worker) {
		const int lane = threadIdx.x & 31;
		const Slate& slate = slates[turn % R::Slates];
		slot = slate.slots[lane], row = slate.row, left = slate.left;
		const u32 next = __ballot_sync(kAll, slot == __shfl_sync(kAll, slot, lane & 16) + lane % 16);
		// A request's newest key the kernel ahead may have written, and what does so is not ordered with the engine.
		runs = few ? 0 : (left > 16 && (next & 0xffff) == 0xffff) | (left > 32 && next >> 16 == 0xffff) << 1;
		note(turn++ + R::Ahead, p, t, c, window, worker);
	}

	// issue starts the copies of a part of the turn in hand.
	__device__ __forceinline__ void issue(int part, int place, const Cache& c, const TensorMap& kmap, const TensorMap& vmap) {
		const int lane = threadIdx.x & 31, tile = part % kTiles;
		const bool values = part >= kTiles;
		const u32 to = ring + place * R::Place, bar = full + place * 8, bit = 1u << place;
		if (left > 0 && runs >> tile & 1) {
			if (gathered & bit) {
				async_fence();
				__syncwarp();
				gathered &= ~bit;
			}
			if (lane == 16 * tile) {
				barrier_expect(bar, R::Place);
				copy_rows(to, values ? vmap : kmap, row + slot, bar);
			}
		} else if (left > 0) {
			if (left <= 16 * tile + 16) wait_for_previous();
			gather_rows<D>(to, values ? c.v : c.k, row, slot, tile);
			gathered |= bit;
			if (lane == 0) barrier_arrive(bar);
		}
		cp_async_commit();
	}
};

template <int D>
__device__ __forceinline__ void lead_worker(const TensorMap& kmap, const TensorMap& vmap, const bf16* q, const Cache& c, Plan& p, const Problem& t, const Scores& f, Walk s, u32 ring, u32 full, Slate* slates, Desk desk) {
	using R = Ring<D>;
	const int worker = threadIdx.x >> 5, lane = threadIdx.x & 31;
	Lead<D> lead;
	lead.ring = ring, lead.full = full, lead.slates = slates;
	lead.gathered = 0, lead.turn = 0, lead.few = p.begin[t.requests] * t.kv_heads < 2 * static_cast<int>(gridDim.x);
	lead.s = s, lead.key = lead.end = 0;
	if (s.more()) lead.enter(p, c, f.window, worker);
#pragma unroll 1
	for (int i = 0; i < R::Ahead; i++) lead.note(i, p, t, c, f.window, worker);
	cp_async_commit();
	cp_async_wait<0>();
	__syncwarp();

	int place = 0;
	u32 parity = 0;
	auto fill = [&](int part) {
		if (part % R::Parts == 0) lead.take(p, t, c, f.window, worker);
		lead.issue(part % R::Parts, place, c, kmap, vmap);
		if (++place == R::Places) place = 0, parity ^= 1;
	};
	// await waits for the next place; fill behind it copies to it, after all lanes have read.
	auto await = [&] {
		cp_async_wait<R::Places - 1>();
		__syncwarp();
		barrier_wait(full + place * 8, parity);
		return ring + place * R::Place;
	};
#pragma unroll 1
	for (int i = 0; i < R::Places / R::Parts; i++) {
#pragma unroll
		for (int part = 0; part < R::Parts; part++) fill(part);
	}
	fill(0);
	parity = 0;
	wait_for_previous();

	Pass<D> a;
	for (bool fresh = true; s.more(); desk.next(), fresh = s.next(p, t.requests, t.kv_heads)) {
		if (fresh) a.load(q + s.b * t.q_stride + s.h * t.group * D, t.group);
		a.start();
		const int low = first_key(p.context[s.b] - 1, f.window);
		int key, to;
		s.keys(p, f.window, worker, kWorkers, key, to);
		bool first = true;
#pragma unroll 1
		for (; key < to; key += kWorkers * kTurn, first = false) {
#pragma unroll
			for (int i = 0; i < kTiles; i++) {
				a.score(i, await());
				__syncwarp();
				fill(1 + i);
			}
			a.weigh(first, key, low, to, f);
#pragma unroll
			for (int i = 0; i < kTiles; i++) {
				a.add(i, await());
				__syncwarp();
				fill(1 + kTiles + i);
			}
		}
		barrier_wait(smem_addr(&p.free[desk.place]), desk.round);
		float* tops = desk.tops_of(worker);
		a.hand(desk.sums_of<D>(worker), tops, tops + desk.heads, t.group);
		__syncwarp();
		if (lane == 0) barrier_arrive(smem_addr(&p.full[desk.place]));
	}
}

template <int D>
__device__ __forceinline__ void attend_halves(const TensorMap& kmap, const TensorMap& vmap, bf16* out, const bf16* q, const Cache& c, float* parts, u32* counters, const Problem& t, const Scores& f) {
	using R = Ring<D>;
	extern __shared__ __align__(128) u8 shared[];
	__shared__ Plan p;
	__shared__ u64 full[kWorkers][R::Places];
	__shared__ Slate slates[kWorkers][R::Slates];
	const int warp = threadIdx.x >> 5;
	const u32 base = smem_addr(shared) + 1023 & ~1023u;
	if (warp == kWorkers + kCloserWarps - 1) {  // which has no other work yet
		const int lane = threadIdx.x & 31;
		for (int i = lane; i < kWorkers * R::Places; i += 32) barrier_init(smem_addr(&full[0][i]), 1);
		if (lane < 2) barrier_init(smem_addr(&p.full[lane]), kWorkers), barrier_init(smem_addr(&p.free[lane]), kCloserWarps);
		barriers_ready();
		if (lane == 0) prefetch_map(kmap), prefetch_map(vmap);
	}
	let_next_start();
	const bool alike = make_plan(p, t, f.window);
	Share share;
	share.line = p.begin[t.requests] * t.kv_heads, share.shares = min(static_cast<int>(gridDim.x), share.line);
	Walk s;
	if (alike) {
		s.b = 0;
		s.enter(p);
		share.cut_alike(s);
	}
	if (blockIdx.x >= share.shares) return;
	s.start(p, t.requests, t.kv_heads, share.begin(blockIdx.x), share.begin(blockIdx.x + 1));
	Desk desk = {reinterpret_cast<float*>(shared + (base - smem_addr(shared)) + kWorkers * R::Places * R::Place), nullptr, kWorkers, t.group, t.depth};
	desk.ends = desk.sums + desk.depth * kWorkers * desk.heads * Shape<D>::Row;
	if (warp < kWorkers) {
		lead_worker<D>(kmap, vmap, q, c, p, t, f, s, base + warp * R::Places * R::Place, smem_addr(full[warp]), slates[warp], desk);
	} else {
		run_closer<D, 1>(out, parts, counters, p, t, s, share, desk, t.kv_heads, 1);
	}
}

#define ATTEND_DECODE_SM90(D)                                                                                                    \
	extern "C" __global__ void __launch_bounds__(192, 2)                                                                          \
	    attend_decode_sm90_##D(const __grid_constant__ TensorMap kmap, const __grid_constant__ TensorMap vmap, bf16* out,          \
	                           const bf16* q, Cache c, float* parts, u32* counters, Problem t, Scores f) {                         \
		attend_halves<D>(kmap, vmap, out, q, c, parts, counters, t, f);                                                           \
	}

ATTEND_DECODE_SM90(64)
ATTEND_DECODE_SM90(128)

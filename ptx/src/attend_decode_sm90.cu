// attend_decode_sm90.cu: decode attention on Hopper, in blocks of half a multiprocessor that read the cache before the kernel
//                        ahead of them has ended.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, softmax in powers of two, P rounded to bf16; the same bits in any batch
// needs   sm_90a, D in {64, 128}, at most 8 heads a KV head, B <= 512, counters zero   launch  grid 2*SMs, block 192
// moves   4*D bytes a key and KV head; floor: 93% of HBM bandwidth at >= 160 MB of K and V, 96% at >= 600 MB
// source  split KV as in Dao et al. 2023 (Flash-Decoding), shares as in Osama et al. 2023 (Stream-K, arXiv:2301.03598)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#define WEFT_HOPPER
#include "hopper.cuh"
#include "attend_decode.cu"

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
constexpr int kWorkers = 4;

template <int D>
struct Ring {
	static constexpr int Half = kGroup * 128, Place = D / 64 * Half;
	static constexpr int Places = D == 64 ? 9 : 5;          // so that all but one are of whole turns
	static constexpr int Parts = 2 * kTiles;                // of a turn: K of each 16 keys, then V
	static constexpr int Ahead = ceil_div(Places, Parts);   // turns whose slots are under way, or there
	static constexpr int Slates = Ahead < 4 ? 4 : 8;        // more than Ahead
};

// The L2 cache gives up first what is copied: nobody reads it again before much else is read. This is what createpolicy gives
// for L2::evict_first, as a constant.
constexpr u64 kOnce = 0x12f0000000000000;

__device__ __forceinline__ void copy_once(u32 to, const void* from) {
	asm volatile("cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "l"(kOnce) : "memory");
}

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
			gather(to, values ? c.v : c.k, tile);
			gathered |= bit;
			if (lane == 0) barrier_arrive(bar);
		}
		cp_async_commit();
	}

	// gather copies 16 rows, of which eight lanes copy one, 128 bytes at a time.
	__device__ __forceinline__ void gather(u32 to, const bf16* plane, int tile) const {
		const int lane = threadIdx.x & 31, first = lane / 8, chunk = lane % 8;
		const u8* from = reinterpret_cast<const u8*>(plane) + chunk * 16;
		to += first * 128 + ((chunk ^ first) << 4);
#pragma unroll
		for (int i = 0; i < 4; i++) {
			const u8* line = from + static_cast<i64>(row + __shfl_sync(kAll, slot, 16 * tile + first + 4 * i)) * (2 * D);
#pragma unroll
			for (int d = 0; d < D / 64; d++) copy_once((to ^ (i & 1) << 6) + i * 512 + d * R::Half, line + d * 128);
		}
	}
};

// Pass is a worker's state for a leaf, of which it takes a turn's keys at once.
template <int D>
struct Pass : Heads<D, 1> {
	using R = Ring<D>;

	float s[kTiles][4];    // scores
	u32 weights[kTiles][2];

	// score multiplies the queries by the next keys of the turn, at k.
	__device__ __forceinline__ void score(u32 k) {
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
		for (int e = 0; e < 4; e++) {
#pragma unroll
			for (int i = 1; i < kTiles; i++) s[i - 1][e] = s[i][e];
			s[kTiles - 1][e] = (sums[0][e] + sums[1][e]) + (sums[2][e] + sums[3][e]);
		}
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

	// add takes in the values of the same keys, at v.
	__device__ __forceinline__ void add(u32 v) {
		const int lane = threadIdx.x & 31;
		v += ((lane & 7) + (lane >> 4) * 8) * 128 + ((lane >> 3 & 1 ^ lane & 7) << 4);
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
			u32 a[4];
			ldmatrix4_trans(a, (v ^ d % 4 << 5) + d / 4 * R::Half);
			mma(this->o[0][d], a, weights[0][0], weights[0][1]);
		}
#pragma unroll
		for (int i = 1; i < kTiles; i++) weights[i - 1][0] = weights[i][0], weights[i - 1][1] = weights[i][1];
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
	for (int i = 0; i < R::Places; i++) fill(i);
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
#pragma unroll 1
			for (int part = 0; part < R::Parts; part++) {  // not unrolled: in a step each layer reads the code anew
				const u32 at = await();
				if (part < kTiles) a.score(at);
				else a.add(at);
				__syncwarp();
				fill(part + 1);
				if (part == kTiles - 1) a.weigh(first, key, low, to, f);
			}
		}
		barrier_wait(smem_addr(&p.free[desk.place]), ~desk.round & 1);
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
	if (threadIdx.x < kWorkers * R::Places) barrier_init(smem_addr(&full[0][threadIdx.x]), 1);
	if (threadIdx.x < 2) barrier_init(smem_addr(&p.full[threadIdx.x]), kWorkers), barrier_init(smem_addr(&p.free[threadIdx.x]), kCloserWarps);
	barriers_ready();
	if (threadIdx.x == 0) prefetch_map(kmap), prefetch_map(vmap);
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
		wait_for_previous();
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

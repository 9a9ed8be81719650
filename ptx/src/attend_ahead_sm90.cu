// attend_ahead_sm90.cu: decode attention in blocks that leave half of a multiprocessor to the kernel behind them, whose copies
//                       then fill the memory's pauses between the two; not chosen until it is measured.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, softmax in powers of two, P rounded to bf16; the same bits in any batch
// needs   sm_90a, D in {64, 128}, at most 8 heads a KV head, B <= 512, counters zero   launch  grid 1 to 8 an SM, block 192
// moves   4*D bytes a key and KV head; floor: 90% of HBM bandwidth at >= 160 MB of K and V
// source  split KV as in Dao et al. 2023 (Flash-Decoding), shares as in Osama et al. 2023 (Stream-K, arXiv:2301.03598)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#define WEFT_EARLY
#define WEFT_AHEAD
#include "attend_decode.cu"

// A block has four workers and two warps of closers, so that registers are enough to have the next operands of the matrix
// units on their way. Two blocks fit on a multiprocessor. With a grid of one block for each, the other place is the next
// kernel's. With several, more than there are places, those that end sooner make room sooner: multiprocessors do not get
// the same share of the memory's bandwidth, and equal shares of the work would wait for the slowest.
constexpr int kWorkers = 4, kWarmTurns = 4;

// copy_once copies 16 bytes that nobody will read again before much else is read. The hint is what createpolicy gives for
// L2::evict_first: as a constant it takes no registers.
__device__ __forceinline__ void copy_once(u32 to, const void* from) {
	asm volatile("cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "l"(0x12f0000000000000ull) : "memory");
}

__device__ __forceinline__ void prefetch(const void* p) { asm volatile("prefetch.global.L2 [%0];" ::"l"(p)); }

// Lead starts a worker's copies as Feed does, one turn of 16 keys after another, K and then V. While a turn is in hand, the
// slots of the next are on their way.
template <int D>
struct Lead {
	bool any, newest, values;  // the turn in hand: there is one, it has a request's newest key, its K has been started
	i64 head;     // bytes to this lane's first 16 of its KV head
	u32 rows[4];  // slots of the keys lane/8 + 4·i: eight lanes copy a row, 128 bytes at a time

	Walk s;  // the next turn
	int key, end;
	const int* page;
	int slot;  // of key + lane % 16

	__device__ __forceinline__ void enter(const Plan& p, const Cache& c, int window, int worker) {
		s.keys(p, window, worker, kWorkers, key, end);
		page = c.pages + max(p.row[s.b], 0) * c.page_stride;
	}

	__device__ __forceinline__ void settle(const Plan& p, const Problem& t, const Cache& c, int window, int worker) {
		while (s.more()) {
			if (key < end) {
				slot = page[min(key + (threadIdx.x & 15), end - 1)];  // past the end any key will do: its weight is zero
				return;
			}
			s.next(p, t.requests, t.kv_heads);
			if (s.more()) enter(p, c, window, worker);
		}
	}

	__device__ __forceinline__ void start(const Walk& from, const Plan& p, const Problem& t, const Cache& c, int window, int worker) {
		s = from;
		if (s.more()) enter(p, c, window, worker);
		settle(p, t, c, window, worker);
		take(p, t, c, window, worker);
	}

	// take gets the next turn in hand.
	__device__ __forceinline__ void take(const Plan& p, const Problem& t, const Cache& c, int window, int worker) {
		values = false;
		any = s.more();
		if (!any) return;
		const int read = slot, lane = threadIdx.x & 31;
		head = s.h * c.slots * (2 * D) + lane % 8 * 16, newest = key + kGroup >= p.context[s.b];
		key += kWorkers * kGroup;
		settle(p, t, c, window, worker);  // before the first use of what was read
#pragma unroll
		for (int i = 0; i < 4; i++) rows[i] = __shfl_sync(kAll, read, lane / 8 + 4 * i);
	}

	__device__ __forceinline__ const u8* row(const bf16* plane, int i) const {
		return reinterpret_cast<const u8*>(plane) + head + static_cast<u64>(rows[i]) * (2 * D);
	}

	__device__ __forceinline__ void issue(u32 to, const bf16* plane) const {
		const int lane = threadIdx.x & 31;
		to += lane / 8 * pitch(D) + lane % 8 * 16;
#pragma unroll
		for (int i = 0; i < 4; i++) {
			const u8* from = row(plane, i);
#pragma unroll
			for (int j = 0; j < D / 64; j++) copy_once(to + 4 * i * pitch(D) + j * 128, from + j * 128);
		}
	}

	// warm has the L2 read the turn in hand: a lane 32 bytes of a row, or for D = 64 every other lane.
	__device__ __forceinline__ void warm(const Cache& c) const {
		const int on = threadIdx.x % 8 * (D / 64 - 1) * 16;
#pragma unroll
		for (int i = 0; i < 4; i++) prefetch(row(c.k, i) + on), prefetch(row(c.v, i) + on);
	}
};

template <int D, bool Warm>
__device__ __forceinline__ void lead_worker(const bf16* q, const Cache& c, Plan& p, const Problem& t, const Scores& f, Walk s, u32 ring, Desk desk) {
	using S = Shape<D>;
	const int worker = threadIdx.x >> 5, lane = threadIdx.x & 31;
	Lead<D> lead;
	lead.start(s, p, t, c, f.window, worker);
	int fill = 0, use = 0;  // places of the ring
	auto issue = [&] {
		if (lead.any) {
			if (!lead.values && lead.newest) wait_for_former();
			lead.issue(ring + fill * S::Half, lead.values ? c.v : c.k);
			lead.values = !lead.values;
			if (!lead.values) lead.take(p, t, c, f.window, worker);
		}
		cp_async_commit();
		fill = fill + 1 == S::Ring ? 0 : fill + 1;
	};
	auto await = [&] {
		issue();
		cp_async_wait<S::Ring - 1>();
		__syncwarp();
		const u32 at = ring + use * S::Half;
		use = use + 1 == S::Ring ? 0 : use + 1;
		return at;
	};
#pragma unroll 1
	for (int i = 0; i < S::Ring - 1; i++) issue();
	if (Warm) {
		Lead<D> further = lead;
#pragma unroll 1
		for (int i = 0; i < kWarmTurns && further.any; i++) {
			further.warm(c);
			further.take(p, t, c, f.window, worker);
		}
	}
	wait_for_former();

	Heads<D, 1> a;
	for (bool fresh = true; s.more(); desk.next(), fresh = s.next(p, t.requests, t.kv_heads)) {
		if (fresh) a.load(q + s.b * t.q_stride + s.h * t.group * D, t.group);
		a.start();
		const int low = first_key(p.context[s.b] - 1, f.window);
		int key, to;
		s.keys(p, f.window, worker, kWorkers, key, to);
#pragma unroll 1
		for (; key < to; key += kWorkers * kGroup) {
			const u32 k = await();
			a.weigh(k, key, low, to, f);
			__syncwarp();
			const u32 v = await();
			a.add(v);
			__syncwarp();
		}
		barrier_wait(smem_addr(&p.free[desk.place]), ~desk.round & 1);
		float* tops = desk.tops_of(worker);
		a.hand(desk.sums_of<D>(worker), tops, tops + desk.heads, t.group);
		__syncwarp();
		if (lane == 0) barrier_arrive(smem_addr(&p.full[desk.place]));
	}
}

template <int D, bool Warm>
__device__ __forceinline__ void attend_ahead(bf16* out, const bf16* q, const Cache& c, float* parts, u32* counters, const Problem& t, const Scores& f) {
	using S = Shape<D>;
	extern __shared__ __align__(128) u8 shared[];
	__shared__ Plan p;
	const int warp = threadIdx.x >> 5;
	if (threadIdx.x == 0) {
		for (int i = 0; i < 2; i++) barrier_init(p.full[i], kWorkers), barrier_init(p.free[i], kCloserWarps);
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
	Desk desk = {reinterpret_cast<float*>(shared + kWorkers * S::Ring * S::Half), nullptr, kWorkers, t.group, t.depth};
	desk.ends = desk.sums + desk.depth * kWorkers * desk.heads * S::Row;
	if (warp < kWorkers) {
		lead_worker<D, Warm>(q, c, p, t, f, s, smem_addr(shared) + warp * S::Ring * S::Half, desk);
	} else {
		wait_for_former();
		run_closer<D, 1>(out, parts, counters, p, t, s, share, desk, t.kv_heads, 1);
	}
}

#define ATTEND_AHEAD(Name, D, Warm)                                                                                             \
	extern "C" __global__ void __launch_bounds__(192, 2)                                                                         \
	    Name(bf16* out, const bf16* q, Cache c, float* parts, u32* counters, Problem t, Scores f) {                              \
		attend_ahead<D, Warm>(out, q, c, parts, counters, t, f);                                                                 \
	}

ATTEND_AHEAD(attend_ahead_64, 64, false)
ATTEND_AHEAD(attend_ahead_128, 128, false)
ATTEND_AHEAD(attend_ahead_warm_64, 64, true)
ATTEND_AHEAD(attend_ahead_warm_128, 128, true)

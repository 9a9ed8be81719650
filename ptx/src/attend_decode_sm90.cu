// attend_decode_sm90.cu: decode attention on Hopper, in blocks of half a multiprocessor that read the cache before the kernel
//                        ahead of them has ended.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, softmax in powers of two, P rounded to bf16; the same bits in any batch
// needs   sm_90a, D in {64, 128}, at most 8 heads a KV head, B <= 512, counters zero   launch  grid 2*SMs, block 192
// moves   4*D bytes a key and KV head; floor: 90% of HBM bandwidth at >= 160 MB of K and V
// source  split KV as in Dao et al. 2023 (Flash-Decoding), shares as in Osama et al. 2023 (Stream-K, arXiv:2301.03598)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#define WEFT_HOPPER
#include "attend_decode.cu"
#include "overlap.cuh"

// Blocks may start before the kernel ahead has ended, and copy what they can by then: the cache as former steps left it. The
// step's inputs are there too, because the kernel ahead lets them start only once it waits no more itself; queries and the
// newest key of a request are not.
//
// A block has four workers and two warps of closers, so that registers are enough to have the next operands of the matrix
// units on their way. Two blocks fit on a multiprocessor: what one of them leaves of the memory's time the other fills, and
// the one that ends first makes room for the next kernel.
constexpr int kWorkers = 4;

// copy_once copies 16 bytes that nobody will read again before much else is read. The hint is what createpolicy gives for
// L2::evict_first: as a constant it takes no registers.
__device__ __forceinline__ void copy_once(u32 to, const void* from) {
	asm volatile("cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "l"(0x12f0000000000000ull) : "memory");
}

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
		const int lane = threadIdx.x & 31;
#pragma unroll
		for (int i = 0; i < 4; i++) rows[i] = __shfl_sync(kAll, slot, lane / 8 + 4 * i);  // read a turn ago: before settle, whose read is not to be waited for
		head = s.h * c.slots * (2 * D) + lane % 8 * 16, newest = key + kGroup >= p.context[s.b];
		key += kWorkers * kGroup;
		settle(p, t, c, window, worker);
	}

	__device__ __forceinline__ void issue(u32 to, const bf16* plane) const {
		const int lane = threadIdx.x & 31;
		to += lane / 8 * pitch(D) + lane % 8 * 16;
#pragma unroll
		for (int i = 0; i < 4; i++) {
			const u8* from = reinterpret_cast<const u8*>(plane) + head + static_cast<u64>(rows[i]) * (2 * D);
#pragma unroll
			for (int j = 0; j < D / 64; j++) copy_once(to + 4 * i * pitch(D) + j * 128, from + j * 128);
		}
	}
};

template <int D>
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

template <int D>
__device__ __forceinline__ void attend_halves(bf16* out, const bf16* q, const Cache& c, float* parts, u32* counters, const Problem& t, const Scores& f) {
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
		lead_worker<D>(q, c, p, t, f, s, smem_addr(shared) + warp * S::Ring * S::Half, desk);
	} else {
		wait_for_former();
		run_closer<D, 1>(out, parts, counters, p, t, s, share, desk, t.kv_heads, 1);
	}
}

#define ATTEND_DECODE_SM90(D)                                                                                       \
	extern "C" __global__ void __launch_bounds__(192, 2)                                                             \
	    attend_decode_sm90_##D(bf16* out, const bf16* q, Cache c, float* parts, u32* counters, Problem t, Scores f) { \
		attend_halves<D>(out, q, c, parts, counters, t, f);                                                          \
	}

ATTEND_DECODE_SM90(64)
ATTEND_DECODE_SM90(128)

// attend_decode.cu: attention of one new token a request over its cached keys, K and V read once a group of heads.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, softmax in powers of two, P rounded to bf16; the same bits in any batch
// needs   sm_80+, D in {64, 96, 128, 256}, B <= 1024, counters zero       launch  grid SMs, block 32*(workers+4)
// moves   4*D bytes a key and KV head; floor: 85% of HBM bandwidth at >= 1 GB of K and V
// source  split KV as in Dao et al. 2023 (Flash-Decoding), shares as in Osama et al. 2023 (Stream-K, arXiv:2301.03598)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend_line.cuh"

template <int D>
struct Shape {
	static constexpr int Chunks = D / 8;
	static constexpr int Half = kGroup * pitch(D);  // a place of the ring: K or V of 16 keys
	static constexpr int Ring = D == 64 ? 9 : D == 96 ? 6 : 5;
	static constexpr int Row = D + 4;  // floats, so that the heads that a warp stores at once lie in different banks
};

#ifndef WEFT_HOPPER
__device__ __forceinline__ void barrier_init(u32 b, u32 arrivals) { asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(b), "r"(arrivals) : "memory"); }

__device__ __forceinline__ void barrier_arrive(u32 b) { asm volatile("{.reg .b64 t; mbarrier.arrive.shared.b64 t, [%0];}" ::"r"(b) : "memory"); }

__device__ __forceinline__ void barrier_wait(u32 b, u32 parity) {
	for (;;) {
		u32 done;
		asm volatile("{.reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2; selp.u32 %0, 1, 0, p;}" : "=r"(done) : "r"(b), "r"(parity) : "memory");
		if (done) return;
		__nanosleep(20);  // the warps that work need the issue slots
	}
}

__device__ __forceinline__ void wait_for_previous() {}  // launches of this kernel do not overlap
#endif

__device__ __forceinline__ void closers_sync() { asm volatile("bar.sync 1, %0;" ::"n"(kClosers) : "memory"); }

// ---- workers -------------------------------------------------------------------------------------------------------

// Feed starts a worker's copies, ahead of their use, across leaves: K of 16 keys, then V of the same.
template <int D>
struct Feed {
	Walk s;
	int key, end;  // of the 16 keys in turn
	bool values;   // their K has been started
	const int* page;
	i64 head;  // where the head's rows begin, in elements
	int slot;  // of key + (lane & 15)

	__device__ __forceinline__ void enter(const Plan& p, const Cache& c, int blocks, int window, int worker, int workers) {
		s.keys(p, window, worker, workers, key, end);
		page = c.pages + max(p.row[s.b], 0) * c.page_stride;
		head = s.h / blocks * c.slots * D;
	}

	__device__ __forceinline__ void settle(const Plan& p, const Problem& t, const Cache& c, int units, int blocks, int window, int worker, int workers) {
		while (s.more()) {
			if (key < end) {
				slot = page[min(key + (threadIdx.x & 15), end - 1)];  // past the end any key will do: its weight is zero
				return;
			}
			s.next(p, t.requests, units);
			if (s.more()) enter(p, c, blocks, window, worker, workers);
		}
	}

	__device__ __forceinline__ void issue(u32 dst, const bf16* rows) const {
		using S = Shape<D>;
		const int lane = threadIdx.x & 31;
#pragma unroll
		for (int i = 0; i < kGroup * S::Chunks / 32; i++) {
			const int at = i * 32 + lane, row = at / S::Chunks, chunk = at % S::Chunks;
			const i64 from = __shfl_sync(kAll, slot, row);
			cp_async16(dst + row * pitch(D) + chunk * 16, rows + from * D + chunk * 8, true);
		}
	}
};

// Heads is a worker's state for a leaf: sums over its keys so far. Heads are columns: a thread has heads
// 2·(lane%4) + {0, 1} of each eight.
template <int D, int NT>
struct Heads {
	u32 q[NT][D / 16][2];
	float o[NT][D / 16][4];
	float m[NT][2], l[NT][2];
	u32 p[NT][2];

	__device__ __forceinline__ void load(const bf16* q0, int heads) {
		const int lane = threadIdx.x & 31, col = (lane & 3) * 2;
#pragma unroll
		for (int t = 0; t < NT; t++) {
			const int r = t * 8 + lane / 4;
#pragma unroll
			for (int d = 0; d < D / 16; d++) {
#pragma unroll
				for (int e = 0; e < 2; e++) q[t][d][e] = r < heads ? *reinterpret_cast<const u32*>(q0 + r * D + d * 16 + e * 8 + col) : 0;
			}
		}
	}

	__device__ __forceinline__ void start() {
#pragma unroll
		for (int t = 0; t < NT; t++) {
			m[t][0] = m[t][1] = kMinusInf;
			l[t][0] = l[t][1] = 0;
#pragma unroll
			for (int d = 0; d < D / 16; d++) o[t][d][0] = o[t][d][1] = o[t][d][2] = o[t][d][3] = 0;
		}
	}

	// weigh makes weights of the 16 keys from position key on, of which those in [low, end) count.
	__device__ __forceinline__ void weigh(u32 sk, int key, int low, int end, const Scores& f) {
		const int lane = threadIdx.x & 31;
		constexpr int kChains = 2;  // of sums each, for the matrix units' latency
		float s[NT][4] = {}, more[kChains - 1][NT][4] = {};
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
			u32 a[4];
			ldmatrix4(a, fragment_a<D>(sk, 0, d * 16, lane));
#pragma unroll
			for (int t = 0; t < NT; t++) mma(d % kChains > 0 ? more[d % kChains - 1][t] : s[t], a, q[t][d][0], q[t][d][1]);
		}
#pragma unroll
		for (int t = 0; t < NT; t++) {
#pragma unroll
			for (int e = 0; e < 4; e++) {
#pragma unroll
				for (int i = 0; i < kChains - 1; i++) s[t][e] += more[i][t][e];
			}
		}
		float scale = f.scale;
		if (f.softcap != 0.f) soften(s, f), scale = 1.f;
		const int at = key + lane / 4;
		const bool in[2] = {at >= low && at < end, at + 8 >= low && at + 8 < end};
#pragma unroll
		for (int t = 0; t < NT; t++) {
			float w[4];
#pragma unroll
			for (int e = 0; e < 2; e++) {
				const float x = in[0] ? s[t][e] * scale : kMinusInf, y = in[1] ? s[t][e + 2] * scale : kMinusInf;
				float top = fmaxf(x, y);
				top = fmaxf(top, __shfl_xor_sync(kAll, top, 4));
				top = fmaxf(top, __shfl_xor_sync(kAll, top, 8));
				top = fmaxf(top, __shfl_xor_sync(kAll, top, 16));
				top = fmaxf(top, m[t][e]);
				const float base = top == kMinusInf ? 0.f : top;
				if (__any_sync(kAll, top > m[t][e])) {
					const float old = exp2_fast(m[t][e] - base);
					l[t][e] *= old;
#pragma unroll
					for (int d = 0; d < D / 16; d++) o[t][d][e] *= old, o[t][d][e + 2] *= old;
				}
				m[t][e] = top;
				w[e] = exp2_fast(x - base), w[e + 2] = exp2_fast(y - base);
				l[t][e] += w[e] + w[e + 2];
			}
			p[t][0] = transpose(pack2(w[0], w[1]));
			p[t][1] = transpose(pack2(w[2], w[3]));
		}
	}

	// add takes in the values of the same keys.
	__device__ __forceinline__ void add(u32 sv) {
		const int lane = threadIdx.x & 31;
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
			u32 a[4];
			ldmatrix4_trans(a, fragment_k<D>(sv, 0, d * 16, lane));
#pragma unroll
			for (int t = 0; t < NT; t++) mma(o[t][d], a, p[t][0], p[t][1]);
		}
	}

	// hand writes the state for the closers: sums [heads][Row] and, of all workers, tops and dens [heads].
	__device__ __forceinline__ void hand(float* sums, float* tops, float* dens, int heads) {
		const int lane = threadIdx.x & 31;
#pragma unroll
		for (int t = 0; t < NT; t++) {
#pragma unroll
			for (int e = 0; e < 2; e++) {
				float sum = l[t][e];
				sum += __shfl_xor_sync(kAll, sum, 4);
				sum += __shfl_xor_sync(kAll, sum, 8);
				sum += __shfl_xor_sync(kAll, sum, 16);
				const int head = t * 8 + (lane & 3) * 2 + e;
				if (head < heads) {
					if (lane < 4) tops[head] = m[t][e], dens[head] = sum;
					float* to = sums + head * Shape<D>::Row + lane / 4;
#pragma unroll
					for (int d = 0; d < D / 16; d++) to[d * 16] = o[t][d][e], to[d * 16 + 8] = o[t][d][e + 2];
				}
			}
		}
	}
};

// Desk is where workers hand over: depth places, each with the sums of all workers, and their tops and denominators.
struct Desk {
	float* sums;
	float* ends;
	int workers, heads, depth;
	int place = 0, round = 0;

	__device__ __forceinline__ void next() {
		if (++place == depth) place = 0, round ^= 1;
	}
	template <int D>
	__device__ __forceinline__ float* sums_of(int worker) const { return sums + (place * workers + worker) * heads * Shape<D>::Row; }
	__device__ __forceinline__ float* tops_of(int worker) const { return ends + (place * workers + worker) * 2 * heads; }
};

template <int D, int NT>
__device__ __forceinline__ void run_worker(const bf16* q, const Cache& c, Plan& p, const Problem& t, const Scores& f, Walk s, u32 ring, Desk desk, int units, int blocks) {
	using S = Shape<D>;
	const int worker = threadIdx.x >> 5, lane = threadIdx.x & 31, workers = desk.workers;
	Feed<D> feed;
	feed.s = s;
	feed.values = false;
	if (s.more()) feed.enter(p, c, blocks, f.window, worker, workers);
	feed.settle(p, t, c, units, blocks, f.window, worker, workers);
	int fill = 0, use = 0;  // places of the ring
	auto issue = [&] {
		if (feed.s.more()) {
			feed.issue(ring + fill * S::Half, (feed.values ? c.v : c.k) + feed.head);
			if (feed.values) {
				feed.key += workers * kGroup;
				feed.settle(p, t, c, units, blocks, f.window, worker, workers);
			}
			feed.values = !feed.values;
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

	Heads<D, NT> a;
	for (bool fresh = true; s.more(); desk.next(), fresh = s.next(p, t.requests, units)) {
		const int block = s.h % blocks, heads = min(t.group - block * 8 * NT, 8 * NT);
		if (fresh) a.load(q + s.b * t.q_stride + (s.h / blocks * t.group + block * 8 * NT) * D, heads);
		a.start();
		const int low = first_key(p.context[s.b] - 1, f.window);
		int key, to;
		s.keys(p, f.window, worker, workers, key, to);
#pragma unroll 1
		for (; key < to; key += workers * kGroup) {
			const u32 k = await();
			a.weigh(k, key, low, to, f);
			__syncwarp();
			const u32 v = await();
			a.add(v);
			__syncwarp();
		}
		barrier_wait(smem_addr(&p.free[desk.place]), desk.round);
		float* tops = desk.tops_of(worker);
		a.hand(desk.sums_of<D>(worker), tops, tops + desk.heads, heads);
		__syncwarp();
		if (lane == 0) barrier_arrive(smem_addr(&p.full[desk.place]));
	}
}

// ---- closers -------------------------------------------------------------------------------------------------------

// Sum is the state of four dimensions of a head over a range of keys.
struct Sum {
	float m, l;
	float4 o;

	// add takes in the keys that follow. It rounds the same wherever it is called.
	__device__ __forceinline__ void add(const Sum& x) {
		const float top = fmaxf(m, x.m), base = top == kMinusInf ? 0.f : top, a = exp2_fast(m - base), b = exp2_fast(x.m - base);
		m = top;
		l = __fmaf_rn(l, a, __fmul_rn(x.l, b));
		o.x = __fmaf_rn(o.x, a, __fmul_rn(x.o.x, b)), o.y = __fmaf_rn(o.y, a, __fmul_rn(x.o.y, b));
		o.z = __fmaf_rn(o.z, a, __fmul_rn(x.o.z, b)), o.w = __fmaf_rn(o.w, a, __fmul_rn(x.o.w, b));
	}

	__device__ __forceinline__ void write(bf16* to) const {
		const float inv = l > 0.f ? 1.f / l : 0.f;
		*reinterpret_cast<uint2*>(to) = {pack2(o.x * inv, o.y * inv), pack2(o.z * inv, o.w * inv)};
	}
};

// gather adds up the workers' sums of a leaf, in their order, for the dimensions 4·i of all heads.
template <int D>
__device__ __forceinline__ Sum gather(const Desk& d, int i) {
	const int head = i * 4 / D, dim = i * 4 % D;
	const float* tops = d.tops_of(0) + head;
	Sum s = {kMinusInf, 0, {0, 0, 0, 0}};
	for (int w = 0; w < d.workers; w++) s.m = fmaxf(s.m, tops[w * 2 * d.heads]);
	const float base = s.m == kMinusInf ? 0.f : s.m;
	const float* sums = d.sums_of<D>(0) + head * Shape<D>::Row + dim;
#pragma unroll 4
	for (int w = 0; w < d.workers; w++) {
		const float x = exp2_fast(tops[w * 2 * d.heads] - base);
		const float4 v = *reinterpret_cast<const float4*>(sums + w * d.heads * Shape<D>::Row);
		s.l += x * tops[w * 2 * d.heads + d.heads];
		s.o.x += x * v.x, s.o.y += x * v.y, s.o.z += x * v.z, s.o.w += x * v.w;
	}
	return s;
}

// Parts are kept sums: of block c0, in whose share a pair begins, kMaxLeaves places, each [heads][D] sums, then maxima,
// then denominators, [heads][Row] in all.
template <int D>
struct Parts {
	float* at;
	int heads;

	__device__ __forceinline__ float* place(int c0, int leaf) const { return at + (static_cast<i64>(c0) * kMaxLeaves + leaf) * heads * Shape<D>::Row; }

	__device__ __forceinline__ void put(int c0, int leaf, int i, const Sum& s) const {
		float* to = place(c0, leaf);
		*reinterpret_cast<float4*>(to + i * 4) = s.o;
		if (i * 4 % D == 0) to[heads * D + i * 4 / D] = s.m, to[heads * (D + 1) + i * 4 / D] = s.l;
	}

	__device__ __forceinline__ Sum get(int c0, int leaf, int i) const {
		const float* from = place(c0, leaf);
		return {__ldcg(from + heads * D + i * 4 / D), __ldcg(from + heads * (D + 1) + i * 4 / D), __ldcg(reinterpret_cast<const float4*>(from) + i)};
	}

	// total adds up leaf 0 and those from first on, from left to right, Batch loads under way together.
	template <int Batch>
	__device__ __forceinline__ Sum total(int c0, int first, int leaves, int i) const {
		Sum s = get(c0, 0, i);
		for (int leaf = first; leaf < leaves; leaf += Batch) {
			Sum v[Batch];  // all loads before the first use
#pragma unroll
			for (int j = 0; j < Batch; j++) v[j] = get(c0, min(leaf + j, leaves - 1), i);
#pragma unroll
			for (int j = 0; j < Batch; j++) {
				if (leaf + j < leaves) s.add(v[j]);
			}
		}
		return s;
	}
};

// Open is a pair that the block shares with others.
struct Open {
	int c0, mine, leaves, first;  // block of leaf 0, leaves of ours, of the pair, of block c0
	bf16* out;
	int heads;
};

template <int D, int NT>
__device__ __forceinline__ void run_closer(bf16* out, float* parts_at, u32* counters, Plan& p, const Problem& t, Walk s, const Share& share, Desk desk, int units, int blocks) {
	constexpr int kEach = (NT * 2 * D + kClosers - 1) / kClosers;  // fours of dimensions a thread
	const int thread = threadIdx.x - 32 * desk.workers, lane = threadIdx.x & 31;
	const Parts<D> parts = {parts_at, desk.heads};
	Sum sums[kEach];
	Open open[2];  // the first from others, the second to others
	open[0].mine = open[1].mine = 0;
	int mine = 0;
	bool rehearsal = true;  // of the code, which no cache near may have, while there is nothing to add up
#pragma unroll 1
	while (s.more()) {
		const int block = s.h % blocks, heads = min(t.group - block * 8 * NT, 8 * NT), fours = heads * D / 4;
		const bool left = mine == s.leaf;  // from the pair's first leaf on
		const int c0 = left ? blockIdx.x : share.owner(s.pos);
		bf16* to = out + s.b * t.out_stride + (s.h / blocks * t.group + block * 8 * NT) * D;
		if (!rehearsal) barrier_wait(smem_addr(&p.full[desk.place]), desk.round);
#pragma unroll
		for (int e = 0; e < kEach; e++) {
			const int i = thread + e * kClosers;
			if (i >= fours) break;
			const Sum x = gather<D>(desk, i);
			if (rehearsal) {
				sums[e] = x;
			} else if (!left) {
				parts.put(c0, s.leaf, i, x);
			} else if (s.leaf == 0) {
				sums[e] = x;
			} else {
				sums[e].add(x);
			}
			if (!rehearsal && left && s.leaf == s.leaves - 1) sums[e].write(to + i * 4);
		}
		__syncwarp();
		if (lane == 0) barrier_arrive(smem_addr(&p.free[desk.place]));
		if (rehearsal) {
			if (lane == 0 && desk.depth > 1) barrier_arrive(smem_addr(&p.free[1]));
			rehearsal = false;
			wait_for_previous();
			continue;
		}
		desk.next();
		mine++;
		const Walk at = s;
		const bool turned = s.next(p, t.requests, units);
		if (turned && left || !turned && s.more()) {
			if (turned) mine = 0;
			continue;
		}
		// The pair ends here or its part in this share does, and it is not whole.
		if (left) {
#pragma unroll
			for (int e = 0; e < kEach; e++) {
				if (thread + e * kClosers < fours) parts.put(c0, 0, thread + e * kClosers, sums[e]);
			}
		}
		const int first = min((share.begin(c0 + 1) - at.pos + (1 << at.log) - 1) >> at.log, at.leaves);
		const Open o = {c0, mine, at.leaves, first, to, heads};
		if (left) {
			open[1] = o;
		} else {
			open[0] = o;
		}
		mine = 0;
	}
	if (open[0].mine + open[1].mine == 0) return;
	__threadfence();
	closers_sync();
	if (thread < 2) {
		const Open o = thread == 0 ? open[0] : open[1];
		const bool last = o.mine > 0 && atomicAdd(counters + o.c0, o.mine) + o.mine == o.leaves;
		p.last[thread] = last;
		if (last) counters[o.c0] = 0;  // for the next launch
	}
	closers_sync();
#pragma unroll
	for (int x = 0; x < 2; x++) {
		if (!p.last[x]) continue;
		__threadfence();
		const Open& o = open[x];
		for (int i = thread; i < o.heads * D / 4; i += kClosers) {
			constexpr int kBatch = NT * D <= 256 ? 8 : 4;
			parts.template total<kBatch>(o.c0, o.first, o.leaves, i).write(o.out + i * 4);
		}
	}
}

template <int D, int NT>
__device__ __forceinline__ void attend(bf16* out, const bf16* q, const Cache& c, float* parts, u32* counters, const Problem& t, const Scores& f) {
	using S = Shape<D>;
	extern __shared__ __align__(128) u8 shared[];
	__shared__ Plan p;
	const int warp = threadIdx.x >> 5, workers = (blockDim.x >> 5) - kCloserWarps;
	if (threadIdx.x == 0) {
		for (int i = 0; i < 2; i++) barrier_init(smem_addr(&p.full[i]), workers), barrier_init(smem_addr(&p.free[i]), kCloserWarps);
	}
	make_plan(p, t, f.window);
	const int blocks = ceil_div(t.group, 8 * NT), units = t.kv_heads * blocks;  // head units
	Share share;
	share.line = p.begin[t.requests] * units, share.shares = min(static_cast<int>(gridDim.x), share.line);
	if (blockIdx.x >= share.shares) return;
	Desk desk = {reinterpret_cast<float*>(shared + workers * S::Ring * S::Half), nullptr, workers, min(t.group, 8 * NT), t.depth};
	desk.ends = desk.sums + desk.depth * workers * desk.heads * S::Row;
	Walk s;
	s.start(p, t.requests, units, share.begin(blockIdx.x), share.begin(blockIdx.x + 1));
	if (warp < workers) {
		run_worker<D, NT>(q, c, p, t, f, s, smem_addr(shared) + warp * S::Ring * S::Half, desk, units, blocks);
	} else {
		run_closer<D, NT>(out, parts, counters, p, t, s, share, desk, units, blocks);
	}
}

#ifndef WEFT_HOPPER
// Threads bound the registers; workers take as many as their rings leave room for.
#define ATTEND_DECODE(D, NT, Threads)                                                                                               \
	extern "C" __global__ void __launch_bounds__(Threads, 1)                                                                        \
	    attend_decode_##D##_##NT(bf16* out, const bf16* q, Cache c, float* parts, u32* counters, Problem t, Scores f) {             \
		attend<D, NT>(out, q, c, parts, counters, t, f);                                                                            \
	}

ATTEND_DECODE(64, 1, 384)
ATTEND_DECODE(96, 1, 384)
ATTEND_DECODE(128, 1, 384)
ATTEND_DECODE(256, 1, 256)
ATTEND_DECODE(64, 2, 384)
ATTEND_DECODE(96, 2, 320)
ATTEND_DECODE(128, 2, 256)
#endif

// attend_decode.cu: attention of one new token a request over its cached keys, K and V read once a group of query heads.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, softmax in powers of two, P rounded to bf16; repeatable for a batch on a given chip
// needs   sm_80+, D in {64, 96, 128, 256}, B <= 1024, counters zero       launch  grid SMs, block 32*warps (see ../attend.go)
// moves   4*D bytes a key and KV head; floor: 85% of HBM bandwidth at >= 1 GB of K and V
// source  split KV as in Dao et al. 2023 (Flash-Decoding), shares as in Osama et al. 2023 (Stream-K, arXiv:2301.03598)
// pairs   ../attend.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend.cuh"

// The keys of all (request, head unit) pairs are laid on one line of units of 64, which is cut into equal shares, one a
// block. A head unit is at most 16 query heads of one KV head. Warps of a block take every Warps-th group of 16 keys of
// a segment (the part of the share in one pair) through copy pipelines of their own, then add up what they have. A pair
// that several blocks share is added up by the last of them to finish, in the blocks' order.
constexpr int kUnit = 64, kGroup = 16, kHeads = 16, kStages = 4, kMaxRequests = 1024;

template <int D>
struct Shape {
	static constexpr int Chunks = D / 8;
	static constexpr int Bytes = kGroup * pitch(D);  // K or V of a stage
	static constexpr int Warp = kStages * 2 * Bytes;
	static constexpr int Sum = kHeads * D * 4;
	static constexpr int Part = kHeads * (D + 2);  // floats of a partial result: sums, then maxima, then denominators
};

struct Problem {
	const int* rows;
	const int* context;
	int requests, kv_heads, group, min_units;
	i64 q_stride, out_stride;
};

// Plan is what a block knows of the whole batch.
struct Plan {
	int begin[kMaxRequests + 1];  // units before each request, for one head unit
	int context[kMaxRequests];
	int part[32];
	float top[8][kHeads], sum[8][kHeads];  // of each warp
	int last;
};

__device__ __forceinline__ int first_unit(int context, int window) { return first_key(context - 1, window) / kUnit; }

// make_plan fills begin and context.
__device__ void make_plan(Plan& p, const Problem& t, int window) {
	const int each = ceil_div(t.requests, blockDim.x), at = threadIdx.x * each, end = min(at + each, t.requests);
	const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
	int sum = 0;
	for (int b = at; b < end; b++) {
		const int c = t.context[b];
		p.context[b] = c;
		p.begin[b + 1] = sum += max(ceil_div(c, kUnit) - first_unit(c, window), 1);  // no key still makes a unit: it writes zeros
	}
	int scan = sum;
#pragma unroll
	for (int o = 1; o < 32; o <<= 1) {
		const int v = __shfl_up_sync(kAll, scan, o);
		if (lane >= o) scan += v;
	}
	if (lane == 31) p.part[warp] = scan;
	__syncthreads();
	scan -= sum;
	for (int w = 0; w < warp; w++) scan += p.part[w];
	for (int b = at; b < end; b++) p.begin[b + 1] += scan;
	if (threadIdx.x == 0) p.begin[0] = 0;
	__syncthreads();
}

// Segment walks a block's share: units [from, from+count) of head unit h of request b, whose units are n.
struct Segment {
	int b, h, from, count, n, left;

	__device__ void start(const Plan& p, int requests, int units, u64 at, u64 end) {
		left = static_cast<int>(end - at);
		int lo = 0, hi = requests;  // begin[lo]·units <= at < begin[hi]·units
		while (hi - lo > 1) {
			const int mid = (lo + hi) / 2;
			(static_cast<u64>(p.begin[mid]) * units <= at ? lo : hi) = mid;
		}
		b = lo;
		n = p.begin[b + 1] - p.begin[b];
		const int in = static_cast<int>(at - static_cast<u64>(p.begin[b]) * units);
		h = in / n;
		from = in - h * n;
		count = min(n - from, left);
	}

	__device__ void next(const Plan& p, int requests, int units) {
		left -= count;
		from = 0;
		if (++h == units) {
			h = 0;
			if (++b < requests) n = p.begin[b + 1] - p.begin[b];
		}
		count = min(n, left);
	}

	// keys gives the range of key positions.
	__device__ void keys(const Plan& p, int window, int& at, int& end) const {
		const int c = p.context[b], u = first_unit(c, window) + from;
		at = u * kUnit, end = min((u + count) * kUnit, c);
	}
};

// Feed starts a warp's copies, groups ahead of their use, across segments.
template <int D>
struct Feed {
	Segment s;
	int key, end;  // of the next group
	const int* page;
	int slot;  // of key + (lane & 15), or -1

	__device__ void settle(const Plan& p, const Problem& t, const Cache& c, int units, int window, int warp) {
		while (s.left > 0) {
			if (key < end) {
				const int at = key + (threadIdx.x & 15);
				slot = at < end ? page[at] : -1;
				return;
			}
			s.next(p, t.requests, units);
			if (s.left > 0) enter(p, t, c, window, warp);
		}
	}

	__device__ void enter(const Plan& p, const Problem& t, const Cache& c, int window, int warp) {
		s.keys(p, window, key, end);
		key += warp * kGroup;
		page = c.pages + max(t.rows[s.b], 0) * c.page_stride;
	}

	__device__ void issue(u32 dst, const Cache& c, int blocks) const {
		using S = Shape<D>;
		if (s.left > 0) {
			const i64 head = (s.h / blocks) * c.slots;
			const int lane = threadIdx.x & 31;
#pragma unroll
			for (int i = 0; i < kGroup * S::Chunks / 32; i++) {
				const int at = i * 32 + lane, row = at / S::Chunks, chunk = at % S::Chunks, from = __shfl_sync(kAll, slot, row);
				const i64 src = (head + max(from, 0)) * D + chunk * 8;
				const u32 to = dst + row * pitch(D) + chunk * 16;
				cp_async16(to, c.k + src, from >= 0);
				cp_async16(to + S::Bytes, c.v + src, from >= 0);
			}
		}
		cp_async_commit();
	}
};

// Heads is a warp's state for a segment: the queries as left operands, and sums over the keys so far. A thread has
// rows (heads) lane/4 and lane/4 + 8.
template <int D>
struct Heads {
	u32 q[D / 16][4];
	float o[D / 8][4];
	float m[2], l[2];

	__device__ __forceinline__ void start(const bf16* q0, int heads) {
		const int lane = threadIdx.x & 31, row = lane / 4, col = (lane & 3) * 2;
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
#pragma unroll
			for (int e = 0; e < 4; e++) {
				const int r = row + (e & 1) * 8;
				q[d][e] = r < heads ? *reinterpret_cast<const u32*>(q0 + r * D + d * 16 + (e / 2) * 8 + col) : 0;
			}
		}
#pragma unroll
		for (int n = 0; n < D / 8; n++) {
#pragma unroll
			for (int e = 0; e < 4; e++) o[n][e] = 0;
		}
		m[0] = m[1] = kMinusInf;
		l[0] = l[1] = 0;
	}

	// add takes in the 16 keys from position key on, of which those in [low, end) count.
	__device__ __forceinline__ void add(u32 sk, int key, int low, int end, const Scores& f) {
		const int lane = threadIdx.x & 31;
		float s[2][4] = {}, odd[2][4] = {};  // two chains of sums each, for the matrix units' latency
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
			u32 b[4];
			ldmatrix4(b, fragment_k<D>(sk, 0, d * 16, lane));
			mma(d % 2 ? odd[0] : s[0], q[d], b[0], b[1]);
			mma(d % 2 ? odd[1] : s[1], q[d], b[2], b[3]);
		}
#pragma unroll
		for (int n = 0; n < 2; n++) {
#pragma unroll
			for (int e = 0; e < 4; e++) s[n][e] += odd[n][e];
		}
		float scale = f.scale;
		if (f.softcap != 0.f) soften(s, f), scale = 1.f;
#pragma unroll
		for (int n = 0; n < 2; n++) {
#pragma unroll
			for (int e = 0; e < 4; e++) {
				const int at = key + n * 8 + (lane & 3) * 2 + (e & 1);
				s[n][e] = at >= low && at < end ? s[n][e] * scale : kMinusInf;
			}
		}
		float base[2];
		bool grown = false;
#pragma unroll
		for (int h = 0; h < 2; h++) {
			float top = fmaxf(fmaxf(s[0][2 * h], s[0][2 * h + 1]), fmaxf(s[1][2 * h], s[1][2 * h + 1]));
			top = fmaxf(top, __shfl_xor_sync(kAll, top, 1));
			top = fmaxf(top, __shfl_xor_sync(kAll, top, 2));
			grown |= top > m[h];
			base[h] = fmaxf(m[h], top);
		}
		if (__any_sync(kAll, grown)) {
#pragma unroll
			for (int h = 0; h < 2; h++) {
				const float old = m[h] == kMinusInf ? 0.f : exp2_fast(m[h] - base[h]);
				m[h] = base[h];
				l[h] *= old;
#pragma unroll
				for (int n = 0; n < D / 8; n++) o[n][2 * h] *= old, o[n][2 * h + 1] *= old;
			}
		}
		u32 p[4];
#pragma unroll
		for (int h = 0; h < 2; h++) {
			const float b = m[h] == kMinusInf ? 0.f : m[h];
#pragma unroll
			for (int n = 0; n < 2; n++) {
				const float x = exp2_fast(s[n][2 * h] - b), y = exp2_fast(s[n][2 * h + 1] - b);
				l[h] += x + y;
				p[n * 2 + h] = pack2(x, y);
			}
		}
#pragma unroll
		for (int d = 0; d < D / 16; d++) {
			u32 b[4];
			ldmatrix4_trans(b, fragment_v<D>(sk + Shape<D>::Bytes, 0, d * 16, lane));
			mma(o[2 * d], p, b[0], b[1]);
			mma(o[2 * d + 1], p, b[2], b[3]);
		}
	}

	// join adds up the block's warps, in order, into acc [16][D] and sum; it leaves the common maxima in base.
	__device__ __forceinline__ void join(float* acc, Plan& p, float (&base)[2], float (&sum)[2]) {
		const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5, row = lane / 4;
#pragma unroll
		for (int h = 0; h < 2; h++) {
			l[h] += __shfl_xor_sync(kAll, l[h], 1);
			l[h] += __shfl_xor_sync(kAll, l[h], 2);
			if ((lane & 3) == 0) p.top[warp][row + 8 * h] = m[h], p.sum[warp][row + 8 * h] = l[h];
		}
		__syncthreads();
		float mine[2];
#pragma unroll
		for (int h = 0; h < 2; h++) {
			base[h] = kMinusInf, sum[h] = 0;
			for (int w = 0; w < warps; w++) base[h] = fmaxf(base[h], p.top[w][row + 8 * h]);
			const float b = base[h] == kMinusInf ? 0.f : base[h];
			for (int w = 0; w < warps; w++) sum[h] += p.sum[w][row + 8 * h] * exp2_fast(p.top[w][row + 8 * h] - b);
			mine[h] = exp2_fast(m[h] - b);
		}
		for (int w = 0; w < warps; w++) {
			if (w == warp) {
#pragma unroll
				for (int n = 0; n < D / 8; n++) {
#pragma unroll
					for (int h = 0; h < 2; h++) {
						float2* at = reinterpret_cast<float2*>(acc + (row + 8 * h) * D + n * 8 + (lane & 3) * 2);
						float2 v = w == 0 ? float2{0, 0} : *at;
						v.x += o[n][2 * h] * mine[h], v.y += o[n][2 * h + 1] * mine[h];
						*at = v;
					}
				}
			}
			__syncthreads();
		}
	}
};

// finish writes acc / sum, the result of a pair that this block has alone.
template <int D>
__device__ __forceinline__ void finish(bf16* out, const float* acc, const float (&sum)[2], int heads, Plan& p) {
	const int lane = threadIdx.x & 31;
	if (threadIdx.x < 32 && (lane & 3) == 0) p.sum[0][lane / 4] = sum[0], p.sum[0][lane / 4 + 8] = sum[1];
	__syncthreads();
	for (int i = threadIdx.x; i < heads * D / 4; i += blockDim.x) {
		const float l = p.sum[0][i * 4 / D], inv = l > 0.f ? 1.f / l : 0.f;
		const float4 v = reinterpret_cast<const float4*>(acc)[i];
		*reinterpret_cast<uint2*>(out + i * 4) = {pack2(v.x * inv, v.y * inv), pack2(v.z * inv, v.w * inv)};
	}
}

// share writes a partial result.
template <int D>
__device__ __forceinline__ void share(float* part, const float* acc, const float (&base)[2], const float (&sum)[2], int heads) {
	const int lane = threadIdx.x & 31;
	for (int i = threadIdx.x; i < heads * D / 4; i += blockDim.x) reinterpret_cast<float4*>(part)[i] = reinterpret_cast<const float4*>(acc)[i];
	if (threadIdx.x < 32 && (lane & 3) == 0) {
		float* tops = part + kHeads * D + lane / 4;
		tops[0] = base[0], tops[8] = base[1], tops[kHeads] = sum[0], tops[kHeads + 8] = sum[1];
	}
}

// merge adds up the partial results of blocks c0 to c1, in that order, and writes the outcome. Block c0's is its second.
template <int D>
__device__ __forceinline__ void merge(bf16* out, const float* parts, int c0, int c1, int heads) {
	constexpr int kBatch = 4;
	for (int i = threadIdx.x; i < heads * D / 4; i += blockDim.x) {
		const int row = i * 4 / D;
		float top = kMinusInf, sum = 0;
		float4 o = {0, 0, 0, 0};
		for (int c = c0; c <= c1; c += kBatch) {
			float m[kBatch], l[kBatch];
			float4 v[kBatch];
#pragma unroll
			for (int j = 0; j < kBatch; j++) {  // all loads before the first use
				const int at = min(c + j, c1);
				const float* part = parts + (2 * static_cast<i64>(at) + (at == c0)) * Shape<D>::Part;
				m[j] = c + j <= c1 ? __ldcg(part + kHeads * D + row) : kMinusInf;
				l[j] = __ldcg(part + kHeads * (D + 1) + row);
				v[j] = __ldcg(reinterpret_cast<const float4*>(part) + i);
			}
			float high = top;
#pragma unroll
			for (int j = 0; j < kBatch; j++) high = fmaxf(high, m[j]);
			if (high == kMinusInf) continue;
			float w = exp2_fast(top - high);
			top = high;
			sum *= w, o.x *= w, o.y *= w, o.z *= w, o.w *= w;
#pragma unroll
			for (int j = 0; j < kBatch; j++) {
				w = exp2_fast(m[j] - high);
				sum += w * l[j], o.x += w * v[j].x, o.y += w * v[j].y, o.z += w * v[j].z, o.w += w * v[j].w;
			}
		}
		const float inv = sum > 0.f ? 1.f / sum : 0.f;
		*reinterpret_cast<uint2*>(out + i * 4) = {pack2(o.x * inv, o.y * inv), pack2(o.z * inv, o.w * inv)};
	}
}

template <int D>
__device__ __forceinline__ void attend(bf16* out, const bf16* q, const Cache& c, float* parts, u32* counters, const Problem& t, const Scores& f) {
	using S = Shape<D>;
	extern __shared__ __align__(128) u8 shared[];
	const int warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
	float* acc = reinterpret_cast<float*>(shared);
	Plan& p = *reinterpret_cast<Plan*>(shared + S::Sum);
	const u32 stages = smem_addr(shared + S::Sum + (sizeof(Plan) + 127) / 128 * 128 + warp * S::Warp);
	make_plan(p, t, f.window);

	const int blocks = ceil_div(t.group, kHeads), units = t.kv_heads * blocks;  // head units
	const u64 line = static_cast<u64>(p.begin[t.requests]) * units;
	const u32 shares = min(static_cast<u64>(gridDim.x), max(line / t.min_units, static_cast<u64>(1)));
	if (blockIdx.x >= shares) return;
	const u64 first = line * blockIdx.x / shares, end = line * (blockIdx.x + 1) / shares;

	Segment s;
	s.start(p, t.requests, units, first, end);
	Feed<D> feed;
	feed.s = s;
	feed.enter(p, t, c, f.window, warp);
	feed.settle(p, t, c, units, f.window, warp);
	int fill = 0, use = 0;  // stages
	auto issue = [&] {
		feed.issue(stages + fill * 2 * S::Bytes, c, blocks);
		fill = (fill + 1) % kStages;
		feed.key += warps * kGroup;
		feed.settle(p, t, c, units, f.window, warp);
	};
#pragma unroll 1
	for (int i = 0; i < kStages - 1; i++) issue();

	for (; s.left > 0; s.next(p, t.requests, units)) {
		const int block = s.h % blocks, heads = min(t.group - block * kHeads, kHeads);
		const i64 column = (s.h / blocks * t.group + block * kHeads) * D;
		Heads<D> a;
		a.start(q + s.b * t.q_stride + column, heads);
		const int low = first_key(p.context[s.b] - 1, f.window);
		int key, to;
		s.keys(p, f.window, key, to);
#pragma unroll 1
		for (key += warp * kGroup; key < to; key += warps * kGroup) {
			issue();
			cp_async_wait<kStages - 1>();
			__syncwarp();
			a.add(stages + use * 2 * S::Bytes, key, low, to, f);
			use = (use + 1) % kStages;
			__syncwarp();
		}
		float base[2], sum[2];
		a.join(acc, p, base, sum);
		bf16* to_out = out + s.b * t.out_stride + column;
		if (s.count == s.n) {
			finish<D>(to_out, acc, sum, heads, p);
		} else {
			share<D>(parts + (2 * static_cast<i64>(blockIdx.x) + (s.from == 0)) * S::Part, acc, base, sum, heads);
			const u64 pair = static_cast<u64>(p.begin[s.b]) * units + static_cast<u64>(s.h) * s.n;  // its place on the line
			const int c0 = static_cast<int>(((pair + 1) * shares - 1) / line), c1 = static_cast<int>(((pair + s.n) * shares - 1) / line);
			__threadfence();
			__syncthreads();
			u32* counter = counters + c0;  // no other pair begins in c0 and ends elsewhere
			if (threadIdx.x == 0) {
				p.last = atomicAdd(counter, 1) == static_cast<u32>(c1 - c0);
				if (p.last) *counter = 0;  // for the next launch
			}
			__syncthreads();
			if (p.last) {
				__threadfence();
				merge<D>(to_out, parts, c0, c1, heads);
			}
		}
		__syncthreads();  // acc and p are free again
	}
}

#define ATTEND_DECODE(D)                                                                                                            \
	extern "C" __global__ void __launch_bounds__(256)                                                                               \
	    attend_decode_##D(bf16* out, const bf16* q, Cache c, float* parts, u32* counters, Problem t, Scores f) {                    \
		attend<D>(out, q, c, parts, counters, t, f);                                                                                \
	}

ATTEND_DECODE(64)
ATTEND_DECODE(96)
ATTEND_DECODE(128)
ATTEND_DECODE(256)

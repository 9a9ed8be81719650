// sample.cuh: the definition of sampling that ../sample.go documents, bit for bit, and what the sampling kernels share.
#pragma once
#include "common.cuh"

// Rule is how to pick one row's token: backend.Sampling as Go lays it out.
struct Rule {
	float temperature;
	int top_k;
	float top_p, min_p, repetition, presence, frequency;
	int unused0;
	u64 seed;
	int prompt, logprobs;
	int bias[2];
	int mask, unused1;
};

struct Bias {
	int id;
	float value;
};

// Samples is a batch of S rows and where its results go.
struct Samples {
	float* logits;  // [S,V], rows stride apart; edited in place
	const Rule* rules;
	const int* owner;    // [S] index into rows and context
	const int* rows;     // row of the token pool; negative for padding
	const int* context;  // the position to draw for
	const Bias* bias;
	const u32* masks;
	int* pool;  // [rows][pool_stride]

	int* ids;         // [S]
	float* logprobs;  // [S]
	int* top_ids;     // [S][kTop]
	float* top_logprobs;

	float* lse;       // [S] log of the sum of e^logit
	float* groups;    // [S][kGroups] largest z of each thread of sample_draw
	u64* best;        // [S] zero between launches
	u32* arrived;     // [S] likewise
	u32* counts;      // [S,V] likewise
	float* pool_raw;  // [S][pool_stride] what a logit was before penalties, at one position of the token; NaN at others
	float* bias_raw;  // [all biases] what it was before bias, at the token's first bias; NaN at others

	i64 stride, pool_stride;
	int vocab;
};

constexpr int kTop = 20, kGroups = 4096;

__device__ __forceinline__ bool greedy(const Rule& r) { return !(r.temperature >= 1e-5f); }

__device__ __forceinline__ bool cuts_k(const Rule& r, int vocab) { return r.top_k > 0 && r.top_k < vocab; }

__device__ __forceinline__ bool selects(const Rule& r, int vocab) {
	return !greedy(r) && (cuts_k(r, vocab) || r.top_p < 1.f || r.min_p > 0.f);
}

__device__ __forceinline__ bool penalises(const Rule& r) {
	return (r.repetition != 0.f && r.repetition != 1.f) || r.presence != 0.f || r.frequency != 0.f;
}

// ---- order -------------------------------------------------------------------------------------------------------

// ordered maps floats to unsigned integers in the same order; ranked adds the token, lower ids above higher ones.
__device__ __forceinline__ u32 ordered(float z) {
	const u32 b = __float_as_uint(z);
	return b >> 31 ? ~b : b | 0x80000000u;
}

__device__ __forceinline__ float from_ordered(u32 k) { return __uint_as_float(k >> 31 ? k & 0x7fffffffu : ~k); }

__device__ __forceinline__ u64 ranked(float z, int id) { return static_cast<u64>(ordered(z)) << 32 | static_cast<u32>(~id); }

__device__ __forceinline__ int id_of(u64 r) { return static_cast<int>(~static_cast<u32>(r)); }

__device__ __forceinline__ float value_of(u64 r) { return from_ordered(static_cast<u32>(r >> 32)); }

constexpr u64 kBad = ~0ull;  // above every rank

// ---- arithmetic, each operation rounded by itself ------------------------------------------------------------------

__device__ __forceinline__ float mul(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float plus(float a, float b) { return __fadd_rn(a, b); }

// log_of returns log((1+f)·2^e).
__device__ __forceinline__ float log_of(float f, int e) {
	float p = 7.0376836292e-2f;
	p = plus(mul(p, f), -1.1514610310e-1f);
	p = plus(mul(p, f), 1.1676998740e-1f);
	p = plus(mul(p, f), -1.2420140846e-1f);
	p = plus(mul(p, f), 1.4249322787e-1f);
	p = plus(mul(p, f), -1.6668057665e-1f);
	p = plus(mul(p, f), 2.0000714765e-1f);
	p = plus(mul(p, f), -2.4999993993e-1f);
	p = plus(mul(p, f), 3.3333331174e-1f);
	const float z = mul(f, f), n = static_cast<float>(e);
	float y = mul(mul(p, f), z);
	y = plus(y, mul(-2.12194440e-4f, n));
	y = plus(y, -mul(0.5f, z));
	return plus(plus(f, y), mul(0.693359375f, n));
}

// split_log returns log(x) of a positive normal x.
__device__ __forceinline__ float split_log(float x) {
	const u32 b = __float_as_uint(x);
	const int e = static_cast<int>(b - 0x3f3504f3u) >> 23;
	return log_of(plus(__uint_as_float(b - (static_cast<u32>(e) << 23)), -1.f), e);
}

__device__ __forceinline__ float uniform(u32 r) { return fminf(plus(mul(__uint2float_rn(r), 0x1p-32f), 0x1p-33f), 1.f - 0x1p-24f); }

// gumbel returns -log(-log(1-v)), v = uniform(r).
__device__ __forceinline__ float gumbel(u32 r) {
	const float v = uniform(r);
	return -split_log(-(v < 0.25f ? log_of(-v, 0) : split_log(plus(1.f, -v))));
}

constexpr float kGumbelMax = 22.9f;

// exp_of returns e^x for x <= 0.
__device__ __forceinline__ float exp_of(float x) {
	if (!(x >= -64.f)) return 0.f;
	const float n = floorf(plus(mul(x, 1.44269504f), 0.5f));
	const float r = plus(plus(x, -mul(n, 0.693359375f)), -mul(n, -2.12194440e-4f));
	float p = 1.9875691500e-4f;
	p = plus(mul(p, r), 1.3981999507e-3f);
	p = plus(mul(p, r), 8.3334519073e-3f);
	p = plus(mul(p, r), 4.1665795894e-2f);
	p = plus(mul(p, r), 1.6666665459e-1f);
	p = plus(mul(p, r), 5.0000001201e-1f);
	const float y = plus(plus(mul(p, mul(r, r)), r), 1.f);
	return mul(y, __int_as_float((static_cast<int>(n) + 127) << 23));
}

__device__ __forceinline__ u32 weight(float z, float top) { return static_cast<u32>(mul(exp_of(plus(z, -top)), 0x1p31f)); }

// product is a·b in halves. Left to itself the compiler calculates in 64 bits.
__device__ __forceinline__ void product(u32 a, u32 b, u32& high, u32& low) {
	asm("{ .reg .b64 ab; mul.wide.u32 ab, %2, %3; mov.b64 {%1, %0}, ab; }" : "=r"(high), "=r"(low) : "r"(a), "r"(b));
}

// noise gives the random words of tokens 4·quad to 4·quad+3: Philox4x32-10 (Salmon et al. 2011).
__device__ __forceinline__ void noise(u32 (&r)[4], u32 quad, u32 position, u64 seed) {
	u32 k0 = static_cast<u32>(seed), k1 = static_cast<u32>(seed >> 32);
	r[0] = quad, r[1] = position, r[2] = 0, r[3] = 0;
#pragma unroll
	for (int i = 0; i < 10; i++) {
		u32 ah, al, bh = 0, bl = 0;
		product(0xD2511F53u, r[0], ah, al);
		if (i > 0) product(0xCD9E8D57u, r[2], bh, bl);
		r[0] = bh ^ r[1] ^ k0, r[1] = bl;
		r[2] = ah ^ r[3] ^ k1, r[3] = al;
		k0 += 0x9E3779B9u, k1 += 0xBB67AE85u;
	}
}

// noise_of gives one token's word.
__device__ __forceinline__ u32 noise_of(int id, u32 position, u64 seed) {
	u32 r[4];
	noise(r, static_cast<u32>(id) >> 2, position, seed);
	return id & 2 ? (id & 1 ? r[3] : r[2]) : (id & 1 ? r[1] : r[0]);
}

// kNothing is ordered(-Inf).
constexpr u32 kNothing = 0x007fffff;

// draw_quad keeps the best noisy score of tokens 4·quad to 4·quad+3 in best and id, whose own id is lower. bound, in shared
// memory, is ordered(the best score of any thread of the block): what cannot reach it is left out, so that few words of noise
// become scores.
__device__ __forceinline__ void draw_quad(const float (&z)[4], int quad, u32 position, u64 seed, u32* bound, float& best, int& id) {
	const float high = fmaxf(fmaxf(z[0], z[1]), fmaxf(z[2], z[3])), least = from_ordered(*static_cast<volatile u32*>(bound));
	if (!(high > __int_as_float(0xff800000)) || high + kGumbelMax < least) return;
	u32 r[4], may = 0;
	noise(r, quad, position, seed);
	// -log(1-v) >= v, so a score of least or more needs log(v) <= z - least. The rest is more than all roundings come to.
	const u32 limit = __float2uint_rz(mul(__expf(high - least + (2e-3f + fabsf(least) * 0x1p-22f)), 0x1p32f));
#pragma unroll
	for (int e = 0; e < 4; e++) may |= (r[e] <= limit) << e;
	while (may) {
		const int e = __ffs(may) - 1;
		may &= may - 1;
		const float score = plus(e & 2 ? (e & 1 ? z[3] : z[2]) : (e & 1 ? z[1] : z[0]), gumbel(e & 2 ? (e & 1 ? r[3] : r[2]) : (e & 1 ? r[1] : r[0])));
		if (score > best) best = score, id = quad * 4 + e;
	}
	if (best > least) atomicMax(bound, ordered(best));
}

// ---- rows of logits ------------------------------------------------------------------------------------------------

// Row reads one row, four logits at a time, as z = logit · inv, -Inf where the mask forbids.
struct Row {
	const float* logits;
	const u32* mask;
	float inv;
	int vocab;
	bool wide;  // 16-byte loads

	__device__ Row(const Samples& s, int i, const Rule& r) {
		logits = s.logits + i * s.stride;
		vocab = s.vocab;
		mask = r.mask ? s.masks + static_cast<i64>(r.mask - 1) * ((vocab + 31) / 32) : nullptr;
		inv = greedy(r) ? 1.f : __fdiv_rn(1.f, r.temperature);
		wide = reinterpret_cast<u64>(logits) % 16 == 0;
	}

	__device__ __forceinline__ int quads() const { return (vocab + 3) / 4; }

	__device__ __forceinline__ void raw(float (&x)[4], int quad) const {
		if (wide && quad * 4 + 3 < vocab) {
			const float4 v = __ldcg(reinterpret_cast<const float4*>(logits) + quad);
			x[0] = v.x, x[1] = v.y, x[2] = v.z, x[3] = v.w;
		} else {
#pragma unroll
			for (int e = 0; e < 4; e++) x[e] = quad * 4 + e < vocab ? __ldcg(logits + quad * 4 + e) : __int_as_float(0xff800000);
		}
	}

	// scale turns raw logits into z, -0 into +0.
	__device__ __forceinline__ void scale(float (&x)[4], int quad) const {
		const u32 allowed = mask ? __ldg(mask + quad / 8) >> (quad % 8 * 4) : 15u;
#pragma unroll
		for (int e = 0; e < 4; e++) x[e] = allowed >> e & 1 ? plus(mul(x[e], inv), 0.f) : __int_as_float(0xff800000);
	}
};

// for_each calls f(quad, raw logits) for every quad that this thread has, threads being `threads` in all. Loads of Ahead
// quads are under way together.
template <int Ahead, class F>
__device__ __forceinline__ void for_each(const Row& row, int thread, int threads, F f) {
	const int quads = row.quads();
	for (int q0 = thread; q0 < quads; q0 += Ahead * threads) {
		float x[Ahead][4];
#pragma unroll
		for (int j = 0; j < Ahead; j++) {
			if (q0 + j * threads < quads) row.raw(x[j], q0 + j * threads);
		}
#pragma unroll
		for (int j = 0; j < Ahead; j++) {
			if (q0 + j * threads < quads) f(q0 + j * threads, x[j]);
		}
	}
}

// bad reports NaN or +Inf.
__device__ __forceinline__ bool bad(float x) { return !(x < __int_as_float(0x7f800000)); }

// ---- reductions ------------------------------------------------------------------------------------------------------

__device__ __forceinline__ u64 greater(u64 a, u64 b) { return a > b ? a : b; }

// block_max returns the largest v of the block to every thread.
__device__ __forceinline__ u64 block_max(u64 v) {
	__shared__ u64 part[32];
	const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
#pragma unroll
	for (int o = 16; o > 0; o >>= 1) v = greater(v, __shfl_xor_sync(kAll, v, o));
	__syncthreads();  // a former call may still be reading part
	if (lane == 0) part[warp] = v;
	__syncthreads();
	v = lane < warps ? part[lane] : 0;
#pragma unroll
	for (int o = 16; o > 0; o >>= 1) v = greater(v, __shfl_xor_sync(kAll, v, o));
	return v;
}

// block_scan returns the sum of v over the threads before this one, and of all in total.
__device__ __forceinline__ u64 block_scan(u64 v, u64& total) {
	__shared__ u64 part[32];
	const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
	u64 sum = v;
#pragma unroll
	for (int o = 1; o < 32; o <<= 1) {
		const u64 up = __shfl_up_sync(kAll, sum, o);
		if (lane >= o) sum += up;
	}
	__syncthreads();
	if (lane == 31) part[warp] = sum;
	__syncthreads();
	u64 w = lane < warps ? part[lane] : 0;
	const u64 own = w;
#pragma unroll
	for (int o = 1; o < 32; o <<= 1) {
		const u64 up = __shfl_up_sync(kAll, w, o);
		if (lane >= o) w += up;
	}
	total = __shfl_sync(kAll, w, 31);
	return __shfl_sync(kAll, w - own, warp) + sum - v;
}

// sort puts the n entries of list in descending order (Batcher 1968) and zeros up to the next power of two behind them.
__device__ __forceinline__ int power_of_two(int n) { return n <= 1 ? 1 : 1 << (32 - __clz(n - 1)); }

__device__ void sort(u64* list, int n) {
	const int size = power_of_two(n);
	for (int i = n + threadIdx.x; i < size; i += blockDim.x) list[i] = 0;
	for (int block = 2; block <= size; block *= 2) {
		for (int step = block / 2; step > 0; step /= 2) {
			__syncthreads();
			for (int i = threadIdx.x; i < size / 2; i += blockDim.x) {
				const int a = 2 * i - (i & (step - 1)), b = a + step;
				const u64 x = list[a], y = list[b];
				if ((x < y) == ((a & block) == 0)) list[a] = y, list[b] = x;
			}
		}
	}
	__syncthreads();
}

// ---- the end of a row ------------------------------------------------------------------------------------------------

// raw_logit finds what token id's logit was before bias and penalties. All threads of the block call it.
__device__ float raw_logit(const Samples& s, int i, const Rule& r, int id) {
	__shared__ u32 found;
	if (threadIdx.x == 0) found = __float_as_uint(s.logits[i * s.stride + id]);
	__syncthreads();
	bool have = false;
	for (int j = r.bias[0] + threadIdx.x; j < r.bias[1]; j += blockDim.x) {
		const float raw = s.bias[j].id == id ? s.bias_raw[j] : 0.f;
		if (s.bias[j].id == id && !isnan(raw)) found = __float_as_uint(raw), have = true;
	}
	if (!__syncthreads_or(have) && penalises(r)) {
		const int b = s.owner[i], n = s.context[b];
		const int* tokens = s.pool + max(s.rows[b], 0) * s.pool_stride;
		for (int j = threadIdx.x; j < n; j += blockDim.x) {
			const float raw = s.pool_raw[i * s.pool_stride + j];
			if (tokens[j] == id && !isnan(raw)) found = __float_as_uint(raw);
		}
		__syncthreads();
	}
	return __uint_as_float(found);
}

// keep writes row i's token, and its place in the pool unless it is -1.
__device__ __forceinline__ void keep(const Samples& s, int i, int id, float logprob) {
	s.ids[i] = id;
	s.logprobs[i] = logprob;
	const int b = s.owner[i], row = s.rows[b], at = s.context[b];
	if (id >= 0 && row >= 0 && at < s.pool_stride) s.pool[row * s.pool_stride + at] = id;
}

// token_of is the id of the best rank, -1 where there is none.
__device__ __forceinline__ int token_of(u64 best) { return best == kBad || best == 0 ? -1 : id_of(best); }

// finish writes row i's token, the id of best, or -1. All threads of the block call it.
__device__ void finish(const Samples& s, int i, const Rule& r, u64 best) {
	const int id = token_of(best);
	float logprob = 0;
	if (id >= 0 && r.logprobs >= 0) logprob = raw_logit(s, i, r, id) - s.lse[i];
	if (threadIdx.x == 0) keep(s, i, id, logprob);
}

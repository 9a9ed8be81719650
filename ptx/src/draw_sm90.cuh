// draw_sm90.cuh: the draw of each token's successor, in the kernels of linear_sm90.cuh that make the logits: none goes to memory.
//
// A lane has quads of logits, of which a token's noise comes in fours (sample.cuh). What a token's rule asks for, and the best
// rank that the block knows, lie in shared memory over all tiles of the block; what cannot reach that rank gets no noise.
// At its end a block adds its ranks to those of the others, and sample_drawn of sample.cu makes tokens of them.
#pragma once
#include "linear_sm90.cuh"
#include "sample.cuh"

// Draw is what the kernels need of Samples, and DRAW_PARAMS come behind HOPPER_PARAMS, mirrored by drawArgs in ../draw.go.
struct Draw {
	const Rule* rules;
	const int *owner, *context;
	u64* best;
};
#define DRAW_PARAMS const Rule *rules, const int *owner, const int *context, u64 *best
#define DRAW_ARGS Draw{rules, owner, context, best}

// kNone is below the rank of every token above -Inf, as finite numbers begin there.
constexpr u64 kNone = 0x00800000ull << 32;

// greater_or_nan is the larger of two, NaN where one is.
__device__ __forceinline__ float greater_or_nan(float a, float b) {
	asm("max.NaN.f32 %0, %0, %1;" : "+f"(a) : "f"(b));
	return a;
}

__device__ __forceinline__ float greatest(const float (&x)[4]) { return greater_or_nan(greater_or_nan(x[0], x[1]), greater_or_nan(x[2], x[3])); }

// reciprocal is 1 / t, rounded once: a division that the compiler knows to be exact calls a helper, and products would wait for
// each other in a kernel that does. The approximation is one off at most, and where it is right the rest, which FMA gives
// exactly, is the least.
__device__ __forceinline__ float reciprocal(float t) {
	const float r = __fdividef(1.f, t);
	float best = r, least = fabsf(__fmaf_rn(-t, r, 1.f));
#pragma unroll
	for (int step = -1; step <= 1; step += 2) {
		const float other = __uint_as_float(__float_as_uint(r) + step), rest = fabsf(__fmaf_rn(-t, other, 1.f));
		if (rest < least) best = other, least = rest;
	}
	return best;
}

// pick is v[i/4][i%4], in registers.
template <class T, int N>
__device__ __forceinline__ T pick(const T (&v)[N][4], int i) {
	T out = v[0][0];
#pragma unroll
	for (int j = 1; j < 4 * N; j++) out = i == j ? v[j / 4][j % 4] : out;
	return out;
}

// Drawing is a block's shared memory of the draw.
struct Drawing {
	struct Row {  // a token's rule
		float inv;  // 1 / temperature; negative: greedy
		u32 position;
		u64 seed;
	};
	static constexpr int kBytes = sizeof(Row) + sizeof(u64);  // of a token

	Row* rows;
	u64* best;  // kBad: the row holds NaN or Inf, or there is no such token

	__device__ __forceinline__ Drawing(u8* at, int tokens) : rows(reinterpret_cast<Row*>(at)), best(reinterpret_cast<u64*>(at + tokens * sizeof(Row))) {}

	// begin fills in `tokens` tokens from `first` on, of which the first n are there. A barrier has to follow.
	__device__ __forceinline__ void begin(const Draw& d, int first, int tokens, int n, int thread, int threads) const {
#pragma unroll 1
		for (int i = thread; i < tokens; i += threads) {
			best[i] = i < n ? kNone : kBad;
			Row row = {-1.f, 0, 0};
			if (i < n) {
				const Rule& r = d.rules[first + i];
				row.position = d.context[d.owner[first + i]];
				row.seed = r.seed;
				if (!greedy(r)) row.inv = reciprocal(r.temperature);
			}
			rows[i] = row;
		}
	}

	// end gives the ranks of n tokens to all blocks; it stands behind a barrier.
	__device__ __forceinline__ void end(const Draw& d, int first, int n, int thread, int threads) const {
		for (int i = thread; i < n; i += threads)
			if (best[i] != kNone) atomicMax(d.best + first + i, best[i]);
	}

	// least is what a score of the token has to reach, NaN where nothing counts.
	__device__ __forceinline__ float least(int token) const { return from_ordered(reinterpret_cast<volatile u32*>(best + token)[1]); }

	// quiet reports whether n tokens are greedy, 32 at most to a lane. Whole warps call it, and draw.
	__device__ __forceinline__ bool quiet(int first, int n) const {
		bool noisy = false;
		for (int i = threadIdx.x % 32; i < n; i += 32) noisy |= rows[first + i].inv >= 0.f;
		return !__any_sync(kAll, noisy);
	}

	// limit is the largest word of noise by which z can come to least: see draw_quad.
	__device__ __forceinline__ static u32 limit(float z, float least) {
		return __float2uint_rz(mul(__expf(z - least + (2e-3f + fabsf(least) * 0x1p-22f)), 0x1p32f));
	}

	// draw takes N quads of logits, of tokens that are TokenStep apart; the quads' numbers are QuadStep apart.
	template <int N, int TokenStep, int QuadStep>
	__device__ __forceinline__ void draw(const float (&x)[N][4], int token, int quad) const {
		float goal[N];          // the largest logit of a greedy token, if it may be the best; otherwise NaN
		u32 most[N], take = 0;  // the largest word of noise that may make the best; a bit for each logit that may be it
		bool plain = false, noisy = false;
		Row row[N];
		float floors[N];
#pragma unroll
		for (int i = 0; i < N; i++) {
			const bool again = TokenStep == 0 && i > 0;
			row[i] = again ? row[0] : rows[token + i * TokenStep];
			floors[i] = again ? floors[0] : least(token + i * TokenStep);
		}
#pragma unroll
		for (int i = 0; i < N; i++) {
			const float inv = row[i].inv, floor = floors[i], top = greatest(x[i]);
			if (bad(top)) atomicMax(best + token + i * TokenStep, kBad);
			const float high = plus(mul(top, inv), 0.f);
			const bool is_noisy = inv >= 0.f && high + kGumbelMax >= floor, is_plain = inv < 0.f && top >= floor;
			goal[i] = is_plain ? top : __int_as_float(0x7fc00000);
			most[i] = is_noisy ? limit(high, floor) : 0;
			plain |= is_plain, noisy |= is_noisy;
		}
		u32 words[N][4];
		if (__any_sync(kAll, noisy)) {
#pragma unroll
			for (int i = 0; i < N; i++) {
				noise(words[i], quad + i * QuadStep, row[i].position, row[i].seed);
#pragma unroll
				for (int e = 0; e < 4; e++) take |= words[i][e] <= most[i] ? 1u << (4 * i + e) : 0;
			}
		}
		if (__any_sync(kAll, plain)) {
#pragma unroll
			for (int i = 0; i < N; i++)
#pragma unroll
				for (int e = 0; e < 4; e++) take |= x[i][e] == goal[i] ? 1u << (4 * i + e) : 0;
		}
#pragma unroll 1
		while (take) {
			const int at = __ffs(take) - 1, t = token + at / 4 * TokenStep;
			take &= take - 1;
			const float inv = rows[t].inv, most = least(t);
			float score = plus(mul(pick(x, at), inv < 0.f ? 1.f : inv), 0.f);
			if (inv >= 0.f) {
				const u32 word = pick(words, at);
				if (word > limit(score, most)) continue;
				score = plus(score, gumbel(word));
			}
			if (score >= most) atomicMax(best + t, ranked(score, (quad + at / 4 * QuadStep) * 4 + at % 4));
		}
	}
};

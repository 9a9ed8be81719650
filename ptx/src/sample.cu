// sample.cu: log-probabilities, logit edits, and the draw of each row's next token without or with top-k, top-p, min-p.
// data    logits [S,V] f32, rows a stride apart, edited in place; rules [S]; pool [Rows,PoolStride] i32; see sample.cuh
// math    fp32 with every operation rounded, integer sums of probabilities: the same ids on every backend and in any batch
// needs   sm_80+, V < 2^30, workspace zero before the first launch    launch  grid S, block 1024 (draw: grid C x S, block 256; best: S/256, 256; select: 512)
// moves   4SV bytes to draw, as much again to select by top-k, 3 times for top-p alone; floor: 150 us at S=128, V=151936
// source  Philox: Salmon et al. 2011; Gumbel-max: Maddison et al. 2014, arXiv:1411.0030; top-p: Holtzman 2019, arXiv:1904.09751
// pairs   ../sample.go (launcher), ../../backend/cpu/sample.go (oracle)
#include "sample.cuh"

// ---- sample_logprobs: log of the sum of e^logit, and the likeliest tokens, before any edit ---------------------------

// top_slow finds the n highest ranks one pass over the row each, for rows with more ties than list holds.
__device__ void top_slow(u64* list, const Row& row, int n) {
	u64 below = kBad;
	for (int i = 0; i < n; i++) {
		u64 best = 0;
		for_each<4>(row, threadIdx.x, blockDim.x, [&](int quad, float (&x)[4]) {
			for (int e = 0; e < 4; e++) {
				const u64 r = ranked(plus(x[e], 0.f), quad * 4 + e);
				if (quad * 4 + e < row.vocab && r < below) best = greater(best, r);
			}
		});
		below = block_max(best);
		if (threadIdx.x == 0) list[i] = below;
	}
	__syncthreads();
}

extern "C" __global__ void __launch_bounds__(1024) sample_logprobs(Samples s) {
	constexpr int kList = 2048;
	__shared__ u64 list[kList];
	__shared__ int count;
	const int i = blockIdx.x;
	Rule r = s.rules[i];
	if (r.logprobs < 0) return;
	r.mask = 0;
	const Row row(s, i, r);

	float top = __int_as_float(0xff800000), sum = 0;
	for_each<4>(row, threadIdx.x, blockDim.x, [&](int quad, float (&x)[4]) {
		const float high = fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3]));
		if (high > top) sum *= __expf(top - high), top = high;
#pragma unroll
		for (int e = 0; e < 4; e++) sum += top > __int_as_float(0xff800000) ? __expf(x[e] - top) : 0.f;
	});
	const u64 mine = ranked(plus(top, 0.f), threadIdx.x), best = block_max(mine);
	const float high = value_of(best);
	sum = block_sum(sum * (top > __int_as_float(0xff800000) ? __expf(top - high) : 0.f));
	const float lse = high + logf(sum);
	if (threadIdx.x == 0) s.lse[i] = lse, count = 0;
	const int n = min(min(r.logprobs, kTop), s.vocab);
	if (n == 0) return;

	// The n-th highest of the threads' maxima is at most the n-th highest logit.
	list[threadIdx.x] = mine;
	sort(list, blockDim.x);
	const float bound = value_of(list[n - 1]);
	__syncthreads();
	for_each<4>(row, threadIdx.x, blockDim.x, [&](int quad, float (&x)[4]) {
#pragma unroll
		for (int e = 0; e < 4; e++) {
			if (x[e] >= bound && quad * 4 + e < s.vocab) {
				const int at = atomicAdd(&count, 1);
				if (at < kList) list[at] = ranked(plus(x[e], 0.f), quad * 4 + e);
			}
		}
	});
	__syncthreads();
	if (count <= kList) {
		sort(list, count);
	} else {
		top_slow(list, row, n);
	}
	if (threadIdx.x < n) {
		const bool have = threadIdx.x < count;  // fewer only in a row with NaN
		s.top_ids[i * kTop + threadIdx.x] = have ? id_of(list[threadIdx.x]) : -1;
		s.top_logprobs[i * kTop + threadIdx.x] = have ? value_of(list[threadIdx.x]) - lse : 0.f;
	}
}

// ---- sample_edit: bias and penalties, in place -----------------------------------------------------------------------

__device__ void add_bias(const Samples& s, float* logits, int from, int to, bool keep) {
	for (int j = from + threadIdx.x; j < to; j += blockDim.x) {
		const int id = s.bias[j].id;
		bool first = id >= 0 && id < s.vocab;
		for (int k = from; first && k < j; k++) first = s.bias[k].id != id;
		float raw = __int_as_float(0x7fc00000);
		if (first) {
			raw = logits[id];
			float l = raw;
			for (int k = j; k < to; k++) {
				if (s.bias[k].id == id) l = plus(l, s.bias[k].value);
			}
			logits[id] = l;
		}
		if (keep) s.bias_raw[j] = raw;
	}
	__syncthreads();
}

extern "C" __global__ void __launch_bounds__(1024) sample_edit(Samples s) {
	constexpr u32 kPrompt = 1u << 31;
	const int i = blockIdx.x;
	const Rule r = s.rules[i];
	float* logits = s.logits + i * s.stride;
	add_bias(s, logits, r.bias[0], r.bias[1], r.logprobs >= 0);
	if (!penalises(r)) return;

	const int b = s.owner[i], n = min(static_cast<i64>(s.context[b]), s.pool_stride);
	const int* tokens = s.pool + max(s.rows[b], 0) * s.pool_stride;
	u32* counts = s.counts + static_cast<i64>(i) * s.vocab;
	for (int j = threadIdx.x; j < n; j += blockDim.x) {
		const int id = tokens[j];
		if (id < 0 || id >= s.vocab) continue;
		if (j < r.prompt) {
			atomicOr(counts + id, kPrompt);
		} else {
			atomicAdd(counts + id, 1);
		}
	}
	__syncthreads();
	for (int j = threadIdx.x; j < n; j += blockDim.x) {
		const int id = tokens[j];
		float raw = __int_as_float(0x7fc00000);
		// The first to come takes the count, edits the logit, and leaves zero for the others and the next launch.
		const u32 seen = id >= 0 && id < s.vocab ? atomicExch(counts + id, 0) : 0;
		if (seen) {
			raw = logits[id];
			float l = raw;
			if (r.repetition != 0.f && r.repetition != 1.f) l = l > 0.f ? __fdiv_rn(l, r.repetition) : mul(l, r.repetition);
			const u32 times = seen & ~kPrompt;
			if (times) l = plus(plus(l, -mul(r.frequency, __uint2float_rn(times))), -r.presence);
			logits[id] = l;
		}
		if (r.logprobs >= 0) s.pool_raw[i * s.pool_stride + j] = raw;
	}
}

// ---- sample_draw: one pass that draws rows without selection and prepares the others ---------------------------------

extern "C" __global__ void __launch_bounds__(256, 3) sample_draw(Samples s) {
	__shared__ u64 all;
	__shared__ u32 bound;
	__shared__ bool last;
	const int i = blockIdx.y, thread = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
	const Rule r = s.rules[i];
	const Row row(s, i, r);
	const bool select = selects(r, s.vocab), noisy = !greedy(r) && !select;
	const u32 position = s.context[s.owner[i]];
	float best = __int_as_float(0xff800000);
	int id = -1;
	bool wrong = false;
	if (threadIdx.x == 0) bound = kNothing;
	__syncthreads();
	for_each<4>(row, thread, threads, [&](int quad, float (&x)[4]) {
		wrong |= bad(x[0]) | bad(x[1]) | bad(x[2]) | bad(x[3]);
		row.scale(x, quad);
		const float high = fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3]));
		if (!noisy) {
			if (high > best) {
				best = high;
				id = quad * 4 + (x[0] == high ? 0 : x[1] == high ? 1 : x[2] == high ? 2 : 3);
			}
			return;
		}
		draw_quad(x, quad, position, r.seed, &bound, best, id);
	});
	if (select) {
		s.groups[i * kGroups + thread] = wrong ? __int_as_float(0x7fc00000) : best;
		return;
	}
	u64 rank = block_max(wrong ? kBad : id < 0 ? 0 : ranked(best, id));
	if (gridDim.x > 1) {
		if (threadIdx.x == 0) {
			atomicMax(s.best + i, rank);
			__threadfence();
			last = atomicAdd(s.arrived + i, 1) == gridDim.x - 1;
			if (last) all = atomicExch(s.best + i, 0), s.arrived[i] = 0;
		}
		__syncthreads();
		if (!last) return;
		rank = all;
	}
	finish(s, i, r, rank);
}

// ---- sample_best: the end of argmax_sm90.cuh ---------------------------------------------------------------------------

// sample_best writes the tokens of n rows, and takes ids and log-probabilities to the host, `far` words apart, where it is given.
extern "C" __global__ void __launch_bounds__(256) sample_best(Samples s, int* host, int n, int far) {
	const int i = blockIdx.x * 256 + threadIdx.x;
	if (i >= n) return;
	const int id = token_of(s.best[i]);
	s.best[i] = 0;  // for the next launch
	keep(s, i, id, 0.f);
	if (host) host[i] = id, host[far + i] = 0;
}

// ---- sample_select: top-k, top-p and min-p ---------------------------------------------------------------------------

constexpr int kList = 4096, kBins = 2048, kSelect = 512;  // kSelect threads a block

struct Select {
	u64 list[kList];
	u32 low[kBins], high[kBins];  // a count, or the halves of a sum of weights
	int count, bin;
	u32 bound, unused;
	u64 before, cut;
	u64 least, most;
};

// likely says whether min-p keeps a token.
__device__ __forceinline__ bool likely(float z, float top, const Rule& r) { return !(r.min_p > 0.f) || exp_of(plus(z, -top)) >= r.min_p; }

// Chooser is what the threads of a row's block agree on.
struct Chooser {
	Select& m;
	const Row& row;
	float top;  // the largest z

	// each calls f(z, rank) for every token above -Inf, but may leave out those below least.
	template <class F>
	__device__ __forceinline__ void each(float least, F f) const {
		for_each<8>(row, threadIdx.x, blockDim.x, [&](int quad, float (&x)[4]) {
			row.scale(x, quad);
			if (fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3])) < least) return;
#pragma unroll
			for (int e = 0; e < 4; e++) {
				if (x[e] > __int_as_float(0xff800000)) f(x[e], ranked(x[e], quad * 4 + e));
			}
		});
	}

	// coarse is the first division of the tokens: bins of 1/64 below the largest z.
	__device__ __forceinline__ int coarse(float z) const { return static_cast<int>(fminf((top - z) * 64.f, kBins - 1)); }

	// bottom is below every z of a bin.
	__device__ __forceinline__ float bottom(int bin) const { return bin < kBins - 1 ? top - (bin + 2) / 64.f : __int_as_float(0xff800000); }

	__device__ __forceinline__ void clear() const {
		for (int i = threadIdx.x; i < kBins; i += blockDim.x) m.low[i] = m.high[i] = 0;
		__syncthreads();
	}

	__device__ __forceinline__ void tally(int bin, u32 amount) const {
		if (amount == 0) return;
		if (atomicAdd(m.low + bin, amount) > ~amount) atomicAdd(m.high + bin, 1);
	}

	// reach finds the bin in which the tally, with m.before added, reaches target, and adds the bins above it to
	// m.before; m.bin stays when none does. With share >= 0 the target is that share of the tally's total.
	__device__ u64 reach(u64 target, float share) const {
		__syncthreads();
		constexpr int kEach = kBins / kSelect;
		const int first = kEach * threadIdx.x;
		u64 part[kEach], sum = 0, total;
#pragma unroll
		for (int j = 0; j < kEach; j++) {
			part[j] = m.low[first + j] | static_cast<u64>(m.high[first + j]) << 32;
			sum += part[j];
		}
		sum = m.before + block_scan(sum, total);
		if (share >= 0.f) target = static_cast<u64>(ceil(__dmul_rn(static_cast<double>(share), static_cast<double>(total))));
		target = target > 0 ? target : 1;
		__syncthreads();
#pragma unroll
		for (int j = 0; j < kEach; j++) {
			if (sum < target && target <= sum + part[j]) m.bin = first + j, m.before = sum;
			sum += part[j];
		}
		__syncthreads();
		return target;
	}

	// cut returns the rank of the token at which the sum over the order, of ones or of weights, reaches target, or, with
	// share >= 0, that share of the total. Only tokens from rank floor up count; with too few of them it returns floor.
	__device__ __forceinline__ u64 cut(u64 floor, bool weights, u64 target, float share) const {
		u64 least = floor, most = kBad;
		int bin = -1, shift = -1, n;
		if (threadIdx.x == 0) m.before = 0, m.bin = -1;
#pragma unroll 1
		while (true) {
			clear();
			const float weightless = weights ? top - 22.f : __int_as_float(0xff800000);
			each(fmaxf(bin < 0 ? weightless : bottom(bin), value_of(least)), [&](float z, u64 rank) {
				if (rank < least || rank > most || (bin >= 0 && coarse(z) != bin)) return;
				tally(shift < 0 ? coarse(z) : static_cast<int>((most - rank) >> shift), weights ? weight(z, top) : 1);
			});
			target = reach(target, shift < 0 ? share : -1.f);
			if (shift < 0) {
				bin = m.bin;
				if (bin < 0) return floor;
			} else {
				const u64 width = (1ull << shift) - 1;
				most -= static_cast<u64>(m.bin) << shift;
				if (most - least > width) least = most - width;
			}
			n = gather(bin, least, most);
			if (n <= kList) break;
			least = m.least, most = m.most;  // many nearly equal logits: divide by rank
			shift = max(0, 64 - __clzll(most - least) - 11);
		}
		sort(m.list, n);
		constexpr int kEach = kList / kSelect;
		u64 part[kEach], sum = 0, total;
#pragma unroll
		for (int j = 0; j < kEach; j++) {
			const int at = threadIdx.x * kEach + j;
			part[j] = at < n ? (weights ? weight(value_of(m.list[at]), top) : 1) : 0;
			sum += part[j];
		}
		sum = m.before + block_scan(sum, total);
#pragma unroll
		for (int j = 0; j < kEach; j++) {
			if (sum < target && target <= sum + part[j]) m.cut = m.list[threadIdx.x * kEach + j];
			sum += part[j];
		}
		__syncthreads();
		return m.cut;
	}

	// draw returns the rank by noisy score of the best of this thread's tokens from rank floor up.
	__device__ __forceinline__ u64 draw(u64 floor, const Rule& r, u32 position) const {
		if (threadIdx.x == 0) m.bound = kNothing;
		__syncthreads();
		float best = __int_as_float(0xff800000);
		int id = -1;
		const float least = value_of(floor);  // NaN where nothing was cut
		for_each<8>(row, threadIdx.x, blockDim.x, [&](int quad, float (&x)[4]) {
			row.scale(x, quad);
			if (fmaxf(fmaxf(x[0], x[1]), fmaxf(x[2], x[3])) < least) return;
#pragma unroll
			for (int e = 0; e < 4; e++) {
				const bool kept = x[e] + kGumbelMax >= best && ranked(x[e], quad * 4 + e) >= floor && likely(x[e], top, r);
				if (!kept) x[e] = __int_as_float(0xff800000);
			}
			draw_quad(x, quad, position, r.seed, &m.bound, best, id);
		});
		return id < 0 ? 0 : ranked(best, id);
	}

	// gather lists the tokens of a bin with ranks least to most, and says how many there are; if too many for the list,
	// m.least and m.most bound their ranks.
	__device__ int gather(int bin, u64 least, u64 most) const {
		__syncthreads();
		if (threadIdx.x == 0) m.count = 0;
		__syncthreads();
		u64 low = kBad, high = 0;
		each(bottom(bin), [&](float z, u64 rank) {
			if (coarse(z) != bin || rank < least || rank > most) return;
			low = rank < low ? rank : low, high = greater(high, rank);
			const int at = atomicAdd(&m.count, 1);
			if (at < kList) m.list[at] = rank;
		});
		high = block_max(high), low = ~block_max(~low);
		if (threadIdx.x == 0) m.least = low, m.most = high;
		__syncthreads();
		return m.count;
	}
};

// few draws from the k highest tokens through a list of them. It returns false, having drawn nothing, when the list
// overflows. The k-th highest of the threads' maxima is at most the k-th highest of all.
__device__ bool few(const Chooser& c, const Rule& r, const float* groups, int threads, u32 position, u64& best) {
	Select& m = c.m;
	for (int i = threadIdx.x; i < threads; i += blockDim.x) m.list[i] = ranked(groups[i], i);
	if (threadIdx.x == 0) m.count = 0;
	sort(m.list, threads);
	const float bound = value_of(m.list[r.top_k - 1]);
	__syncthreads();
	c.each(bound, [&](float z, u64 rank) {
		if (z < bound) return;
		const int at = atomicAdd(&m.count, 1);
		if (at < kList) m.list[at] = rank;
	});
	__syncthreads();
	if (m.count > kList) return false;
	sort(m.list, m.count);
	const int n = min(m.count, r.top_k);  // at most one a thread
	const u64 rank = threadIdx.x < n ? m.list[threadIdx.x] : 0;
	const float z = value_of(rank);
	u64 total;
	const u64 before = block_scan(threadIdx.x < n ? weight(z, c.top) : 0, total);
	const u64 target = r.top_p < 1.f ? static_cast<u64>(ceil(__dmul_rn(static_cast<double>(r.top_p), static_cast<double>(total)))) : kBad;
	const bool kept = threadIdx.x < n && (threadIdx.x == 0 || before < target);
	best = block_max(kept && likely(z, c.top, r) ? ranked(plus(z, gumbel(noise_of(id_of(rank), position, r.seed))), id_of(rank)) : 0);
	return true;
}

extern "C" __global__ void __launch_bounds__(kSelect) sample_select(Samples s, int threads) {
	extern __shared__ __align__(16) u8 shared[];
	Select& m = *reinterpret_cast<Select*>(shared);
	const int i = blockIdx.x;
	const Rule r = s.rules[i];
	if (!selects(r, s.vocab)) return;
	const float* groups = s.groups + i * kGroups;
	u64 top = 0;
	for (int j = threadIdx.x; j < threads; j += blockDim.x) top = greater(top, isnan(groups[j]) ? kBad : ranked(groups[j], 0));
	top = block_max(top);
	if (top == kBad || value_of(top) == __int_as_float(0xff800000)) {
		finish(s, i, r, kBad);
		return;
	}
	const Row row(s, i, r);
	const Chooser c{m, row, value_of(top)};
	const u32 position = s.context[s.owner[i]];
	const bool by_k = cuts_k(r, s.vocab);
	u64 best = 0;
	if (!by_k || r.top_k > min(threads / 2, kSelect) || !few(c, r, groups, threads, position, best)) {
		u64 floor = 0;
#pragma unroll 1
		for (int pass = 0; pass < 2; pass++) {
			const bool by_p = pass == 1;
			if (by_p ? r.top_p < 1.f : by_k) floor = c.cut(floor, by_p, r.top_k, by_p ? fmaxf(r.top_p, 0.f) : -1.f);
		}
		best = block_max(c.draw(floor, r, position));
	}
	finish(s, i, r, best);
}

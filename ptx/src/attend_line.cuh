// attend_line.cuh: how attend_decode.cu and attend_decode_sm90.cu divide the keys of a batch among blocks.
#pragma once
#include "attend.cuh"

// The keys of a pair (request, unit of at most 8·NT query heads of one KV head) are cut into leaves, whose length is a
// function of the context alone. The workers of a block take kTurn keys of a leaf in turns, each through a ring of copies
// of its own; the closers add up the workers' sums of a leaf, and leaves from left to right. All leaves lie on one line,
// of which each block gets an equal share. Where a share begins within a pair its leaves are kept one by one, and the
// last block of the pair to end adds them to what the first has, from left to right: the sums are the same however the
// line was cut.
//
// attend_decode_sm90.cu has workers of its own, in blocks of which two share a multiprocessor; attend_decode_few_sm90.cu has the
// leaves alone.
#ifdef WEFT_HOPPER
enum : bool { kHopper = true };
#define MAX_REQUESTS 512  // what a plan has room for
#else
enum : bool { kHopper = false };
#define MAX_REQUESTS 1024
#endif

constexpr int kUnit = 128, kGroup = 16, kTiles = kHopper ? 2 : 1, kTurn = kTiles * kGroup, kMaxLeaves = 32, kMaxRequests = MAX_REQUESTS, kCloserWarps = kHopper ? 2 : 4, kClosers = 32 * kCloserWarps;

struct Problem {
	const int* rows;
	const int* context;
	int requests, kv_heads, group, depth;  // depth: leaves that workers may be ahead of closers
	i64 q_stride, out_stride;
};

// Plan is what a block knows of the whole batch.
struct Plan {
	int begin[kMaxRequests + 1];  // units before each request, for one head unit
	int context[kMaxRequests], row[kMaxRequests];
	int part[32];
	int last[2];
	u64 full[2], free[2];
};

__device__ __forceinline__ int first_unit(int context, int window) { return first_key(context - 1, window) / kUnit; }

// count_units gives the units of a pair. No key still makes one: it writes zeros.
__device__ __forceinline__ int count_units(int context, int window) { return max(ceil_div(context, kUnit) - first_unit(context, window), 1); }

// leaf_log gives the units of a leaf of a pair with n, as a power of two.
__device__ __forceinline__ int leaf_log(int n) { return n <= kMaxLeaves ? 0 : 32 - __clz((n - 1) / kMaxLeaves); }

// make_plan fills begin, context and row. It returns whether all requests have as many units.
__device__ bool make_plan(Plan& p, const Problem& t, int window) {
	const int each = ceil_div(t.requests, blockDim.x), at = threadIdx.x * each, end = min(at + each, t.requests);
	const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
	int sum = 0;
	bool alike = true;
	for (int b = at; b < end; b++) {
		const int c = t.context[b], n = count_units(c, window);
		if (kHopper) alike &= n == count_units(t.context[0], window);
		p.row[b] = t.rows[b];
		p.context[b] = c;
		p.begin[b + 1] = sum += n;
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
	if (kHopper) return __syncthreads_and(alike);
	__syncthreads();
	return false;
}

// Walk goes over the leaves of a share.
struct Walk {
	int b, h;               // the pair
	int pos, n;             // its units on the line: first, number
	int leaf, leaves, log;  // the leaf, how many the pair has, and the units of one as a power of two
	int end;                // of the share

	__device__ __forceinline__ void enter(const Plan& p) {
		n = p.begin[b + 1] - p.begin[b];
		log = leaf_log(n);
		leaves = (n + (1 << log) - 1) >> log;
		leaf = 0;
	}

	__device__ void start(const Plan& p, int requests, int units, int at, int to) {
		int lo = 0, hi = requests;  // begin[lo]·units <= at < begin[hi]·units
		while (hi - lo > 1) {
			const int mid = (lo + hi) / 2;
			(p.begin[mid] * units <= at ? lo : hi) = mid;
		}
		b = lo;
		end = to;
		enter(p);
		const int in = at - p.begin[b] * units;
		h = in / n;
		pos = at - in + h * n;
		leaf = (at - pos + (1 << log) - 1) >> log;
		if (leaf == leaves) turn(p, requests, units);
	}

	__device__ __forceinline__ bool more() const { return pos + (leaf << log) < end; }

	__device__ __forceinline__ void turn(const Plan& p, int requests, int units) {
		pos += n;
		leaf = 0;
		if (++h == units) {
			h = 0;
			if (++b < requests) enter(p);
		}
	}

	// next returns whether the pair is another.
	__device__ __forceinline__ bool next(const Plan& p, int requests, int units) {
		if (++leaf < leaves) return false;
		turn(p, requests, units);
		return true;
	}

	// keys gives the keys of the leaf that a worker begins with, and where the leaf ends.
	__device__ __forceinline__ void keys(const Plan& p, int window, int worker, int workers, int& key, int& to) const {
		const int c = p.context[b], from = (first_unit(c, window) + (leaf << log)) * kUnit;
		key = from + (worker + h) % workers * kTurn, to = min(from + (kUnit << log), c);
	}
};

// Share is a block's part of the line. A leaf belongs to the block in whose share it begins.
struct Share {
	int line, shares;
	int each = 0;  // units of all shares but the last, where they are cut alike

	__device__ __forceinline__ int begin(int block) const { return each > 0 ? min(each * block, line) : static_cast<int>(static_cast<i64>(line) * block / shares); }
	__device__ __forceinline__ int owner(int at) const { return each > 0 ? at / each : static_cast<int>(((static_cast<i64>(at) + 1) * shares - 1) / line); }

	// cut_alike makes shares of whole leaves, and of whole pairs if they become an eighth longer by it at most: blocks then
	// have nothing to add up. Memory is what is short, so it does no harm if some multiprocessors have no share.
	__device__ __forceinline__ void cut_alike(const Walk& pair) {
		const int leaf = 1 << pair.log, least = ceil_div(ceil_div(line, shares), leaf) * leaf, whole = ceil_div(least, pair.n) * pair.n;
		each = (whole - least) * 8 <= least ? whole : least;
		shares = ceil_div(line, each);
	}
};

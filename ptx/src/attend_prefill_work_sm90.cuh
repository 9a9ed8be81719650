// attend_prefill_work_sm90.cuh: how attend_prefill_sm90.cu cuts a batch into items, and finds them.
//
// With room for sums, tiles that see many keys but are too few for the multiprocessors are cut: each into spans of a power of
// two of steps, whose sums the last one to end adds up, span after span. How, every block finds out by itself from the
// lengths of the requests, so that a graph may be replayed, and a batch gives the same bits each time. Another batch may cut
// otherwise: without room a token is the same bits in any, whatever rows stand beside its own.
#pragma once
#include "attend.cuh"

constexpr int kRows = 128, kKeys = 128, kHalf = kRows / 2;  // of a tile, of a step; rows of a consumer

// Half is what one of the two consumers has of an item.
struct Half {
	int row0, low, high;  // its first row, and the positions of its first and last query
	int end;              // of its steps, that begin with the item's; 0 if it has none
};

// Item is two halves of a KV head, or a span of their steps, as the gatherers tell the others.
struct Item {
	int token0, pos0;       // the request's first token, and its position
	int rows, head;         // of its tokens times the heads of a group
	int begin, end;         // steps; an end of 0 ends the work
	int high;               // the position of the last query
	int parts, part, first; // spans of the item, this one, and the place of the first one's sums
	Half half[2];
};

struct Problem {
	const int* rows;
	const int* start;
	const int* context;
	int first, requests, kv_heads, group;
	int q_stride, out_stride;
	u32 of_group, of_heads;  // 2^31 / group + 1, 2^31 / kv_heads + 1: a division would take long

	__device__ __forceinline__ int token_of(int row) const { return __umulhi(2 * row, of_group); }
	__device__ __forceinline__ int unit_of(int item) const { return __umulhi(2 * item, of_heads); }
};

// Spread is where sums of spans meet: room for those of so many items, and counters of each consumer of an item, zero
// between launches. Without room nothing is cut.
struct Spread {
	float4* sums;
	u32* counters;
	i64 room;
};

// Request is where one begins, how many tokens of it are new, its context and its row of the page table.
struct Request {
	int start = 0, len = 0, context = 0, row = 0;

	__device__ __forceinline__ Request(const Problem& t, int b) {
		if (b < t.requests) start = t.start[b], len = t.start[b + 1] - start, context = t.context[b], row = t.rows[b];
	}
};

enum : int { kWhole = 30 };  // the power of two of a span that no tile reaches

// Cut is how all requests become items.
struct Cut {
	int items;
	int log = kWhole;    // of the steps of a span
	int rows = kRows;    // of an item
	bool apart = false;  // the halves of an item are a short one and a long one
};

// steps_of bounds the steps of a tile, parts_of the spans that they lie in.
__device__ __forceinline__ int steps_of(int context, int window) {
	const int all = max(ceil_div(context, kKeys), 1);
	return window > 0 ? min(all, (window + kRows + kKeys - 2) / kKeys + 1) : all;
}

__device__ __forceinline__ int parts_of(int context, int window, int log) {
	const int all = (max(ceil_div(context, kKeys), 1) - 1 >> log) + 1;
	return window > 0 ? min(all, (steps_of(context, window) >> log) + 2) : all;
}

// count gives the items of all requests if they are of so many rows and spans of 1 << log steps. own is the lane's first request.
__device__ __forceinline__ int count(const Problem& t, const Request& own, int window, int log, int rows) {
	int n = ceil_div(own.len * t.group, rows) * parts_of(own.context, window, log);
#pragma unroll 1
	for (int b = t.first + (threadIdx.x & 31) + 32; b < t.requests; b += 32) {
		const Request r(t, b);
		n += ceil_div(r.len * t.group, rows) * parts_of(r.context, window, log);
	}
	return __reduce_add_sync(kAll, n) * t.kv_heads;
}

// longest_of gives the most steps of a tile.
__device__ __forceinline__ int longest_of(const Problem& t, const Request& own, int window) {
	int most = own.len > 0 ? steps_of(own.context, window) : 0;
#pragma unroll 1
	for (int b = t.first + (threadIdx.x & 31) + 32; b < t.requests; b += 32) {
		const Request r(t, b);
		if (r.len > 0) most = max(most, steps_of(r.context, window));
	}
	return __reduce_max_sync(kAll, most);
}

// choose_cut takes the spans that let the blocks end soonest: a block's items one after the other, each with what it takes
// to begin and end, then the sums of a tile. Where nothing is cut and each block has one item at most, those that see the most
// keys would be what all wait for: their halves then go with the shortest ones, or have a block for themselves.
__device__ __forceinline__ Cut choose_cut(const Problem& t, const Request& own, int window, i64 room) {
	constexpr int kFixed = 3;  // steps
	const int grid = gridDim.x;
	Cut cut = {count(t, own, window, kWhole, kRows)};
	const int longest = cut.items <= room ? longest_of(t, own, window) : 0;
	if (longest > 4) {
		int best = ceil_div(cut.items, grid) * (longest + kFixed);
#pragma unroll 1
		for (int l = 2; 1 << l < longest; l++) {
			const int n = count(t, own, window, l, kRows), cost = ceil_div(n, grid) * ((1 << l) + kFixed) + (longest >> l);
			if (n <= room && cost < best) best = cost, cut.log = l, cut.items = n;
		}
	}
	if (cut.log < kWhole || cut.items > grid) return cut;
	cut.apart = window == 0;
	const int halves = count(t, own, window, kWhole, kHalf);
	if (halves <= grid) cut.items = halves, cut.rows = kHalf, cut.apart = false;
	return cut;
}

// halves_of gives the halves of unit n of units. Where they lie apart the first one ends before the second.
__device__ __forceinline__ void halves_of(Item& it, const Cut& cut, int n, int units, const Problem& t) {
	const int all = ceil_div(it.rows, kHalf);
	int at[2] = {n, n};
	if (cut.rows == kRows) at[0] = cut.apart ? units - 1 - n : 2 * n, at[1] = cut.apart ? all - units + n : 2 * n + 1;
#pragma unroll
	for (int h = 0; h < 2; h++) {
		Half& half = it.half[h];
		half.row0 = at[h] * kHalf, half.end = h == 0 || at[0] < at[1] && at[1] < all;
		half.low = it.pos0 + t.token_of(half.row0), half.high = it.pos0 + t.token_of(min(half.row0 + kHalf, it.rows) - 1);
	}
}

// find gives item i: the last rows of a request first since they see the most keys. It returns false where none is, or no
// key is in the span.
__device__ __forceinline__ bool find(Item& it, const int*& page, int i, const Cache& c, const Problem& t, const Request& own, int window, const Cut& cut) {
	const int lane = threadIdx.x & 31;
	int unit = t.unit_of(i);
	it.head = i - unit * t.kv_heads;
#pragma unroll 1
	for (int b0 = t.first; b0 < t.requests; b0 += 32) {
		const Request r = b0 == t.first ? own : Request(t, b0 + lane);
		const int parts_here = parts_of(r.context, window, cut.log);
		int end = ceil_div(r.len * t.group, cut.rows) * parts_here;
#pragma unroll
		for (int o = 1; o < 32; o <<= 1) {
			const int v = __shfl_up_sync(kAll, end, o);
			if (lane >= o) end += v;
		}
		const u32 beyond = __ballot_sync(kAll, unit < end);
		if (beyond) {
			const int l = __ffs(beyond) - 1;
			const int len = __shfl_sync(kAll, r.len, l), context = __shfl_sync(kAll, r.context, l), parts = __shfl_sync(kAll, parts_here, l);
			const int left = __shfl_sync(kAll, end, l) - 1 - unit, tile = parts > 1 ? left / parts : left;
			it.part = parts - 1 - (left - tile * parts), it.first = i - it.part * t.kv_heads;
			it.token0 = __shfl_sync(kAll, r.start, l), it.pos0 = context - len, it.rows = len * t.group;
			page = c.pages + max(__shfl_sync(kAll, r.row, l), 0) * c.page_stride;
			halves_of(it, cut, tile, ceil_div(it.rows, cut.rows), t);
			Half &a = it.half[0], &b = it.half[1];
			it.high = b.end ? b.high : a.high;
			const int begin = first_key(a.low, window) / kKeys, ends = it.high / kKeys + 1, span = (begin >> cut.log) + it.part;
			it.parts = (ends - 1 >> cut.log) - (begin >> cut.log) + 1;
			it.begin = max(begin, span << cut.log), it.end = min(ends, span + 1 << cut.log);
			a.end = cut.apart ? a.high / kKeys + 1 : it.end, b.end *= it.end;
			return it.part < it.parts;
		}
		unit -= __shfl_sync(kAll, end, 31);
	}
	return false;
}

// attend_prefill_work_sm90.cuh: how attend_prefill_sm90.cu cuts a batch into items, and finds them.
//
// With a workspace, tiles that see many keys but are too few for the multiprocessors are cut: each into spans of a power of
// two of steps, whose sums the last one to end adds up, span after span. How, every block finds out by itself from the
// lengths of the requests, so that a graph may be replayed, and a batch gives the same bits each time. Another batch may cut
// otherwise: without a workspace a token is the same bits in any.
#pragma once
#include "attend.cuh"

constexpr int kRows = 128, kKeys = 128;  // of a tile, of a step

// Item is a tile of one KV head, or a span of its steps, as the gatherers tell the others.
struct Item {
	int token0, pos0;       // the request's first token, and its position
	int rows, row0;         // of its tokens times the heads of a group; the tile's first
	int head, low, high;    // positions of the tile's first and last query
	int begin, end;         // steps; an end of 0 ends the work
	int parts, part, first; // spans of the tile, this one, and the place of the first one's sums
};

struct Problem {
	const int* rows;
	const int* start;
	const int* context;
	int first, requests, kv_heads, group;
	i64 q_stride, out_stride;
};

// Spread is where sums of spans meet: room for those of so many items, and counters of each consumer of an item, zero
// between launches. Without room nothing is cut.
struct Spread {
	float4* sums;
	u32* counters;
	i64 room;
};

enum : int { kWhole = 30 };  // the power of two of a span that no tile reaches

// steps_of bounds the steps of a tile, parts_of the spans that they lie in.
__device__ __forceinline__ int steps_of(int context, int window) {
	const int all = max(ceil_div(context, kKeys), 1);
	return window > 0 ? min(all, (window + kRows + kKeys - 2) / kKeys + 1) : all;
}

__device__ __forceinline__ int parts_of(int context, int window, int log) {
	const int all = (max(ceil_div(context, kKeys), 1) - 1 >> log) + 1;
	return window > 0 ? min(all, (steps_of(context, window) >> log) + 2) : all;
}

// count gives the items of all requests if spans are of 1 << log steps, and the most steps of one.
__device__ __forceinline__ int count(const Problem& t, int window, int log, int& longest) {
	int n = 0, most = 0;
	for (int b = t.first + (threadIdx.x & 31); b < t.requests; b += 32) {
		const int len = t.start[b + 1] - t.start[b], context = t.context[b];
		n += ceil_div(len * t.group, kRows) * parts_of(context, window, log);
		if (len > 0) most = max(most, steps_of(context, window));
	}
#pragma unroll
	for (int o = 16; o > 0; o >>= 1) n += __shfl_xor_sync(kAll, n, o), most = max(most, __shfl_xor_sync(kAll, most, o));
	longest = most;
	return n * t.kv_heads;
}

// choose_span takes the spans that let the blocks end soonest: a block's items one after the other, each with what it takes
// to begin and end, then the sums of a tile.
__device__ __forceinline__ int choose_span(const Problem& t, int window, i64 room, int& items) {
	constexpr int kFixed = 3;  // steps
	const int grid = gridDim.x;
	int longest, log = kWhole;
	items = count(t, window, kWhole, longest);
	if (items > room) return log;
	int best = ceil_div(items, grid) * (longest + kFixed);
#pragma unroll 1
	for (int l = 2; 1 << l < longest; l++) {
		int same;
		const int n = count(t, window, l, same), cost = ceil_div(n, grid) * ((1 << l) + kFixed) + (longest >> l);
		if (n <= room && cost < best) best = cost, log = l, items = n;
	}
	return log;
}

// find gives item i: the last tile of a request first since it sees the most keys. It returns false where none is, or no
// key is in the span.
__device__ __forceinline__ bool find(Item& it, const int*& page, int i, const Cache& c, const Problem& t, int window, int log) {
	const int lane = threadIdx.x & 31;
	int unit = i / t.kv_heads;
	it.head = i % t.kv_heads;
	for (int b0 = t.first; b0 < t.requests; b0 += 32) {
		const int b = b0 + lane;
		int start = 0, len = 0, context = 0, row = 0, parts = 1;  // all loads at once: a short prompt waits for them
		if (b < t.requests) start = t.start[b], len = t.start[b + 1] - start, context = t.context[b], row = t.rows[b], parts = parts_of(context, window, log);
		const int units = ceil_div(len * t.group, kRows) * parts;
		int end = units;
#pragma unroll
		for (int o = 1; o < 32; o <<= 1) {
			const int v = __shfl_up_sync(kAll, end, o);
			if (lane >= o) end += v;
		}
		const u32 beyond = __ballot_sync(kAll, unit < end);
		if (beyond) {
			const int l = __ffs(beyond) - 1;
			len = __shfl_sync(kAll, len, l), context = __shfl_sync(kAll, context, l), parts = __shfl_sync(kAll, parts, l);
			const int left = __shfl_sync(kAll, end, l) - 1 - unit, tile = left / parts;
			it.part = parts - 1 - (left - tile * parts), it.first = i - it.part * t.kv_heads;
			it.token0 = __shfl_sync(kAll, start, l), it.pos0 = context - len;
			it.rows = len * t.group, it.row0 = tile * kRows;
			it.low = it.pos0 + it.row0 / t.group, it.high = it.pos0 + (min(it.row0 + kRows, it.rows) - 1) / t.group;
			page = c.pages + max(__shfl_sync(kAll, row, l), 0) * c.page_stride;
			const int begin = first_key(it.low, window) / kKeys, ends = it.high / kKeys + 1, span = (begin >> log) + it.part;
			it.parts = (ends - 1 >> log) - (begin >> log) + 1;
			it.begin = max(begin, span << log), it.end = min(ends, span + 1 << log);
			return it.part < it.parts;
		}
		unit -= __shfl_sync(kAll, end, 31);
	}
	return false;
}

// step.cu: the books of a step: page table, token pool, and the ids that an earlier step left on the device.
// data    host, out: pinned memory that the device reads and writes; packed [W] i32, of which the first T are ids
//         ids, pos, slots [T], rows [B], start [B+1] i32; pages, tokens [R,C] i32, C > context; cached [n,4] i32: row, pos, slot, id
// math    none; an id of -1 becomes tokens[row,pos], any other is written there
// needs   sm_80+                                                  launch  grid ceil(T/256), block 256
// moves   (16T + 4B) bytes; launch-bound
// source  -
// pairs   ../step.go (launcher), ../../backend/cpu (Begin)
#include "common.cuh"

// request_of returns the b with start[b] <= t < start[b+1].
__device__ __forceinline__ int request_of(const int* start, int requests, int t) {
	int lo = 0, hi = requests;
	while (hi - lo > 1) {
		const int mid = (lo + hi) / 2;
		if (start[mid] <= t) lo = mid;
		else hi = mid;
	}
	return lo;
}

extern "C" __global__ void __launch_bounds__(256)
    step_tokens(int* ids, const int* pos, const int* slots, const int* rows, const int* start, int* pages, int* tokens, int t_count, int requests, int columns) {
	const int t = blockIdx.x * 256 + threadIdx.x;
	if (t >= t_count) return;
	const i64 at = static_cast<i64>(rows[request_of(start, requests, t)]) * columns + pos[t];
	pages[at] = slots[t];
	if (ids[t] < 0) ids[t] = tokens[at];
	else tokens[at] = ids[t];
}

// step_begin brings a decode step's packed inputs over, and keeps the books as step_tokens does: token t is request t's.
extern "C" __global__ void __launch_bounds__(256)
    step_begin(int* packed, const int* host, int* pages, int* tokens, int words, int t_count, int pos, int slots, int rows, int columns) {
	const int i = blockIdx.x * 256 + threadIdx.x;
	if (i >= words) return;
	int v = __ldcv(host + i);
	if (i < t_count) {
		const i64 at = static_cast<i64>(__ldcv(host + rows + i)) * columns + __ldcv(host + pos + i);
		pages[at] = __ldcv(host + slots + i);
		if (v < 0) v = tokens[at];
		else tokens[at] = v;
	}
	packed[i] = v;
}

// step_end takes a step's results over to the host.
extern "C" __global__ void __launch_bounds__(256) step_end(int* out, const int* results, int words) {
	const int i = blockIdx.x * 256 + threadIdx.x;
	if (i < words) out[i] = results[i];
}

extern "C" __global__ void __launch_bounds__(256) step_cached(const int4* cached, int* pages, int* tokens, int n, int columns) {
	const int i = blockIdx.x * 256 + threadIdx.x;
	if (i >= n) return;
	const int4 c = cached[i];
	const i64 at = static_cast<i64>(c.x) * columns + c.y;
	pages[at] = c.z;
	tokens[at] = c.w;
}

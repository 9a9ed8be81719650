// rope.cu: per-head norm and rotation of q and k, and the store of k and v to their cache slots; one head per warp.
// data    qkv [T,(Hq+2Hk)*D] bf16, q [T,Hq*D] bf16, kcache, vcache [Hk,S,D] bf16, slots, pos [T] i32,
//         qnorm [D] f32 (each head by itself), [Hq*D] (all as one vector: wide) or null, knorm alike, table [C,R] f32 (cos of R/2 angles, then sin) or null
// math    fp32 throughout, one rounding to bf16; NeoX pairs (i,i+R/2), interleaved pairs (2i,2i+1); a wide
//         norm is summed by each warp anew: the row is in L1, and OLMo-2 alone has it
// needs   sm_80+, D % 8 == 0, D <= 256, R even, R <= D   launch  grid (T, ceil((Hq+2Hk)/4)), block 128
// moves   4T(Hq+2Hk)D bytes; floor: 80% of HBM bandwidth at T >= 4096
// source  Su et al. 2021, arXiv:2104.09864
// pairs   ../rope.go (launcher), ../../backend/cpu/rope.go (oracle)
#include "common.cuh"
#include "overlap.cuh"

constexpr int kHeads = 4;  // of a block

// sum_squares returns the sum over eight elements a lane of the n from x on, in the same order for every head.
__device__ __forceinline__ float sum_squares(const bf16* x, int n) {
	float sum = 0;
	for (int i = threadIdx.x % 32 * 8; i < n; i += 256) {
		float v[8];
		unpack8(*reinterpret_cast<const uint4*>(x + i), v);
#pragma unroll
		for (int j = 0; j < 8; j++) sum += v[j] * v[j];
	}
	return warp_sum(sum);
}

// scale multiplies the head v, whose lanes hold eight elements each, by inv and the weights w.
__device__ __forceinline__ void scale(float (&v)[8], const float* w, int d, int at, float inv) {
	if (at >= d) return;
	float g[8];
	load8(w + at, g);
#pragma unroll
	for (int j = 0; j < 8; j++) v[j] *= inv * g[j];
}

// rotate turns the first r elements of the head by the angles whose cosines and sines lie in angle.
__device__ __forceinline__ void rotate(float (&v)[8], float* head, const float* angle, int r, int at, bool interleaved) {
	const int half = r / 2;
#pragma unroll
	for (int j = 0; j < 8; j++) head[at + j] = v[j];
	__syncwarp();
#pragma unroll
	for (int j = 0; j < 8; j++) {
		const int i = at + j;
		if (i >= r) break;
		const bool low = interleaved ? i % 2 == 0 : i < half;
		const int pair = interleaved ? i / 2 : (low ? i : i - half);
		const float other = head[interleaved ? i ^ 1 : (low ? i + half : i - half)];
		v[j] = v[j] * angle[pair] + (low ? -other : other) * angle[half + pair];
	}
}

extern "C" __global__ void __launch_bounds__(128)
    rope_store(bf16* q, bf16* kcache, bf16* vcache, const bf16* qkv, const int* slots, const int* pos, const float* qnorm, const float* knorm,
               const float* table, i64 head_stride, int heads, int kv_heads, int d, int r, int interleaved, int wide, float eps) {
	__shared__ float share[kHeads][256];
	const int warp = threadIdx.x / 32, at = threadIdx.x % 32 * 8;
	const int t = blockIdx.x, head = blockIdx.y * kHeads + warp;
	wait_for_former();
	let_next_start();
	if (head >= heads + 2 * kv_heads) return;
	float v[8] = {};
	uint4 raw = {};
	const bf16* row = qkv + static_cast<i64>(t) * (heads + 2 * kv_heads) * d;
	if (at < d) raw = *reinterpret_cast<const uint4*>(row + head * d + at);
	unpack8(raw, v);
	bf16* to;
	if (head < heads) {
		to = q + (static_cast<i64>(t) * heads + head) * d;
	} else {
		const int h = (head - heads) % kv_heads;
		to = (head < heads + kv_heads ? kcache : vcache) + h * head_stride + static_cast<i64>(slots[t]) * d;
	}
	if (head < heads + kv_heads) {
		const bool is_q = head < heads;
		const float* norm = is_q ? qnorm : knorm;
		if (norm) {
			const int count = !wide ? 1 : is_q ? heads : kv_heads, first = wide && !is_q ? heads : wide ? 0 : head;
			const float sum = sum_squares(row + first * d, count * d);
			scale(v, norm + (head - first) * d, d, at, rsqrtf(sum / (count * d) + eps));
		}
		if (table) rotate(v, share[warp], table + static_cast<i64>(pos[t]) * r, r, at, interleaved != 0);
		raw = pack8(v);
	}
	if (at < d) *reinterpret_cast<uint4*>(to + at) = raw;
}

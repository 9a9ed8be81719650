// rope.cu: per-head norm and rotation of q and k, and the store of k and v to their cache slots.
// data    qkv [T,(Hq+2Hk)*D] bf16, q [T,Hq*D] bf16, kcache, vcache [Hk,S,D] bf16, slots, pos [T] i32,
//         qnorm [D] f32 (each head by itself), [Hq*D] (all as one vector: wide) or null, knorm alike, table [C,R] f32 (cos of R/2 angles, then sin) or null
// math    fp32 throughout, one rounding to bf16; NeoX pairs (i,i+R/2), interleaved pairs (2i,2i+1); a wide
//         norm is summed by each warp anew: the row is in L1, and OLMo-2 alone has it
// needs   sm_80+, D % 8 == 0, D <= 256, R even, R <= D; rope_whole_D: R = D, NeoX pairs, no wide norm
// launch  block 128; rope_whole_D: grid (<= T, heads by 2048/D), as many as run at once; rope_store: (T, heads by as many as a block takes)
// moves   4T(Hq+2Hk)D bytes; floor: 80% of HBM bandwidth at T >= 4096
// source  Su et al. 2021, arXiv:2104.09864
// pairs   ../rope.go (launcher), ../../backend/cpu/rope.go (oracle)
#include "common.cuh"
#include "overlap.cuh"

constexpr int kThreads = 128;
constexpr int kPasses = 2;  // heads that a lane of rope_store takes at most, their loads under way together
constexpr int kAhead = 4;   // tokens that a lane of rope_whole has under way
constexpr int kBlocks = 6;  // of rope_whole that share a multiprocessor

// Share is a lane's part of each of its heads: eight elements from low on and eight from high on, those that rotate with
// each other where R/2 is a multiple of eight, so that nothing is exchanged.
struct Share {
	int lane, low, high;
	bool folded;  // low rotates with high
};

__device__ __forceinline__ Share share_of(int lane, int half, bool folds) {
	Share s{lane, 16 * lane, 16 * lane + 8, folds && 8 * lane < half};
	if (s.folded) s.low = 8 * lane, s.high = s.low + half;
	return s;
}

__device__ __forceinline__ float squares(const float (&v)[8]) {
	float sum = 0;
#pragma unroll
	for (int j = 0; j < 8; j++) sum += v[j] * v[j];
	return sum;
}

// sum_squares returns the sum over the n elements from x on, by a whole warp.
__device__ __forceinline__ float sum_squares(const bf16* x, int n) {
	float sum = 0;
	for (int i = threadIdx.x % 32 * 8; i < n; i += 256) {
		float v[8];
		unpack8(*reinterpret_cast<const uint4*>(x + i), v);
		sum += squares(v);
	}
	return warp_sum(sum);
}

// Angles are those of eight pairs: a lane's where low rotates with high, or pairs are neighbours.
struct Angles {
	float cosine[8], sine[8];
};

__device__ __forceinline__ void load_angles(Angles& a, const float* angle, int half, int first) {
	if (half % 8 == 0 && first < half) {
		load8(angle + first, a.cosine);
		load8(angle + half + first, a.sine);
		return;
	}
#pragma unroll
	for (int j = 0; j < 8; j++) {
		const bool turns = first + j < half;
		a.cosine[j] = turns ? angle[first + j] : 1.f;
		a.sine[j] = turns ? angle[half + first + j] : 0.f;
	}
}

__device__ __forceinline__ void turn(float& a, float& b, float cosine, float sine) {
	const float low = a;
	a = a * cosine - b * sine;
	b = b * cosine + low * sine;
}

// turn_apart rotates NeoX pairs that lie in several lanes, by way of head: where R/2 is no multiple of eight.
__device__ __forceinline__ void turn_apart(float (&v)[8], float* head, const float* angle, int r, int at) {
	const int half = r / 2;
#pragma unroll
	for (int j = 0; j < 8; j++) {
		const int i = at + j;
		if (i >= r) break;
		const bool low = i < half;
		const int pair = low ? i : i - half;
		const float other = head[low ? i + half : i - half];
		v[j] = v[j] * angle[pair] + (low ? -other : other) * angle[half + pair];
	}
}

extern "C" __global__ void __launch_bounds__(kThreads, 5)
    rope_store(bf16* q, bf16* kcache, bf16* vcache, const bf16* qkv, const int* slots, const int* pos, const float* qnorm, const float* knorm,
               const float* table, i64 head_stride, int heads, int kv_heads, int d, int r, int interleaved, int wide, float eps, int log_lanes, int passes) {
	__shared__ float exchange[kThreads * 16];
	const int half = table ? r / 2 : 0, lanes = 1 << log_lanes, groups = kThreads >> log_lanes, group = threadIdx.x >> log_lanes;
	const bool folds = !interleaved && half % 8 == 0;
	const Share s = share_of(threadIdx.x & (lanes - 1), half, folds);
	const int t = blockIdx.x, first = blockIdx.y * passes * groups + group;
	const int turning = heads + kv_heads, all = turning + kv_heads, end = min(first + passes * groups, all);

	uint4 raw[kPasses][2];
	float g[2][8];
	const auto weights = [&](int head) {
		const float* norm = head >= end || head >= turning ? nullptr : head < heads ? qnorm : knorm;
		if (norm && wide) norm += (head < heads ? head : head - heads) * d;
		if (norm && s.low < d) load8(norm + s.low, g[0]);
		if (norm && s.high < d) load8(norm + s.high, g[1]);
		return norm != nullptr;
	};
	let_next_start();
	bool normed = weights(first);  // they wait for no kernel
	wait_for_former();
	const bf16* row = qkv + static_cast<i64>(t) * all * d;
#pragma unroll
	for (int k = 0; k < kPasses; k++) {
		const int head = first + k * groups;
		raw[k][0] = raw[k][1] = {};
		if (head < end && s.low < d) raw[k][0] = *reinterpret_cast<const uint4*>(row + head * d + s.low);
		if (head < end && s.high < d) raw[k][1] = *reinterpret_cast<const uint4*>(row + head * d + s.high);
	}
	const i64 slot = static_cast<i64>(slots[t]) * d;
	const float* angle = table ? table + static_cast<i64>(pos[t]) * r : nullptr;
	Angles a;
	if (folds || interleaved) load_angles(a, angle, half, 8 * s.lane);
	const float share = 1.f / d;  // of an element in a head's mean
	float mean_q = 0, mean_k = 0;
	if (wide && qnorm) mean_q = sum_squares(row, heads * d) / (heads * d);
	if (wide && knorm) mean_k = sum_squares(row + heads * d, kv_heads * d) / (kv_heads * d);

#pragma unroll
	for (int k = 0; k < kPasses; k++) {
		const int head = first + k * groups;
		float v[2][8];
		unpack8(raw[k][0], v[0]);
		unpack8(raw[k][1], v[1]);
		if (qnorm || knorm) {
			float sum = squares(v[0]) + squares(v[1]);
#pragma unroll
			for (int o = 1; o < 16; o <<= 1) {
				const float other = __shfl_xor_sync(kAll, sum, o);
				if (o < lanes) sum += other;
			}
			const float inv = rsqrtf((!wide ? sum * share : head < heads ? mean_q : mean_k) + eps);
			if (k > 0) normed = weights(head);
			if (normed) {
#pragma unroll
				for (int c = 0; c < 2; c++)
#pragma unroll
					for (int j = 0; j < 8; j++) v[c][j] *= inv * g[c][j];
			}
		}
		if (half > 0 && !folds && !interleaved) {
			float* mine = exchange + (group << log_lanes) * 16;
			__syncwarp();
#pragma unroll
			for (int c = 0; c < 2; c++)
#pragma unroll
				for (int j = 0; j < 8; j++) mine[s.low + 8 * c + j] = v[c][j];
			__syncwarp();
			turn_apart(v[0], mine, angle, r, s.low);
			turn_apart(v[1], mine, angle, r, s.high);
		} else if (interleaved) {
#pragma unroll
			for (int j = 0; j < 8; j++) turn(v[j / 4][j % 4 * 2], v[j / 4][j % 4 * 2 + 1], a.cosine[j], a.sine[j]);
		} else if (s.folded) {
#pragma unroll
			for (int j = 0; j < 8; j++) turn(v[0][j], v[1][j], a.cosine[j], a.sine[j]);
		}
		if (head >= end) continue;
		bf16* to = q + (static_cast<i64>(t) * heads + head) * d;
		if (head >= heads) to = kcache + (head - heads) * head_stride + slot;
		if (head >= turning) to = vcache + (head - turning) * head_stride + slot;
		if (head < turning) raw[k][0] = pack8(v[0]), raw[k][1] = pack8(v[1]);
		if (s.low < d) *reinterpret_cast<uint4*>(to + s.low) = raw[k][0];
		if (s.high < d) *reinterpret_cast<uint4*>(to + s.high) = raw[k][1];
	}
}

// settled has the compiler work out p where it stands: left alone, it does so anew for every token.
template <typename T>
__device__ __forceinline__ T* settled(T* p) {
	size_t at = __cvta_generic_to_global(p);
	asm volatile("" : "+l"(at));
	return static_cast<T*>(__cvta_global_to_generic(at));
}

// rope_whole is rope_store for heads that rotate as a whole. A lane goes through tokens with one head, so that it reads a
// weight once, and has copies of the next tokens under way: what limits it otherwise is instructions, then latency.
template <int D>
__device__ __forceinline__ void rope_whole(bf16* q, bf16* kcache, bf16* vcache, const bf16* qkv, const int* slots, const int* pos, const float* qnorm,
                                           const float* knorm, const float* table, i64 head_stride, int tokens, int heads, int kv_heads, float eps) {
	constexpr int kLanes = D / 16, kHalf = D / 2;
	__shared__ uint4 ring[kAhead][2][kThreads];  // a lane reads what it copied itself
	const int low = threadIdx.x % kLanes * 8, turning = heads + kv_heads, all = turning + kv_heads, step = gridDim.x;
	const int wanted = blockIdx.y * (kThreads / kLanes) + threadIdx.x / kLanes, head = min(wanted, all - 1);
	const bool to_q = head < heads, turns = head < turning, some_turn = __any_sync(kAll, turns);
	const float* norm = to_q ? qnorm : turns ? knorm : nullptr;

	let_next_start();
	float g[2][8];
#pragma unroll
	for (int j = 0; j < 8; j++) g[0][j] = g[1][j] = 1.f;
	if (norm) {
		load8(norm + low, g[0]);
		load8(norm + low + kHalf, g[1]);
	}
	Angles a;
	const auto angles_at = [&](int pos) {
		const float* angle = table + static_cast<i64>(pos) * D + low;
		load8(angle, a.cosine);
		load8(angle + kHalf, a.sine);
	};
	// Even lanes read slots and odd ones positions, which like weights and table wait for no kernel: see overlap.cuh.
	const int* places = settled(threadIdx.x % 2 ? pos : slots);
	int t = blockIdx.x, place = places[t], next = t + step < tokens ? places[t + step] : 0;
	angles_at(__shfl_sync(kAll, place, 1));

	const int row = all * D, pitch = to_q ? heads * D : D;
	const bf16* from = settled(qkv + static_cast<i64>(t) * row + head * D + low);
	bf16* to = q + head * D;
	if (!to_q) to = kcache + (head - heads) * head_stride;
	if (!turns) to = vcache + (head - turning) * head_stride;
	to = settled(to + low);
	const auto fetch = [&](int k, int t) {
		if (t < tokens) {
			cp_async16(smem_addr(&ring[k][0][threadIdx.x]), from, true);
			cp_async16(smem_addr(&ring[k][1][threadIdx.x]), from + kHalf, true);
		}
		cp_async_commit();
		from += step * row;
	};
	wait_for_former();
#pragma unroll
	for (int k = 0; k < kAhead; k++) fetch(k, t + k * step);
	for (u32 k = 0; t < tokens; t += step, k = (k + 1) % kAhead) {
		const int later = t + 2 * step < tokens ? places[t + 2 * step] : 0;
		cp_async_wait<kAhead - 1>();
		uint4 raw[2] = {ring[k][0][threadIdx.x], ring[k][1][threadIdx.x]};
		fetch(k, t + kAhead * step);
		if (some_turn) {
			float v[2][8];
			unpack8(raw[0], v[0]);
			unpack8(raw[1], v[1]);
			float sum = squares(v[0]) + squares(v[1]);
#pragma unroll
			for (int o = 1; o < kLanes; o <<= 1) sum += __shfl_xor_sync(kAll, sum, o);
			const float inv = norm ? rsqrtf(sum * (1.f / D) + eps) : 1.f;
#pragma unroll
			for (int j = 0; j < 8; j++) {
				v[0][j] *= inv * g[0][j];
				v[1][j] *= inv * g[1][j];
				turn(v[0][j], v[1][j], a.cosine[j], a.sine[j]);
			}
			angles_at(__shfl_sync(kAll, next, 1));
			if (turns) raw[0] = pack8(v[0]), raw[1] = pack8(v[1]);
		}
		const int slot = __shfl_sync(kAll, place, 0);
		if (wanted < all) {
			bf16* out = to + static_cast<i64>(to_q ? t : slot) * pitch;
			*reinterpret_cast<uint4*>(out) = raw[0];
			*reinterpret_cast<uint4*>(out + kHalf) = raw[1];
		}
		place = next, next = later;
	}
}

#define ROPE_WHOLE(D)                                                                                                                           \
	extern "C" __global__ void __launch_bounds__(kThreads, kBlocks)                                                                              \
	    rope_whole_##D(bf16* q, bf16* kcache, bf16* vcache, const bf16* qkv, const int* slots, const int* pos, const float* qnorm,                \
	                   const float* knorm, const float* table, i64 head_stride, int tokens, int heads, int kv_heads, float eps) {               \
		rope_whole<D>(q, kcache, vcache, qkv, slots, pos, qnorm, knorm, table, head_stride, tokens, heads, kv_heads, eps);                       \
	}

ROPE_WHOLE(64)
ROPE_WHOLE(128)
ROPE_WHOLE(256)

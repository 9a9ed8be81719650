// rmsnorm.cu: y = x / rms(x) * w, or res += x; y = res / rms(res) * w; a block goes through tokens.
// data    x, res, y [T,H] bf16, w [H] f32; row-major, contiguous; y may be x
// math    fp32 sum of squares of the values as stored, rsqrtf(mean + eps), one rounding to bf16; bitwise repeatable
// needs   sm_80+, H % 8 == 0, H <= 16384, rows 16-byte aligned   launch  grid <= T, block H/16 rounded up to 32
// moves   rmsnorm (4TH + 4H) bytes, add_rmsnorm (8TH + 4H), add (6TH); floor: 80% of HBM bandwidth at T >= 4096
// source  Zhang & Sennrich 2019, arXiv:1910.07467
// pairs   ../rmsnorm.go (launcher), ../../backend/cpu/rmsnorm.go (oracle)
#include "common.cuh"
#include "overlap.cuh"

constexpr int kHeld = 2;  // chunks of eight of a row that a thread keeps

// Held is a thread's part of a row on its way from memory.
template <bool Add>
struct Held {
	uint4 x[kHeld], res[Add ? kHeld : 1];

	__device__ __forceinline__ void load(const bf16* from, const bf16* stream, int row, int h) {
		const i64 begin = static_cast<i64>(row) * h;
#pragma unroll
		for (int j = 0; j < kHeld; j++) {
			const int at = 8 * (threadIdx.x + j * blockDim.x);
			x[j] = {};
			if (at < h) x[j] = *reinterpret_cast<const uint4*>(from + begin + at);
			if constexpr (Add) {
				res[j] = {};
				if (at < h) res[j] = *reinterpret_cast<const uint4*>(stream + begin + at);
			}
		}
	}
};

// row_sum returns the sum of v over the block to every thread. Calls in turn take parts in turn: one may still be read.
__device__ __forceinline__ float row_sum(float v, float* part) {
	const int lane = threadIdx.x & 31, warps = blockDim.x >> 5;
	v = warp_sum(v);
	if (warps == 1) return v;
	if (lane == 0) part[threadIdx.x >> 5] = v;
	__syncthreads();
	const int among = lane & (0xffffffffu >> __clz(warps - 1));  // every lane sums all parts, as many as the next power of two
	v = among < warps ? part[among] : 0.f;
	for (int o = 1; o < warps; o <<= 1) v += __shfl_xor_sync(kAll, v, o);
	return v;
}

// rmsnorm_rows has each block go through rows, the loads of the next under way while it sums one: of two where a row is read
// but once. A weight is read once.
template <bool Add>
__device__ __forceinline__ void rmsnorm_rows(bf16* y, bf16* res, const bf16* x, const float* w, int rows, int h, float eps) {
	constexpr int kAhead = Add ? 1 : 2;
	__shared__ float parts[2][32];
	let_next_start();
	float g[kHeld][8];
#pragma unroll
	for (int j = 0; j < kHeld; j++) {
		const int at = 8 * (threadIdx.x + j * blockDim.x);
		if (at < h) load8(w + at, g[j]);
	}
	const float share = 1.f / h;  // of an element in the mean
	wait_for_former();
	Held<Add> held[kAhead];
	const int step = gridDim.x;
#pragma unroll
	for (int k = 0; k < kAhead; k++) {
		if (blockIdx.x + k * step < rows) held[k].load(x, res, blockIdx.x + k * step, h);
	}
	int turn = 0;
	for (int first = blockIdx.x; first < rows; first += kAhead * step) {
#pragma unroll
		for (int k = 0; k < kAhead; k++, turn ^= 1) {
			const int row = first + k * step;
			if (row >= rows) return;
			const i64 begin = static_cast<i64>(row) * h;
			uint4 v[kHeld];
			float sum = 0;
#pragma unroll
			for (int j = 0; j < kHeld; j++) {
				const int at = 8 * (threadIdx.x + j * blockDim.x);
				v[j] = held[k].x[j];
				float f[8];
				unpack8(v[j], f);
				if constexpr (Add) {
					float r[8];
					unpack8(held[k].res[j], r);
#pragma unroll
					for (int e = 0; e < 8; e++) f[e] += r[e];
					v[j] = pack8(f);
					if (at < h) *reinterpret_cast<uint4*>(res + begin + at) = v[j];
					unpack8(v[j], f);  // the norm is of what is stored
				}
				float part = f[0] * f[0];  // of its own, so that few additions wait for each other
#pragma unroll
				for (int e = 1; e < 8; e++) part += f[e] * f[e];
				sum += part;
			}
			if (row + kAhead * step < rows) held[k].load(x, res, row + kAhead * step, h);
			const float inv = rsqrtf(row_sum(sum, parts[turn]) * share + eps);
#pragma unroll
			for (int j = 0; j < kHeld; j++) {
				const int at = 8 * (threadIdx.x + j * blockDim.x);
				float f[8];
				unpack8(v[j], f);
#pragma unroll
				for (int e = 0; e < 8; e++) f[e] *= inv * g[j][e];
				if (at < h) *reinterpret_cast<uint4*>(y + begin + at) = pack8(f);
			}
		}
	}
}

extern "C" __global__ void __launch_bounds__(1024) rmsnorm(bf16* y, const bf16* x, const float* w, int rows, int h, float eps) {
	rmsnorm_rows<false>(y, nullptr, x, w, rows, h, eps);
}

extern "C" __global__ void __launch_bounds__(1024) add_rmsnorm(bf16* y, bf16* res, const bf16* x, const float* w, int rows, int h, float eps) {
	rmsnorm_rows<true>(y, res, x, w, rows, h, eps);
}

// add: res += x over n chunks of eight.
extern "C" __global__ void __launch_bounds__(256) add(bf16* res, const bf16* x, i64 chunks) {
	let_next_start();
	wait_for_former();
	for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < chunks; i += static_cast<i64>(gridDim.x) * blockDim.x) {
		float f[8], r[8];
		unpack8(reinterpret_cast<const uint4*>(x)[i], f);
		unpack8(reinterpret_cast<uint4*>(res)[i], r);
#pragma unroll
		for (int j = 0; j < 8; j++) r[j] += f[j];
		reinterpret_cast<uint4*>(res)[i] = pack8(r);
	}
}

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

	__device__ __forceinline__ void load(const bf16* from, const bf16* stream, i64 row, int h) {
#pragma unroll
		for (int j = 0; j < kHeld; j++) {
			const int at = 8 * (threadIdx.x + j * blockDim.x);
			x[j] = {};
			if (at < h) x[j] = *reinterpret_cast<const uint4*>(from + row * h + at);
			if constexpr (Add) {
				res[j] = {};
				if (at < h) res[j] = *reinterpret_cast<const uint4*>(stream + row * h + at);
			}
		}
	}
};

// rmsnorm_rows has each block go through rows, the loads of the next under way while it sums this one. A weight is read once.
template <bool Add>
__device__ __forceinline__ void rmsnorm_rows(bf16* y, bf16* res, const bf16* x, const float* w, int rows, int h, float eps) {
	float g[kHeld][8];
#pragma unroll
	for (int j = 0; j < kHeld; j++) {
		const int at = 8 * (threadIdx.x + j * blockDim.x);
		if (at < h) load8(w + at, g[j]);
	}
	let_next_start();
	wait_for_former();
	Held<Add> held;
	held.load(x, res, blockIdx.x, h);
	for (i64 row = blockIdx.x; row < rows; row += gridDim.x) {
		float f[kHeld][8], sum = 0;
#pragma unroll
		for (int j = 0; j < kHeld; j++) {
			const int at = 8 * (threadIdx.x + j * blockDim.x);
			unpack8(held.x[j], f[j]);
			if constexpr (Add) {
				float r[8];
				unpack8(held.res[j], r);
#pragma unroll
				for (int e = 0; e < 8; e++) f[j][e] += r[e];
				const uint4 v = pack8(f[j]);
				if (at < h) *reinterpret_cast<uint4*>(res + row * h + at) = v;
				unpack8(v, f[j]);  // the norm is of what is stored
			}
#pragma unroll
			for (int e = 0; e < 8; e++) sum += f[j][e] * f[j][e];
		}
		if (row + gridDim.x < rows) held.load(x, res, row + gridDim.x, h);
		const float inv = rsqrtf(block_sum(sum) / h + eps);
#pragma unroll
		for (int j = 0; j < kHeld; j++) {
			const int at = 8 * (threadIdx.x + j * blockDim.x);
#pragma unroll
			for (int e = 0; e < 8; e++) f[j][e] *= inv * g[j][e];
			if (at < h) *reinterpret_cast<uint4*>(y + row * h + at) = pack8(f[j]);
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

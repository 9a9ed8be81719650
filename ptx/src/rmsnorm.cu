// rmsnorm.cu: y = x / rms(x) * w, or res += x; y = res / rms(res) * w; one token per block.
// data    x, res, y [T,H] bf16, w [H] f32; row-major, contiguous; y may be x
// math    fp32 sum of squares of the values as stored, rsqrtf(mean + eps), one rounding to bf16; bitwise repeatable
// needs   sm_80+, H % 8 == 0, rows 16-byte aligned        launch  grid T, block min(1024, H/8 rounded up to 32)
// moves   rmsnorm (4TH + 4H) bytes, add_rmsnorm (8TH + 4H), add (6TH); floor: 80% of HBM bandwidth at T >= 4096
// source  Zhang & Sennrich 2019, arXiv:1910.07467
// pairs   ../rmsnorm.go (launcher), ../../backend/cpu/rmsnorm.go (oracle)
#include "common.cuh"
#include "overlap.cuh"

// sum_squares adds x to res when Add, and returns the row's sum of squares.
template <bool Add>
__device__ __forceinline__ float sum_squares(uint4* res, const uint4* x, int chunks) {
	float sum = 0;
	for (int i = threadIdx.x; i < chunks; i += blockDim.x) {
		uint4 v = x[i];
		float f[8];
		unpack8(v, f);
		if constexpr (Add) {
			float r[8];
			unpack8(res[i], r);
#pragma unroll
			for (int j = 0; j < 8; j++) f[j] += r[j];
			v = pack8(f);
			res[i] = v;
			unpack8(v, f);  // the norm is of what is stored
		}
#pragma unroll
		for (int j = 0; j < 8; j++) sum += f[j] * f[j];
	}
	return block_sum(sum);
}

template <bool Add>
__device__ __forceinline__ void rmsnorm_row(bf16* y, bf16* res, const bf16* x, const float* w, int h, float eps) {
	wait_for_former();
	let_next_start();
	const i64 row = static_cast<i64>(blockIdx.x) * h;
	uint4* r = reinterpret_cast<uint4*>(res + row);
	const uint4* in = reinterpret_cast<const uint4*>(x + row);
	const float inv = rsqrtf(sum_squares<Add>(r, in, h / 8) / h + eps);
	// Each thread reads back the chunks that it wrote itself, so no barrier is needed.
	const uint4* from = Add ? r : in;
	for (int i = threadIdx.x; i < h / 8; i += blockDim.x) {
		float f[8], g[8];
		unpack8(from[i], f);
		load8(w + 8 * i, g);
#pragma unroll
		for (int j = 0; j < 8; j++) f[j] *= inv * g[j];
		reinterpret_cast<uint4*>(y + row)[i] = pack8(f);
	}
}

extern "C" __global__ void __launch_bounds__(1024) rmsnorm(bf16* y, const bf16* x, const float* w, int h, float eps) {
	rmsnorm_row<false>(y, nullptr, x, w, h, eps);
}

extern "C" __global__ void __launch_bounds__(1024) add_rmsnorm(bf16* y, bf16* res, const bf16* x, const float* w, int h, float eps) {
	rmsnorm_row<true>(y, res, x, w, h, eps);
}

// add: res += x over n chunks of eight.
extern "C" __global__ void __launch_bounds__(256) add(bf16* res, const bf16* x, i64 chunks) {
	wait_for_former();
	let_next_start();
	for (i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; i < chunks; i += static_cast<i64>(gridDim.x) * blockDim.x) {
		float f[8], r[8];
		unpack8(reinterpret_cast<const uint4*>(x)[i], f);
		unpack8(reinterpret_cast<uint4*>(res)[i], r);
#pragma unroll
		for (int j = 0; j < 8; j++) r[j] += f[j];
		reinterpret_cast<uint4*>(res)[i] = pack8(r);
	}
}

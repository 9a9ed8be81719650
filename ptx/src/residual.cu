// residual.cu: res += x, or res = x where a stream begins; y = res / rms(res) * w, or res itself; one token per block.
// data    x, y [T,H] bf16, res [T,H] f32, w [H] f32 or null (y is res); row-major, contiguous; y may be x
// math    fp32 sum, kept as it is; fp32 sum of its squares, rsqrtf(mean + eps), one rounding of y to bf16; bitwise repeatable
// needs   sm_80+, H % 8 == 0, rows 16-byte aligned        launch  grid T, block min(1024, H/8 rounded up to 32)
// moves   (12TH + 4H) bytes, (8TH + 4H) where a stream begins; floor: 80% of HBM bandwidth at T >= 4096
// source  Zhang & Sennrich 2019, arXiv:1910.07467
// pairs   ../residual.go (launcher), ../../backend/cpu/norm.go (oracle)
#include "common.cuh"
#include "overlap.cuh"

// take adds a row of x to res, or copies it there, and returns the sum of the squares of what is there then.
__device__ __forceinline__ float take(float* res, const uint4* x, int chunks, bool begins) {
	float sum = 0;
	for (int i = threadIdx.x; i < chunks; i += blockDim.x) {
		float f[8];
		unpack8(x[i], f);
		if (!begins) {
			float r[8];
			load8(res + 8 * i, r);
#pragma unroll
			for (int j = 0; j < 8; j++) f[j] += r[j];
		}
		reinterpret_cast<float4*>(res)[2 * i] = {f[0], f[1], f[2], f[3]};
		reinterpret_cast<float4*>(res)[2 * i + 1] = {f[4], f[5], f[6], f[7]};
#pragma unroll
		for (int j = 0; j < 8; j++) sum += f[j] * f[j];
	}
	return block_sum(sum);
}

extern "C" __global__ void __launch_bounds__(1024) add_rmsnorm_f32(bf16* y, float* res, const bf16* x, const float* w, int h, int begins, float eps) {
	wait_for_former();
	let_next_start();
	const i64 row = static_cast<i64>(blockIdx.x) * h;
	float* r = res + row;
	const float inv = rsqrtf(take(r, reinterpret_cast<const uint4*>(x + row), h / 8, begins != 0) / h + eps);
	// Each thread reads back the chunks that it wrote itself, so no barrier is needed.
	for (int i = threadIdx.x; i < h / 8; i += blockDim.x) {
		float f[8];
		load8(r + 8 * i, f);
		if (w) {
			float g[8];
			load8(w + 8 * i, g);
#pragma unroll
			for (int j = 0; j < 8; j++) f[j] *= inv * g[j];
		}
		reinterpret_cast<uint4*>(y + row)[i] = pack8(f);
	}
}

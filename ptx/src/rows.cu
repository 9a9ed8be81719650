// rows.cu: y[i,:] = scale * table[index[i],:], a row per row of the block: embedding, and the gather of sampled tokens.
// data    table [N,H] bf16, rows stride apart, index [T] i32, y [T,H] bf16; row-major
// math    fp32 product, one rounding; an index outside [0,N) reads row 0 (a row that drew no token has id -1)
// needs   sm_80+, H % 8 == 0, rows 16-byte aligned        launch  block of min(1024, H/32 rounded up to 32) by rows, grid for T
// moves   4TH bytes; floor: 80% of HBM bandwidth at T >= 4096
// source  -
// pairs   ../rows.go (launcher), ../../backend/cpu/embed.go (oracle)
#include "common.cuh"
#include "overlap.cuh"

constexpr int kAhead = 4;  // chunks that a thread has under way

extern "C" __global__ void __launch_bounds__(1024) rows(bf16* y, const bf16* table, const int* index, i64 stride, int count, int n, int h, float scale) {
	wait_for_former();
	let_next_start();
	const int row = blockIdx.x * blockDim.y + threadIdx.y;
	if (row >= count) return;
	const int id = index[row];
	const uint4* from = reinterpret_cast<const uint4*>(table + static_cast<i64>(id >= 0 && id < n ? id : 0) * stride);
	uint4* to = reinterpret_cast<uint4*>(y + static_cast<i64>(row) * h);
	for (int i0 = threadIdx.x; i0 < h / 8; i0 += kAhead * blockDim.x) {
		uint4 v[kAhead];
#pragma unroll
		for (int k = 0; k < kAhead; k++) {
			if (i0 + k * blockDim.x < h / 8) v[k] = from[i0 + k * blockDim.x];
		}
#pragma unroll
		for (int k = 0; k < kAhead; k++) {
			const int i = i0 + k * blockDim.x;
			if (i >= h / 8) break;
			if (scale != 1.f) {
				float f[8];
				unpack8(v[k], f);
#pragma unroll
				for (int j = 0; j < 8; j++) f[j] *= scale;
				v[k] = pack8(f);
			}
			to[i] = v[k];
		}
	}
}

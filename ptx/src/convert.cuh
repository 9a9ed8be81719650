// convert.cuh: what the modules of convert*.cu share: where a source's elements go, and the kernel around a reader.
#pragma once
#include "common.cuh"

__device__ __forceinline__ float half_at(const u8* p) { return __half2float(__ushort_as_half(static_cast<u16>(p[0] | p[1] << 8))); }

// iq4_level is one of the 16 values of the iq4 types: byte `code` of a table in two words of eight bytes.
__device__ __forceinline__ int iq4_level(int code) {
	const u64 table = code < 8 ? 0xf6eaddcfbfad9881ull : 0x7159453526190d01ull;
	return static_cast<signed char>(table >> code % 8 * 8);
}

// destination returns the row of element row `row` of a source: row after row from row0, or, when pair is 1 (gate) or 2
// (up), rows in groups of eight with the other matrix's groups between them.
__device__ __forceinline__ i64 destination(i64 row, int row0, int pair) {
	if (pair) row = row / 8 * 16 + row % 8 + 8 * (pair - 1);
	return row + row0;
}

// put writes elements e to e+7, those before end, rounded to bf16 or, when wide, as they are.
__device__ __forceinline__ void put(void* dst, const float (&f)[8], i64 e, i64 end, i64 cols, int row0, int pair, int wide) {
	i64 row = e / cols, col = e - row * cols;
	i64 at = destination(row, row0, pair) * cols + col;
	if (!wide && cols % 8 == 0) {
		*reinterpret_cast<uint4*>(static_cast<bf16*>(dst) + at) = pack8(f);
		return;
	}
#pragma unroll
	for (int j = 0; j < 8; j++) {
		if (e + j >= end) break;
		if (wide) static_cast<float*>(dst)[at] = f[j];
		else static_cast<bf16*>(dst)[at] = __float2bfloat16(f[j]);
		at++;
		if (++col == cols) {
			col = 0;
			at = destination(++row, row0, pair) * cols;
		}
	}
}

// CONVERT makes the kernel of a reader, which gives elements i to i+7 of its source; i is a multiple of 8.
#define CONVERT(name, Reader)                                                                                              \
	extern "C" __global__ void __launch_bounds__(256)                                                                         \
	    name(void* dst, const u8* src, i64 first, i64 n, i64 cols, int row0, int pair, int wide) {                            \
		_Pragma("unroll 1") for (i64 i = 8ll * (blockIdx.x * 256 + threadIdx.x); i < n; i += 8ll * 256 * gridDim.x) {           \
			float f[8] = {};                                                                                                      \
			Reader::read(src, i, f);                                                                                              \
			put(dst, f, first + i, first + n, cols, row0, pair, wide);                                                            \
		}                                                                                                                       \
	}

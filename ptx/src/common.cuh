// common.cuh: what every kernel shares: 16-byte vectors of eight, reductions, and the sm_80 copy and matrix instructions.
#pragma once
#include <cuda_bf16.h>
#include <cuda_fp16.h>

// Weights, activations and the KV cache have one type of 16 bits: bf16, or f16 in the modules *_half.cu, where this name
// and that of the rounding stand for f16's.
#ifdef WEFT_F16
using bf16 = __half;
#define __float2bfloat16 __float2half_rn
#define MMA_TYPE "f16"
#else
using bf16 = __nv_bfloat16;
#define MMA_TYPE "bf16"
#endif
using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using i64 = long long;
using u64 = unsigned long long;

enum : u32 { kAll = 0xffffffffu };  // the mask of a whole warp

__host__ __device__ constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

// ---- 16-byte vectors of eight ------------------------------------------------------------------------------------

__device__ __forceinline__ float2 unpack2_bf16(u32 v) { return {__uint_as_float(v << 16), __uint_as_float(v & 0xffff0000u)}; }

#ifdef WEFT_F16
__device__ __forceinline__ float2 unpack2(u32 v) { return __half22float2(reinterpret_cast<__half2&>(v)); }

__device__ __forceinline__ u32 pack2(float lo, float hi) {
	__half2 v = __floats2half2_rn(lo, hi);
	return reinterpret_cast<u32&>(v);
}
#else
__device__ __forceinline__ float2 unpack2(u32 v) { return unpack2_bf16(v); }

__device__ __forceinline__ u32 pack2(float lo, float hi) {
	__nv_bfloat162 v = __floats2bfloat162_rn(lo, hi);
	return reinterpret_cast<u32&>(v);
}
#endif

__device__ __forceinline__ void unpack8(const uint4& v, float (&f)[8]) {
	const u32 w[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
	for (int i = 0; i < 4; i++) {
		float2 p = unpack2(w[i]);
		f[2 * i] = p.x;
		f[2 * i + 1] = p.y;
	}
}

__device__ __forceinline__ uint4 pack8(const float (&f)[8]) {
	return {pack2(f[0], f[1]), pack2(f[2], f[3]), pack2(f[4], f[5]), pack2(f[6], f[7])};
}

__device__ __forceinline__ void load8(const float* p, float (&f)[8]) {
	float4 a = reinterpret_cast<const float4*>(p)[0], b = reinterpret_cast<const float4*>(p)[1];
	f[0] = a.x, f[1] = a.y, f[2] = a.z, f[3] = a.w, f[4] = b.x, f[5] = b.y, f[6] = b.z, f[7] = b.w;
}

// ---- reductions, in a fixed order --------------------------------------------------------------------------------

__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
	for (int o = 16; o > 0; o >>= 1) v += __shfl_xor_sync(kAll, v, o);
	return v;
}

__device__ __forceinline__ float warp_max(float v) {
#pragma unroll
	for (int o = 16; o > 0; o >>= 1) v = fmaxf(v, __shfl_xor_sync(kAll, v, o));
	return v;
}

// block_sum returns the sum of v over the block to every thread. Whole warps, at most 1024 threads.
__device__ __forceinline__ float block_sum(float v) {
	__shared__ float part[32];
	const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
	v = warp_sum(v);
	if (warps == 1) return v;
	__syncthreads();  // a former call may still be reading part
	if (lane == 0) part[warp] = v;
	__syncthreads();
	return warp_sum(lane < warps ? part[lane] : 0.f);
}

// ---- sm_80 copies and matrix instructions ------------------------------------------------------------------------

__device__ __forceinline__ u32 smem_addr(const void* p) { return static_cast<u32>(__cvta_generic_to_shared(p)); }

// cp_async16 copies 16 bytes from global to shared memory, or writes zeros when !valid; src must be readable address
// space either way, though nothing is read then.
__device__ __forceinline__ void cp_async16(u32 dst, const void* src, bool valid) {
	asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(dst), "l"(src), "r"(valid ? 16 : 0) : "memory");
}

__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int N>
__device__ __forceinline__ void cp_async_wait() {
	asm volatile("cp.async.wait_group %0;" ::"n"(N) : "memory");
}

__device__ __forceinline__ void ldmatrix4(u32 (&r)[4], u32 addr) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(addr) : "memory");
}

__device__ __forceinline__ void ldmatrix4_trans(u32 (&r)[4], u32 addr) {
	asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(addr) : "memory");
}

// mma adds the product of a 16x16 row-major and a 16x8 column-major fragment to c.
__device__ __forceinline__ void mma(float (&c)[4], const u32 (&a)[4], u32 b0, u32 b1) {
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." MMA_TYPE "." MMA_TYPE ".f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};" : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// load_stream reads 16 bytes that nobody will read again: weights of a decode step.
__device__ __forceinline__ uint4 load_stream(const void* p) {
	uint4 v;
	asm volatile("ld.global.L1::no_allocate.L2::128B.v4.u32 {%0,%1,%2,%3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(p));
	return v;
}

// transpose turns an 8x8 matrix of bf16 that the warp holds, two of a row a lane.
__device__ __forceinline__ u32 transpose(u32 v) {
	u32 t;
	asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(t) : "r"(v));
	return t;
}

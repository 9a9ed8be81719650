// mechanisms_sm90.cu: Hopper's copies, products and messages one at a time, for ../mechanisms_gpu_test.go.
// data    a [64,64] and b [N,64] bf16, row-major; y as each kernel says; amap boxes of 64x64, bmap of 32x64, ymap of 64x64
// math    bf16 products, fp32 sums
// needs   sm_90a   launch  block 128, shared 33800, cluster as each kernel says
// moves   some KiB; no floor: these are not for speed
// source  PTX ISA: tensor copies and swizzles, wgmma shared memory layout, mbarrier, st.async
// pairs   ../mechanisms_gpu_test.go (launcher and oracle)
#include "hopper.cuh"
#include "wgmma.cuh"

#define MECHANISM(name)                                                                                              \
	extern "C" __global__ void __launch_bounds__(128) name(const __grid_constant__ TensorMap amap,                      \
	    const __grid_constant__ TensorMap bmap, const __grid_constant__ TensorMap ymap, const uint4* a, const uint4* b, u8* y)

// start gives 1024-byte aligned shared memory and a barrier behind 32 KiB of it, ready in the whole cluster.
__device__ __forceinline__ u8* start(u32& base, u32& bar) {
	extern __shared__ u8 shared[];
	u8* p = shared + (-smem_addr(shared) & 1023);
	base = smem_addr(p), bar = base + 32768;
	if (threadIdx.x == 0) {
		barrier_init(bar, 1);
		barriers_ready();
	}
	cluster_arrive();
	cluster_wait();
	__syncthreads();
	return p;
}

__device__ __forceinline__ void dump(u8* y, const u8* p, int bytes) {
	for (int i = threadIdx.x; i < bytes / 16; i += 128) reinterpret_cast<uint4*>(y)[i] = reinterpret_cast<const uint4*>(p)[i];
}

// swizzled writes rows of 128 bytes as a copy with the 128-byte swizzle would.
__device__ __forceinline__ void swizzled(u8* to, const uint4* from, int rows) {
	for (int i = threadIdx.x; i < rows * 8; i += 128) {
		const int row = i / 8, cell = i % 8;
		reinterpret_cast<uint4*>(to)[row * 8 + (cell ^ (row & 7))] = from[i];
	}
}

// product is y [64,N] f32 of the tiles at a and b, 64 columns of K.
template <int N>
__device__ __forceinline__ void product(u8* y, u32 a, u32 b) {
	float d[N / 2] = {};
	wgmma_fence();
#pragma unroll
	for (int kk = 0; kk < 4; kk++) wgmma<N>(d, wgmma_tile(a) + 2 * kk, wgmma_tile(b) + 2 * kk);
	wgmma_commit();
	wgmma_wait<0>();
	settle(d);
	const int lane = threadIdx.x % 32;
#pragma unroll
	for (int i = 0; i < N / 2; i++) {
		const int row = threadIdx.x / 32 * 16 + lane / 4 + i / 2 % 2 * 8, col = i / 4 * 8 + lane % 4 * 2 + i % 2;
		reinterpret_cast<float*>(y)[row * N + col] = d[i];
	}
}

// y is shared memory, 8192 bytes, after the copy of the box at column 64, row 96.
MECHANISM(mechanism_copy) {
	u32 base, bar;
	const u8* p = start(base, bar);
	if (threadIdx.x == 0) {
		barrier_expect(bar, 8192);
		copy_box(base, amap, 64, 96, bar, evict_normal());
	}
	barrier_wait(bar, 0);
	dump(y, p, 8192);
}

// y is shared memory of both blocks of a cluster, each of which copied half to both.
MECHANISM(mechanism_multicast) {
	u32 base, bar;
	const u8* p = start(base, bar);
	const u32 rank = cluster_rank();
	if (threadIdx.x == 0) {
		barrier_expect(bar, 8192);
		copy_box_to(base + rank * 4096, bmap, 64, 32 * rank, bar, evict_normal(), 3);
	}
	barrier_wait(bar, 0);
	dump(y + rank * 8192, p, 8192);
	cluster_arrive();  // the other's copy into here has ended: it was waited for
	cluster_wait();
}

template <int N>
__device__ __forceinline__ void written_product(const uint4* a, const uint4* b, u8* y) {
	u32 base, bar;
	u8* p = start(base, bar);
	swizzled(p, a, 64);
	swizzled(p + 8192, b, N);
	async_fence();
	__syncthreads();
	product<N>(y, base, base + 8192);
}

// y is the product of tiles that ordinary stores wrote.
MECHANISM(mechanism_product8) { written_product<8>(a, b, y); }
MECHANISM(mechanism_product64) { written_product<64>(a, b, y); }
MECHANISM(mechanism_product192) { written_product<192>(a, b, y); }

// y is the product of the boxes at column 64, rows 64 and 0 of what amap describes, at the end of a second phase.
MECHANISM(mechanism_copied_product) {
	u32 base, bar;
	start(base, bar);
	for (u32 phase = 0; phase < 2; phase++) {
		if (threadIdx.x == 0) {
			barrier_expect(bar, 16384);
			copy_box(base, amap, 64 * phase, 64, bar, evict_first());
			copy_box(base + 8192, amap, 64 * phase, 0, bar, evict_last());
		}
		barrier_wait(bar, phase);
		__syncthreads();
	}
	product<64>(y, base, base + 8192);
}

// ymap gets 64·row + column as 16-bit integers.
MECHANISM(mechanism_store) {
	u32 base, bar;
	start(base, bar);
	const u32 lane = threadIdx.x % 32, warp = threadIdx.x / 32, row = warp * 16 + lane % 16;
#pragma unroll
	for (u32 j = 0; j < 8; j += 2) {
		u32 v[4];
#pragma unroll
		for (u32 h = 0; h < 4; h++) {
			const u32 at = (warp * 16 + lane / 4 + h % 2 * 8) * 64 + (j + h / 2) * 8 + lane % 4 * 2;
			v[h] = at | (at + 1) << 16;
		}
		stmatrix4(base + row * 128 + ((j + lane / 16) ^ (row & 7)) * 16, v[0], v[1], v[2], v[3]);
	}
	async_fence();
	__syncthreads();
	if (threadIdx.x == 0) {
		store_box(ymap, base, 0, 0);
		store_commit();
		store_done();
	}
}

// y [4,128] f32: the words that each block of a cluster of four got from all of them.
MECHANISM(mechanism_send) {
	u32 base, bar;
	const u8* p = start(base, bar);
	const u32 rank = cluster_rank();
	if (threadIdx.x == 0) barrier_expect(bar, 512);
	send(at_rank(base + (rank * 32 + threadIdx.x / 4) * 4, threadIdx.x % 4), static_cast<float>(rank * 1000 + threadIdx.x), at_rank(bar, threadIdx.x % 4));
	barrier_wait(bar, 0);
	dump(y + rank * 512, p, 512);
	cluster_arrive();
	cluster_wait();
}

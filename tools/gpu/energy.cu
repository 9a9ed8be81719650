// energy.cu: what a decode step of many requests costs in energy: memory read, fragments made of it, products, and waiting.
// nvcc -O3 -arch=sm_90a -o energy energy.cu -lcublas -ldl && ./energy
//
// Each line is a loop of 2 s, by the GPU's own counter (NVML): µs and mJ of a launch, watts, and the clock at the end. Memory is
// random bf16, read once and far more than L2 holds. Products are those of decode attention, 32 keys or values a turn, with heads as
// the rows of mma, 4 or 16 of 16 that are not zero, or with tokens as the rows; and those of matrices by cuBLAS.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <dlfcn.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>

typedef unsigned u32;
typedef unsigned long long u64;

constexpr int kWarps = 8, kSlots = 3, kChunk = 8192;  // of a block; chunks that a warp has under way, their bytes
enum Mode { kCopies, kFragments, kFourHeads, kTokens, kSixteenHeads };

__device__ u32 sink;

__device__ __forceinline__ void wait(u32 bar, u32 phase) {
	asm volatile("{.reg .pred p; L: mbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1; @p bra D; bra L; D: }" ::"r"(bar), "r"(phase) : "memory");
}

__device__ __forceinline__ void mma(float (&c)[4], u32 a0, u32 a1, u32 a2, u32 a3, u32 b0, u32 b1) {
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
	             : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

template <Mode M>
__global__ void __launch_bounds__(32 * kWarps, 1) read(const char* data, int chunks, const u32* q) {
	extern __shared__ __align__(1024) char shared[];
	const u32 warp = threadIdx.x / 32, lane = threadIdx.x % 32, start = static_cast<u32>(__cvta_generic_to_shared(shared));
	const u32 slots = start + warp * kSlots * kChunk, bars = start + kWarps * kSlots * kChunk + warp * kSlots * 8;
	if (lane == 0)
		for (int s = 0; s < kSlots; s++) asm volatile("mbarrier.init.shared.b64 [%0], 1;" ::"r"(bars + 8 * s));
	asm volatile("fence.mbarrier_init.release.cluster;");
	__syncwarp();
	const int first = blockIdx.x * kWarps + warp, stride = gridDim.x * kWarps;
	auto copy = [&](int turn, int s) {
		const int c = first + turn * stride;
		if (c >= chunks || lane) return;
		asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(bars + 8 * s), "r"(kChunk) : "memory");
		asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(slots + s * kChunk), "l"(data + static_cast<size_t>(c) * kChunk), "r"(kChunk), "r"(bars + 8 * s) : "memory");
	};
	for (int s = 0; s < kSlots; s++) copy(s, s);
	u32 a[4], x = 0;
	for (int i = 0; i < 4; i++) a[i] = q[lane + 32 * i];
	u32 few[4];
	for (int i = 0; i < 4; i++) few[i] = lane < 16 ? a[i] : 0;
	float acc[16][4] = {};
	for (int turn = 0, s = 0, phase = 0; first + turn * stride < chunks; turn++) {
		wait(bars + 8 * s, phase);
#pragma unroll
		for (int i = 0; i < 16 && M != kCopies; i++) {
			u32 r[4];
			asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(slots + s * kChunk + i * 512 + lane * 16));
			if (M == kFragments) x ^= r[0] ^ r[1] ^ r[2] ^ r[3];
			if (M == kFourHeads) mma(acc[i], few[0], 0, few[1], 0, r[0], r[1]), mma(acc[(i + 8) % 16], few[2], 0, few[3], 0, r[2], r[3]);
			if (M == kTokens) mma(acc[i], r[0], r[1], r[2], r[3], few[0], few[1]);
			if (M == kSixteenHeads) mma(acc[i], a[0], a[1], a[2], a[3], r[0], r[1]), mma(acc[(i + 8) % 16], a[0], a[1], a[2], a[3], r[2], r[3]);
		}
		__syncwarp();
		copy(turn + kSlots, s);
		if (++s == kSlots) s = 0, phase ^= 1;
	}
	float sum = 0;
	for (int i = 0; i < 16; i++) sum += acc[i][0] + acc[i][1] + acc[i][2] + acc[i][3];
	if (x == 0x12345678 || sum == 1.2345f) sink = x;
}

__global__ void __launch_bounds__(512, 4) load(const uint4* data, size_t n) {
	u32 x = 0;
	for (size_t i = blockIdx.x * 2048ull + threadIdx.x; i < n; i += gridDim.x * 2048ull) {
		uint4 v[4];
#pragma unroll
		for (int k = 0; k < 4; k++) v[k] = i + k * 512 < n ? __ldcs(data + i + k * 512) : uint4{};
#pragma unroll
		for (int k = 0; k < 4; k++) x ^= v[k].x ^ v[k].y ^ v[k].z ^ v[k].w;
	}
	if (x == 0x12345678) sink = x;
}

__global__ void rest(u64 ns) {
	u64 start, now;
	asm volatile("mov.u64 %0, %globaltimer;" : "=l"(start));
	do {
		__nanosleep(1000);
		asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
	} while (now < start + ns);
}

// fill makes sums of four uniform numbers, with a variance of about 1.
__global__ void fill(__nv_bfloat16* p, size_t n) {
	for (size_t i = blockIdx.x * static_cast<size_t>(blockDim.x) + threadIdx.x; i < n; i += gridDim.x * static_cast<size_t>(blockDim.x)) {
		u64 z = i * 0x9E3779B97F4A7C15ull;
		z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull, z = (z ^ z >> 27) * 0x94D049BB133111EBull, z ^= z >> 31;
		const float sum = (z & 0xffff) / 65536.f + (z >> 16 & 0xffff) / 65536.f + (z >> 32 & 0xffff) / 65536.f + (z >> 48) / 65536.f;
		p[i] = __float2bfloat16((sum - 2) * 1.7f);
	}
}

// Meter reads the GPU's counter of energy.
struct Meter {
	void* gpu;
	int (*total)(void*, u64*);
	int (*clock)(void*, u32, u32*);

	Meter() {
		void* lib = dlopen("libnvidia-ml.so.1", RTLD_NOW);
		if (!lib) fprintf(stderr, "no NVML: %s\n", dlerror()), exit(1);
		auto init = reinterpret_cast<int (*)()>(dlsym(lib, "nvmlInit_v2"));
		auto find = reinterpret_cast<int (*)(u32, void**)>(dlsym(lib, "nvmlDeviceGetHandleByIndex_v2"));
		total = reinterpret_cast<int (*)(void*, u64*)>(dlsym(lib, "nvmlDeviceGetTotalEnergyConsumption"));
		clock = reinterpret_cast<int (*)(void*, u32, u32*)>(dlsym(lib, "nvmlDeviceGetClockInfo"));
		if (init() || find(0, &gpu)) fprintf(stderr, "NVML finds no GPU\n"), exit(1);
	}

	template <typename Launch>
	static int loop(double seconds, Launch launch, double& took) {
		const auto start = std::chrono::steady_clock::now();
		int n = 0;
		do {
			for (int i = 0; i < 100; i++) launch(n++);
			cudaDeviceSynchronize();
			took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
		} while (took < seconds);
		return n;
	}

	// measure prints a line of CSV; bytes and operations are a launch's.
	template <typename Launch>
	void measure(const char* name, double bytes, double ops, Launch launch) const {
		double took;
		u64 before, after;
		u32 mhz;
		loop(0.7, launch, took);
		total(gpu, &before);
		const int n = loop(2, launch, took);
		total(gpu, &after), clock(gpu, 1, &mhz);
		if (cudaGetLastError() != cudaSuccess) fprintf(stderr, "%s failed\n", name), exit(1);
		const double mj = after - before;
		printf("%s,%.0f,%.0f,%.2f,%.3f,%.1f,%u\n", name, bytes, ops, took * 1e6 / n, mj / n, mj / 1e3 / took, mhz);
		fflush(stdout);
	}
};

int main() {
	const size_t bytes = 675ull << 20, sets = 8;
	char* data;
	u32* q;
	cudaMalloc(&data, bytes * sets), cudaMalloc(&q, 512);
	fill<<<2048, 256>>>(reinterpret_cast<__nv_bfloat16*>(data), bytes * sets / 2);
	fill<<<1, 256>>>(reinterpret_cast<__nv_bfloat16*>(q), 256);
	const Meter meter;
	const int shared = kWarps * kSlots * (kChunk + 8);
	auto reads = [&](const char* name, auto kernel) {
		cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
		meter.measure(name, bytes, 0, [&](int i) { kernel<<<132, 32 * kWarps, shared>>>(data + i % sets * bytes, bytes / kChunk, q); });
	};
	printf("what,bytes,ops,us,mj,watts,mhz\n");
	meter.measure("waits", 0, 0, [&](int) { rest<<<132, 32>>>(150000); });
	meter.measure("plain loads", bytes, 0, [&](int i) { load<<<528, 512>>>(reinterpret_cast<uint4*>(data + i % sets * bytes), bytes / 16); });
	reads("copies", read<kCopies>);
	reads("copies and fragments", read<kFragments>);
	reads("and products of 4 heads of 16 rows", read<kFourHeads>);
	reads("and products of 16 heads of 16 rows", read<kSixteenHeads>);
	reads("and products of tokens as rows", read<kTokens>);
	reads("copies again", read<kCopies>);

	cublasHandle_t blas;
	if (cublasCreate(&blas) != CUBLAS_STATUS_SUCCESS) fprintf(stderr, "no cuBLAS\n"), exit(1);
	auto multiply = [&](const char* name, int m, int n, int k) {
		const float one = 1, zero = 0;
		const size_t w = 2ull * n * k, x = 2ull * m * k, y = 2ull * m * n, turns = (bytes * sets - x - y) / w;
		char *xs = data + bytes * sets - x - y, *ys = data + bytes * sets - y;
		meter.measure(name, w + x + y, 2.0 * m * n * k, [&](int i) {
			cublasGemmEx(blas, CUBLAS_OP_T, CUBLAS_OP_N, n, m, k, &one, data + i % turns * w, CUDA_R_16BF, k, xs, CUDA_R_16BF, k, &zero, ys, CUDA_R_16BF, n, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
		});
	};
	multiply("8192 x 8192 x 8192 by cuBLAS", 8192, 8192, 8192);
	multiply("256 tokens x 24576 x 4096 by cuBLAS", 256, 24576, 4096);
	multiply("256 tokens x 4096 x 12288 by cuBLAS", 256, 4096, 12288);
	return 0;
}

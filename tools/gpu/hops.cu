// hops.cu: what passes from one kernel to the next costs, in a graph of 200 of them, us each (bench/results/h200-hops.csv). A kernel
// reads some words that others wrote and writes one, behind programmatic dependent launch with griddepcontrol.wait, where it looks
// for a count or for flags in memory instead, and as the loop of one persistent kernel.
//
//   nvcc -O3 -arch=sm_90a -o hops hops.cu && ./hops
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <vector>
#define CK(x)                                                                \
	do {                                                                     \
		cudaError_t e = (x);                                                 \
		if (e != cudaSuccess) {                                              \
			printf("%s: %s line %d\n", #x, cudaGetErrorString(e), __LINE__); \
			exit(1);                                                         \
		}                                                                    \
	} while (0)
__device__ __forceinline__ unsigned acquire(const unsigned* p) {
	unsigned v;
	asm volatile("ld.acquire.gpu.u32 %0,[%1];" : "=r"(v) : "l"(p) : "memory");
	return v;
}
__device__ __forceinline__ void arrive(unsigned* p) {
	asm volatile("red.release.gpu.global.add.u32 [%0],1;" ::"l"(p) : "memory");
}
__device__ __forceinline__ void gwait() { asm volatile("griddepcontrol.wait;" ::: "memory"); }
__device__ __forceinline__ void gtrig() { asm volatile("griddepcontrol.launch_dependents;"); }
// mode 0 trig,wait 1 wait,trig 2 trig,poll by thread 0 3 poll,trig 4 trig, every thread polls; 5: trig, warp polls a flag a
// block
template <int mode>
__global__ void hop(unsigned* c, int n, int grid, float* buf, int words) {
	extern __shared__ char smem[];
	int t = threadIdx.x, b = blockIdx.x;
	if (mode == 0 || mode == 2 || mode == 4 || mode == 5) gtrig();
	if (mode < 2)
		gwait();
	else if (n > 0) {
		const unsigned* p = c + (n - 1) * 64;
		if (mode == 2 || mode == 3) {
			if (t == 0)
				while (acquire(p) < grid);
			__syncthreads();
		}
		if (mode == 4)
			while (acquire(p) < grid);
		if (mode == 5) {
			const unsigned* f = c + (n - 1) * 256;
			if (t < 32) {
				for (int i = t; i < grid; i += 32)
					while (acquire(f + i) == 0);
			}
			__syncthreads();
		}
	}
	if (mode == 1 || mode == 3) gtrig();
	const float* in = buf + (size_t)(n & 3) * grid * blockDim.x;
	float* out = buf + (size_t)((n + 1) & 3) * grid * blockDim.x;
	float s = 0;
	for (int i = 0; i < words; i++) s += in[((b * 37 + 5 + i * 7) % grid) * blockDim.x + t];
	out[b * blockDim.x + t] = s / words + 1;
	if (mode >= 2) {
		__syncthreads();
		if (t == 0) {
			if (mode == 5) {
				asm volatile("st.release.gpu.u32 [%0],1;" ::"l"(c + n * 256 + b) : "memory");
			} else
				arrive(c + n * 64);
		}
	}
}
__global__ void persist(unsigned* c, int launches, int grid, float* buf, int words) {
	int t = threadIdx.x, b = blockIdx.x;
	for (int n = 0; n < launches; n++) {
		if (n) {
			if (t == 0)
				while (acquire(c + (n - 1) * 64) < grid);
			__syncthreads();
		}
		const float* in = buf + (size_t)(n & 3) * grid * blockDim.x;
		float* out = buf + (size_t)((n + 1) & 3) * grid * blockDim.x;
		float s = 0;
		for (int i = 0; i < words; i++) s += __ldcg(&in[((b * 37 + 5 + i * 7) % grid) * blockDim.x + t]);
		out[b * blockDim.x + t] = s / words + 1;
		__syncthreads();
		if (t == 0) arrive(c + n * 64);
	}
}
int main() {
	const int L = 200;
	cudaStream_t s;
	CK(cudaStreamCreate(&s));
	unsigned* c;
	CK(cudaMalloc(&c, (L + 1) * 1024));
	float* buf;
	CK(cudaMalloc(&buf, 4 * 132 * 1024 * 4));
	cudaEvent_t e0, e1;
	cudaEventCreate(&e0);
	cudaEventCreate(&e1);
	typedef void (*K)(unsigned*, int, int, float*, int);
	K ks[6] = {hop<0>, hop<1>, hop<2>, hop<3>, hop<4>, hop<5>};
	const char* names[] = {"trig,wait",     "wait,trig",      "trig,poll",  "poll,trig",
	                       "trig,all poll", "trig,flag each", "persistent", "plain"};
	for (int smem = 0; smem <= 100000; smem += 100000)
		for (int threads = 128; threads <= 384; threads += 256)
			for (int grid = 64; grid <= 132; grid += 68)
				for (int words = 1; words <= 16; words += 15)
					for (int mode = 0; mode < 8; mode++) {
						cudaGraph_t g;
						cudaGraphExec_t x;
						CK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
						CK(cudaMemsetAsync(c, 0, (L + 1) * 1024, s));
						CK(cudaMemsetAsync(buf, 0, 4 * 132 * 1024 * 4, s));
						if (mode == 6) {
							persist<<<grid, threads, 0, s>>>(c, L, grid, buf, words);
						} else
							for (int n = 0; n < L; n++) {
								cudaLaunchConfig_t cfg = {};
								cfg.gridDim = grid;
								cfg.blockDim = threads;
								cfg.dynamicSmemBytes = smem;
								cfg.stream = s;
								cudaLaunchAttribute a[1];
								a[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
								a[0].val.programmaticStreamSerializationAllowed = 1;
								cfg.attrs = a;
								cfg.numAttrs = (mode == 7 || n == 0) ? 0 : 1;
								K k = ks[mode == 7 ? 1 : mode];
								CK(cudaFuncSetAttribute(k, cudaFuncAttributeMaxDynamicSharedMemorySize, smem));
								CK(cudaLaunchKernelEx(&cfg, k, c, n, grid, buf, words));
							}
						CK(cudaStreamEndCapture(s, &g));
						CK(cudaGraphInstantiate(&x, g, 0));
						std::vector<float> v;
						for (int r = 0; r < 12; r++) {
							CK(cudaEventRecord(e0, s));
							CK(cudaGraphLaunch(x, s));
							CK(cudaEventRecord(e1, s));
							CK(cudaStreamSynchronize(s));
							float ms;
							cudaEventElapsedTime(&ms, e0, e1);
							v.push_back(ms);
						}
						std::sort(v.begin(), v.end());
						std::vector<float> h(grid * threads);
						CK(cudaMemcpy(h.data(), buf + (size_t)(L & 3) * grid * threads, h.size() * 4, cudaMemcpyDeviceToHost));
						int bad = 0;
						for (float f : h) bad += f != L;
						printf("smem %6d threads %3d grid %3d words %2d %-14s %.3f us a hop, bad %d\n", smem, threads, grid,
						       words, names[mode], v[v.size() / 2] * 1000 / L, bad);
						fflush(stdout);
						cudaGraphExecDestroy(x);
						cudaGraphDestroy(g);
					}
}

// cold.cu: how long straight code takes behind the wait for the kernel ahead, us a kernel (bench/results/h200-hops.csv): in a
// chain of one kernel, of five that differ, and of those five as the loop of one persistent kernel.
//
//   nvcc -O3 -arch=sm_90a -o cold cold.cu && ./cold
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
template <int id, int N>
__device__ __forceinline__ float body(float x) {
	float a = x, b = x + 1, c = x + 2, d = x + 3;
#pragma unroll
	for (int i = 0; i < N / 4; i++) {
		a = fmaf(a, 1.0001f + id * .01f + i * 1e-4f, .5f + i * .001f);
		b = fmaf(b, 1.0002f + id * .01f + i * 1e-4f, .4f + i * .001f);
		c = fmaf(c, 1.0003f + id * .01f + i * 1e-4f, .3f + i * .001f);
		d = fmaf(d, 1.0004f + id * .01f + i * 1e-4f, .2f + i * .001f);
	}
	return a + b + c + d;
}
template <int id, int N>
__global__ void __launch_bounds__(128) k(float* buf, int grid, int n) {
	asm volatile("griddepcontrol.launch_dependents;");
	asm volatile("griddepcontrol.wait;" ::: "memory");
	const float* in = buf + (n & 3) * grid * 128;
	float* out = buf + ((n + 1) & 3) * grid * 128;
	out[blockIdx.x * 128 + threadIdx.x] = body<id, N>(in[(blockIdx.x * 37 + 5) % grid * 128 + threadIdx.x]) * 1e-30f;
}
template <int id, int N>
__device__ __forceinline__ void phase(unsigned* c, float* buf, int grid, int n) {
	if (n) {
		if (threadIdx.x == 0)
			while (acquire(c + (n - 1) * 64) < grid);
		__syncthreads();
	}
	const float* in = buf + (n & 3) * grid * 128;
	float* out = buf + ((n + 1) & 3) * grid * 128;
	out[blockIdx.x * 128 + threadIdx.x] = body<id, N>(__ldcg(&in[(blockIdx.x * 37 + 5) % grid * 128 + threadIdx.x])) * 1e-30f;
	__syncthreads();
	if (threadIdx.x == 0) arrive(c + n * 64);
}
template <int N>
__global__ void __launch_bounds__(128) persist(unsigned* c, float* buf, int grid, int layers) {
#pragma unroll 1
	for (int l = 0; l < layers; l++) {
		phase<0, N>(c, buf, grid, 5 * l);
		phase<1, N>(c, buf, grid, 5 * l + 1);
		phase<2, N>(c, buf, grid, 5 * l + 2);
		phase<3, N>(c, buf, grid, 5 * l + 3);
		phase<4, N>(c, buf, grid, 5 * l + 4);
	}
}
template <int N>
void run(cudaStream_t s, unsigned* c, float* buf) {
	const int layers = 28, grid = 132;
	cudaEvent_t e0, e1;
	cudaEventCreate(&e0);
	cudaEventCreate(&e1);
	void (*ks[5])(float*, int, int) = {k<0, N>, k<1, N>, k<2, N>, k<3, N>, k<4, N>};
	const char* names[] = {"one kernel", "five kernels", "persistent"};
	for (int mode = 0; mode < 3; mode++) {
		cudaGraph_t g;
		cudaGraphExec_t x;
		CK(cudaStreamBeginCapture(s, cudaStreamCaptureModeGlobal));
		CK(cudaMemsetAsync(c, 0, (5 * layers + 1) * 256, s));
		if (mode == 2)
			persist<N><<<grid, 128, 0, s>>>(c, buf, grid, layers);
		else
			for (int n = 0; n < 5 * layers; n++) {
				cudaLaunchConfig_t cfg = {};
				cfg.gridDim = grid;
				cfg.blockDim = 128;
				cfg.stream = s;
				cudaLaunchAttribute a[1];
				a[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
				a[0].val.programmaticStreamSerializationAllowed = 1;
				cfg.attrs = a;
				cfg.numAttrs = n > 0;
				CK(cudaLaunchKernelEx(&cfg, ks[mode == 0 ? 0 : n % 5], buf, grid, n));
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
		printf("%5d instructions, %-12s %.3f us a kernel\n", N, names[mode], v[v.size() / 2] * 1000 / (5 * layers));
		fflush(stdout);
		cudaGraphExecDestroy(x);
		cudaGraphDestroy(g);
	}
}
int main() {
	cudaStream_t s;
	CK(cudaStreamCreate(&s));
	unsigned* c;
	CK(cudaMalloc(&c, 1 << 20));
	float* buf;
	CK(cudaMalloc(&buf, 4 * 132 * 1024 * 4));
	CK(cudaMemset(buf, 0, 4 * 132 * 1024 * 4));
	run<16>(s, c, buf);
	run<256>(s, c, buf);
	run<512>(s, c, buf);
	run<1024>(s, c, buf);
	run<2048>(s, c, buf);
}

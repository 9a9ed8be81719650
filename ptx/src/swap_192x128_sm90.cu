// swap_192x128_sm90.cu: y = x · w^T with an epilogue, 192 tokens by 128 features a tile, operands swapped, by TMA and wgmma.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32, none for argmax; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums in the order of K, slices of K added in their order; bias, then one rounding to bf16; bitwise repeatable
// needs   sm_90a, K % 8 == 0, bf16 rows of y 16-byte aligned   launch  grid blocks that run at once, block 384, shared 205904
// moves   2(MK + NK + MN) bytes, 2MNK operations; goal: cuBLAS at 64 < M <= 256 (bench/kernels)
// source  as gemm_sm90.cuh; operands swapped as in TensorRT-LLM's small-batch GEMMs
// pairs   ../gemm_sm90.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "gemm_sm90.cuh"

GEMM_SM90_ALL(swap_192x128, 2, 192, 5, true)

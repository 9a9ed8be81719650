// gemm_128x256_sm90.cu: y = x · w^T with an epilogue, 128 tokens by 256 features a tile, by TMA and wgmma.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32, none for argmax; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums in the order of K, slices of K added in their order; bias, then one rounding to bf16; bitwise repeatable
// needs   sm_90a, K % 8 == 0, bf16 rows of y 16-byte aligned   launch  grid blocks that run at once, block 384, shared 230464, cluster 1, 2 or 4
// moves   2(MK + NK + MN) bytes, 2MNK operations; floor: 85% of cuBLAS at M >= 512 (bench/kernels)
// source  persistent warp-specialised GEMM as in CUTLASS 3 (docs.nvidia.com/cutlass) and pranjalssh/fast.cu
// pairs   ../linear_sm90.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "gemm_sm90.cuh"

GEMM_SM90_ALL(gemm_128x256, 2, 256, 4, false)

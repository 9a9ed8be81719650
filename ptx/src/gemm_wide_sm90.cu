// gemm_wide_sm90.cu: y = x · w^T with an epilogue, 128 tokens by 256 features a tile, stored beside the next tile's products.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums in the order of K; bias, then one rounding to bf16; bitwise repeatable
// needs   sm_90a, K % 8 == 0, rows of y 16-byte aligned   launch  grid clusters that run at once, block 384, shared 230464, cluster 1, 2 or 4
// moves   2(MK + NK + MN) bytes, 2MNK operations; goal: cuBLAS at M >= 2048 (bench/kernels)
// source  persistent warp-specialised GEMM as in CUTLASS 3 (docs.nvidia.com/cutlass) and pranjalssh/fast.cu
// pairs   ../gemm_sm90.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "gemm_wide_sm90.cuh"

GEMM_WIDE_SM90(gemm_wide, kPlain)
GEMM_WIDE_SM90(gemm_wide_gated, kGated)

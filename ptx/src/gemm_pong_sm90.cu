// gemm_pong_sm90.cu: y = x · w^T with an epilogue, a tile of 128 tokens by 128 features to each of two warpgroups in turn.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums in the order of K; bias, then one rounding to bf16; bitwise repeatable
// needs   sm_90a, K % 8 == 0, bf16 rows of y 16-byte aligned   launch  grid clusters that run at once, block 384, shared 230496, cluster 1, 2 or 4
// moves   2(MK + NK + MN) bytes, 2MNK operations; goal: cuBLAS at M >= 2048 where K <= 2048, gated or not (bench/kernels)
// source  ping-pong schedule of CUTLASS 3 (docs.nvidia.com/cutlass, efficient_gemm)
// pairs   ../gemm_sm90.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "gemm_pong_sm90.cuh"

GEMM_PONG_SM90(gemm_pong, kPlain)
GEMM_PONG_SM90(gemm_pong_gated, kGated)
GEMM_PONG_SM90(gemm_pong_logits, kLogits)

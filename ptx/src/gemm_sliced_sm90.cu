// gemm_sliced_sm90.cu: y = x · w^T with an epilogue, slices of K of a tile of 128 tokens by 128 features in a cluster.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums of each slice, added in the order of the slices; bias, then one rounding to bf16; bitwise repeatable
// needs   sm_90a, K % 8 == 0   launch  grid tiles times slices, block 288, shared 230488, cluster of slices times 1 or 2 tiles, at most 8
// moves   2(MK + NK + MN) bytes, 2MNK operations; goal: cuBLAS at 128 <= M <= 512 where tiles are fewer than multiprocessors (bench/kernels)
// source  slices of K that meet in a cluster's shared memory, as in skinny_sm90.cuh
// pairs   ../gemm_sm90.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "gemm_sliced_sm90.cuh"

GEMM_SLICED_SM90(gemm_sliced, kPlain)
GEMM_SLICED_SM90(gemm_sliced_gated, kGated)
GEMM_SLICED_SM90(gemm_sliced_logits, kLogits)

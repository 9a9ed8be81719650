// skinny_n16_sm90.cu: y = x · w^T with an epilogue for few tokens, 16 by 64 features a tile, by TMA and wgmma.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32, none for argmax; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums in the order of K, slices of K added in their order; bias, then one rounding; bitwise repeatable
// needs   sm_90a, K % 8 == 0, N % 16 == 0 when gated   launch  grid (blocks, M/16), block 160, shared 97688, cluster = slices of K <= 8
// moves   2NK bytes; floor: 85% of HBM bandwidth when NK > 25 M, below that cuBLAS's time (bench/kernels)
// source  operands swapped as in TensorRT-LLM's small-batch GEMMs
// pairs   ../linear_sm90.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "skinny_sm90.cuh"

SKINNY_SM90_ALL(skinny_n16, 16, 9)

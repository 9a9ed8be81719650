// skinny_n64w128_sm90.cu: y = x · w^T with an epilogue for few tokens, 64 by 128 features a tile, by TMA and wgmma.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums in the order of K, slices of K added in their order; bias, then one rounding; bitwise repeatable
// needs   sm_90a, K % 8 == 0, N % 16 == 0 when gated   launch  grid (blocks, M/64), block 288, shared 108600, cluster = slices of K <= 8
// moves   2NK bytes, and from L2 half as much again, where skinny_n64 takes twice that; goal: cuBLAS where NK > 100 M (bench/kernels)
// source  operands swapped as in TensorRT-LLM's small-batch GEMMs
// pairs   ../linear_sm90.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "skinny_sm90.cuh"

SKINNY_SM90_ALL(skinny_n64w128, 64, 2, 3)

// fused_n8_sm90.cu: linear operations for at most 8 tokens with their neighbours: the residual sum behind (add), the norm
//                     before (gate), or the norm before and the heads' norms, rotation and store behind (heads).
// data    x, res [M,K], [M,N] bf16, w [N,K] bf16, norm [K] f32, bias [N] f32 or null, y [M,N/2] bf16, q and caches as in rope.cu
// math    bf16 products, fp32 sums in the order of K, slices of K added in their order; x times norm rounded, divided by rms
//         behind the product; bias, sum and all of rope.cu in fp32, then one rounding; bitwise repeatable
// needs   sm_90a, K % 8 == 0, N % 16 == 0 (gate), N % 8 == 0 (add), 128 % D == 0 (heads)   launch  grid (blocks, 1), cluster =
//         slices of K <= 8, block and shared: add 160, gate 288, 95664; heads 416, 92512
// moves   2NK bytes; floor: the linear operation alone (docs/DECODE.md, bench/kernels)
// source  operands swapped as in TensorRT-LLM's small-batch GEMMs; what is fused is from rmsnorm.cu and rope.cu
// pairs   ../fused.go (launcher), ../../backend/cpu/fused.go (oracle)
#include "fused_sm90.cuh"

FUSED_SM90_ALL(fused_n8, 8, 10, 5)

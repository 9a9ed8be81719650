// gemm_m128.cu: y = x · w^T with an epilogue, 128 tokens by 128 features a block, by mma.sync.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums, splits of K added in their order; bias, then one rounding; bitwise repeatable
// needs   sm_80+, K % 8 == 0, N % 16 == 0 when gated; rows 16-byte aligned   launch  grid (tiles, splits), block 256, shared 98304
// moves   2(MK + NK + MN) bytes, 2MNK operations; floor: half of cuBLAS at M >= 512 (mma.sync has about half of Hopper's rate)
// source  -
// pairs   ../linear.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "gemm.cuh"

GEMM(gemm_m128, 128, 128, 2, 4, 3, 2, kPlain)
GEMM(gemm_m128_gated, 128, 128, 2, 4, 3, 2, kGated)
GEMM(gemm_m128_logits, 128, 128, 2, 4, 3, 2, kLogits)

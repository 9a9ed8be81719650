// gemm_m64.cu: y = x · w^T with an epilogue, 64 tokens by 64 features a block, by mma.sync.
// data    x [M,K] bf16, w [N,K] bf16, bias [N] f32 or null, y [M,N] bf16 or f32; row-major, contiguous; y overlaps nothing
// math    bf16 products, fp32 sums, splits of K added in their order; bias, then one rounding; bitwise repeatable
// needs   sm_80+, K % 8 == 0, N % 16 == 0 when gated; rows 16-byte aligned   launch  grid (tiles, splits), block 128, shared 65536
// moves   2(MK + NK + MN) bytes, 2MNK operations; floor: half of cuBLAS at M >= 512 (mma.sync has about half of Hopper's rate)
// source  -
// pairs   ../linear.go (launcher), ../../backend/cpu/linear.go (oracle)
#include "gemm.cuh"

GEMM(gemm_m64, 64, 64, 2, 2, 4, 3, kPlain)
GEMM(gemm_m64_gated, 64, 64, 2, 2, 4, 3, kGated)
GEMM(gemm_m64_logits, 64, 64, 2, 2, 4, 3, kLogits)

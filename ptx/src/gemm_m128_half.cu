// gemm_m128_half.cu: gemm_m128.cu with f16 in the place of bf16; see common.cuh.
#define WEFT_F16
#include "gemm_m128.cu"

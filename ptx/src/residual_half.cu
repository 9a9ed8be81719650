// residual_half.cu: residual.cu with f16 in the place of bf16; see common.cuh.
#define WEFT_F16
#include "residual.cu"

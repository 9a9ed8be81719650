// skinny_half.cu: skinny.cu with f16 in the place of bf16; see common.cuh.
#define WEFT_F16
#include "skinny.cu"

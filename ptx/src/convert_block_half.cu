// convert_block_half.cu: convert_block.cu with f16 in the place of bf16; see common.cuh.
#define WEFT_F16
#include "convert_block.cu"

// attend_decode_half.cu: attend_decode.cu with f16 in the place of bf16; see common.cuh.
#define WEFT_F16
#include "attend_decode.cu"

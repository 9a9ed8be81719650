// attend_prefill_half.cu: attend_prefill.cu with f16 in the place of bf16; see common.cuh.
#define WEFT_F16
#include "attend_prefill.cu"

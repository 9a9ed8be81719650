// fused_n8_sm90.cu: linear for at most 8 tokens with the norm before it, or with the sum or the heads' store behind it.
#include "fused_sm90.cuh"

FUSED_SM90_ALL(fused_n8, 8, 10, 5)

// residual_sm90.cu: residual.cu with its launches overlapped; see overlap.cuh.
#include "residual.cu"

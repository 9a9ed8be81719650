// rmsnorm_sm90.cu: rmsnorm.cu with its launches overlapped; see overlap.cuh.
#include "rmsnorm.cu"

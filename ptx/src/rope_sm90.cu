// rope_sm90.cu: rope.cu with its launches overlapped; see overlap.cuh.
#include "rope.cu"

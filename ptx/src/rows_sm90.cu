// rows_sm90.cu: rows.cu with its launches overlapped; see overlap.cuh.
#include "rows.cu"

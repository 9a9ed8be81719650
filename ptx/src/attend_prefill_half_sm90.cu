// attend_prefill_half_sm90.cu: attention of short prompts on Hopper, two blocks of half a tile on a multiprocessor; not
//                              chosen until it is measured.
// data    q, out [T,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, online softmax in powers of two, P rounded to bf16; bitwise repeatable in any batch
// needs   sm_90a, D = 128, no softcap, rows 16-byte aligned        launch  grid 2*SMs, block 256
// moves   4*Heads*D operations a visible (query, key) pair; goal: 200 TFLOP/s at D=128, 512 keys
// source  Shah et al. 2024 (FlashAttention-3), arXiv:2407.08608
// pairs   ../attend.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend_sm90.cuh"

using Shape128 = Shape<128, 1, 64, 2>;

ATTEND_SM90(attend_prefill_half_128, Shape128)

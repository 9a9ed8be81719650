// attend_prefill_peeled_sm90.cu: attend_prefill_sm90.cu with steps that hide keys and steps that hide none apart; not chosen
//                                until it is measured.
// data    q, out [T,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, online softmax in powers of two, P rounded to bf16; bitwise repeatable in any batch
// needs   sm_90a, D in {64, 128}, no softcap, rows 16-byte aligned        launch  grid min(SMs, tiles*KVHeads), block 384
// moves   4*Heads*D operations a visible (query, key) pair; goal: 480 TFLOP/s at D=128, 16k keys
// source  Shah et al. 2024 (FlashAttention-3), arXiv:2407.08608
// pairs   ../attend.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend_sm90.cuh"

using Shape64 = Shape<64, 2, 128, 1>;
using Shape128 = Shape<128, 2, 128, 1>;

ATTEND_SM90(attend_prefill_peeled_64, Shape64)
ATTEND_SM90(attend_prefill_peeled_128, Shape128)

// attend_prefill_turns_sm90.cu: attention of prompts on Hopper; a softmax beside the other warp group's products.
// data    q, out [T,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, online softmax in powers of two, P rounded to bf16; repeatable, without room in any batch
// needs   sm_90a, D in {64, 128}, no softcap, rows 16-byte aligned        launch  grid SMs, block 384
// moves   4*Heads*D operations a visible (query, key) pair; goal: 480 TFLOP/s at D=128, 16k keys
// source  Shah et al. 2024 (FlashAttention-3), arXiv:2407.08608; spans as in Dao et al. 2023 (Flash-Decoding)
// pairs   ../attend.go (launcher), ../../backend/cpu/attend.go (oracle)
#include "attend_prefill_sm90.cuh"

using Shape64 = Shape<64, 10, false, false, false>;
using Shape128 = Shape<128, 5, false, false, false>;

ATTEND_PREFILL(attend_prefill_turns_64, Shape64)
ATTEND_PREFILL(attend_prefill_turns_128, Shape128)

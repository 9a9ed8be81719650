// attend_decode_sm90.cu: decode attention in blocks of half a multiprocessor, which read the cache before the kernel ahead
//                        of them has ended; not chosen until it is measured.
// data    q, out [B,Heads*D] bf16, rows a stride apart; k, v [KVHeads,Slots,D] bf16; pages [Rows,PageStride] i32
// math    bf16 products, fp32 sums, softmax in powers of two, P rounded to bf16; the same bits in any batch
// needs   sm_90a, D in {64, 128}, at most 8 heads a KV head, B <= 512, counters zero   launch  grid 2*SMs, block 32*(workers+4)
// moves   4*D bytes a key and KV head; floor: 85% of HBM bandwidth at >= 1 GB of K and V
// source  split KV as in Dao et al. 2023 (Flash-Decoding), shares as in Osama et al. 2023 (Stream-K, arXiv:2301.03598)
// pairs   ../attend_decode.go (launcher), ../../backend/cpu/attend.go (oracle)
#define WEFT_EARLY
#include "attend_decode.cu"

#define ATTEND_EARLY(D)                                                                                                        \
	extern "C" __global__ void __launch_bounds__(256, 2)                                                                         \
	    attend_early_##D(bf16* out, const bf16* q, Cache c, float* parts, u32* counters, Problem t, Scores f) {                  \
		attend<D, 1>(out, q, c, parts, counters, t, f);                                                                       \
	}

ATTEND_EARLY(64)
ATTEND_EARLY(128)

// wgmma.cuh: the asynchronous matrix product of a warpgroup: d[64,N] += a[64,16] · b[N,16]^T, bf16 to fp32.
#pragma once
#include "common.cuh"

// wgmma_fence orders the registers of the sums, written before, to the products that follow.
__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// wgmma_wait waits until at most N groups of products are under way.
template <int N>
__device__ __forceinline__ void wgmma_wait() {
	asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(N) : "memory");
}

// settle keeps the compiler from reading sums before the wait that stands ahead of it.
template <int N>
__device__ __forceinline__ void settle(float (&d)[N]) {
#pragma unroll
	for (int i = 0; i < N; i++) asm volatile("" : "+f"(d[i])::"memory");
}

// same_for_warp returns v, which all lanes of the warp have alike, so that the assembler knows it: what is made of v then stays
// in uniform registers, where a product's operands have to be. Otherwise each product waits for copies to them.
__device__ __forceinline__ u32 same_for_warp(u32 v) { return __shfl_sync(kAll, v, 0); }

// wgmma_tile describes rows of 64 bf16 in shared memory, 128 bytes each, with the 128-byte swizzle; addr is 1024-byte
// aligned. 16 columns further on is two more.
__device__ __forceinline__ u64 wgmma_tile(u32 addr) {
	addr = same_for_warp(addr);
	return static_cast<u64>(addr >> 4 & 0x3fff) | 1ull << 16 | 64ull << 32 | 1ull << 62;  // eight rows are 1024 bytes
}

// wgmma starts d += a · b^T. Element 4j+2h+i of a thread's sums is row 16·warp + lane/4 + 8h and column 8j + 2·(lane%4) + i.
// d is zeroed beforehand: with the predicate that would ignore it, ptxas puts a wait behind every product (C7515).
template <int N>
__device__ __forceinline__ void wgmma(float (&d)[N / 2], u64 a, u64 b);

#define WGMMA_R0 "%0,%1,%2,%3,%4,%5,%6,%7"
#define WGMMA_R1 ",%8,%9,%10,%11,%12,%13,%14,%15"
#define WGMMA_R2 ",%16,%17,%18,%19,%20,%21,%22,%23"
#define WGMMA_R3 ",%24,%25,%26,%27,%28,%29,%30,%31"
#define WGMMA_R4 ",%32,%33,%34,%35,%36,%37,%38,%39"
#define WGMMA_R5 ",%40,%41,%42,%43,%44,%45,%46,%47"
#define WGMMA_R6 ",%48,%49,%50,%51,%52,%53,%54,%55"
#define WGMMA_R7 ",%56,%57,%58,%59,%60,%61,%62,%63"
#define WGMMA_R8 ",%64,%65,%66,%67,%68,%69,%70,%71"
#define WGMMA_R9 ",%72,%73,%74,%75,%76,%77,%78,%79"
#define WGMMA_R10 ",%80,%81,%82,%83,%84,%85,%86,%87"
#define WGMMA_R11 ",%88,%89,%90,%91,%92,%93,%94,%95"
#define WGMMA_R12 ",%96,%97,%98,%99,%100,%101,%102,%103"
#define WGMMA_R13 ",%104,%105,%106,%107,%108,%109,%110,%111"
#define WGMMA_R14 ",%112,%113,%114,%115,%116,%117,%118,%119"
#define WGMMA_R15 ",%120,%121,%122,%123,%124,%125,%126,%127"
#define WGMMA_REGS8 "%0,%1,%2,%3"
#define WGMMA_REGS16 WGMMA_R0
#define WGMMA_REGS32 WGMMA_REGS16 WGMMA_R1
#define WGMMA_REGS64 WGMMA_REGS32 WGMMA_R2 WGMMA_R3
#define WGMMA_REGS96 WGMMA_REGS64 WGMMA_R4 WGMMA_R5
#define WGMMA_REGS128 WGMMA_REGS64 WGMMA_R4 WGMMA_R5 WGMMA_R6 WGMMA_R7
#define WGMMA_REGS192 WGMMA_REGS128 WGMMA_R8 WGMMA_R9 WGMMA_R10 WGMMA_R11
#define WGMMA_REGS256 WGMMA_REGS192 WGMMA_R12 WGMMA_R13 WGMMA_R14 WGMMA_R15
#define WGMMA_D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define WGMMA_D16(i) WGMMA_D4(i), WGMMA_D4(i + 4), WGMMA_D4(i + 8), WGMMA_D4(i + 12)
#define WGMMA_D32(i) WGMMA_D16(i), WGMMA_D16(i + 16)
#define WGMMA_D64(i) WGMMA_D32(i), WGMMA_D32(i + 32)

// A and B are the numbers of the operands behind the sums.
#define WGMMA(N, A, B, ...)                                                                                     \
	template <>                                                                                                   \
	__device__ __forceinline__ void wgmma<N>(float (&d)[N / 2], u64 a, u64 b) {                                   \
		asm volatile("{ .reg .pred add; setp.eq.b32 add, 0, 0; wgmma.mma_async.sync.aligned.m64n" #N                \
		             "k16.f32.bf16.bf16 {" WGMMA_REGS##N "}, %" #A ", %" #B ", add, 1, 1, 0, 0; }"                  \
		             : __VA_ARGS__                                                                                  \
		             : "l"(a), "l"(b));                                                                             \
	}

WGMMA(8, 4, 5, WGMMA_D4(0))
WGMMA(16, 8, 9, WGMMA_D4(0), WGMMA_D4(4))
WGMMA(32, 16, 17, WGMMA_D16(0))
WGMMA(64, 32, 33, WGMMA_D32(0))
WGMMA(96, 48, 49, WGMMA_D32(0), WGMMA_D16(32))
WGMMA(128, 64, 65, WGMMA_D64(0))
WGMMA(192, 96, 97, WGMMA_D64(0), WGMMA_D32(64))
WGMMA(256, 128, 129, WGMMA_D64(0), WGMMA_D64(64))

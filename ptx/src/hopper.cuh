// hopper.cuh: Hopper's barriers in shared memory, bulk tensor copies (TMA), clusters and dependent launch.
#pragma once
#include "common.cuh"

// opaque keeps the compiler from making an address anew wherever it is used: what runs behind the wait for the kernel ahead is not
// in the instruction cache, and an instruction takes about 5 cycles there.
template <typename T>
__device__ __forceinline__ T* opaque(T* at) {
	asm volatile("" : "+l"(at));
	return at;
}
__device__ __forceinline__ u32 opaque(u32 at) {
	asm volatile("" : "+r"(at));
	return at;
}

// ---- shared memory, by address ------------------------------------------------------------------------------------

__device__ __forceinline__ float4 load_shared(u32 at) {
	float4 v;
	asm volatile("ld.shared.v4.f32 {%0,%1,%2,%3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "r"(at) : "memory");
	return v;
}

__device__ __forceinline__ void load_shared8(u32 at, float (&f)[8]) {
	const float4 a = load_shared(at), b = load_shared(at + 16);
	f[0] = a.x, f[1] = a.y, f[2] = a.z, f[3] = a.w, f[4] = b.x, f[5] = b.y, f[6] = b.z, f[7] = b.w;
}

__device__ __forceinline__ void store_shared(u32 at, float v) { asm volatile("st.shared.f32 [%0], %1;" ::"r"(at), "f"(v) : "memory"); }

__device__ __forceinline__ void store_shared(u32 at, const float4& v) {
	asm volatile("st.shared.v4.f32 [%0], {%1,%2,%3,%4};" ::"r"(at), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w) : "memory");
}

__device__ __forceinline__ void store_shared(u32 at, const uint4& v) {
	asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(at), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w) : "memory");
}

// ---- barriers in shared memory (mbarrier), by address -------------------------------------------------------------

__device__ __forceinline__ void barrier_init(u32 bar, u32 arrivals) {
	asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(bar), "r"(arrivals) : "memory");
}

// barriers_ready makes barriers that this thread initialised known to the copy engine and the cluster; a barrier of the
// block or the cluster has to follow.
__device__ __forceinline__ void barriers_ready() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

// barrier_expect arrives, and adds to what the phase waits for the bytes of copies.
__device__ __forceinline__ void barrier_expect(u32 bar, u32 bytes) {
	asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(bar), "r"(bytes) : "memory");
}

__device__ __forceinline__ void barrier_arrive(u32 bar) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(bar) : "memory"); }

// barrier_arrive_at arrives at the barrier that lies at bar in block rank of the cluster.
__device__ __forceinline__ void barrier_arrive_at(u32 bar, u32 rank) {
	asm volatile("{ .reg .b32 at; mapa.shared::cluster.u32 at, %0, %1; mbarrier.arrive.shared::cluster.b64 _, [at]; }" ::"r"(bar), "r"(rank) : "memory");
}

// barrier_wait waits for the end of the phase of the given parity.
__device__ __forceinline__ void barrier_wait(u32 bar, u32 parity) {
	asm volatile(
	    "{ .reg .pred done;\n"
	    "again: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
	    "@done bra ended;\n"
	    "bra again;\n"
	    "ended: }" ::"r"(bar),
	    "r"(parity)
	    : "memory");
}

// named_sync is a barrier of some of the block's warps; id 0 is __syncthreads.
__device__ __forceinline__ void named_sync(int id, int threads) { asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory"); }

// ---- bulk tensor copies -------------------------------------------------------------------------------------------

// TensorMap is a CUtensorMap, made by driver.Library.EncodeTile.
struct alignas(64) TensorMap {
	u8 bytes[128];
};

__device__ __forceinline__ u64 evict_first() {
	u64 policy;
	asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
	return policy;
}

__device__ __forceinline__ u64 evict_normal() {
	u64 policy;
	asm volatile("createpolicy.fractional.L2::evict_normal.b64 %0, 1.0;" : "=l"(policy));
	return policy;
}

__device__ __forceinline__ u64 evict_last() {
	u64 policy;
	asm volatile("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(policy));
	return policy;
}

// prefetch_map has the copy engine read a map ahead of its first use, which would wait for that.
__device__ __forceinline__ void prefetch_map(const TensorMap& map) { asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory"); }

// copy_box starts the copy of the box at column c, row r to shared memory; its bytes count at bar.
__device__ __forceinline__ void copy_box(u32 to, const TensorMap& map, int c, int r, u32 bar, u64 policy) {
	asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(to), "l"(&map), "r"(bar), "r"(c), "r"(r), "l"(policy) : "memory");
}

// copy_box_to copies to the same place in every block of the cluster whose bit is in mask, and counts there.
__device__ __forceinline__ void copy_box_to(u32 to, const TensorMap& map, int c, int r, u32 bar, u64 policy, u16 mask) {
	asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster.L2::cache_hint [%0], [%1, {%3, %4}], [%2], %5, %6;" ::"r"(to), "l"(&map), "r"(bar), "r"(c), "r"(r), "h"(mask), "l"(policy) : "memory");
}

// store_box starts the copy of a box from shared memory; what lies outside the tensor is not written.
__device__ __forceinline__ void store_box(const TensorMap& map, u32 from, int c, int r) {
	asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];" ::"l"(&map), "r"(from), "r"(c), "r"(r) : "memory");
}

__device__ __forceinline__ void store_commit() { asm volatile("cp.async.bulk.commit_group;" ::: "memory"); }

// store_read waits until at most N groups of stores still read shared memory; store_done, until all are written.
template <int N>
__device__ __forceinline__ void store_read() {
	asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(N) : "memory");
}

__device__ __forceinline__ void store_done() { asm volatile("cp.async.bulk.wait_group 0;" ::: "memory"); }

// async_fence makes this thread's ordinary writes to shared memory visible to the copy engine and to wgmma.
__device__ __forceinline__ void async_fence() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// stmatrix4 writes four 8x8 fragments; lane l gives the address of row l%8 of fragment l/8.
__device__ __forceinline__ void stmatrix4(u32 addr, u32 a, u32 b, u32 c, u32 d) {
	asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1,%2,%3,%4};" ::"r"(addr), "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
}

// ---- clusters -----------------------------------------------------------------------------------------------------

__device__ __forceinline__ u32 cluster_size() {
	u32 n;
	asm volatile("mov.u32 %0, %%cluster_nctarank;" : "=r"(n));
	return n;
}

__device__ __forceinline__ u32 cluster_rank() {
	u32 r;
	asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(r));
	return r;
}

// cluster_arrive and cluster_wait are the halves of a barrier of all threads of the cluster, that its blocks have started
// and their barriers (barriers_ready) are there. Other writes are not ordered: that would cost a fence of the device.
__device__ __forceinline__ void cluster_arrive() { asm volatile("barrier.cluster.arrive.relaxed;" ::: "memory"); }
__device__ __forceinline__ void cluster_wait() { asm volatile("barrier.cluster.wait.acquire;" ::: "memory"); }

// at_rank is where what lies at addr does in block rank of the cluster.
__device__ __forceinline__ u32 at_rank(u32 addr, u32 rank) {
	u32 at;
	asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(at) : "r"(addr), "r"(rank));
	return at;
}

// send writes v to a block of the cluster, and counts its 4 bytes at that block's bar, both by at_rank.
__device__ __forceinline__ void send(u32 at, float v, u32 bar) {
	asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.f32 [%0], %1, [%2];" ::"r"(at), "f"(v), "r"(bar) : "memory");
}

// elected is true in one lane of a whole warp, the same each time. ptxas knows that it is one: where it does not, it has a loop
// over lanes that may differ round each copy.
__device__ __forceinline__ bool elected() {
	u32 is;
	asm volatile("{ .reg .pred p; elect.sync _|p, 0xffffffff; selp.u32 %0, 1, 0, p; }" : "=r"(is));
	return is;
}

// ---- registers and dependent launch -------------------------------------------------------------------------------

template <int N>
__device__ __forceinline__ void more_registers() {
	asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(N));
}

template <int N>
__device__ __forceinline__ void fewer_registers() {
	asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(N));
}

// let_next_start allows the next kernel of the stream to take free multiprocessors once every block has said so.
__device__ __forceinline__ void let_next_start() { asm volatile("griddepcontrol.launch_dependents;" ::: "memory"); }

// wait_for_previous waits until the kernels ahead have ended and their writes are visible. Every kernel that is launched
// to overlap calls it before it reads or writes anything but weights, and for attention what overlap.cuh names.
__device__ __forceinline__ void wait_for_previous() { asm volatile("griddepcontrol.wait;" ::: "memory"); }

// ---- clusters that meet in memory ---------------------------------------------------------------------------------

// arrive_at counts, after what the block wrote before its last barrier, and returns the count before.
__device__ __forceinline__ u32 arrive_at(u32* count) {
	u32 was;
	asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], 1;" : "=r"(was) : "l"(count) : "memory");
	return was;
}

// arrivals is the count; what those wrote that it counts can be read behind the next barrier of the block.
__device__ __forceinline__ u32 arrivals(const u32* count) {
	u32 n;
	asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(n) : "l"(count) : "memory");
	return n;
}

// leave_from counts too, and orders nothing: the count alone tells who is the last, who calls reset.
__device__ __forceinline__ u32 leave_from(u32* count) {
	u32 was;
	asm volatile("atom.relaxed.gpu.global.add.u32 %0, [%1], 1;" : "=r"(was) : "l"(count) : "memory");
	return was;
}

__device__ __forceinline__ void reset(u32* count) { asm volatile("st.relaxed.gpu.global.u32 [%0], 0;" ::"l"(count) : "memory"); }

// A sum that one block leaves in memory for another needs no count beside it: until it is there, absent is, a NaN that no
// operation gives. So it takes one way through L2, where a count, ordered behind it, takes three.
constexpr u32 kAbsent = 0xffffffff;
constexpr int kPatience = 32;  // looks at what is NaN, before it is asked whether that is a sum

__device__ __forceinline__ float2 absent2() { return {__uint_as_float(kAbsent), __uint_as_float(kAbsent)}; }
__device__ __forceinline__ float4 absent() { return {absent2().x, absent2().x, absent2().x, absent2().x}; }

__device__ __forceinline__ bool is_present(float v) { return __float_as_uint(v) != kAbsent; }
__device__ __forceinline__ bool is_present(const float2& v) { return is_present(v.x) && is_present(v.y); }
__device__ __forceinline__ bool is_present(const float4& v) { return is_present(v.x) && is_present(v.y) && is_present(v.z) && is_present(v.w); }

__device__ __forceinline__ void leave(float4* at, const float4& v) {
	asm volatile("st.relaxed.gpu.global.v4.f32 [%0], {%1,%2,%3,%4};" ::"l"(at), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w) : "memory");
}

__device__ __forceinline__ void leave(float2* at, const float2& v) {
	asm volatile("st.relaxed.gpu.global.v2.f32 [%0], {%1,%2};" ::"l"(at), "f"(v.x), "f"(v.y) : "memory");
}

__device__ __forceinline__ float4 look(const float4* at) {
	float4 v;
	asm volatile("ld.relaxed.gpu.global.v4.f32 {%0,%1,%2,%3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "l"(at) : "memory");
	return v;
}

__device__ __forceinline__ float2 look(const float2* at) {
	float2 v;
	asm volatile("ld.relaxed.gpu.global.v2.f32 {%0,%1}, [%2];" : "=f"(v.x), "=f"(v.y) : "l"(at) : "memory");
	return v;
}

// leave_if and look_if do so if asked to, without a branch.
__device__ __forceinline__ void leave_if(bool on, float4* at, const float4& v) {
	asm volatile("{ .reg .pred p; setp.ne.u32 p, %5, 0; @p st.relaxed.gpu.global.v4.f32 [%0], {%1,%2,%3,%4}; }" ::"l"(at), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w), "r"(static_cast<u32>(on)) : "memory");
}

__device__ __forceinline__ void look_if(bool on, const float4* at, float4& v) {
	asm volatile("{ .reg .pred p; setp.ne.u32 p, %5, 0; @p ld.relaxed.gpu.global.v4.f32 {%0,%1,%2,%3}, [%4]; }" : "+f"(v.x), "+f"(v.y), "+f"(v.z), "+f"(v.w) : "l"(at), "r"(static_cast<u32>(on)) : "memory");
}

// attend_leaves_sm90.cuh: how attend_decode_few_sm90.cu adds up what workers have of a leaf, and the leaves of a pair.
#pragma once
#include "attend_pass_sm90.cuh"

constexpr int kThreads = 32 * kWorkers;
constexpr float kLowest = -3.402823466e38f;  // what stands for a maximum of no keys: it needs no care, where minus infinity does

// store_if does so if asked to, without a branch.
__device__ __forceinline__ void store_if(u32 on, u32 at, const float4& v) {
	asm volatile("{ .reg .pred p; setp.ne.u32 p, %5, 0; @p st.shared.v4.f32 [%0], {%1,%2,%3,%4}; }" ::"r"(at), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w), "r"(on) : "memory");
}

__device__ __forceinline__ float opaque(float v) {
	asm volatile("" : "+f"(v));
	return v;
}

// pin stores values, where nobody comes at run time. So ptxas has them in registers there, and does not make them behind the wait.
__device__ __forceinline__ void pin(u32 a, u32 b) { asm volatile("st.shared.b32 [%0], %1;" ::"r"(a), "r"(b) : "memory"); }
__device__ __forceinline__ void pin(const void* a, u32 b) { asm volatile("st.global.b32 [%0], %1;" ::"l"(a), "r"(b) : "memory"); }

// reciprocal is 1/v, rounded to nearest as the division is, of a normal v whose reciprocal is normal.
__device__ __forceinline__ float reciprocal(float v) {
	float r;
	asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(v));
	return __fmaf_rn(r, -__fmaf_rn(r, v, -1.f), r);
}

// Meeting is where the workers of a block leave their sums of a leaf in shared memory: of each head those of all workers, then
// maxima, then denominators. A head is 32 bytes more than whole lines, so that the heads of a store lie in different banks.
template <int D>
struct Meeting {
	static constexpr int Sums = 4 * D;  // bytes of a worker
	static constexpr int Ends = kWorkers * Sums, Dens = Ends + 4 * kWorkers, Head = Dens + 4 * kWorkers;
};

// Place is where a lane leaves the sums of its E heads. Where a head is missing, that is where the last one's are.
template <int D, int E>
struct Place {
	using M = Meeting<D>;

	u32 sums[E], ends[E];
	bool on[E];  // the lane has a head

	__device__ __forceinline__ Place(u32 at, int worker, int heads) {
		const int lane = threadIdx.x & 31;
#pragma unroll
		for (int e = 0; e < E; e++) {
			const int head = (lane & 3) * E + e, to = min(head, heads - 1);
			on[e] = head < heads;
			sums[e] = opaque(at + to * M::Head + worker * M::Sums + lane / 4 * 4);
			ends[e] = opaque(at + to * M::Head + M::Ends + worker * 4);
		}
	}

	// hand leaves them, l of all lanes. Without a test, what is in place of a head has to be what the last one has.
	template <bool Tested>
	__device__ __forceinline__ void hand(const float (&o)[D / 16][4], const float (&m)[E], float (&l)[E]) const {
#pragma unroll
		for (int i = 4; i < 32; i *= 2) {
#pragma unroll
			for (int e = 0; e < E; e++) l[e] += __shfl_xor_sync(kAll, l[e], i);
		}
#pragma unroll
		for (int e = 0; e < E; e++) {
			if (Tested && !on[e]) continue;
			store_shared(ends[e], m[e]), store_shared(ends[e] + (M::Dens - M::Ends), l[e]);
#pragma unroll
			for (int d = 0; d < D / 16; d++) store_shared(sums[e] + d * 64, o[d][e]), store_shared(sums[e] + d * 64 + 32, o[d][e + 2]);
		}
	}

	// nothing leaves what a worker without keys has.
	__device__ __forceinline__ void nothing(int heads) const {
		const int lane = threadIdx.x & 31, before = min((lane & 3) * E, heads - 1);
		u32 from = sums[0] - lane / 4 * 4 - before * M::Head, end = ends[0] - before * M::Head;
#pragma unroll 1
		for (int head = 0; head < heads; head++, from += M::Head, end += M::Head) {
			if (lane < D / 4) store_shared(from + lane * 16, float4{0, 0, 0, 0});
			if (lane == 0) store_shared(end, kLowest), store_shared(end + (M::Dens - M::Ends), 0.f);
		}
	}
};

// Some is W floats that are read and written together.
template <int W>
struct Some;
template <>
struct Some<2> {
	using Vector = float2;
};
template <>
struct Some<4> {
	using Vector = float4;
};
__device__ __forceinline__ void read_shared(float4& v, u32 at) { v = load_shared(at); }
__device__ __forceinline__ void read_shared(float2& v, u32 at) { asm volatile("ld.shared.v2.f32 {%0,%1}, [%2];" : "=f"(v.x), "=f"(v.y) : "r"(at) : "memory"); }

// Total is the state of W dimensions of a head over a range of keys, as Sum is, but that m is kLowest or more.
template <int W>
struct Total {
	using Vector = typename Some<W>::Vector;

	float m, l;
	Vector o;

	__device__ __forceinline__ float& operator[](int i) { return reinterpret_cast<float*>(&o)[i]; }
	__device__ __forceinline__ float operator[](int i) const { return reinterpret_cast<const float*>(&o)[i]; }

	__device__ __forceinline__ void add(const Total& x) {
		const float top = fmaxf(m, x.m), a = exp2_fast(m - top), b = exp2_fast(x.m - top);
		m = top;
		l = __fmaf_rn(l, a, __fmul_rn(x.l, b));
#pragma unroll
		for (int i = 0; i < W; i++) (*this)[i] = __fmaf_rn((*this)[i], a, __fmul_rn(x[i], b));
	}

	// gather adds up the workers' sums of a leaf, in their order.
	template <int D>
	__device__ __forceinline__ void gather(u32 sums, u32 ends) {
		using M = Meeting<D>;
		const float4 tops = load_shared(ends), dens = load_shared(ends + (M::Dens - M::Ends));
		const float top[4] = {tops.x, tops.y, tops.z, tops.w}, den[4] = {dens.x, dens.y, dens.z, dens.w};
		m = fmaxf(fmaxf(top[0], top[1]), fmaxf(top[2], top[3]));
		l = 0;
#pragma unroll
		for (int i = 0; i < W; i++) (*this)[i] = 0;
#pragma unroll
		for (int w = 0; w < kWorkers; w++) {
			const float x = exp2_fast(top[w] - m);
			Total v;
			read_shared(v.o, sums + w * M::Sums);
			l = __fmaf_rn(x, den[w], l);
#pragma unroll
			for (int i = 0; i < W; i++) (*this)[i] = __fmaf_rn(x, v[i], (*this)[i]);
		}
	}

	// is_number reports whether all of it are numbers.
	__device__ __forceinline__ bool is_number() const {
		float any = l;
#pragma unroll
		for (int i = 0; i < W; i += 2) any += (*this)[i] + (*this)[i + 1];
		return any == any && m == m;
	}

	// write writes o / l.
	__device__ __forceinline__ void write(bf16* to) const {
		const float inv = l > 0.f ? reciprocal(l) : 0.f;
		u32 v[W / 2];
#pragma unroll
		for (int i = 0; i < W / 2; i++) v[i] = pack2((*this)[2 * i] * inv, (*this)[2 * i + 1] * inv);
		if (W == 2) asm volatile("st.global.b32 [%0], %1;" ::"l"(to), "r"(v[0]) : "memory");
		else asm volatile("st.global.v2.b32 [%0], {%1,%2};" ::"l"(to), "r"(v[0]), "r"(v[W / 2 - 1]) : "memory");
	}
};

// Kept is where leaves of a pair wait for its last: of each four dimensions of all heads the sums, then maximum and denominator. A
// thread has W dimensions, so that two may share the latter, and leave the same.
// All of it is absent between launches.
template <int D, int W>
struct Kept {
	using Vector = typename Some<W>::Vector;

	static constexpr int kFours = 8 * D / 4;   // of a leaf, for the most heads
	static constexpr int kBatch = 8;           // leaves that are read together
	static constexpr int kLeaf = kFours * 24;  // bytes of one
	static_assert(kMaxLeaves % kBatch == 0, "a batch would go beyond its pair");

	u8 *sums, *ends;

	__device__ __forceinline__ Kept(float* kept, int pair, int leaf, int i) {
		u8* at = reinterpret_cast<u8*>(kept) + static_cast<i64>(pair) * (kMaxLeaves * kLeaf) + leaf * kLeaf;
		sums = opaque(at + i * W * 4), ends = opaque(at + kFours * 16 + i * W / 4 * 8);
	}

	__device__ __forceinline__ void put(const Vector& o, const float2& e, int leaf = 0) const {
		leave(reinterpret_cast<Vector*>(sums + leaf * kLeaf), o), leave(reinterpret_cast<float2*>(ends + leaf * kLeaf), e);
	}

	__device__ __forceinline__ void skip(int leaves) { sums += leaves * kLeaf, ends += leaves * kLeaf; }

	struct Batch {
		Vector o[kBatch];
		float2 e[kBatch];

		__device__ __forceinline__ Total<W> operator[](int j) const { return {e[j].x, e[j].y, o[j]}; }
	};

	__device__ __forceinline__ Batch look_at() const {
		Batch x;
#pragma unroll
		for (int j = 0; j < kBatch; j++) {
			x.o[j] = look(reinterpret_cast<const Vector*>(sums + j * kLeaf));
			x.e[j] = look(reinterpret_cast<const float2*>(ends + j * kLeaf));
		}
		return x;
	}

	// add_more takes in n leaves behind the first batch.
	__device__ __forceinline__ void add_more(Total<W>& s, int n) const {
		Kept at = *this;
#pragma unroll 1
		for (; n > 0; n -= kBatch) {
			at.skip(kBatch);
			const Batch x = at.look_at();
#pragma unroll
			for (int j = 0; j < kBatch; j++) {
				if (j >= n) break;
				s.add(x[j]);
			}
		}
	}

	// are_there reports whether all of n leaves are, whatever they be.
	__device__ __forceinline__ bool are_there(int n) const {
		Kept at = *this;
		bool all = true;
#pragma unroll 1
		for (; n > 0; n--, at.skip(1)) all &= is_present(look(reinterpret_cast<const Vector*>(at.sums))) && is_present(look(reinterpret_cast<const float2*>(at.ends)));
		return all;
	}

	// total waits for the first n leaves and adds them up, from left to right. What is absent makes a NaN.
	__device__ __forceinline__ Total<W> total(int n) const {
		bool there = false;
#pragma unroll 1
		for (int looks = 1;; looks++) {
			const Batch x = look_at();
			Total<W> s = x[0];
#pragma unroll
			for (int j = 1; j < kBatch; j++) {
				if (j >= n) goto added;
				s.add(x[j]);
			}
			add_more(s, n - kBatch);
		added:
			if (__builtin_expect(s.is_number() || there, 1)) return s;
			if (looks % kPatience == 0) there = are_there(n);
		}
	}

	// clear is for the next launch.
	__device__ __forceinline__ void clear(int n) const {
		Total<W> x;
#pragma unroll
		for (int i = 0; i < W; i++) x[i] = opaque(absent2().x);
		auto put = [&](const Kept& at, int from, int to) {
#pragma unroll
			for (int leaf = from; leaf < to; leaf++) at.put(x.o, {x[0], x[1]}, leaf);
		};
		put(*this, 0, kBatch / 2);
		if (n <= kBatch / 2) return;
		put(*this, kBatch / 2, kBatch);
		if (__builtin_expect(n <= kBatch, 1)) return;
		Kept at = *this;
#pragma unroll 1
		while ((n -= kBatch) > 0) at.skip(kBatch), put(at, 0, kBatch);
	}
};

// Finish adds up the workers' sums of a leaf, and behind the pair's last those of all. The others come before it on the line, and
// so from blocks that wait for none that come later.
template <int D, int W>
struct Finish {
	using M = Meeting<D>;
	static constexpr int kEach = kThreads / (D / W);  // heads at once

	u32 sums, ends;
	Kept<D, W> kept;  // of leaf 0, or of this one if it is not the last
	bf16* to;
	int before;       // leaves that the last waits for; -1: it is not the last
	int left;         // heads, this thread's included

	__device__ __forceinline__ Finish(u32 at, int heads, bf16* out, float* kept_at, int pair, int leaf, int leaves)
	    : kept(kept_at, pair, leaf < leaves - 1 ? leaf : 0, threadIdx.x) {
		const int head = static_cast<int>(threadIdx.x) / (D / W), in = threadIdx.x % (D / W);
		sums = opaque(at + head * M::Head + in * W * 4), ends = opaque(at + head * M::Head + M::Ends);
		to = opaque(out + threadIdx.x * W);
		before = leaf < leaves - 1 ? -1 : leaf;
		left = heads - head;
	}

	__device__ __forceinline__ void pin() const { ::pin(kept.sums, sums), ::pin(kept.ends, ends), ::pin(to, before), ::pin(sums, left); }

	// stay takes from another what is the same for all leaves.
	__device__ __forceinline__ void stay(const Finish& f) { sums = f.sums, ends = f.ends, left = f.left; }

	__device__ __forceinline__ void run() {
		if (left <= 0) return;
#pragma unroll 1
		for (;;) {
			Total<W> x;
			x.template gather<D>(sums, ends);
			if (__builtin_expect(before < 0, 1)) {
				kept.put(x.o, {x.m, x.l});
			} else {
				if (before > 0) {
					Total<W> s = kept.total(before);
					s.add(x);
					x = s;
				}
				x.write(to);
				if (W < 4) __syncwarp();  // the lane that has the same maximum may still look for it
				if (before > 0) kept.clear(before);
			}
			left -= kEach;
			if (left <= 0) return;
			sums += kEach * M::Head, ends += kEach * M::Head, to += kEach * D;
			kept.sums += kThreads * W * 4, kept.ends += kThreads * W / 4 * 8;
		}
	}
};

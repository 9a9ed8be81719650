// fused_sm90.cuh: the linear kernel for few tokens together with its neighbours in a layer, for fused_n*_sm90.cu.
//
// kAdd adds the product to the residual stream. kGate and kHeads multiply with the norm of the stream, which takes no
// pass of its own: four more warps read x, give the matrix units x times the norm's weights, and sum the squares of
// their slice of K; the sums go to the block that finishes a token, which scales its products by 1/rms. kHeads takes
// whole heads as tiles and does what rope.cu does before it stores them.
//
// Weights, those of norms and biases too, are on their way before the kernels ahead have ended; what those wrote is read
// ahead of its use.
#pragma once
#include "skinny_sm90.cuh"

enum Fusing { kAdd, kGate, kHeads };

// HeadStore says where the heads of a projection go; its q is Fusion::y.
struct HeadStore {
	bf16 *k, *v;  // [KVHeads,S,D]
	const int *slots, *pos;
	const float *qnorm, *knorm, *table;  // [D], [D], [C,R]; each may be null
	i64 stride;                          // of a KV head, in elements
	int heads, kv_heads, d, r, interleaved;
	float eps;
};

// Fusion is the parameter behind the tensor maps, mirrored by fusionArgs in ../fused.go.
struct Fusion {
	void* y;            // kAdd: the stream [M,N]; kGate: [M,N/2]; kHeads: q [M,Heads*D]
	const bf16* x;      // kGate, kHeads: the stream [M,K]
	const float* norm;  // [K]
	const float* bias;  // kAdd, kHeads: [N] or null
	int m, n, k, act;
	float eps;
	HeadStore heads;
};

template <int NT, int C, int Stages, Fusing F>
struct Fused : Skinny<NT, C, Stages, kPlain> {
	using Base = Skinny<NT, C, Stages, kPlain>;
	using Base::end, Base::end_step, Base::first, Base::first_step, Base::kPitch, Base::kRows, Base::kStageBytes, Base::kThreads,
	    Base::kWBytes, Base::log_splits, Base::own_tokens, Base::p, Base::rank, Base::ring, Base::sent, Base::smem, Base::splits,
	    Base::stride, Base::sums, Base::token0, Base::tokens, Base::wmap;
	static constexpr bool kNorm = F != kAdd;
	static constexpr int kScalers = 4;             // warps that scale x
	static constexpr int kChunks = NT / 4;         // 16 bytes each that a lane has of a stage: of rows lane/8 + 4j
	static constexpr int kTogether = NT == 8 && C == 1 ? 2 : 1;  // stages that a warp takes at once
	static constexpr bool kEarly = NT <= 16;       // a warp loads the next while it waits for room for these
	// Warps take stages in turns. No turn is longer than the ring: a warp that missed a phase could not tell it from the next.
	static constexpr int kTurns = kScalers * kTogether < Stages ? kScalers : Stages / kTogether;
	static constexpr int kWide = F == kGate ? 16 : 8, kParts = kRows / kWide;  // features that give eight values

	const Fusion& f;
	u32 squares;  // [NT][kScalers] f32: rows as those of sums

	__device__ __forceinline__ Fused(const Tokens& x, const TensorMap& wmap, const Linear& p, const Fusion& f, u8* base)
	    : Base(x, wmap, p, base), f(f), squares(sums + (NT * kPitch + 4 * Stages + 4) * 4) {}

	// init is for all threads, before a barrier of the block. A stage is full when w has come and a warp has written x.
	__device__ __forceinline__ void init() const {
		if constexpr (!kNorm) {
			Base::init();
		} else {
			const u32 i = threadIdx.x;
			if (i < 2 * Stages) {
				barrier_init(ring.full + 8 * i, i < Stages ? 2 : 4 * C);
				barriers_ready();
			}
			if (i != 0) return;
			barrier_init(sent, 1);
			barriers_ready();
			barrier_expect(sent, own_tokens() * splits * 4 * (kScalers + (splits > 1 ? kRows : 0)));
		}
	}

	// ---- the copying warp ---------------------------------------------------------------------------------------------

	// produce_w copies w alone, and so waits for no kernel.
	__device__ __forceinline__ void produce_w() {
		const u64 once = gridDim.y == 1 ? evict_first() : evict_normal();
		for (int tile = first(); tile < end(); tile += stride())
			for (int step = first_step; step < end_step; step++, ring.next()) {
				ring.wait_empty();
				barrier_expect(ring.full + 8 * ring.stage, kWBytes);
				copy_box(smem + ring.stage * kStageBytes, wmap, step * kStep, tile * kRows, ring.full + 8 * ring.stage, once);
			}
	}

	// ---- the scaling warps --------------------------------------------------------------------------------------------

	// Scaler is a lane's part of x: eight columns, from col on, of rows row + 4j. It reads step `next` of a tile, the number
	// `reads` of the block, before it puts them.
	struct Scaler {
		int warp, row, col;
		int steps, total;         // of a tile, of the block
		int next, reads;
		float sum[kChunks] = {};  // of squares
	};

	// Piece is what a lane loads at once.
	struct Piece {
		uint4 x[kTogether][kChunks];
		float g[kTogether][8];  // weights of the norm
		int at[kTogether];      // their columns, f.k where there is none
	};

	// load_norm begins with the piece that follows, and depends on no kernel.
	__device__ __forceinline__ void load_norm(Scaler& s, Piece& v) const {
#pragma unroll
		for (int a = 0; a < kTogether; a++) {
			const int step = s.next + a < s.steps ? s.next + a : s.next + a - s.steps;
			v.at[a] = s.reads + a < s.total ? min((first_step + step) * kStep + s.col, f.k) : f.k;
#pragma unroll
			for (int i = 0; i < 8; i++) v.g[a][i] = 0;  // where x is zero its product must not be NaN
			if (v.at[a] < f.k) load8(f.norm + v.at[a], v.g[a]);
		}
		s.reads += kTurns * kTogether, s.next += kTurns * kTogether;
		while (s.next >= s.steps && s.reads < s.total) s.next -= s.steps;
	}

	__device__ __forceinline__ void load_x(const Scaler& s, Piece& v) const {
#pragma unroll
		for (int a = 0; a < kTogether; a++) {
			const bf16* from = f.x + static_cast<i64>(token0() + s.row) * f.k + v.at[a];
#pragma unroll
			for (int j = 0; j < kChunks; j++) {
				v.x[a][j] = {};
				if (v.at[a] < f.k && s.row + 4 * j < tokens()) v.x[a][j] = *reinterpret_cast<const uint4*>(from + static_cast<i64>(4 * j) * f.k);
			}
		}
	}

	// put writes x times the norm's weights to their stages.
	__device__ __forceinline__ void put(Scaler& s, int n, const Piece& v) const {
#pragma unroll
		for (int a = 0; a < kTogether; a++) {
			if (n + a >= s.total) break;
			const int stage = (n + a) % Stages;
			const u32 to = smem + stage * kStageBytes + kWBytes;
			barrier_wait(ring.empty + 8 * stage, (n + a) / Stages % 2 ^ 1);
#pragma unroll
			for (int j = 0; j < kChunks; j++) {
				const int row = s.row + 4 * j;
				if (row >= tokens()) continue;  // columns of sums that nobody reads
				float x[8];
				unpack8(v.x[a][j], x);
#pragma unroll
				for (int e = 0; e < 8; e++) {
					if (n + a < s.steps) s.sum[j] += x[e] * x[e];
					x[e] *= v.g[a][e];
				}
				store_shared(to + row * 128 + ((s.col / 8 ^ row % 8) * 16), pack8(x));
			}
			async_fence();
			__syncwarp();
			if (threadIdx.x % 32 == 0) barrier_arrive(ring.full + 8 * stage);
		}
	}

	// tell sends the sums of squares to the blocks that finish the tokens.
	__device__ __forceinline__ void tell(const Scaler& s) const {
		if (splits > 1) cluster_wait();  // all blocks have started
#pragma unroll
		for (int j = 0; j < kChunks; j++) {
			float v = s.sum[j];
#pragma unroll
			for (int o = 1; o < 8; o <<= 1) v += __shfl_xor_sync(kAll, v, o);
			const int token = s.row + 4 * j, to = token & (splits - 1);
			if (s.col == 0 && token < tokens())
				send(at_rank(squares + ((rank * NT + token >> log_splits) * kScalers + s.warp) * 4, to), v, at_rank(sent, to));
		}
	}

	__device__ __forceinline__ void scale() {
		const int lane = threadIdx.x % 32;
		Scaler s;
		s.warp = threadIdx.x / 32 - 4 * C - 1, s.row = lane / 8, s.col = lane % 8 * 8;
		s.steps = end_step - first_step, s.total = s.steps * ceil_div(end() - first(), stride());
		if (s.warp >= kTurns) s.total = 0;
		int n = s.warp * kTogether;
		s.next = s.reads = n;
		Piece v;
		load_norm(s, v);
		wait_for_previous();
		load_x(s, v);
		bool told = false;
#pragma unroll 1
		for (; n < s.total; n += kTurns * kTogether) {
			if (!told && n >= s.steps) tell(s), told = true;
			Piece w;
			if constexpr (kEarly) load_norm(s, w), load_x(s, w);
			put(s, n, v);
			if constexpr (kEarly) v = w;
			else load_norm(s, v), load_x(s, v);
		}
		if (!told) tell(s);
	}

	// ---- the multiplying warps ----------------------------------------------------------------------------------------

	enum { kNormed = 1, kTurned = 2 };

	// Ahead is what a thread knows ahead of the first eight values that it finishes.
	struct Ahead {
		uint4 old;                 // of the stream
		float g[8];                // weights of the head's norm
		float cosine[8], sine[8];  // of the rotation, the sine with its sign
		int does;  // of a head: kNormed, kTurned
		bf16* to;  // of a head
	};

	// Part is eight neighbouring values to finish, or sixteen where gated.
	struct Part {
		int row, col, feature, token;
		bool there;
	};

	__device__ __forceinline__ Part part(int i, int tile) const {
		Part a;
		a.row = i / kParts, a.col = i % kParts * kWide, a.feature = tile * kRows + a.col;
		a.token = token0() + a.row * splits + rank;
		a.there = a.row < own_tokens() && a.feature < p.n;
		return a;
	}

	// learn reads weights. d is a power of two.
	__device__ __forceinline__ void learn(Ahead& h, const Part& a) const {
		if (F != kHeads || !a.there) return;
		const HeadStore& s = f.heads;
		const int head = a.feature >> 31 - __clz(s.d);
		const float* g = head < s.heads ? s.qnorm : head < s.heads + s.kv_heads ? s.knorm : nullptr;
		h.does = g ? kNormed : 0;
		if (g) load8(g + (a.feature & s.d - 1), h.g);
	}

	// look reads what other kernels wrote.
	__device__ __forceinline__ void look(Ahead& h, const Part& a) const {
		if (!a.there) return;
		if constexpr (F == kAdd) h.old = *reinterpret_cast<const uint4*>(static_cast<const bf16*>(p.y) + static_cast<i64>(a.token) * p.n + a.feature);
		if constexpr (F == kHeads) {
			const HeadStore& s = f.heads;
			const int head = a.feature >> 31 - __clz(s.d), at = a.feature & s.d - 1, k = head - s.heads, v = k - s.kv_heads;
			const i64 slot = s.slots[a.token];
			h.to = k < 0 ? static_cast<bf16*>(p.y) + (static_cast<i64>(a.token) * s.heads + head) * s.d : (v < 0 ? s.k + k * s.stride : s.v + v * s.stride) + slot * s.d;
			h.to += at;
			if (v >= 0 || !s.table || at >= s.r) return;
			h.does |= kTurned;
			load_angles(h, s, s.table + static_cast<i64>(s.pos[a.token]) * s.r, at);
		}
	}

	// load_angles is for eight values that all turn: half of them, or all in the same half of a head, as r is a multiple of 16.
	__device__ __forceinline__ void load_angles(Ahead& h, const HeadStore& s, const float* angle, int at) const {
		const int half = s.r / 2;
		if (s.interleaved) {
			const float4 c = *reinterpret_cast<const float4*>(angle + at / 2), d = *reinterpret_cast<const float4*>(angle + half + at / 2);
			const float cosine[4] = {c.x, c.y, c.z, c.w}, sine[4] = {d.x, d.y, d.z, d.w};
#pragma unroll
			for (int j = 0; j < 8; j++) h.cosine[j] = cosine[j / 2], h.sine[j] = j % 2 ? sine[j / 2] : -sine[j / 2];
			return;
		}
		const bool low = at < half;
		load8(angle + (low ? at : at - half), h.cosine);
		load8(angle + (low ? half + at : at), h.sine);
#pragma unroll
		for (int j = 0; j < 8; j++) h.sine[j] = low ? -h.sine[j] : h.sine[j];
	}

	// values adds up the slices of K of N eights of sums, over the rms of the token where the stream is normed.
	template <int N>
	__device__ __forceinline__ void values(const Part& a, float (&v)[N][8]) const {
		u32 from = this->at(a.row, a.col), square = squares + a.row * (kScalers * 4);
		float sum = 0;
#pragma unroll
		for (int i = 0; i < N; i++)
#pragma unroll
			for (int j = 0; j < 8; j++) v[i][j] = 0;
#pragma unroll 1
		for (int s = 0; s < splits; s++) {
#pragma unroll
			for (int i = 0; i < N; i++) {
				float g[8];
				load_shared8(from + 32 * i, g);
#pragma unroll
				for (int j = 0; j < 8; j++) v[i][j] += g[j];
			}
			if constexpr (kNorm) {
				const float4 q = load_shared(square);
				sum += q.x + q.y + (q.z + q.w);
			}
			from += this->between(), square += (NT * kScalers * 4) >> log_splits;
		}
		if constexpr (!kNorm) return;
		const float inv = rsqrtf(__fdividef(sum, f.k) + f.eps);
#pragma unroll
		for (int i = 0; i < N; i++)
#pragma unroll
			for (int j = 0; j < 8; j++) v[i][j] *= inv;
	}

	__device__ __forceinline__ void add_bias(int feature, float (&v)[8]) const {
		if (!p.bias) return;
		float b[8];
		load8(p.bias + feature, b);
#pragma unroll
		for (int j = 0; j < 8; j++) v[j] += b[j];
	}

	__device__ __forceinline__ void add(const Part& a, const Ahead& h) const {
		if (!a.there) return;
		float v[1][8], old[8];
		values(a, v);
		add_bias(a.feature, v[0]);
		unpack8(h.old, old);
#pragma unroll
		for (int j = 0; j < 8; j++) v[0][j] += old[j];
		*reinterpret_cast<uint4*>(static_cast<bf16*>(p.y) + static_cast<i64>(a.token) * p.n + a.feature) = pack8(v[0]);
	}

	template <bool Erf>
	__device__ __forceinline__ void gate(const Part& a, const float (&gate)[8], const float (&up)[8]) const {
		float v[8];
#pragma unroll
		for (int j = 0; j < 8; j++) v[j] = activate<Erf>(gate[j], p.act) * up[j];
		*reinterpret_cast<uint4*>(static_cast<bf16*>(p.y) + (static_cast<i64>(a.token) * p.n + a.feature) / 2) = pack8(v);
	}

	__device__ __forceinline__ void gate(const Part& a) const {
		if (!a.there) return;
		float v[2][8];
		values(a, v);
		if (__builtin_expect(p.act == kErf, 0)) gate<true>(a, v[0], v[1]);
		else gate<false>(a, v[0], v[1]);
	}

	// store_head is for whole warps. The lanes of a head, which are neighbours, all have their part or none has.
	__device__ __forceinline__ void store_head(const Part& a, const Ahead& h) const {
		const HeadStore& s = f.heads;
		float v[1][8] = {};
		if (a.there) values(a, v), add_bias(a.feature, v[0]);
		float sum = 0;
#pragma unroll
		for (int j = 0; j < 8; j++) sum += v[0][j] * v[0][j];
#pragma unroll
		for (int o = 8; o > 0; o >>= 1) {
			const float more = __shfl_xor_sync(kAll, sum, o);
			if (16 * o <= s.d) sum += more;
		}
		if (a.there && h.does & kNormed) {
			const float inv = rsqrtf(__fdividef(sum, s.d) + s.eps);
#pragma unroll
			for (int j = 0; j < 8; j++) v[0][j] *= inv * h.g[j];
		}
		const u32 mine = this->at(a.row, a.col);  // read by no other thread by now
		if (a.there) store_shared(mine, float4{v[0][0], v[0][1], v[0][2], v[0][3]}), store_shared(mine + 16, float4{v[0][4], v[0][5], v[0][6], v[0][7]});
		__syncwarp();
		if (!a.there) return;
		if (h.does & kTurned) {
			float w[8];
			if (s.interleaved) {
#pragma unroll
				for (int j = 0; j < 8; j++) w[j] = v[0][j ^ 1];
			} else {
				load_shared8(mine + ((a.feature & s.d - 1) < s.r / 2 ? 2 : -2) * s.r, w);
			}
#pragma unroll
			for (int j = 0; j < 8; j++) v[0][j] = v[0][j] * h.cosine[j] + w[j] * h.sine[j];
		}
		*reinterpret_cast<uint4*>(h.to) = pack8(v[0]);
	}

	__device__ __forceinline__ void finish(int tile, Ahead h) const {
		const int n = own_tokens() * kParts, thread = threadIdx.x;
#pragma unroll 1
		for (int i = thread; (F == kHeads ? i & ~31 : i) < n; i += kThreads) {
			const Part a = part(i, tile);
			if (NT * kParts > kThreads && i != thread) learn(h, a), look(h, a);
			if constexpr (F == kAdd) add(a, h);
			if constexpr (F == kGate) gate(a);
			if constexpr (F == kHeads) store_head(a, h);
			if (NT * kParts <= kThreads) break;
		}
	}

	__device__ __forceinline__ void consume() {
		float acc[NT / 2];
		Ahead h;
		learn(h, part(threadIdx.x, first()));
		const u32 way = this->way();
		wait_for_previous();
		if (F == kHeads) let_next_start();
#pragma unroll 1
		for (int tile = first(); tile < end(); tile += stride()) {
			if (tile != first()) learn(h, part(threadIdx.x, tile));
			look(h, part(threadIdx.x, tile));
			this->multiply(acc);
			if (splits == 1) named_sync(1, kThreads);  // the tile before has been read
			else cluster_wait();                       // all blocks have started
			this->spread(acc, way);
			if (splits == 1) named_sync(1, kThreads);
			if (kNorm || splits > 1) barrier_wait(sent, 0);
			finish(tile, h);
		}
	}
};

// fused_sm90 lets the next kernel start once the block waits no more where that is attention: it reads the step's inputs
// before it waits itself.
template <int NT, int C, int Stages, Fusing F>
__device__ __forceinline__ void fused_sm90(const Tokens& x, const TensorMap& wmap, const Fusion& f) {
	extern __shared__ u8 shared[];
	const Linear p{f.y, nullptr, nullptr, f.bias, nullptr, nullptr, f.m, f.n, f.k, 0, 1, f.act, 1.f, 0.f};
	Fused<NT, C, Stages, F> g(x, wmap, p, f, shared + (align_1024(smem_addr(shared)) - smem_addr(shared)));
	if (F != kHeads) let_next_start();
	g.init();
	__syncthreads();
	if (g.splits > 1) cluster_arrive();
	if (threadIdx.x < 128 * C) {
		g.consume();
	} else if (threadIdx.x < 128 * C + 32) {
		if (elected()) {
			if constexpr (F == kAdd) g.produce();
			else g.produce_w();
		}
		if (g.splits > 1) cluster_wait();
	} else if constexpr (F != kAdd) {
		g.scale();
	}
}

#define FUSED_SM90(name, NT, C, STAGES, F)                                                                               \
	extern "C" __global__ void __launch_bounds__(128 * C + (F == kAdd ? 32 : 160), C > 1 && NT > 16 ? 1 : 2)                 \
	    name(const __grid_constant__ TensorMap xmap, const __grid_constant__ TensorMap xtail, const __grid_constant__ TensorMap wmap, const __grid_constant__ Fusion f) { \
		fused_sm90<NT, C, STAGES, F>(Tokens{xmap, xtail, f.m}, wmap, f);                                                                          \
	}
#define FUSED_SM90_ALL(name, NT, STAGES, WIDE_STAGES) \
	FUSED_SM90(name##_add, NT, 1, STAGES, kAdd)          \
	FUSED_SM90(name##_gate, NT, 1, STAGES, kGate)        \
	FUSED_SM90(name##_heads, NT, 2, WIDE_STAGES, kHeads)

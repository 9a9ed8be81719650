// gemm_sm90.cuh: a persistent GEMM by TMA and wgmma, for gemm_*_sm90.cu and swap_*_sm90.cu.
//
// A tile is 64·C rows by BN columns: tokens by features, or swapped, features by tokens, so that a tile holds just the tokens
// that there are. C warpgroups multiply, each 64 of the rows; a warp of one more copies. A cluster is 1x1, 2x1, 1x2 or 2x2
// tiles, swapped just one: blocks of the same columns each copy half of that operand to both, and so do those of the same rows.
// Clusters go through the tiles in groups of `order` rows of clusters, so that those that run together share operands in L2.
// Where tiles are few, `splits` clusters take slices of K of the same tiles: each finishes a part of the columns, leaves in
// memory its sums of the others', and adds up its own as they come. They wait for each other, so that all blocks have to run
// at once, which the launcher sees to. Logits have many tiles: their K is whole.
#pragma once
#include "argmax_sm90.cuh"

template <int C, int BN, int Stages, bool Swap, Epilogue E>
struct Gemm {
	static constexpr int kRows = 64 * C, kThreads = 128 * C;  // of a tile; that multiply
	static constexpr int kABytes = kRows * 128, kBBytes = BN * 128, kStageBytes = kABytes + kBBytes;
	static constexpr int kWide = E == kGated ? BN / 2 : BN;      // columns of y in a tile, not swapped
	static constexpr int kBox = kWide % 64 ? 32 : 64;            // columns of y in a store
	static constexpr int kBoxBytes = 8192;                       // what a store's place in shared memory takes
	static constexpr int kStores = Swap ? 0 : 2 * C * kBoxBytes;  // places for stores, two of each warpgroup
	static constexpr int kTileSums = kRows * BN / 4;             // fours of a tile's sums in memory
	static constexpr bool kWhole = E == kLogits || E == kArgmax;  // of K
	static constexpr bool kCounted = kRows * BN > 96 * 192;       // making so many sums absent again takes longer than to count them

	const Tokens x;
	const TensorMap &wmap, &ymap;
	const Linear& p;
	int order;
	u32 smem, out;  // stages; places for stores
	Ring<Stages> ring;
	u32 blocks, rank;  // of the cluster
	u32 down, across;  // its blocks that share columns, that share rows
	u32 row, col;      // of the block in it
	int rows, cols;    // of the grid of clusters
	int slice;         // of K, that the cluster takes of its only tile
	int first_step, end_step;
	Best best;  // behind the barriers, or where places for stores are

	__device__ __forceinline__ Gemm(const Tokens& x, const TensorMap& wmap, const TensorMap& ymap, const Linear& p, int order, int down, u32 base, u8* at)
	    : x(x), wmap(wmap), ymap(ymap), p(p), order(order), smem(opaque(base)), out(smem + Stages * kStageBytes),
	      ring(out + kStores), down(Swap ? 1 : down), best{reinterpret_cast<u64*>(at + Stages * kStageBytes + (Swap ? 16 * Stages : 0))} {
		blocks = Swap ? 1 : cluster_size();
		rank = Swap ? 0 : cluster_rank();
		across = blocks / down;
		row = rank % down, col = rank / down;
		rows = ceil_div(Swap ? p.n : p.m, kRows * down);
		cols = ceil_div(Swap ? p.m : p.n, BN * static_cast<int>(across));
		const int steps = ceil_div(p.k, kStep);
		slice = blockIdx.x / blocks % p.splits;
		first_step = slice * steps / p.splits, end_step = (slice + 1) * steps / p.splits;
	}

	__device__ __forceinline__ int first() const { return blockIdx.x / (blocks * p.splits); }
	__device__ __forceinline__ int stride() const { return gridDim.x / (blocks * p.splits); }

	// place gives the first row and column of a tile.
	__device__ __forceinline__ void place(int tile, int& r0, int& c0) const {
		const int group = tile / (order * cols), height = min(order, rows - order * group), in = tile % (order * cols);
		r0 = ((order * group + in % height) * down + row) * kRows;
		c0 = (in / height * across + col) * BN;
	}

	// blank writes zeros where tokens would be that are not there, which nobody copies: what lies there could make their sums NaN,
	// and such a sum is looked at many times. It is for all threads, before a barrier of them.
	__device__ __forceinline__ void blank() const {
		if (kWhole || kCounted || p.splits == 1) return;
		constexpr int kTokens = Swap ? BN : kRows;
		int r0, c0;
		place(first(), r0, c0);
		const int there = x.rows(Swap ? c0 : r0, kTokens), stages = min(end_step - first_step, Stages);
		const u32 at = smem + (Swap ? kABytes : 0) + there * 128;
		for (int i = threadIdx.x; i < (kTokens - there) * 8; i += blockDim.x) {
#pragma unroll 1
			for (int s = 0; s < stages; s++) store_shared(at + s * kStageBytes + i * 16, uint4{});
		}
		async_fence();
	}

	// ---- the warp that copies

	// fetch_columns copies the operand of a tile's columns, fetch_rows that of its rows; where a cluster shares it, a half to both.
	__device__ __forceinline__ void fetch_columns(int stage, int c0, int step, u64 policy) const {
		const u32 to = smem + stage * kStageBytes + kABytes, full = ring.full + 8 * stage;
		if (Swap) {
			x.copy(to, BN, c0, step, full, policy);
		} else if (down == 2) {
			copy_box_to(to + row * (kBBytes / 2), wmap, step * kStep, c0 + row * (BN / 2), full, policy, 3 << 2 * col);
		} else {
			copy_box(to, wmap, step * kStep, c0, full, policy);
			copy_box(to + kBBytes / 2, wmap, step * kStep, c0 + BN / 2, full, policy);
		}
	}

	__device__ __forceinline__ void fetch_rows(int stage, int r0, int step, u64 policy) const {
		const u32 to = smem + stage * kStageBytes, full = ring.full + 8 * stage;
		if (Swap) copy_box(to, wmap, step * kStep, r0, full, policy);
		else if (across == 2) x.copy_to(to + col * (kABytes / 2), kRows / 2, r0 + col * (kRows / 2), step, full, policy, (1 | 1 << down) << row);
		else x.copy(to, kRows, r0, step, full, policy);
	}

	__device__ __forceinline__ void fetch_w(int stage, int r0, int c0, int step, u64 policy) const {
		barrier_expect(ring.full + 8 * stage, Swap ? kABytes + x.rows(c0, BN) * 128 : kBBytes + x.rows(r0, kRows) * 128);
		if (Swap) fetch_rows(stage, r0, step, policy);
		else fetch_columns(stage, c0, step, policy);
	}

	__device__ __forceinline__ void fetch_x(int stage, int r0, int c0, int step, u64 policy) const {
		if (Swap) fetch_columns(stage, c0, step, policy);
		else fetch_rows(stage, r0, step, policy);
	}

	__device__ __forceinline__ void produce() {
		const u64 once = Swap ? evict_first() : evict_normal(), again = Swap ? evict_last() : evict_normal();
		const int ahead = min(end_step - first_step, Stages);
		int r0, c0, step = first_step + ahead;
		place(first(), r0, c0);
		for (int s = 0; s < ahead; s++) fetch_w(s, r0, c0, first_step + s, once);  // weights depend on no kernel
		x.prefetch();
		if (!Swap && !kWhole) prefetch_map(ymap);
		wait_for_previous();
		let_next_start();  // not before: see overlap.cuh
		for (int s = 0; s < ahead; s++, ring.next()) fetch_x(s, r0, c0, first_step + s, again);
		for (int tile = first();;) {
			for (; step < end_step; step++, ring.next()) {
				ring.wait_empty();
				fetch_w(ring.stage, r0, c0, step, once);
				fetch_x(ring.stage, r0, c0, step, again);
			}
			if ((tile += stride()) >= rows * cols) break;
			place(tile, r0, c0);
			step = first_step;
		}
		// The other blocks arrive at these barriers: this one stays until they have.
		for (int s = 0; s < Stages; s++, ring.next()) ring.wait_empty();
	}

	// ---- the warps that multiply

	// release tells the blocks that copy to this one: itself, and those that share an operand.
	__device__ __forceinline__ void release(int stage) const {
		const u32 lane = threadIdx.x % 32;
		if (blocks == 1) {
			if (lane == 0) barrier_arrive(ring.empty + 8 * stage);
		} else if (lane <= blocks / 2) {
			barrier_arrive_at(ring.empty + 8 * stage, rank ^ lane);
		}
	}

	__device__ __forceinline__ void multiply(float (&acc)[BN / 2]) {
		const u32 group = threadIdx.x / 128;
		int before = 0;
#pragma unroll
		for (int i = 0; i < BN / 2; i++) acc[i] = 0;
#pragma unroll 1
		for (int step = first_step; step < end_step; step++, ring.next()) {
			const u32 at = smem + ring.stage * kStageBytes;
			const u64 a = wgmma_tile(at + group * 8192), b = wgmma_tile(at + kABytes);
			ring.wait_full();
			wgmma_fence();
#pragma unroll
			for (int kk = 0; kk < 4; kk++) wgmma<BN>(acc, a + 2 * kk, b + 2 * kk);
			wgmma_commit();
			wgmma_wait<1>();
			if (step > first_step) release(before);  // while the products of this stage go on
			before = ring.stage;
		}
		wgmma_wait<0>();
		if (end_step > first_step) release(before);
		settle(acc);
	}

	// value gives columns 8j + 2t and the next of y's tile, t = lane % 4, in the upper or lower half of a fragment.
	template <bool Erf>
	__device__ __forceinline__ float2 value(const float* acc, int n0, int j, int half) const {
		if constexpr (E == kGated) {
			const float* gate = acc + 8 * j + 2 * half;
			return {activate<Erf>(gate[0], p.act) * gate[4], activate<Erf>(gate[1], p.act) * gate[5]};
		}
		float2 v = {acc[4 * j + 2 * half], acc[4 * j + 2 * half + 1]};
		const int col = n0 + 8 * j + threadIdx.x % 4 * 2;
		if (E == kPlain && p.bias && col < p.n) v.x += p.bias[col], v.y += p.bias[col + 1];  // N is even here
		return v;
	}

	// store writes one m64 fragment: bf16 through shared memory, so that the copy engine writes whole lines.
	template <bool Erf>
	__device__ __forceinline__ void store(const float (&acc)[BN / 2], int m0, int n0, u32& turn) const {
		const int thread = threadIdx.x % 128, group = threadIdx.x / 128, lane = thread % 32;
		const int row = thread / 32 * 16 + lane % 16, y0 = E == kGated ? n0 / 2 : n0;
		const int width = E == kGated ? p.n / 2 : p.n;
#pragma unroll
		for (int c = 0; c < kWide / kBox; c++) {
			const u32 to = out + (group * 2 + turn % 2) * kBoxBytes;
			turn++;
			if (thread == 0) store_read<1>();
			named_sync(1 + group, 128);
#pragma unroll
			for (int j = 0; j < kBox / 8; j += 2) {
				const int at = j + lane / 16, cell = kBox == 64 ? at ^ (row & 7) : at ^ (row >> 1 & 3);
				u32 v[4];
#pragma unroll
				for (int h = 0; h < 4; h++) {
					const float2 f = value<Erf>(acc, n0, c * (kBox / 8) + j + h / 2, h % 2);
					v[h] = pack2(f.x, f.y);
				}
				stmatrix4(to + row * 2 * kBox + cell * 16, v[0], v[1], v[2], v[3]);
			}
			async_fence();
			named_sync(1 + group, 128);
			if (thread == 0) {
				if (m0 < p.m && y0 + c * kBox < width) store_box(ymap, to, y0 + c * kBox, m0);
				store_commit();
			}
		}
	}

	// put writes two neighbouring columns of f32, where they exist.
	__device__ __forceinline__ void put(float* y, int col, float a, float b) const {
		a = cap(a, p), b = cap(b, p);
		const bool even = p.n % 2 == 0;
		if (even && col < p.n) *reinterpret_cast<float2*>(y + col) = {a, b};
		if (!even && col < p.n) y[col] = a;
		if (!even && col + 1 < p.n) y[col + 1] = b;
	}

	// write writes Eights eights of columns from registers, of tokens by features.
	template <int Eights>
	__device__ __forceinline__ void write(const float* acc, int m0, int n0) const {
		const int lane = threadIdx.x % 32, row = m0 + threadIdx.x % 128 / 32 * 16 + lane / 4, width = E == kGated ? p.n / 2 : p.n;
#pragma unroll
		for (int h = 0; h < 2; h++) {
			if (row + 8 * h >= p.m) continue;
			const i64 y = static_cast<i64>(row + 8 * h) * width;
#pragma unroll
			for (int j = 0; j < Eights; j += E == kGated ? 2 : 1) {
				const int col = (E == kGated ? (n0 + 8 * j) / 2 : n0 + 8 * j) + lane % 4 * 2;
				if constexpr (E == kLogits) {
					put(static_cast<float*>(p.y) + y, col, acc[4 * j + 2 * h], acc[4 * j + 2 * h + 1]);
				} else if (col < width) {
					const float2 f = E == kGated && p.act == kErf ? value<true>(acc, n0, E == kGated ? j / 2 : j, h) : value<false>(acc, n0, E == kGated ? j / 2 : j, h);
					*reinterpret_cast<u32*>(static_cast<bf16*>(p.y) + y + col) = pack2(f.x, f.y);
				}
			}
		}
	}

	// write_swapped does so of features by tokens: an eight of both is turned over among the lanes.
	template <int Eights>
	__device__ __forceinline__ void write_swapped(const float* acc, int n0, int m0) const {
		const int lane = threadIdx.x % 32, row = n0 + threadIdx.x % 128 / 32 * 16;
		float bias[2] = {0, 0};
		if (E == kPlain && p.bias) {
#pragma unroll
			for (int h = 0; h < 2; h++) bias[h] = row + 8 * h + lane / 4 < p.n ? p.bias[row + 8 * h + lane / 4] : 0;
		}
		int left = p.m - m0 - lane % 4 * 2;
		float* logits = static_cast<float*>(p.y) + (m0 + lane % 4 * 2) * static_cast<i64>(p.n) + row + lane / 4;
#pragma unroll
		for (int j = 0; j < Eights; j++) {
			const float* f = acc + 4 * j;
			const int token = m0 + 8 * j + lane / 4;
			if constexpr (E == kLogits) {
				put_columns(f, logits, row + lane / 4, left);
				logits += 8 * static_cast<i64>(p.n), left -= 8;
			} else if constexpr (E == kGated) {
				put_turned(p.act == kErf ? gate<true>(f) : gate<false>(f), token, row / 2, p.n / 2);
			} else {
#pragma unroll
				for (int h = 0; h < 2; h++) put_turned(pack2(f[2 * h] + bias[h], f[2 * h + 1] + bias[h]), token, row + 8 * h, p.n);
			}
		}
	}

	template <bool Erf>
	__device__ __forceinline__ u32 gate(const float* f) const { return pack2(activate<Erf>(f[0], p.act) * f[2], activate<Erf>(f[1], p.act) * f[3]); }

	// put_turned writes eight features of eight tokens, given as a fragment of features by tokens.
	__device__ __forceinline__ void put_turned(u32 v, int token, int feature, int width) const {
		const u32 turned = transpose(v);
		if (token < p.m && feature < width) *reinterpret_cast<u32*>(static_cast<bf16*>(p.y) + static_cast<i64>(token) * width + feature + threadIdx.x % 4 * 2) = turned;
	}

	// put_columns writes a fragment of features by tokens as f32, where there are `left` tokens: eight lanes fill a sector.
	__device__ __forceinline__ void put_columns(const float* f, float* y, int feature, int left) const {
#pragma unroll
		for (int e = 0; e < 4; e++)
			if (e % 2 < left && feature + e / 2 * 8 < p.n) y[e % 2 * static_cast<i64>(p.n) + e / 2 * 8] = cap(f[e], p);
	}

	// ---- the largest logits

	// tokens that the block may meet, whether they are there or not.
	__device__ __forceinline__ int met() const { return Swap ? BN : rows * down * kRows; }

	// keep_best makes logits of a warp's part of a tile and keeps the best of each token.
	__device__ __forceinline__ void keep_best(float (&acc)[BN / 2], int r0, int c0) const {
		const int lane = threadIdx.x % 32, row = r0 + threadIdx.x % 128 / 32 * 16 + lane / 4, column = c0 + lane % 4 * 2;
#pragma unroll
		for (int i = 0; i < BN / 2; i++) acc[i] = __fmul_rn(acc[i], p.scale);
		if (p.softcap > 0.f) {
#pragma unroll
			for (int i = 0; i < BN / 2; i++) acc[i] = soften(acc[i], p.softcap);
		}
		if ((Swap ? r0 + 64 : c0 + BN) > p.n) {  // what is not there is never the best
#pragma unroll
			for (int i = 0; i < BN / 2; i++) {
				if ((Swap ? row + i / 2 % 2 * 8 : column + i / 4 * 8 + i % 2) >= p.n) acc[i] = __int_as_float(0xff800000);
			}
		}
		if constexpr (Swap) best_of_columns(acc, row, lane % 4 * 2);
		else best_of_rows(acc, row, column);
	}

	__device__ __forceinline__ void best_of_rows(const float (&acc)[BN / 2], int token, int column) const {
#pragma unroll
		for (int h = 0; h < 2; h++) {
			float top = acc[2 * h];
#pragma unroll
			for (int i = 1; i < BN / 4; i++) top = greater_or_nan(top, acc[i / 2 * 4 + 2 * h + i % 2]);
			if (!best.wants(token + 8 * h, top)) continue;
			int id = column;
#pragma unroll
			for (int i = BN / 4 - 1; i >= 0; i--) id = acc[i / 2 * 4 + 2 * h + i % 2] == top ? column + i / 2 * 8 + i % 2 : id;
			best.offer(token + 8 * h, top, id);
		}
	}

	__device__ __forceinline__ void best_of_columns(const float (&acc)[BN / 2], int feature, int token) const {
#pragma unroll
		for (int i = 0; i < BN / 4; i++) {
			const float a = acc[i / 2 * 4 + i % 2], b = acc[i / 2 * 4 + i % 2 + 2], top = greater_or_nan(a, b);
			const int at = token + i / 2 * 8 + i % 2;
			if (best.wants(at, top)) best.offer(at, top, a == top ? feature : feature + 8);
		}
	}

	// ---- the sum over slices of K

	// join leaves in memory what other slices finish, which run at the same time, and adds up the S sums of its own part of the
	// tile's columns, in the order of the slices. A warp needs nothing but the sums of the same warp of the others.
	template <int S>
	__device__ __forceinline__ void join(const float (&acc)[BN / 2], int tile, int r0, int c0) const {
		constexpr int kLeast = E == kGated && !Swap ? 2 : 1;           // eights of columns that make eight of y
		constexpr int kMine = (BN / 8 / kLeast + S - 1) / S * kLeast;  // the last slices may have none
		static_assert(BN / 8 % kMine == 0, "columns would be left over");
		const int place = tile * blocks + rank;
		float4* at = reinterpret_cast<float4*>(p.ws) + static_cast<i64>(place) * S * kTileSums + threadIdx.x;
		float4* const own = opaque(at + slice * kTileSums);
#pragma unroll
		for (int i = 0; i < BN / 8; i++)
			leave_if(i / kMine != slice, own + i * kThreads, four(acc, i));
		u32* arrived = p.arrived + place * (kThreads / 32) + threadIdx.x / 32;
		bool last = false;
		if constexpr (kCounted) last = count<S>(arrived);
		if ((slice + 1) * kMine <= BN / 8) {
			at = opaque(at + slice * kMine * kThreads);
			constexpr int kPart = kCounted || C < 3 ? kMine : kMine % (8 / S) ? kMine / 2 : 8 / S;  // that registers hold
#pragma unroll
			for (int i = 0; i < kMine; i += kPart) {
				float sum[4 * kPart];
				meet<S, kMine, kPart>(acc, at + i * kThreads, i, sum);
				const int c = c0 + (slice * kMine + i) * 8;
				if constexpr (Swap) write_swapped<kPart>(sum, r0, c);
				else write<kPart>(sum, r0, c);
			}
#pragma unroll
			for (int s = 0; s < S; s++)
#pragma unroll
				for (int i = 0; i < kMine; i++)
					if (!kCounted) leave_if(s != slice, at + s * kTileSums + i * kThreads, absent());  // for the next launch
		}
		if (kCounted && last) reset(arrived);  // for the next launch
	}

	// count waits until the warps of all slices have left their sums. It returns true in one lane of the last that has done so.
	template <int S>
	__device__ __forceinline__ bool count(u32* arrived) const {
		u32 left = 0;
		__syncwarp();
		if (threadIdx.x % 32 == 0) {
			if (arrive_at(arrived) < S - 1)
				while (arrivals(arrived) < S) __nanosleep(20);
			left = leave_from(arrived);
		}
		__syncwarp();
		return left == 2 * S - 1;
	}

	// meet adds up the slices' sums of N eights of columns, if they are not counted as they come. What is absent makes all NaN: few
	// instructions ask for that, which have to be fetched while the next kernel waits. A NaN may be a sum, too, which is found out
	// in the end.
	template <int S, int Mine, int N>
	__device__ __forceinline__ void meet(const float (&acc)[BN / 2], const float4* at, int from, float (&sum)[4 * N]) const {
		float4 v[S][N];
#pragma unroll
		for (int s = 0; s < S; s++)
#pragma unroll
			for (int i = 0; i < N; i++) v[s][i] = four(acc, s * Mine + from + i);
#pragma unroll 1
		for (int looks = 1;; looks++) {
#pragma unroll
			for (int s = 0; s < S; s++)
#pragma unroll
				for (int i = 0; i < N; i++)
					look_if(s != slice, at + s * kTileSums + i * kThreads, v[s][i]);
			float total = 0;
#pragma unroll
			for (int i = 0; i < N; i++) {
				float4 f = v[0][i];
#pragma unroll
				for (int s = 1; s < S; s++) f.x += v[s][i].x, f.y += v[s][i].y, f.z += v[s][i].z, f.w += v[s][i].w;
				sum[4 * i] = f.x, sum[4 * i + 1] = f.y, sum[4 * i + 2] = f.z, sum[4 * i + 3] = f.w;
				total += (f.x + f.y) + (f.z + f.w);
			}
			if (kCounted || __builtin_expect(total == total, 1)) break;
			__nanosleep(20);
			if (__builtin_expect(looks % kPatience, 1)) continue;
			bool all = true;
#pragma unroll
			for (int s = 0; s < S; s++)
#pragma unroll
				for (int i = 0; i < N; i++) all &= is_present(v[s][i]);
			if (all) break;
		}
	}

	// four gives the sums of an eight of columns, zeros behind the last.
	static __device__ __forceinline__ float4 four(const float (&acc)[BN / 2], int i) {
		return i < BN / 8 ? float4{acc[4 * i], acc[4 * i + 1], acc[4 * i + 2], acc[4 * i + 3]} : float4{};
	}

	__device__ __forceinline__ void consume(u64* ranks) {
		float acc[BN / 2];
		u32 turn = 0;
#pragma unroll 1
		for (int tile = first(); tile < rows * cols; tile += stride()) {
			int r0, c0;
			place(tile, r0, c0);
			multiply(acc);
			r0 += threadIdx.x / 128 * 64;
			if constexpr (E == kArgmax) keep_best(acc, r0, c0);
			else if (!kWhole && p.splits == 2) join<2>(acc, tile, r0, c0);
			else if (!kWhole && p.splits == 4) join<4>(acc, tile, r0, c0);
			else if (!kWhole && p.splits == 8) join<8>(acc, tile, r0, c0);
			else if constexpr (Swap) write_swapped<BN / 8>(acc, r0, c0);
			else if constexpr (E == kLogits) write<BN / 8>(acc, r0, c0);
			else if (E == kGated && p.act == kErf) store<true>(acc, r0, c0, turn);
			else store<false>(acc, r0, c0, turn);
		}
		if (!Swap && !kWhole && threadIdx.x % 128 == 0) store_done();
		if constexpr (E == kArgmax) {
			named_sync(1, kThreads);
			best.end(ranks, min(met(), p.m), kThreads);
		}
	}
};

template <int C, int BN, int Stages, bool Swap, Epilogue E>
__device__ __forceinline__ void gemm_sm90(const Tokens& x, const TensorMap& wmap, const TensorMap& ymap, const Linear& p, int order, int down, u64* ranks = nullptr) {
	extern __shared__ u8 shared[];
	const u32 base = align_1024(smem_addr(shared));
	Gemm<C, BN, Stages, Swap, E> g(x, wmap, ymap, p, order, down, base, shared + (base - smem_addr(shared)));
	g.ring.init(4 * C * (g.blocks / 2 + 1));
	if (E == kArgmax) g.best.begin(g.met(), p.m);
	g.blank();
	__syncthreads();
	if (g.blocks > 1) cluster_arrive(), cluster_wait();
	if (threadIdx.x >= 128 * C) {
		fewer_registers<40>();
		if (threadIdx.x / 32 == 4 * C && elected()) g.produce();
	} else {
		more_registers<C == 2 ? 232 : 152>();
		wait_for_previous();
		g.consume(ranks);
	}
}

#define GEMM_SM90(name, C, BN, STAGES, SWAP, E)                                                          \
	extern "C" __global__ void __launch_bounds__(128 * C + 128, 1) name(HOPPER_PARAMS) {                 \
		gemm_sm90<C, BN, STAGES, SWAP, E>(Tokens{xmap, xtail, m}, wmap, ymap, HOPPER_LINEAR, order, down);  \
	}
#define GEMM_SM90_ALL(name, C, BN, STAGES, SWAP)         \
	GEMM_SM90(name, C, BN, STAGES, SWAP, kPlain)            \
	GEMM_SM90(name##_gated, C, BN, STAGES, SWAP, kGated)    \
	GEMM_SM90(name##_logits, C, BN, STAGES, SWAP, kLogits)  \
	extern "C" __global__ void __launch_bounds__(128 * C + 128, 1) name##_argmax(HOPPER_PARAMS, u64* ranks) {                        \
		gemm_sm90<C, BN, STAGES, SWAP, kArgmax>(Tokens{xmap, xtail, m}, wmap, ymap, HOPPER_LINEAR, order, down, ranks);                \
	}

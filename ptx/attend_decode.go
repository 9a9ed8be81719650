package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// MaxDecodes is the most requests that AttendDecode takes.
const MaxDecodes = 1024

type decodeArgs struct {
	Out, Q          uintptr
	Cache           kvArgs
	Parts, Counters uintptr
	Problem         decodeProblem
	Scores          scoreArgs
}

// fewArgs are those of src/attend_decode_few_sm90.cu.
type fewArgs struct {
	Out, Q  uintptr
	Cache   kvArgs
	Kept    uintptr
	Problem decodeProblem
	Scores  scoreArgs
}

// halfArgs are those of src/attend_decode_sm90.cu.
type halfArgs struct {
	KMap, VMap      driver.TensorMap
	Out, Q          uintptr
	Cache           kvArgs
	Parts, Counters uintptr
	Problem         decodeProblem
	Scores          scoreArgs
}

type decodeProblem struct {
	Rows, Context                   uintptr
	Requests, KVHeads, Group, Depth int32
	QStride, OutStride              int64
}

// As in src/attend_decode.cu and src/attend_decode_sm90.cu.
const (
	decodeLeaves  = 32 // of a request and head
	decodeKeys    = 16 // of a place of a ring
	decodeClosers = 4  // warps
	decodePlan    = 12544

	halfRequests             = 512 // at most
	halfWorkers, halfClosers = 4, 2
	halfPlan                 = 8832

	fewRequests = 32 // of src/attend_decode_few_sm90.cu at most: lanes count their leaves
)

// halfPlaces are those of a worker's ring in src/attend_decode_sm90.cu, whose rows are swizzled, not padded.
var halfPlaces = map[int]int{64: 9, 128: 5}

// decodeTiles is how many eights of query heads a block takes at once, at most.
func decodeTiles(d int) int {
	if d == 256 {
		return 1
	}
	return 2
}

// decodePlaces are those of a worker's ring.
var decodePlaces = map[int]int{64: 9, 96: 6, 128: 5, 256: 5}

// ring is the shape of a block: warps that work and that close, how many leaves the former may be ahead, and the dynamic
// shared memory in bytes.
type ring struct{ workers, closers, depth, shared int }

// sized gives r the shared memory that it needs for heads of d, with so many bytes a worker for its ring.
func (r ring) sized(places, d, heads int) ring {
	r.shared = r.workers * (places + 4*r.depth*heads*(d+4+2))
	return r
}

// newRing takes as many workers as fit into limit bytes of shared memory, and as the registers of tiles allow.
func newRing(d, tiles, heads, limit int) ring {
	r := ring{workers: 8, closers: decodeClosers, depth: 1}
	if d == 256 || tiles == 2 && d > 64 {
		r.workers = 4
	}
	if heads <= 4 && r.workers > 4 {
		r.depth = 2
	}
	places := decodePlaces[d] * decodeKeys * rowPitch(d)
	for r = r.sized(places, d, heads); r.workers > 1 && r.shared+decodePlan > limit; r = r.sized(places, d, heads) {
		r.workers--
	}
	return r
}

// halfRing is the shape of a block of src/attend_decode_sm90.cu, of which two share a multiprocessor. It begins at the
// swizzle's alignment.
func halfRing(d, heads, limit int) ring {
	const align = 1024
	places := halfPlaces[d] * decodeKeys * 2 * d
	r := ring{workers: halfWorkers, closers: halfClosers, depth: 2}.sized(places, d, heads)
	if r.shared+align+halfPlan > halfShared(limit) {
		r.depth = 1
	}
	r = r.sized(places, d, heads)
	r.shared += align
	return r
}

// fewShared is the shared memory of src/attend_decode_few_sm90.cu, whose workers are those of the other: alignment, keys and values
// of a turn and sums of each worker.
func fewShared(d, heads int) int {
	const turn = 32
	return 1024 + halfWorkers*(2*turn*2*d+4*heads*(d+2))
}

// fewBlocks is how many of its blocks share a multiprocessor.
func fewBlocks(shared, limit int) int { return min(3, (limit+1024)/(shared+1024)) }

// halfShared is the shared memory of each of two blocks where one alone may have limit: the chip takes 1 KiB of each.
func halfShared(limit int) int { return (limit+1024)/2 - 1024 }

// reserve lets the decode kernels have the most shared memory of the chip: what they take depends on the heads.
func (a *attendKernels) reserve(limit int) {
	for i := range a.decode {
		for j := range a.decode[i] {
			a.decode[i][j].most = limit - decodePlan
		}
		a.halves[i].most = halfShared(limit) - halfPlan
		a.few[i].most = halfShared(limit)
	}
}

// decodesInHalves reports whether src/attend_decode_sm90.cu has a kernel for heads of d, group of them to a KV head.
func decodesInHalves(d, group int) bool { return (d == 64 || d == 128) && group <= 8 }

// AttendDecode enqueues what AttendPrefill does for the first Decodes requests, token b being request b's: at most
// MaxDecodes, for which ReserveDecode has made room. Rows of padding become zeros. The launch depends on no content of r, so a
// graph may replay it.
//
// On the same chip the result of a token is the same bits in every batch.
// Kernels: src/attend_decode.cu; where Early is set src/attend_decode_few_sm90.cu and src/attend_decode_sm90.cu, whose results are
// the same. Oracle: cpu.Attend.
func (k *Kernels) AttendDecode(s driver.Stream, out, q tensor.View, kv KV, r Requests, f Scores) error {
	a, err := k.checkAttend("attend_decode", out, q, kv, r)
	if err != nil || r.Decodes == 0 {
		return err
	}
	if r.Decodes > MaxDecodes {
		return &tensor.ShapeError{Op: "attend_decode", Operand: "Decodes", Got: fmt.Sprint(r.Decodes), Want: fmt.Sprintf("at most %d", MaxDecodes)}
	}
	if sums, kept := k.decodeRoom(a.d, a.kvHeads, r.Decodes); sums > k.sums.words || kept > k.kept.words {
		return fmt.Errorf("cannot attend for %d requests with %d KV heads of %d: ReserveDecode made room for less", r.Decodes, a.kvHeads, a.d)
	}
	problem := func(depth int) decodeProblem {
		return decodeProblem{r.Rows.Ptr, r.Context.Ptr, int32(r.Decodes), int32(a.kvHeads), int32(a.group), int32(depth), int64(q.Stride), int64(out.Stride)}
	}
	limit := k.ctx.Device.SharedPerBlockOptin
	if k.attend.decodesFew(a, r.Decodes, k) {
		fn := &k.attend.few[a.kind]
		fn.shared = fewShared(a.d, a.group)
		return fn.launch(s, driver.Dim{X: fewBlocks(fn.shared, limit) * k.SMs()}, driver.Dim{X: 32 * halfWorkers}, fewArgs{
			out.Ptr, q.Ptr, kv.args(), k.kept.ptr, problem(1), f.args(),
		})
	}
	if k.attend.decodesInHalves(a, r.Decodes, k) {
		maps, err := k.boxMaps(kv, decodeBox)
		if err != nil {
			return err
		}
		fn, shape := &k.attend.halves[a.kind], halfRing(a.d, a.group, limit)
		fn.shared = shape.shared
		return fn.launch(s, driver.Dim{X: 2 * k.SMs()}, shape.block(), halfArgs{
			maps[0], maps[1], out.Ptr, q.Ptr, kv.args(), k.sums.ptr, k.counts.ptr, problem(shape.depth), f.args(),
		})
	}
	tiles := min(ceilDiv(a.group, 8), decodeTiles(a.d))
	fn, shape := &k.attend.decode[a.kind][tiles-1], newRing(a.d, tiles, min(a.group, 8*tiles), limit)
	fn.shared = shape.shared
	return fn.launch(s, driver.Dim{X: k.SMs()}, shape.block(), decodeArgs{
		out.Ptr, q.Ptr, kv.args(), k.sums.ptr, k.counts.ptr, problem(shape.depth), f.args(),
	})
}

// block is all warps of one.
func (r ring) block() driver.Dim { return driver.Dim{X: 32 * (r.workers + r.closers)} }

// decodesInHalves reports whether src/attend_decode_sm90.cu is what runs.
func (p *attendKernels) decodesInHalves(a attention, decodes int, k *Kernels) bool {
	chosen := p.forcedDecode == decodeHopper || p.forcedDecode == decodeFew || p.forcedDecode == "" && k.Early
	return chosen && k.Hopper() && decodesInHalves(a.d, a.group) && decodes <= halfRequests
}

// decodesFew reports whether src/attend_decode_few_sm90.cu is what runs: its results are those of the kernel for more requests,
// which is faster where there are more pairs of a request and a KV head.
func (p *attendKernels) decodesFew(a attention, decodes int, k *Kernels) bool {
	chosen := p.forcedDecode == decodeFew || p.forcedDecode == "" && k.Early
	return chosen && k.Hopper() && decodesInHalves(a.d, a.group) && decodes <= fewRequests && decodes*a.kvHeads <= fewPairs(k.SMs())
}

// fewPairs are the pairs of a request and a KV head up to which it is faster, on so many multiprocessors: 24 requests of 0.6B take
// 1.25 ms a step by it and 1.34 by the other, 32 take 1.47 and 1.43.
func fewPairs(sms int) int { return sms * 3 / 2 }

// ReserveDecode makes the scratch memory large enough for AttendDecode of so many requests with heads of d. No launch may be on its
// way, nor may a graph be replayed that was recorded before. It waits for s.
func (k *Kernels) ReserveDecode(s driver.Stream, d, kvHeads, requests int) error {
	sums, kept := k.decodeRoom(d, kvHeads, requests)
	return k.growScratch(s, sums, kept)
}

// decodeRoom is how many sums blocks leave. Two of src/attend_decode_sm90.cu need as much as one of src/attend_decode.cu, which
// has twice the heads. src/attend_decode_few_sm90.cu keeps, of each pair of a request and a KV head, the leaves of eight heads:
// of each four dimensions the sums, a maximum and a denominator.
func (k *Kernels) decodeRoom(d, kvHeads, requests int) (sums, kept int) {
	if k.Hopper() && decodesInHalves(d, 1) {
		pairs := kvHeads * min(requests, fewRequests, fewPairs(k.SMs())/kvHeads)
		kept = pairs * decodeLeaves * 8 * d / 4 * (4 + 2)
	}
	return k.SMs() * decodeLeaves * 8 * decodeTiles(d) * (d + 4), kept
}

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

type decodeProblem struct {
	Rows, Context                   uintptr
	Requests, KVHeads, Group, Depth int32
	QStride, OutStride              int64
}

// As in src/attend_decode.cu.
const (
	decodeLeaves  = 32 // of a request and head
	decodeKeys    = 16 // of a place of a ring
	decodeClosers = 4  // warps
	decodePlan    = 12544

	earlyRequests = 512 // of src/attend_decode_sm90.cu and src/attend_ahead_sm90.cu
	earlyPlan     = 6400

	aheadWorkers, aheadClosers = 4, 2 // warps of src/attend_ahead_sm90.cu
)

// An aheadSetting is one way to launch src/attend_ahead_sm90.cu.
type aheadSetting struct {
	name   string
	blocks int  // for a multiprocessor, which has room for two
	warm   bool // the L2 reads ahead while the kernel ahead of this one runs
	alone  bool // shared memory is more than half, so that two do not get on a multiprocessor that is free before another
}

// aheadSettings are left to Force until they are measured.
var aheadSettings = [...]aheadSetting{
	{"attend_ahead1", 1, false, false}, // may overlap another of its kind, which only bench kernels has in a row
	{"attend_ahead1_warm", 1, true, false},
	{"attend_ahead1_alone", 1, false, true},
	{"attend_ahead2", 2, false, false},
	{"attend_ahead4", 4, false, false},
	{"attend_ahead8", 8, false, false},
}

// grid is the blocks that the setting launches for group heads to a KV head: as many as the workspace has room for.
func (a aheadSetting) grid(sms, group int) int { return sms * min(a.blocks, 16*decodeWork/group) }

// decodeWork is how many times 16 heads of each multiprocessor the workspace has partial results of, on Hopper.
const decodeWork = 2

// decodeTiles is how many eights of query heads a block takes at once, at most.
func decodeTiles(d int) int {
	if d == 256 {
		return 1
	}
	return 2
}

// decodePlaces are those of a worker's ring.
var decodePlaces = map[int]int{64: 9, 96: 6, 128: 5, 256: 5}

// ring is the shape of a block of attend_decode.cu: warps that work, how many leaves they may be ahead, and the dynamic
// shared memory of both in bytes.
type ring struct{ workers, depth, shared int }

// newRing takes as many workers as fit into limit bytes of shared memory, and as the registers of tiles allow.
func newRing(d, tiles, heads, limit int) ring {
	most := 8
	if d == 256 || tiles == 2 && d > 64 {
		most = 4
	}
	r := ring{workers: most + 1, depth: 1}
	if heads <= 4 && most > 4 {
		r.depth = 2
	}
	for r.shared = limit; r.workers > 1 && r.shared+decodePlan > limit; {
		r.workers--
		r.shared = r.workers * (decodePlaces[d]*decodeKeys*rowPitch(d) + 4*r.depth*heads*(d+4+2))
	}
	return r
}

// halfRing is newRing for blocks of which two share a multiprocessor.
func halfRing(d, heads, limit int) (r ring) {
	for r.workers = aheadWorkers; ; r.workers-- {
		for r.depth = 2; r.depth > 0; r.depth-- {
			r.shared = r.workers * (decodePlaces[d]*decodeKeys*rowPitch(d) + 4*r.depth*heads*(d+4+2))
			if r.shared+earlyPlan <= halfShared(limit) || r.workers == 1 && r.depth == 1 {
				return r
			}
		}
	}
}

// halfShared is the shared memory of each of two blocks where one alone may have limit: the chip takes 1 KiB of each.
func halfShared(limit int) int { return (limit+1024)/2 - 1024 }

// aloneShared is the dynamic shared memory of a block of src/attend_ahead_sm90.cu beside which another has no room, but one of
// 110 KiB has, as those of src/fused_sm90.cuh are at most.
func aloneShared(limit int) int { return halfShared(limit) + 1024 - earlyPlan }

// reserve lets the decode kernels have the most shared memory of the chip: what they take depends on the heads.
func (a *attendKernels) reserve(limit int) {
	for i := range a.decode {
		for j := range a.decode[i] {
			a.decode[i][j].most = limit - decodePlan
		}
		a.early[i].most = halfShared(limit) - earlyPlan
		for j := range a.ahead {
			a.ahead[j][i].most = aloneShared(limit)
		}
	}
}

// decodesEarly reports whether a kernel of src/attend_decode_sm90.cu takes heads of d, group of them to a KV head.
func decodesEarly(d, group int) bool { return (d == 64 || d == 128) && group <= 8 }

// AttendDecode enqueues what AttendPrefill does for the first Decodes requests, token b being request b's: at most
// MaxDecodes. Rows of padding become zeros. The launch depends on no content of r, so a graph may replay it.
//
//	work i32 [n], n at least AttendWork's, zero before the first launch; one launch at a time may use it
//
// On the same chip the result of a token is the same bits in every batch.
// Kernels: src/attend_decode.cu, src/attend_decode_sm90.cu where Early is set. Oracle: cpu.Attend.
func (k *Kernels) AttendDecode(s driver.Stream, out, q tensor.View, kv KV, r Requests, f Scores, work tensor.View) error {
	a, err := k.checkAttend("attend_decode", out, q, kv, r)
	if err != nil || r.Decodes == 0 {
		return err
	}
	if r.Decodes > MaxDecodes {
		return &tensor.ShapeError{Op: "attend_decode", Operand: "Decodes", Got: fmt.Sprint(r.Decodes), Want: fmt.Sprintf("at most %d", MaxDecodes)}
	}
	if n := k.AttendWork(a.d); work.Len() < n || work.Type != tensor.I32 {
		return &tensor.ShapeError{Op: "attend_decode", Operand: "work", Got: work.String(), Want: fmt.Sprintf("i32[%d] or more", n)}
	}
	fn, shape, blocks, closers := k.attend.decoder(a, r.Decodes, k)
	fn.shared = shape.shared
	return fn.launch(s, driver.Dim{X: blocks}, driver.Dim{X: 32 * (shape.workers + closers)}, decodeArgs{
		out.Ptr, q.Ptr, kv.args(), work.Ptr + uintptr(4*attendCounters(k.SMs())), work.Ptr,
		decodeProblem{r.Rows.Ptr, r.Context.Ptr, int32(r.Decodes), int32(a.kvHeads), int32(a.group), int32(shape.depth), int64(q.Stride), int64(out.Stride)},
		f.args(),
	})
}

// decoder chooses the kernel, its shape, its grid, and how many warps close.
func (p *attendKernels) decoder(a attention, decodes int, k *Kernels) (fn *kernel[decodeArgs], r ring, blocks, closers int) {
	limit := k.ctx.Device.SharedPerBlockOptin
	if k.Hopper() && decodesEarly(a.d, a.group) && decodes <= earlyRequests {
		name := p.forcedDecode
		if name == "" && k.Early {
			name = "attend_ahead2"
		}
		for _, s := range aheadSettings {
			if name == s.name {
				warm := 0
				if s.warm {
					warm = 1
				}
				r := halfRing(a.d, a.group, limit)
				if s.alone {
					r.shared = aloneShared(limit)
				}
				return &p.ahead[warm][a.kind], r, s.grid(k.SMs(), a.group), aheadClosers
			}
		}
		if k.Early && name == "" || name == decodeEarly {
			return &p.early[a.kind], halfRing(a.d, a.group, limit), 2 * k.SMs(), decodeClosers
		}
	}
	tiles := min(ceilDiv(a.group, 8), decodeTiles(a.d))
	return &p.decode[a.kind][tiles-1], newRing(a.d, tiles, min(a.group, 8*tiles), limit), k.SMs(), decodeClosers
}

// AttendWork is the length of the workspace of AttendDecode and AttendPrefill, in i32, for head size d. The longest of some serves all of them.
func (k *Kernels) AttendWork(d int) int {
	n := k.SMs() * decodeLeaves * 8 * decodeTiles(d) * (d + 4)
	if k.Hopper() {
		n *= decodeWork
	}
	return attendCounters(k.SMs()) + n
}

// attendCounters is the counters' share of the workspace, then partial results at 16 bytes. Decode has one a block, of which
// there may be eight for a multiprocessor; prefill one of each consumer of an item: four a multiprocessor.
func attendCounters(sms int) int { return max(8, 4*hopperConsumers) * sms }

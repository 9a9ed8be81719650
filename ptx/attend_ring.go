package ptx

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// As in src/attend_decode_ring.cu.
const (
	ringLeaves  = 32 // of a request and head
	ringKeys    = 16 // of a place of a ring
	ringClosers = 4  // warps
	ringPlan    = 12544
)

// ring is the shape of a block of attend_decode_ring.cu: warps that work, and how many leaves they may be ahead.
type ring struct{ workers, depth, shared int }

// newRing takes as many workers as fit into limit bytes of shared memory, at most most.
func newRing(d, heads, most, limit int) ring {
	places := map[int]int{64: 9, 96: 6, 128: 5, 256: 5}[d]
	r := ring{workers: most + 1, depth: 1}
	if heads <= 4 && most > 4 {
		r.depth = 2
	}
	for r.shared = limit; r.workers > 1 && r.shared+ringPlan > limit; {
		r.workers--
		r.shared = r.workers * (places*ringKeys*rowPitch(d) + 4*r.depth*heads*(d+4+2))
	}
	return r
}

func (k *Kernels) attendRing(s driver.Stream, out, q tensor.View, kv KV, r Requests, f Scores, work tensor.View, a attention) error {
	nt := 1
	if a.group > 8 && a.d < 256 {
		nt = 2
	}
	heads := min(a.group, 8*nt)
	most := map[int]int{64: 8, 96: 8, 128: 8, 256: 4}[a.d]
	if nt == 2 && a.d > 64 {
		most = 4
	}
	fn, blocks, limit := &k.attend.ring[a.kind][nt-1], 1, k.ctx.Device.SharedPerBlockOptin
	switch k.attend.forcedDecode {
	case "attend_decode_pair":
		if a.d != 128 || nt != 1 {
			return fmt.Errorf("cannot run attend_decode_pair: head size %d, group %d", a.d, a.group)
		}
		fn, blocks, most, limit = &k.attend.pair, 2, 4, limit/2-512
	case "attend_decode_copy":
		if a.d != 128 || nt != 1 {
			return fmt.Errorf("cannot run attend_decode_copy: head size %d, group %d", a.d, a.group)
		}
		fn = &k.attend.copy
	}
	shape := newRing(a.d, heads, most, limit)
	fn.shared = limit - ringPlan // another group may need more
	if err := k.resolve(&fn.entry); err != nil {
		return err
	}
	fn.shared = shape.shared
	return fn.launch(s, driver.Dim{X: blocks * k.SMs()}, driver.Dim{X: 32 * (shape.workers + ringClosers)}, decodeArgs{
		out.Ptr, q.Ptr, kv.args(), work.Ptr + uintptr(4*decodeCounters(2*k.SMs())), work.Ptr,
		decodeProblem{r.Rows.Ptr, r.Context.Ptr, int32(r.Decodes), int32(a.kvHeads), int32(a.group), int32(shape.depth), int64(q.Stride), int64(out.Stride)},
		f.args(),
	})
}

package cuda

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// On Hopper the samples of a step that ask for a temperature at most are drawn by the kernel that makes their logits, which
// leaves none in memory. Only what forward returns is drawn from: so in such a step Logits notes what it is to do, and the
// next Logits, or the end of forward, has it done.

// head is what Logits is to do.
type head struct {
	x, w, y        tensor.View
	scale, softcap float32
}

// draws reports whether steps may be drawn so. Deterministic, the logits are made by the kernels that were compared at the start.
func (b *Backend) draws() bool { return !b.opts.Single && !b.opts.Deterministic && b.k.Hopper() }

// logits enqueues what was noted.
func (b *Backend) logits(h head) {
	if b.err == nil && h.y.Rank > 0 {
		b.fail(b.k.Logits(b.stream, h.y, h.x, h.w, h.scale, h.softcap))
	}
}

// draw enqueues the draw of a token for each row of logits, which forward returned, with the copy of results to host unless that
// is 0. If it cannot it returns false, and the logits are enqueued. While planning it notes the kernels of both.
func (b *Backend) draw(s shape, batch *backend.Batch, logits tensor.View, host uintptr) bool {
	h := b.head
	b.head, b.postpones = head{}, false
	if b.err != nil || h.y.Rank == 0 || h.y != logits || h.y.Dim[0] != s.samples || !b.k.DrawsLogits(h.x, h.w) {
		b.logits(h)
		return false
	}
	b.fail(b.k.DrawLogits(b.stream, b.samples(s, batch, logits), h.x, h.w, h.scale, h.softcap, host, b.rows))
	if b.planning {
		b.logits(h)
	}
	return !b.planning
}

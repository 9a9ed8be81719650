package cuda

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// On Hopper, where all samples of a step are greedy, the kernel that makes the logits keeps the largest, and leaves none in memory.
// Only what forward returns is meant: so in such a step Logits notes what it is to do, and the next Logits, or the end of forward,
// has it done. With a temperature the noise would be made between the products: that takes longer than to read the logits again.

// head is what Logits is to do.
type head struct {
	x, w, y        tensor.View
	scale, softcap float32
}

// takesArgmax reports whether steps may end so. Deterministic, the logits are made by the kernels that were compared at the start.
func (b *Backend) takesArgmax() bool { return !b.opts.Single && !b.opts.Deterministic && b.k.Hopper() }

// logits enqueues what was noted.
func (b *Backend) logits(h head) {
	if b.err == nil && h.y.Rank > 0 {
		b.fail(b.k.Logits(b.stream, h.y, h.x, h.w, h.scale, h.softcap))
	}
}

// argmax enqueues the likeliest token of each row of logits, which forward returned, with the copy of results to host unless that is
// 0. If it cannot it returns false, and the logits are enqueued. While planning it notes the kernels of both.
func (b *Backend) argmax(s shape, batch *backend.Batch, logits tensor.View, host uintptr) bool {
	h := b.head
	b.head, b.postpones = head{}, false
	if b.err != nil || h.y.Rank == 0 || h.y != logits || h.y.Dim[0] != s.samples || !b.k.TakesArgmax(h.x, h.w) {
		b.logits(h)
		return false
	}
	b.fail(b.k.ArgmaxLogits(b.stream, b.samples(s, batch, logits), h.x, h.w, h.scale, h.softcap, host, b.rows))
	if b.planning {
		b.logits(h)
	}
	return !b.planning
}

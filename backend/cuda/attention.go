package cuda

import (
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// RopeStore takes the fused projection apart: q normalised and rotated, k and v in the cache.
func (b *Backend) RopeStore(qkv tensor.View, a *backend.Attention, batch *backend.Batch) tensor.View {
	q := b.alloc(b.opts.Elem, qkv.Dim[0], a.Heads*a.HeadDim)
	if b.err == nil {
		r := b.ropeStore(q, qkv, a, batch)
		b.fail(b.k.RopeStore(b.stream, &r))
	}
	return q
}

func (b *Backend) ropeStore(q, qkv tensor.View, a *backend.Attention, batch *backend.Batch) ptx.RopeStore {
	k, v := b.layerOf(a)
	return ptx.RopeStore{
		Q: q, KCache: k, VCache: v, QKV: qkv, Slots: batch.Slots, Pos: batch.Pos,
		QNorm: viewOf(a.QNorm), KNorm: viewOf(a.KNorm), Table: viewOf(a.Rope.Table),
		Heads: a.Heads, Interleaved: a.Rope.Interleaved, Eps: a.Eps,
	}
}

// layerOf returns the cache of a's layer; while planning, when there is none yet, one of a single slot.
func (b *Backend) layerOf(a *backend.Attention) (k, v tensor.View) {
	if b.planning {
		k = tensor.Of(0, b.opts.Elem, a.KVHeads, 1, a.HeadDim)
		return k, k
	}
	return b.kv.layer(a.Layer)
}

// tables returns the page table and the token pool; while planning, their shapes.
func (b *Backend) tables() (pages, tokens tensor.View) {
	if b.planning {
		pages = tensor.Of(0, tensor.I32, b.limits.Requests+1, b.limits.MaxContext+1)
		return pages, pages
	}
	return b.kv.pages, b.kv.tokens
}

// Attend returns the attention of q over the slots of each request, causal. Deterministic, every token goes the way of a
// prompt's: it may be computed again as one.
func (b *Backend) Attend(q tensor.View, a *backend.Attention, batch *backend.Batch) tensor.View {
	y := b.alloc(b.opts.Elem, q.Dim[0], q.Dim[1])
	if b.opts.Deterministic {
		b.fail(b.checkWindow(a))
	} else if b.planning {
		b.fail(b.k.ReserveDecode(b.stream, a.HeadDim, a.KVHeads, b.rows))
	}
	if b.err != nil {
		return y
	}
	k, v := b.layerOf(a)
	pages, _ := b.tables()
	kv := ptx.KV{K: k, V: v, Pages: pages}
	r := ptx.Requests{Rows: batch.Rows, Start: batch.Start, Context: batch.Context, Tokens: batch.Tokens, Decodes: batch.Decodes}
	f := ptx.Scores{Scale: a.Scale, Softcap: a.Softcap, Window: a.Window}
	if b.opts.Deterministic {
		r.Decodes = 0
	}
	b.fail(b.k.AttendPrefill(b.stream, y, q, kv, r, f))
	if b.err == nil && r.Decodes > 0 {
		b.fail(b.k.AttendDecode(b.stream, y, q, kv, r, f))
	}
	return y
}

// checkWindow refuses a window that a request can outgrow: the keys that a tile of queries sees together, but one of them
// alone does not, leave a rounding behind in the factor of its sums.
func (b *Backend) checkWindow(a *backend.Attention) error {
	if a.Window == 0 || a.Window >= b.limits.MaxContext {
		return nil
	}
	return fmt.Errorf("cannot make results independent of the batch: attention has a window of %d tokens, and a context may have %d; limit it to %d",
		a.Window, b.limits.MaxContext, a.Window)
}

package cuda

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// RopeStore takes the fused projection apart: q normalised and rotated, k and v in the cache.
func (b *Backend) RopeStore(qkv tensor.View, a *backend.Attention, batch *backend.Batch) tensor.View {
	q := b.alloc(b.opts.Elem, qkv.Dim[0], a.Heads*a.HeadDim)
	if b.err != nil {
		return q
	}
	k, v := b.layerOf(a)
	r := ptx.RopeStore{
		Q: q, KCache: k, VCache: v, QKV: qkv, Slots: batch.Slots, Pos: batch.Pos,
		QNorm: viewOf(a.QNorm), KNorm: viewOf(a.KNorm), Table: viewOf(a.Rope.Table),
		Heads: a.Heads, Interleaved: a.Rope.Interleaved, Eps: a.Eps,
	}
	b.fail(b.k.RopeStore(b.stream, &r))
	return q
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

// Attend returns the attention of q over the slots of each request, causal.
func (b *Backend) Attend(q tensor.View, a *backend.Attention, batch *backend.Batch) tensor.View {
	y := b.alloc(b.opts.Elem, q.Dim[0], q.Dim[1])
	if b.planning {
		b.attendWork.Dim[0] = max(b.attendWork.Dim[0], b.k.AttendWork(a.HeadDim))
	}
	if b.err != nil {
		return y
	}
	k, v := b.layerOf(a)
	pages, _ := b.tables()
	kv := ptx.KV{K: k, V: v, Pages: pages}
	r := ptx.Requests{Rows: batch.Rows, Start: batch.Start, Context: batch.Context, Tokens: batch.Tokens, Decodes: batch.Decodes}
	f := ptx.Scores{Scale: a.Scale, Softcap: a.Softcap, Window: a.Window}
	b.fail(b.k.AttendPrefill(b.stream, y, q, kv, r, f))
	if b.err == nil {
		b.fail(b.k.AttendDecode(b.stream, y, q, kv, r, f, b.attendWork))
	}
	return y
}

// reserveAttend takes the workspace of decode attention, zeroed.
func (b *Backend) reserveAttend() (err error) {
	n := b.attendWork.Bytes()
	if n == 0 {
		return nil
	}
	if b.attendWork.Ptr, err = b.memory.device(n); err != nil {
		return err
	}
	return driver.Memset8(b.stream, b.attendWork.Ptr, 0, n)
}

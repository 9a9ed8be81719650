package cuda

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// Embed returns rows b.IDs of table times scale. Its result lives until the next Begin.
func (b *Backend) Embed(table backend.Weight, batch *backend.Batch, scale float32) tensor.View {
	v := viewOf(table)
	y := b.allocIn(&b.arena.regions[lasting], b.opts.Elem, batch.IDs.Dim[0], v.Dim[1])
	if b.err == nil {
		b.fail(b.k.Rows(b.stream, y, v, batch.IDs, scale))
	}
	return y
}

// Last gathers rows batch.Last of x: all of them, in order, in the batch of a graph.
func (b *Backend) Last(x tensor.View, batch *backend.Batch) tensor.View {
	if st, ok := batch.State.(*step); ok && batch == &st.padded && x.Contiguous() {
		return x
	}
	y := b.alloc(b.opts.Elem, batch.Last.Dim[0], x.Dim[1])
	if b.err == nil {
		b.fail(b.k.Rows(b.stream, y, x, batch.Last, 1))
	}
	return y
}

// RMSNorm returns x / sqrt(mean(x²)+eps) · w.
func (b *Backend) RMSNorm(x tensor.View, w backend.Weight, eps float32) tensor.View {
	y := b.alloc(b.opts.Elem, x.Dim[0], x.Dim[1])
	if b.err == nil {
		b.fail(b.k.RMSNorm(b.stream, y, x, viewOf(w), eps))
	}
	return y
}

// AddRMSNorm adds x to res and returns the norm of the sum, and the sum, rounded to bf16 before the norm.
func (b *Backend) AddRMSNorm(x, res tensor.View, w backend.Weight, eps float32) (y, sum tensor.View) {
	switch {
	case res.Rank == 0 && w == nil:
		return x, x
	case res.Rank == 0:
		return b.RMSNorm(x, w, eps), x
	case w == nil:
		if b.err == nil {
			b.fail(b.k.Add(b.stream, res, x))
		}
		return res, res
	}
	y = b.alloc(b.opts.Elem, x.Dim[0], x.Dim[1])
	if b.err == nil {
		b.fail(b.k.AddRMSNorm(b.stream, y, res, x, viewOf(w), eps))
	}
	return y, res
}

// Linear returns x·Wᵀ + bias.
func (b *Backend) Linear(x tensor.View, w, bias backend.Weight) tensor.View {
	v := viewOf(w)
	y := b.alloc(b.opts.Elem, x.Dim[0], v.Dim[0])
	if b.err == nil {
		b.fail(b.k.Linear(b.stream, y, x, v, viewOf(bias)))
	}
	return y
}

// GatedLinear returns act(x·gateᵀ) · (x·upᵀ).
func (b *Backend) GatedLinear(x tensor.View, w backend.Weight, act backend.Activation) tensor.View {
	v := gatedView(w)
	y := b.alloc(b.opts.Elem, x.Dim[0], v.Dim[0]/2)
	if b.err == nil {
		b.fail(b.k.GatedLinear(b.stream, y, x, v, activations[act]))
	}
	return y
}

// gatedView returns the view of a weight that LoadGated made, empty for any other.
func gatedView(w backend.Weight) tensor.View {
	if g, ok := w.(*weight); ok && g != nil && g.gated {
		return g.view
	}
	return tensor.View{}
}

var activations = [...]ptx.Activation{backend.SiLU: ptx.SiLU, backend.GELU: ptx.GELU, backend.GELUTanh: ptx.GELUTanh}

// Logits returns scale·x·Wᵀ as f32, softly capped when softcap > 0. In a step of greedy samples (argmax.go) what it returns
// may stay empty.
func (b *Backend) Logits(x tensor.View, w backend.Weight, scale, softcap float32) tensor.View {
	v := viewOf(w)
	y := b.alloc(tensor.F32, x.Dim[0], v.Dim[0])
	h := head{x, v, y, scale, softcap}
	if b.postpones {
		h, b.head = b.head, h
	}
	b.logits(h)
	return y
}

// AllReduce returns x: this backend is one rank.
func (b *Backend) AllReduce(x tensor.View) tensor.View { return x }

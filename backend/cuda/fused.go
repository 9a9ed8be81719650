package cuda

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// Kernels that do several operations of a layer are taken on Hopper, in bf16, where they were measured to be faster than one
// for each (docs/DECODE.md): for at most ptx.MaxFused tokens, and matrices of at most so many weights. Every tile of features
// norms its tokens anew, which a large matrix does more often; it saves a kernel for the norm, and with heads RopeStore's too.
// Deterministic, none is taken: they split sums by the batch.
const mostGated, mostHeads = 16 << 20, 32 << 20

// NormHeads returns q of RopeStore(Linear(norm(res))), and the stream.
func (b *Backend) NormHeads(res backend.Residual, n backend.Norm, w, bias backend.Weight, a *backend.Attention, batch *backend.Batch) (q tensor.View, sum backend.Residual) {
	x, ok := b.fuses(res, n, viewOf(w), mostHeads)
	if !ok || !ptx.FusesHeads(a.HeadDim, viewOf(a.Rope.Table).Dim[1]) || wide(a.QNorm, a) || wide(a.KNorm, a) {
		return backend.ComposeNormHeads(b, res, n, w, bias, a, batch)
	}
	q = b.alloc(b.opts.Elem, x.Dim[0], a.Heads*a.HeadDim)
	if b.err == nil {
		r := b.ropeStore(q, tensor.View{}, a, batch)
		b.fail(b.k.NormHeads(b.stream, x, viewOf(n.W), viewOf(w), viewOf(bias), n.Eps, &r))
	}
	return q, backend.Residual{Sum: x}
}

// NormGated returns GatedLinear(norm(res)), and the stream.
func (b *Backend) NormGated(res backend.Residual, n backend.Norm, w backend.Weight, act backend.Activation) (y tensor.View, sum backend.Residual) {
	v := gatedView(w)
	x, ok := b.fuses(res, n, v, mostGated)
	if !ok {
		return backend.ComposeNormGated(b, res, n, w, act)
	}
	y = b.alloc(b.opts.Elem, x.Dim[0], v.Dim[0]/2)
	if b.err == nil {
		b.fail(b.k.NormGated(b.stream, y, x, viewOf(n.W), v, n.Eps, activations[act]))
	}
	return y, backend.Residual{Sum: x}
}

// AddLinear adds x·Wᵀ + bias to the stream, or returns the stream with that to come.
func (b *Backend) AddLinear(res backend.Residual, x tensor.View, w, bias backend.Weight) backend.Residual {
	v := viewOf(w)
	if !b.fusesRows(x.Dim[0]) || res.Next.Rank > 0 || res.Sum.Rank == 0 || v.Dim[0]%8 != 0 {
		return backend.ComposeAddLinear(b, res, x, w, bias)
	}
	if b.err == nil {
		b.fail(b.k.AddLinear(b.stream, res.Sum, x, v, viewOf(bias)))
	}
	return res
}

// fuses returns the stream where one kernel takes its norm n and the product with w: nothing is left to be added to it.
func (b *Backend) fuses(res backend.Residual, n backend.Norm, w tensor.View, most int) (x tensor.View, ok bool) {
	switch {
	case n.W == nil || res.Sum.Rank > 0 && res.Next.Rank > 0:
		return x, false
	case res.Sum.Rank == 0: // the stream begins
		x = res.Next
	default:
		x = res.Sum
	}
	return x, x.Rank == 2 && x.Type == tensor.BF16 && w.Len() <= most && b.fusesRows(x.Dim[0])
}

// fusesRows reports whether fused kernels take steps of that many tokens.
func (b *Backend) fusesRows(rows int) bool {
	o := &b.opts
	return !o.Single && !o.Deterministic && b.k.Hopper() && o.Elem == tensor.BF16 && rows <= ptx.MaxFused
}

// wide reports whether norm takes all heads as one vector.
func wide(norm backend.Weight, a *backend.Attention) bool {
	v := viewOf(norm)
	return v.Rank > 0 && v.Dim[0] != a.HeadDim
}

package cuda

import (
	"fmt"
	"strings"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// Fusing is a set of what kernels do together.
type Fusing uint8

const (
	FuseAdd     Fusing = 1 << iota // a projection and its sum with the residual stream
	FuseGate                       // the norm and the gated projection, where FuseAdd left nothing to add
	FuseHeads                      // the norm, the projection to heads, and RopeStore, likewise
	EarlyAttend                    // decode attention, with the wait for the kernel ahead of it
	AheadAttend                    // that by attend_ahead_sm90.cu; not in FuseAll until it is measured
	AheadTwice                     // with two blocks on a multiprocessor, where requests are few, instead of one
	FuseAll     = FuseAdd | FuseGate | FuseHeads | EarlyAttend
)

var fusings = map[string]Fusing{"": 0, "all": FuseAll, "add": FuseAdd, "gate": FuseGate, "heads": FuseHeads, "attend": EarlyAttend, "ahead": EarlyAttend | AheadAttend,
	"ahead2": EarlyAttend | AheadAttend | AheadTwice}

// ParseFusing reads names with commas between: add, gate, heads, attend, ahead or ahead2, or all.
func ParseFusing(names string) (f Fusing, err error) {
	for name := range strings.SplitSeq(names, ",") {
		bit, ok := fusings[name]
		if !ok {
			return 0, fmt.Errorf("cannot fuse %q: want some of add, gate, heads, attend, ahead, ahead2, or all", name)
		}
		f |= bit
	}
	return f, nil
}

// ahead is what ptx.Kernels.Ahead takes.
func (f Fusing) ahead() int {
	switch {
	case f&AheadTwice != 0:
		return 2
	case f&AheadAttend != 0:
		return 1
	}
	return 0
}

// NormHeads returns q of RopeStore(Linear(norm(res))), and the stream.
func (b *Backend) NormHeads(res backend.Residual, n backend.Norm, w, bias backend.Weight, a *backend.Attention, batch *backend.Batch) (q tensor.View, sum backend.Residual) {
	x, ok := b.fuses(FuseHeads, res, n, viewOf(w))
	if !ok || !ptx.FusesHeads(a.HeadDim) || wide(a.QNorm, a) || wide(a.KNorm, a) {
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
	x, ok := b.fuses(FuseGate, res, n, v)
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
	if !b.fusesRows(FuseAdd, x.Dim[0]) || res.Next.Rank > 0 || res.Sum.Rank == 0 || v.Dim[0]%8 != 0 {
		return backend.ComposeAddLinear(b, res, x, w, bias)
	}
	if b.err == nil {
		b.fail(b.k.AddLinear(b.stream, res.Sum, x, v, viewOf(bias)))
	}
	return res
}

// fuses returns the stream where one kernel takes its norm n and the product with w, as f says: nothing is left to be added to it.
func (b *Backend) fuses(f Fusing, res backend.Residual, n backend.Norm, w tensor.View) (x tensor.View, ok bool) {
	switch {
	case n.W == nil || res.Sum.Rank > 0 && res.Next.Rank > 0:
		return x, false
	case res.Sum.Rank == 0: // the stream begins
		x = res.Next
	default:
		x = res.Sum
	}
	few := x.Rank == 2 && (x.Dim[0] <= manyRows || w.Len() <= smallMatrix)
	return x, few && x.Type == tensor.BF16 && b.fusesRows(f, x.Dim[0])
}

// Every tile of features scales x anew. Beyond so many tokens that is thought to cost more than a norm of its own, unless
// the matrix has few tiles.
const manyRows, smallMatrix = 32, 8 << 20

// fusesRows reports whether the kernels of f take steps of that many tokens.
func (b *Backend) fusesRows(f Fusing, rows int) bool {
	return b.opts.Fused&f != 0 && b.k.Hopper() && !b.opts.Deterministic && b.opts.Residual == tensor.BF16 && rows <= ptx.MaxFused
}

// wide reports whether norm takes all heads as one vector.
func wide(norm backend.Weight, a *backend.Attention) bool {
	v := viewOf(norm)
	return v.Rank > 0 && v.Dim[0] != a.HeadDim
}

package kernels

import (
	"fmt"

	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// fusedCases are the linear operations of a layer with their neighbours, for few tokens on Hopper.
func fusedCases() []Case {
	var out []Case
	for _, m := range []int{1, 8, 16, 32} {
		for _, w := range matrices {
			switch w.name {
			case "0.6B o", "0.6B down", "8B o", "8B down":
				out = append(out, fusedCase("add_linear", w, m, m*w.n, (*machine).addLinear))
			case "0.6B gate+up", "8B gate+up":
				out = append(out, fusedCase("norm_gated", w, m, m*w.n/2, (*machine).normGated))
			case "0.6B qkv", "8B qkv":
				out = append(out, fusedCase("norm_heads", w, m, m*w.n, (*machine).normHeads))
			}
		}
	}
	return out
}

// fusedCase reads x [M,K] and w [N,K] and writes so many values.
func fusedCase(kernel string, w matrix, m, results int, run func(*machine, matrix, int) (call, error)) Case {
	room := sizes{hot: 2 * m * w.k, cold: 2 * w.n * w.k, out: 2 * results}
	return Case{
		Kernel: kernel, Name: w.name, Dims: fmt.Sprintf("M=%d N=%d K=%d", m, w.n, w.k), op: "fused", m: m, room: room,
		Bytes: float64(room.hot + room.cold + room.out), Ops: 2 * float64(m) * float64(w.n) * float64(w.k),
		make: func(g *machine) (call, error) {
			if !g.k.Hopper() {
				return nil, fmt.Errorf("%s runs on Hopper alone", kernel)
			}
			return run(g, w, m)
		},
	}
}

func (g *machine) addLinear(w matrix, m int) (call, error) {
	x, res, weights := tensor.Of(g.hot.base, tensor.BF16, m, w.k), tensor.Of(g.out.base, tensor.BF16, m, w.n), g.matrices(g.cold, w.n, w.k)
	return func(i int) error { return g.k.AddLinear(g.s, res, x, weights(i), tensor.View{}) }, nil
}

// floats are zeros of f32.
func (g *machine) floats(dims ...int) (tensor.View, error) {
	n := 1
	for _, d := range dims {
		n *= d
	}
	v, err := g.ints(make([]int32, n))
	return tensor.Of(v.Ptr, tensor.F32, dims...), err
}

func (g *machine) normGated(w matrix, m int) (call, error) {
	norm, err := g.floats(w.k)
	x, y, weights := tensor.Of(g.hot.base, tensor.BF16, m, w.k), tensor.Of(g.out.base, tensor.BF16, m, w.n/2), g.matrices(g.cold, w.n, w.k)
	return func(i int) error { return g.k.NormGated(g.s, y, x, norm, weights(i), 1e-6, ptx.SiLU) }, err
}

// normHeads has eight KV heads of 128, each with a norm.
func (g *machine) normHeads(w matrix, m int) (call, error) {
	const kv, d = 8, 128
	slots := make([]int32, m)
	for i := range slots {
		slots[i] = int32(i)
	}
	at, err := g.ints(slots)
	if err != nil {
		return nil, err
	}
	norm, err := g.floats(w.k)
	if err != nil {
		return nil, err
	}
	headNorm, err := g.floats(d)
	if err != nil {
		return nil, err
	}
	table, err := g.floats(m, d)
	if err != nil {
		return nil, err
	}
	heads := w.n/d - 2*kv
	plane := func(n int) tensor.View {
		return tensor.Of(g.out.base+uintptr(2*m*d*(heads+n*kv)), tensor.BF16, kv, m, d)
	}
	a := &ptx.RopeStore{Q: tensor.Of(g.out.base, tensor.BF16, m, heads*d), KCache: plane(0), VCache: plane(1), Slots: at, Pos: at,
		QNorm: headNorm, KNorm: headNorm, Table: table, Heads: heads, Eps: 1e-6}
	x, weights := tensor.Of(g.hot.base, tensor.BF16, m, w.k), g.matrices(g.cold, w.n, w.k)
	return func(i int) error { return g.k.NormHeads(g.s, x, norm, weights(i), tensor.View{}, 1e-6, a) }, nil
}

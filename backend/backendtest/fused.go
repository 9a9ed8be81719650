package backendtest

import (
	"math"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// testFused checks what stands for several operations of a layer; NormHeads is among the attentions.
func testFused(t *testing.T, s suite) {
	for _, w := range []struct{ in, hidden, inter int }{{328, 64, 96}, {64, 576, 192}, {1096, 1032, 72}, {1536, 1024, 336}} {
		t.Run(label("%d,%d,%d", w.in, w.hidden, w.inter), func(t *testing.T) {
			h := open(t, s)
			for i, n := range append(s.tokens(), 16, 48, 64) {
				if n*w.hidden > 150*1000 {
					continue // the reference takes too long
				}
				h.fusedCase(n, i, w.in, w.hidden, w.inter)
			}
			h.run()
		})
	}
}

const fusedEps = 1e-2

// fusedCase adds a projection to a stream, and takes a gated product of the stream's norm.
func (h *harness) fusedCase(n, i, in, hidden, inter int) {
	h.t.Helper()
	down, m := h.load(h.random(tensor.BF16, hidden, in))
	gate, up := h.random(tensor.F32, inter, hidden), h.random(tensor.BF16, inter, hidden)
	gated := must[backend.Weight](h)(h.b.LoadGated(gate.source, up.source))
	x, res, norm, bias := h.input(n, in, 1), h.input(n, hidden, 2), h.normal(hidden, 1), h.normal(hidden, 1)
	again := h.put(res.data, n, hidden) // operations add in place
	w := backend.Norm{W: h.vector(norm), Eps: fusedEps}
	var bw backend.Weight
	if i%2 == 0 {
		bw = h.vector(bias)
	} else {
		clear(bias)
	}
	sum := products(x, m)
	for i, v := range res.data {
		sum.want[i] += float64(v) + float64(bias[i%hidden])
		sum.mag[i] += math.Abs(float64(v)) + math.Abs(float64(bias[i%hidden]))
	}
	stream := func(k backend.Kernels, res input, in func(input) tensor.View) backend.Residual {
		_, s := k.AddRMSNorm(in(res), tensor.View{}, nil, fusedEps)
		return k.AddLinear(backend.Residual{Sum: s}, in(x), down, bw)
	}
	// The projection may be rounded, and their sum is.
	h.add(op{label("AddLinear T=%d [%d %d] bias %v", n, hidden, in, bw != nil),
		func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
			y, _ := backend.Normed(k, stream(k, res, in), backend.Norm{})
			return y
		}, sum, tolerance{f32: 1e-6, bf16: 0x1p-7}})
	h.add(op{label("AddLinear, NormGated T=%d [%d %d] act %d", n, inter, hidden, i%3),
		func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
			y, _ := k.NormGated(stream(k, again, in), w, gated, backend.Activation(i%3))
			return y
		}, gatedNorm(sum, norm, backend.Activation(i%3), gate, up), tolerance{f32: 2e-6, bf16: 0x1p-7}})
}

// gatedNorm is act(z·gateᵀ) · (z·upᵀ) with z the norm of x.
func gatedNorm(x reference, norm []float32, act backend.Activation, gate, up matrix) (r reference) {
	hidden := len(norm)
	z := norms(float32s(x.want), norm, hidden, fusedEps)
	in := input{data: float32s(z.want), rows: len(z.want) / hidden, cols: hidden}
	g, u := products(in, gate), products(in, up)
	for i := range g.want {
		a := activation(act, g.want[i])
		r.want = append(r.want, a*u.want[i])
		r.mag = append(r.mag, 1.13*g.mag[i]*math.Abs(u.want[i])+math.Abs(a)*u.mag[i])
	}
	return r
}

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

package backendtest

import (
	"math"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// A sum of K products in f32, in any order, is off by less than sqrt(K)·2^-24 of the sum of their magnitudes with
// random signs; 1e-6 is that for K = 300, and every order used sums at least 8 partial sums. bf16 rounds the result.
var dotTolerance = tolerance{f32: 1e-6, bf16: 0x1p-8}

// matrix is a linear weight: the values that the backend should compute with, and what they are loaded from.
type matrix struct {
	rows, cols int
	data       []float32
	source     backend.Source
}

// random makes a matrix of type t of values that t holds exactly.
func (h *harness) random(t tensor.DType, rows, cols int) matrix {
	data := h.normal(rows*cols, 1/math.Sqrt(float64(cols)))
	if t == tensor.F16 {
		for i, v := range data {
			data[i] = float32(fromF16(toF16(v)))
		}
	}
	return matrix{rows, cols, data, source(t, data, rows, cols)}
}

func testLinear(t *testing.T, o suite) {
	for _, s := range []struct{ in, out int }{{64, 96}, {576, 192}, {1024, 64}, {192, 1000}, {1536, 72}} {
		t.Run(label("%dx%d", s.out, s.in), func(t *testing.T) {
			h := open(t, o)
			types := []tensor.DType{tensor.BF16, tensor.F32, tensor.F16}
			for i, n := range o.tokens() {
				if n*s.in > 1000*1000 || n > 200 && s.out > 192 {
					continue // the reference takes too long
				}
				a, b := h.random(types[i%3], s.out, s.in), h.random(types[(i+1)%3], s.out/2, s.in)
				h.linearCase(n, h.normal(s.out, 1), a)
				h.linearCase(n, nil, a, b)
				h.logitsCase(n, a)
				h.gatedCase(n, backend.Activation(i%3), a, h.random(types[(i+2)%3], s.out, s.in))
			}
			h.run()
		})
	}
}

func (h *harness) linearCase(n int, bias []float32, parts ...matrix) {
	h.t.Helper()
	w, m := h.load(parts...)
	x := h.input(n, m.cols, 1)
	var bw backend.Weight
	if bias != nil {
		bw = h.vector(bias)
	}
	r := products(x, m)
	for i := range r.want {
		if bias != nil {
			r.want[i] += float64(bias[i%m.rows])
			r.mag[i] += math.Abs(float64(bias[i%m.rows]))
		}
	}
	h.add(op{label("Linear T=%d %s %d parts bias %v", n, parts[0].source.Name, len(parts), bias != nil),
		func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
			return k.Linear(in(x), w, bw)
		},
		r, dotTolerance})
}

// load stacks parts.
func (h *harness) load(parts ...matrix) (backend.Weight, matrix) {
	h.t.Helper()
	var sources []backend.Source
	all := matrix{cols: parts[0].cols}
	for _, p := range parts {
		sources = append(sources, p.source)
		all.rows += p.rows
		all.data = append(all.data, p.data...)
	}
	w := must[backend.Weight](h)(h.b.LoadLinear(sources...))
	if rows, cols := w.Dims(); rows != all.rows || cols != all.cols {
		h.t.Fatalf("Dims() = %d,%d, want %d,%d", rows, cols, all.rows, all.cols)
	}
	return w, all
}

// logitsCase checks scale and softcap; logits are f32 whatever the activations.
func (h *harness) logitsCase(n int, m matrix) {
	h.t.Helper()
	w, _ := h.load(m)
	x := h.input(n, m.cols, 1)
	const scale, softcap = 0.5, 3.0
	r := products(x, m)
	for i := range r.want {
		r.want[i] = softcap * math.Tanh(scale*r.want[i]/softcap)
		r.mag[i] = scale*r.mag[i] + 0.1 // tanh in float32: 1e-7 of softcap
	}
	h.add(op{label("Logits S=%d %s", n, m.source.Name),
		func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
			return k.Logits(in(x), w, scale, softcap)
		}, r, tolerance{f32: 2e-6, bf16: 4e-6}})
}

// gatedCase checks an activation. Its slope is at most 1.13, so an error of the gate passes on times |up|.
func (h *harness) gatedCase(n int, act backend.Activation, gate, up matrix) {
	h.t.Helper()
	w := must[backend.Weight](h)(h.b.LoadGated(gate.source, up.source))
	x := h.input(n, gate.cols, 1)
	g, u := products(x, gate), products(x, up)
	r := reference{}
	for i := range g.want {
		a := activation(act, g.want[i])
		r.want = append(r.want, a*u.want[i])
		r.mag = append(r.mag, 1.13*g.mag[i]*math.Abs(u.want[i])+math.Abs(a)*u.mag[i])
	}
	h.add(op{label("GatedLinear T=%d %s act %d", n, gate.source.Name, act),
		func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
			return k.GatedLinear(in(x), w, act)
		}, r, dotTolerance})
}

func activation(act backend.Activation, x float64) float64 {
	switch act {
	case backend.SiLU:
		return x / (1 + math.Exp(-x))
	case backend.GELU:
		return 0.5 * x * math.Erfc(-x/math.Sqrt2)
	case backend.GELUTanh:
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}
	panic("BUG: unknown activation")
}

// products returns x·Wᵀ and the sums of the absolute products.
func products(x input, w matrix) reference {
	r := reference{make([]float64, x.rows*w.rows), make([]float64, x.rows*w.rows)}
	for i := range r.want {
		a, b := x.data[i/w.rows*w.cols:][:w.cols], w.data[i%w.rows*w.cols:][:w.cols]
		sum, mag := 0.0, 0.0
		for k, v := range a {
			p := float64(v) * float64(b[k])
			sum += p
			mag += math.Abs(p)
		}
		r.want[i], r.mag[i] = sum, mag
	}
	return r
}

// testEmbed checks rows and scale, for each plain type.
func testEmbed(t *testing.T, o suite) {
	for _, typ := range []tensor.DType{tensor.F32, tensor.F16, tensor.BF16} {
		t.Run(typ.String(), func(t *testing.T) {
			h := open(t, o)
			m := h.random(typ, 64, 576)
			w, _ := h.load(m)
			const scale = 24
			r := reference{}
			for _, id := range []int{3, 1, 2} { // the ids of harness.run
				for _, v := range m.data[id*m.cols:][:m.cols] {
					r.want = append(r.want, scale*float64(v))
					r.mag = append(r.mag, scale*math.Abs(float64(v)))
				}
			}
			h.add(op{"Embed", func(k backend.Kernels, b *backend.Batch, _ func(input) tensor.View) tensor.View {
				return k.Embed(w, b, scale)
			}, r, tolerance{f32: 0x1p-23, bf16: 0x1p-8}}) // one rounding
			h.run()
		})
	}
}

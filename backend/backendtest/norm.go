package backendtest

import (
	"math"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// One rounding each of the root, the product with it and the product with w, and in bf16 one of the result.
var normTolerance = tolerance{f32: 4e-7, bf16: 0x1p-8}

func testNorm(t *testing.T, o suite) {
	h := open(t, o)
	for _, n := range o.tokens() {
		for _, width := range []int{64, 576, 1024, 5120} {
			if n > 200 && width > 576 {
				continue
			}
			h.rmsNorm(n, width)
			h.addRMSNorm(n, width)
			h.addOnly(n, width)
		}
	}
	h.run()
}

func (h *harness) rmsNorm(n, width int) {
	x, w := h.input(n, width, 2), h.normal(width, 1)
	weight := h.vector(w)
	h.add(op{label("RMSNorm T=%d H=%d", n, width), func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
		return k.RMSNorm(in(x), weight, 1e-5)
	}, norms(x.data, w, width, 1e-5), normTolerance})
}

// addRMSNorm checks the norm; addOnly checks the sum, also of a stream that an empty residual started.
func (h *harness) addRMSNorm(n, width int) {
	x, res, w := h.input(n, width, 1), h.input(n, width, 2), h.normal(width, 1)
	weight := h.vector(w)
	sum := make([]float32, len(x.data))
	for i := range sum {
		sum[i] = float32(rounded(h.act, float64(x.data[i]+res.data[i])))
	}
	h.add(op{label("AddRMSNorm T=%d H=%d", n, width), func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
		_, stream := k.AddRMSNorm(in(res), tensor.View{}, nil, 1e-6)
		y, _ := k.AddRMSNorm(in(x), stream, weight, 1e-6)
		return y
	}, norms(sum, w, width, 1e-6), normTolerance})
}

func (h *harness) addOnly(n, width int) {
	x, res := h.input(n, width, 1), h.input(n, width, 2)
	r := reference{}
	for i := range x.data {
		v := float64(x.data[i]) + float64(res.data[i])
		r.want, r.mag = append(r.want, v), append(r.mag, math.Abs(v))
	}
	h.add(op{label("AddRMSNorm, nil w, T=%d H=%d", n, width), func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
		_, stream := k.AddRMSNorm(in(res), tensor.View{}, nil, 1e-6)
		y, _ := k.AddRMSNorm(in(x), stream, nil, 1e-6)
		return y
	}, r, tolerance{f32: 0x1p-23, bf16: 0x1p-8}}) // one rounding
}

// norms returns the norm of each row of x.
func norms(x, w []float32, width int, eps float64) reference {
	r := reference{}
	for ; len(x) > 0; x = x[width:] {
		sum := 0.0
		for _, v := range x[:width] {
			sum += float64(v) * float64(v)
		}
		scale := 1 / math.Sqrt(sum/float64(width)+eps)
		for i, v := range x[:width] {
			y := float64(v) * scale * float64(w[i])
			r.want, r.mag = append(r.want, y), append(r.mag, math.Abs(y))
		}
	}
	return r
}

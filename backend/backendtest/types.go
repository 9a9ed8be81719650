package backendtest

import (
	"math"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// testTypes loads every quantised type alone and stacked on another, and multiplies and embeds with it. The tolerance
// in bf16 allows for a backend that rounds the dequantised weights.
func testTypes(t *testing.T, o suite) {
	for _, p := range packers {
		t.Run(p.typ.String(), func(t *testing.T) {
			h := open(t, o)
			const rows, cols = 20, 512
			a := h.packed(p, rows, cols)
			bottom := h.random(tensor.BF16, 13, cols)
			for _, n := range []int{1, 3, 19} {
				h.typeCase(n, a)
				h.typeCase(n, a, bottom)
			}
			h.embedRows(a)
			h.run()
		})
	}
}

func (h *harness) typeCase(n int, parts ...matrix) {
	h.t.Helper()
	w, m := h.load(parts...)
	x := h.input(n, m.cols, 1)
	h.add(op{label("Linear T=%d %s %d parts", n, parts[0].source.Name, len(parts)),
		func(k backend.Kernels, _ *backend.Batch, in func(input) tensor.View) tensor.View {
			return k.Linear(in(x), w, nil)
		},
		products(x, m), tolerance{f32: 1e-6, bf16: 0x1p-7}})
}

func (h *harness) embedRows(m matrix) {
	h.t.Helper()
	w, _ := h.load(m)
	r := reference{}
	for _, id := range []int{3, 1, 2} { // the ids of harness.run
		for _, v := range m.data[id*m.cols:][:m.cols] {
			r.want = append(r.want, float64(v))
			r.mag = append(r.mag, math.Abs(float64(v)))
		}
	}
	h.add(op{"Embed " + m.source.Name, func(k backend.Kernels, b *backend.Batch, _ func(input) tensor.View) tensor.View {
		return k.Embed(w, b, 1)
	}, r, tolerance{f32: 0x1p-22, bf16: 0x1p-8}})
}

// packed makes a matrix of random blocks.
func (h *harness) packed(p packer, rows, cols int) matrix {
	m := matrix{rows: rows, cols: cols}
	var data []byte
	for range rows * cols / p.typ.Block() {
		block, values := p.pack(h)
		data = append(data, block...)
		m.data = append(m.data, values...)
	}
	m.source = backend.Source{Name: label("%s[%d %d]", p.typ, rows, cols), Type: p.typ, Dim: []int{rows, cols}, Data: data}
	return m
}

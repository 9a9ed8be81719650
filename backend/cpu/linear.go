package cpu

import (
	"math"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Linear returns x·Wᵀ + bias.
func (b *Backend) Linear(x tensor.View, w, bias backend.Weight) tensor.View {
	c, m := b.checkLinear("linear", x, w)
	t := linearTask{scale: 1}
	if bias != nil {
		var v tensor.View
		v, t.bias = value(bias)
		c.Want("bias", v, tensor.F32, "Out")
	}
	return b.multiply(c, x, m, t)
}

// GatedLinear returns act(x·gateᵀ) · (x·upᵀ).
func (b *Backend) GatedLinear(x tensor.View, w backend.Weight, act backend.Activation) tensor.View {
	c, m := b.checkLinear("gated_linear", x, w)
	return b.multiply(c, x, m, linearTask{scale: 1, act: act})
}

// Logits returns scale·x·Wᵀ, then softcap·tanh(·/softcap) when softcap > 0.
func (b *Backend) Logits(x tensor.View, w backend.Weight, scale, softcap float32) tensor.View {
	c, m := b.checkLinear("logits", x, w)
	return b.multiply(c, x, m, linearTask{scale: scale, softcap: softcap})
}

func (b *Backend) checkLinear(op string, x tensor.View, w backend.Weight) (tensor.Check, *weight) {
	v, m := shape(w)
	c := tensor.Checking(op)
	c.Want("x", x, tensor.F32, "T", "In").Want("w", v, tensor.F32, "Out", "In")
	if m != nil && m.gated != (op == "gated_linear") {
		c.Want("w", tensor.View{}, tensor.F32, "Out", "In") // made by the other loader
	}
	return c, m
}

func (b *Backend) multiply(c tensor.Check, x tensor.View, w *weight, t linearTask) tensor.View {
	if err := c.Err(); err != nil {
		b.fail(err)
		return tensor.View{}
	}
	y := b.alloc(c.Dim("T"), c.Dim("Out"))
	if b.skip() || c.Dim("T") == 0 {
		return y
	}
	t.b, t.x, t.y, t.w = b, matrix(x), matrix(y), w
	b.tasks.linear = t
	b.pool.do(&b.tasks.linear, w.rows, max(8, w.rows/(16*b.pool.workers)))
	return y
}

// linearTask computes output columns of a projection: units are rows of the weight.
type linearTask struct {
	b              *Backend
	x, y           mat
	w              *weight
	bias           []float32
	scale, softcap float32
	act            backend.Activation
}

func (t *linearTask) run(w, lo, hi int) {
	row := t.b.scratch[w][:t.w.cols]
	for r := lo; r < hi; r++ {
		if t.w.gated {
			t.gatedRow(row, r)
			continue
		}
		p := t.w.find(r)
		p.f.dequantise(row, p.row(r-p.row0))
		for i := range t.x.rows {
			t.y.row(i)[r] = t.finish(dot(row, t.x.row(i)), r)
		}
	}
}

func (t *linearTask) gatedRow(row []float32, r int) {
	gate, up := &t.w.parts[0], &t.w.parts[1]
	gate.f.dequantise(row, gate.row(r))
	for i := range t.x.rows {
		t.y.row(i)[r] = dot(row, t.x.row(i))
	}
	up.f.dequantise(row, up.row(r))
	for i := range t.x.rows {
		y := t.y.row(i)[r : r+1]
		u := [1]float32{dot(row, t.x.row(i))}
		activate(t.act, y, u[:])
	}
}

func (t *linearTask) finish(v float32, r int) float32 {
	v *= t.scale
	if t.bias != nil {
		v += t.bias[r]
	}
	if t.softcap > 0 {
		v = t.softcap * float32(math.Tanh(float64(v/t.softcap)))
	}
	return v
}

func dot(a, b []float32) float32 {
	var s [4]float32
	n := len(a) &^ 3
	b = b[:len(a)]
	for i := 0; i < n; i += 4 {
		s[0] += a[i] * b[i]
		s[1] += a[i+1] * b[i+1]
		s[2] += a[i+2] * b[i+2]
		s[3] += a[i+3] * b[i+3]
	}
	for i := n; i < len(a); i++ {
		s[0] += a[i] * b[i]
	}
	return s[0] + s[2] + s[1] + s[3]
}

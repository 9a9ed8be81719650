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
	b.pool.do(&b.tasks.linear, w.rows, w.grain(b.pool.workers))
	return y
}

// grain is how many weight rows a worker takes at a time: whole tiles of every kernel, and whole vectors of a gated
// weight. Small pieces end together.
func (w *weight) grain(workers int) int {
	const tiles = 12 // least common multiple of the nr and of rowsOnce
	if w.gated {
		return gatedRows
	}
	return min(gatedRows, max(1, w.rows/(16*workers*tiles))*tiles)
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
	s := &t.b.scratch[w]
	for t0 := 0; t0 < t.x.rows; t0 += tokenBlock {
		t1 := min(t0+tokenBlock, t.x.rows)
		if t.w.gated {
			t.gatedBlock(s, t0, t1, lo, hi)
			continue
		}
		for r := lo; r < hi; {
			p := t.w.find(r)
			end := min(hi, p.row0+p.rows)
			t.product(s, p, r-p.row0, end-p.row0, t0, t1, t.y.data[t0*t.y.stride+r:], t.y.stride)
			r = end
		}
		t.finish(t0, t1, lo, hi)
	}
}

// gatedBlock computes both halves of columns [lo,hi) for tokens [t0,t1), then joins them.
func (t *linearTask) gatedBlock(s *scratch, t0, t1, lo, hi int) {
	t.product(s, &t.w.parts[0], lo, hi, t0, t1, t.y.data[t0*t.y.stride+lo:], t.y.stride)
	t.product(s, &t.w.parts[1], lo, hi, t0, t1, s.up, gatedRows)
	for i := t0; i < t1; i++ {
		t.b.kern.activate(t.act, t.y.row(i)[lo:hi], s.up[(i-t0)*gatedRows:][:hi-lo], s.arg)
	}
}

// product sets out[(i-t0)*ldo+r-lo] = x[i]·p[r] for tokens [t0,t1) and rows [lo,hi) of p.
func (t *linearTask) product(s *scratch, p *part, lo, hi, t0, t1 int, out []float32, ldo int) {
	n := t.x.cols &^ (vector - 1)
	if t1-t0 == 1 && p.dot != nil && n == t.x.cols {
		x := &t.x.row(t0)[0]
		for ; lo+rowsOnce <= hi; lo += rowsOnce {
			p.dot(&out[0], x, &p.data[lo*p.rowBytes], p.rowBytes, n)
			out = out[rowsOnce:]
		}
	}
	for nr := t.b.kern.nr; lo < hi; lo += nr {
		rows := min(nr, hi-lo)
		t.panel(s, p, lo, rows)
		t.tile(s, t0, t1, rows, out, ldo)
		out = out[min(nr, len(out)):]
	}
}

// panel dequantises rows [lo,lo+rows) of p.
func (t *linearTask) panel(s *scratch, p *part, lo, rows int) {
	ld := roundUp(t.x.cols)
	for r := range rows {
		p.dequantise(s.panel[r*ld:r*ld+t.x.cols], p.row(lo+r))
	}
}

// tile multiplies tokens [t0,t1) with the panel.
func (t *linearTask) tile(s *scratch, t0, t1, rows int, out []float32, ldo int) {
	k, ld, n := t.b.kern, roundUp(t.x.cols), t.x.cols&^(vector-1)
	x := t.x.data[t0*t.x.stride:]
	to, ldt := out, ldo
	if rows < k.nr {
		to, ldt = s.tile, k.nr
	}
	if n > 0 {
		k.tiles(to, ldt, x, t.x.stride, t1-t0, s.panel, ld, n)
	} else {
		clearRows(to, ldt, t1-t0, rows)
	}
	if rows == k.nr && n == t.x.cols {
		return
	}
	for i := range t1 - t0 {
		for r := range rows {
			rest := dot(s.panel[r*ld+n:r*ld+t.x.cols], x[i*t.x.stride+n:i*t.x.stride+t.x.cols])
			out[i*ldo+r] = to[i*ldt+r] + rest
		}
	}
}

func clearRows(out []float32, ldo, rows, cols int) {
	for i := range rows {
		clear(out[i*ldo : i*ldo+cols])
	}
}

// finish applies scale, bias and softcap.
func (t *linearTask) finish(t0, t1, lo, hi int) {
	if t.scale == 1 && t.bias == nil && !(t.softcap > 0) {
		return
	}
	for i := t0; i < t1; i++ {
		for j, v := range t.y.row(i)[lo:hi] {
			v *= t.scale
			if t.bias != nil {
				v += t.bias[lo+j]
			}
			if t.softcap > 0 {
				v = t.softcap * float32(math.Tanh(float64(v/t.softcap)))
			}
			t.y.row(i)[lo+j] = v
		}
	}
}

// dot sums the products of a and b.
func dot(a, b []float32) float32 {
	s := float32(0)
	for i, x := range a {
		s += x * b[i]
	}
	return s
}

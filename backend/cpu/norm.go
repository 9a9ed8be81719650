package cpu

import (
	"math"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// RMSNorm returns x / sqrt(mean(x²)+eps) · w. The squares are summed in float64.
func (b *Backend) RMSNorm(x tensor.View, w backend.Weight, eps float32) tensor.View {
	v, values := value(w)
	c := tensor.Checking("rmsnorm")
	c.Want("x", x, tensor.F32, "T", "H").Want("w", v, tensor.F32, "H")
	if err := c.Err(); err != nil {
		b.fail(err)
		return tensor.View{}
	}
	y := b.alloc(c.Dim("T"), c.Dim("H"))
	if !b.skip() {
		b.norm(normTask{x: matrix(x), y: matrix(y), w: values, eps: eps})
	}
	return y
}

// AddRMSNorm adds x to res and returns the norm of the sum, and the sum.
func (b *Backend) AddRMSNorm(x, res tensor.View, w backend.Weight, eps float32) (y, sum tensor.View) {
	c := tensor.Checking("add_rmsnorm")
	c.Want("x", x, tensor.F32, "T", "H")
	if res.Rank > 0 {
		c.Want("res", res, tensor.F32, "T", "H")
	}
	var values []float32
	if w != nil {
		var v tensor.View
		v, values = value(w)
		c.Want("w", v, tensor.F32, "H")
	}
	if err := c.Err(); err != nil {
		b.fail(err)
		return tensor.View{}, tensor.View{}
	}
	t := normTask{w: values, eps: eps}
	if res.Rank == 0 {
		sum = x
	} else {
		sum = res
	}
	y = sum
	if w != nil {
		y = b.alloc(c.Dim("T"), c.Dim("H"))
	}
	if b.skip() {
		return y, sum
	}
	t.x, t.y = matrix(sum), matrix(y)
	if res.Rank > 0 {
		t.add = matrix(x)
	}
	if w != nil || res.Rank > 0 {
		b.norm(t)
	}
	return y, sum
}

// normTask adds add to x when there is one, and writes the norm of x to y when there is a w.
type normTask struct {
	x, y, add mat
	w         []float32
	eps       float32
}

func (b *Backend) norm(t normTask) {
	b.tasks.norm = t
	b.pool.do(&b.tasks.norm, t.x.rows, 1+16384/max(1, t.x.cols))
}

func (t *normTask) run(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		x := t.x.row(i)
		if t.add.rows > 0 {
			for j, v := range t.add.row(i) {
				x[j] += v
			}
		}
		if t.w != nil {
			normalise(t.y.row(i), x, t.w, t.eps)
		}
	}
}

// normalise writes x / sqrt(mean(x²)+eps) · w to y, which may be x.
func normalise(y, x, w []float32, eps float32) {
	r := inverseRMS(x, eps)
	y, w = y[:len(x)], w[:len(x)]
	for j, v := range x {
		y[j] = v * r * w[j]
	}
}

// inverseRMS returns 1 / sqrt(mean(x²)+eps).
func inverseRMS(x []float32, eps float32) float32 {
	var s [4]float64
	n := len(x) &^ 3
	for j := 0; j < n; j += 4 {
		v := x[j : j+4 : j+4]
		s[0] += float64(v[0]) * float64(v[0])
		s[1] += float64(v[1]) * float64(v[1])
		s[2] += float64(v[2]) * float64(v[2])
		s[3] += float64(v[3]) * float64(v[3])
	}
	for _, v := range x[n:] {
		s[0] += float64(v) * float64(v)
	}
	sum := s[0] + s[1] + s[2] + s[3]
	return float32(1 / math.Sqrt(sum/float64(len(x))+float64(eps)))
}

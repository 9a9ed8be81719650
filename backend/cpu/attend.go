package cpu

import (
	"fmt"
	"math"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Attend returns softmax(scale·q·Kᵀ)·V over each request's slots, causal.
func (b *Backend) Attend(q tensor.View, a *backend.Attention, batch *backend.Batch) tensor.View {
	c := tensor.Checking("attend")
	c.Want("q", q, tensor.F32, "T", "Heads·D").Want("pos", batch.Pos, tensor.I32, "T")
	if c.Err() == nil && q.Dim[1] != a.Heads*a.HeadDim {
		b.fail(fmt.Errorf("attend: q is %s, want %d columns for %d heads of %d", q, a.Heads*a.HeadDim, a.Heads, a.HeadDim))
		return tensor.View{}
	}
	if err := firstError(c.Err(), b.checkHeads("attend", a)); err != nil {
		b.fail(err)
		return tensor.View{}
	}
	y := b.alloc(q.Dim[0], q.Dim[1])
	if b.skip() {
		return y
	}
	t := &b.tasks.attend
	t.b, t.a, t.q, t.y = b, a, matrix(q), matrix(y)
	t.pos, t.rows, t.start = ints(batch.Pos), ints(batch.Rows), ints(batch.Start)
	b.pool.do(t, q.Dim[0]*a.KVHeads, 1)
	return y
}

// attendTask computes the query heads of one KV head for one token: units are token·KVHeads + head.
type attendTask struct {
	b           *Backend
	a           *backend.Attention
	q, y        mat
	pos         []int32
	rows, start []int32
	scores      [][]float32 // one a worker
}

const keyBlock = 128 // keys scored at a time

func (t *attendTask) init(workers int) {
	t.scores = make([][]float32, workers)
	for i := range t.scores {
		t.scores[i] = make([]float32, keyBlock)
	}
}

// request returns which request token i belongs to.
func (t *attendTask) request(i int) int {
	lo, hi := 0, len(t.rows)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if int(t.start[mid]) <= i {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

func (t *attendTask) run(w, lo, hi int) {
	for u := lo; u < hi; u++ {
		i, h := u/t.a.KVHeads, u%t.a.KVHeads
		slots := t.b.page(t.rows[t.request(i)])[:t.pos[i]+1]
		if n := t.a.Window; n > 0 && n < len(slots) {
			slots = slots[len(slots)-n:]
		}
		group, d := t.a.Heads/t.a.KVHeads, t.a.HeadDim
		for g := range group {
			at := (h*group + g) * d
			t.one(t.y.row(i)[at:at+d], t.q.row(i)[at:at+d], h, slots, t.scores[w])
		}
	}
}

// one attends with one query head: a softmax over blocks of keys that rescales when the maximum grows
// (Milakov & Gimelshein 2018, arXiv:1805.02867).
func (t *attendTask) one(y, q []float32, h int, slots []int32, scores []float32) {
	keys, values, d := t.b.keys(t.a.Layer, h), t.b.values(t.a.Layer, h), t.a.HeadDim
	clear(y)
	top, sum := float32(math.Inf(-1)), float32(0)
	for len(slots) > 0 {
		n := min(keyBlock, len(slots))
		s := scores[:n]
		next := top
		for j, slot := range slots[:n] {
			s[j] = t.score(dot(q, keys[int(slot)*d:int(slot+1)*d]))
			next = max(next, s[j])
		}
		if next > top {
			shrink := exp(top - next)
			for j := range y {
				y[j] *= shrink
			}
			sum, top = sum*shrink, next
		}
		for j, slot := range slots[:n] {
			p := exp(s[j] - top)
			sum += p
			for k, v := range values[int(slot)*d : int(slot+1)*d] {
				y[k] += p * v
			}
		}
		slots = slots[n:]
	}
	for j := range y {
		y[j] /= sum
	}
}

func (t *attendTask) score(s float32) float32 {
	s *= t.a.Scale
	if c := t.a.Softcap; c > 0 {
		s = c * float32(math.Tanh(float64(s/c)))
	}
	return s
}

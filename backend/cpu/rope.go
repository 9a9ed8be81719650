package cpu

import (
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// RopeStore splits qkv, normalises and rotates the heads of q and k, stores k and v, and returns q.
func (b *Backend) RopeStore(qkv tensor.View, a *backend.Attention, batch *backend.Batch) tensor.View {
	if err := b.checkRope(qkv, a, batch); err != nil {
		b.fail(err)
		return tensor.View{}
	}
	q := b.alloc(qkv.Dim[0], a.Heads*a.HeadDim)
	if b.skip() {
		return q
	}
	t := &b.tasks.rope
	*t = ropeTask{b: b, a: a, qkv: matrix(qkv), q: matrix(q), pos: ints(batch.Pos), slots: ints(batch.Slots)}
	_, t.qNorm = value(a.QNorm)
	_, t.kNorm = value(a.KNorm)
	_, t.table = value(a.Rope.Table)
	b.pool.do(t, qkv.Dim[0], 4)
	return q
}

func (b *Backend) checkRope(qkv tensor.View, a *backend.Attention, batch *backend.Batch) error {
	c := tensor.Checking("rope_store")
	c.Want("qkv", qkv, tensor.F32, "T", "(Heads+2·KVHeads)·D").Want("pos", batch.Pos, tensor.I32, "T")
	if want := (a.Heads + 2*a.KVHeads) * a.HeadDim; c.Err() == nil && qkv.Dim[1] != want {
		return fmt.Errorf("rope_store: qkv is %s, want %d columns for %d+2·%d heads of %d", qkv, want, a.Heads, a.KVHeads, a.HeadDim)
	}
	for _, n := range []struct {
		weight backend.Weight
		heads  int
	}{{a.QNorm, a.Heads}, {a.KNorm, a.KVHeads}} {
		if n.weight == nil {
			continue
		}
		if v, _ := value(n.weight); v.Len() != a.HeadDim && v.Len() != n.heads*a.HeadDim {
			return fmt.Errorf("rope_store: norm is %s, want [%d] for one head or [%d] for all", v, a.HeadDim, n.heads*a.HeadDim)
		}
	}
	if a.Rope.Table != nil {
		rows, cols := a.Rope.Table.Dims()
		if a.Rope.Dim%2 != 0 || a.Rope.Dim > a.HeadDim || cols != a.Rope.Dim || rows < b.limits.MaxContext {
			return fmt.Errorf("rope_store: table is [%d,%d] for %d of %d dimensions and %d positions", rows, cols, a.Rope.Dim, a.HeadDim, b.limits.MaxContext)
		}
	}
	return firstError(c.Err(), b.checkHeads("rope_store", a))
}

// checkHeads compares a with the KV cache, if it is there yet.
func (b *Backend) checkHeads(op string, a *backend.Attention) error {
	if a.KVHeads < 1 || a.Heads%a.KVHeads != 0 {
		return fmt.Errorf("%s: %d heads do not divide into %d KV heads", op, a.Heads, a.KVHeads)
	}
	if s := b.spec; !b.planning && (a.KVHeads != s.KVHeads || a.HeadDim != s.HeadDim || a.Layer < 0 || a.Layer >= s.Layers) {
		return fmt.Errorf("%s: layer %d with %d KV heads of %d does not fit the KV cache %+v", op, a.Layer, a.KVHeads, a.HeadDim, s)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

type ropeTask struct {
	b                   *Backend
	a                   *backend.Attention
	qkv, q              mat
	pos, slots          []int32
	qNorm, kNorm, table []float32
}

func (t *ropeTask) run(_, lo, hi int) {
	a, d := t.a, t.a.HeadDim
	for i := lo; i < hi; i++ {
		in, slot := t.qkv.row(i), int(t.slots[i])
		q := t.q.row(i)
		copy(q, in)
		r := t.together(in[:a.Heads*d], t.qNorm)
		for h := range a.Heads {
			t.head(q[h*d:(h+1)*d], t.qNorm, h, r, i)
		}
		r = t.together(in[a.Heads*d:(a.Heads+a.KVHeads)*d], t.kNorm)
		for h := range a.KVHeads {
			at := (a.Heads + h) * d
			k := t.b.keys(a.Layer, h)[slot*d : (slot+1)*d]
			copy(k, in[at:])
			t.head(k, t.kNorm, h, r, i)
			copy(t.b.values(a.Layer, h)[slot*d:(slot+1)*d], in[at+a.KVHeads*d:])
		}
	}
}

// together returns 1/rms of all heads x when norm normalises them as one vector, else 0.
func (t *ropeTask) together(x, norm []float32) float32 {
	if len(norm) <= t.a.HeadDim {
		return 0
	}
	return inverseRMS(x, t.a.Eps)
}

// head normalises and rotates head h of token i in place. r is what together returned.
func (t *ropeTask) head(x, norm []float32, h int, r float32, i int) {
	switch {
	case r > 0:
		for j, w := range norm[h*len(x) : (h+1)*len(x)] {
			x[j] *= r * w
		}
	case norm != nil:
		normalise(x, x, norm, t.a.Eps)
	}
	if t.table == nil {
		return
	}
	n := t.a.Rope.Dim
	row := t.table[int(t.pos[i])*n:][:n]
	cos, sin := row[:n/2], row[n/2:]
	if t.a.Rope.Interleaved {
		for j, c := range cos {
			u, v := x[2*j], x[2*j+1]
			x[2*j], x[2*j+1] = u*c-v*sin[j], u*sin[j]+v*c
		}
		return
	}
	lo, hi := x[:n/2], x[n/2:n]
	for j, c := range cos {
		u, v := lo[j], hi[j]
		lo[j], hi[j] = u*c-v*sin[j], u*sin[j]+v*c
	}
}

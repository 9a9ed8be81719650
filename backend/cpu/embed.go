package cpu

import (
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Embed returns rows b.IDs of table times scale. Its result lives until the next Begin.
func (b *Backend) Embed(table backend.Weight, batch *backend.Batch, scale float32) tensor.View {
	v, w := shape(table)
	c := tensor.Checking("embed")
	c.Want("table", v, tensor.F32, "V", "H").Want("ids", batch.IDs, tensor.I32, "T")
	if err := c.Err(); err != nil {
		b.fail(err)
		return tensor.View{}
	}
	y := b.allocIn(&b.arena.regions[lasting], c.Dim("T"), c.Dim("H"))
	if b.skip() {
		return y
	}
	ids, out := ints(batch.IDs), matrix(y)
	for _, id := range ids {
		if outside(id, w.rows) {
			b.fail(fmt.Errorf("embed: token id %d, the table has %d rows", id, w.rows))
			return y
		}
	}
	t := &b.tasks.embed
	*t = embedTask{out, ids, w, scale}
	b.pool.do(t, len(ids), 8)
	return y
}

type embedTask struct {
	y     mat
	ids   []int32
	w     *weight
	scale float32
}

func (t *embedTask) run(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		r, dst := int(t.ids[i]), t.y.row(i)
		p := t.w.find(r)
		p.dequantise(dst, p.row(r-p.row0))
		if t.scale != 1 {
			for j := range dst {
				dst[j] *= t.scale
			}
		}
	}
}

// Last gathers rows b.Last of x.
func (b *Backend) Last(x tensor.View, batch *backend.Batch) tensor.View {
	c := tensor.Checking("last")
	c.Want("x", x, tensor.F32, "T", "H").Want("last", batch.Last, tensor.I32, "S")
	if err := c.Err(); err != nil {
		b.fail(err)
		return tensor.View{}
	}
	y := b.alloc(c.Dim("S"), c.Dim("H"))
	if b.skip() {
		return y
	}
	from, to := matrix(x), matrix(y)
	for i, t := range ints(batch.Last) {
		copy(to.row(i), from.row(int(t)))
	}
	return y
}

func outside(i int32, n int) bool { return i < 0 || int(i) >= n }

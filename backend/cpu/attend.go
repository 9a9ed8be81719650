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
	b.headDim = max(b.headDim, a.HeadDim)
	y := b.alloc(q.Dim[0], q.Dim[1])
	if b.skip() {
		return y
	}
	t := &b.tasks.attend
	t.b, t.a, t.q, t.y = b, a, matrix(q), matrix(y)
	t.pos, t.rows = ints(batch.Pos), ints(batch.Rows)
	t.cut(ints(batch.Start))
	b.pool.do(t, len(t.tiles)*a.KVHeads*t.parts, 1)
	return y
}

// attendTask attends with tiles of queries. A unit is a tile, a KV head and one of parts ranges of its query heads.
type attendTask struct {
	b     *Backend
	a     *backend.Attention
	q, y  mat
	pos   []int32
	rows  []int32
	tiles []queryTile
	parts int
	group int // query heads of a part
}

// queryTile is tokens [lo,hi) of one request.
type queryTile struct {
	request, lo, hi int32
}

// cut makes tiles whose rows (tokens times heads) fit the scratch. The heads of a group go separate ways when there
// are workers for them, and when they are too many: one head costs as much as four, which share what is gathered.
func (t *attendTask) cut(start []int32) {
	group := t.a.Heads / t.a.KVHeads
	tokens := int32(max(1, queryRows/group))
	t.tiles = t.tiles[:0]
	for r := range t.rows {
		for lo := start[r]; lo < start[r+1]; lo += tokens {
			t.tiles = append(t.tiles, queryTile{int32(r), lo, min(lo+tokens, start[r+1])})
		}
	}
	t.parts = 1
	if group > queryRows || len(t.tiles)*t.a.KVHeads < t.b.pool.workers {
		t.parts = group
	}
	t.group = group / t.parts
}

func (t *attendTask) run(w, lo, hi int) {
	for u := lo; u < hi; u++ {
		part, rest := u%t.parts, u/t.parts
		kv := rest % t.a.KVHeads
		tile := t.tiles[len(t.tiles)-1-rest/t.a.KVHeads] // the longest contexts first
		t.tile(&t.b.scratch[w], tile, kv, (kv*t.parts+part)*t.group)
	}
}

// tile attends with query heads [head,head+group) of a tile's tokens, keyBlock positions at a time: a softmax that
// rescales what it has when the maximum grows (Milakov & Gimelshein 2018, arXiv:1805.02867). Blocks are cut at
// multiples of keyBlock, so that a token's result does not depend on the tile.
func (t *attendTask) tile(s *scratch, q queryTile, kv, head int) {
	rows := t.load(s, q, head)
	slots := t.b.page(t.rows[q.request])
	from, _ := t.visible(q.lo)
	_, to := t.visible(q.hi - 1)
	for base := from / keyBlock * keyBlock; base < to; base += keyBlock {
		lo, hi := max(base, from), min(base+keyBlock, to)
		keys, ldk := t.gather(s.keys, t.b.keys(t.a.Layer, kv), slots[lo:hi], t.b.kern.nr)
		values, ldv := t.gather(s.values, t.b.values(t.a.Layer, kv), slots[lo:hi], 1)
		t.score(s, rows, keys, ldk, hi-lo)
		t.soften(s, q, lo, hi)
		t.mix(s, rows, values, ldv, hi-lo)
	}
	t.store(s, q, head)
}

// visible returns the positions [lo,hi) that token i sees.
func (t *attendTask) visible(i int32) (lo, hi int) {
	hi = int(t.pos[i]) + 1
	if w := t.a.Window; w > 0 {
		lo = max(0, hi-w)
	}
	return lo, hi
}

// load copies the tile's queries to s.q, clears the sums, and returns the rows, a multiple of 4.
func (t *attendTask) load(s *scratch, q queryTile, head int) int {
	d, n := t.a.HeadDim, 0
	ld := roundUp(d)
	for i := q.lo; i < q.hi; i++ {
		for g := range t.group {
			row := s.q[n*ld : (n+1)*ld]
			clear(row[copy(row, t.q.row(int(i))[(head+g)*d:][:d]):])
			s.top[n], s.sum[n] = float32(math.Inf(-1)), 0
			n++
		}
	}
	rows := (n + 3) &^ 3
	clear(s.q[n*ld : rows*ld])
	clear(s.acc[:rows*ld])
	clear(s.scores[n*keyBlock : rows*keyBlock])
	return rows
}

// gather returns the rows of plane at slots, and their distance: plane itself when the slots are consecutive and a
// multiple of unit, else a copy.
func (t *attendTask) gather(to, plane []float32, slots []int32, unit int) ([]float32, int) {
	d := t.a.HeadDim
	ld := roundUp(d)
	if ld == d && len(slots)%unit == 0 && consecutive(slots) {
		return plane[int(slots[0])*d:], d
	}
	for i, slot := range slots {
		copy(to[i*ld:i*ld+d], plane[int(slot)*d:])
	}
	return to, ld
}

func consecutive(slots []int32) bool {
	for i, s := range slots {
		if s != slots[0]+int32(i) {
			return false
		}
	}
	return true
}

// score sets s.scores to the products of rows queries and n keys. Padding columns of s.q and of a copy are zero.
func (t *attendTask) score(s *scratch, rows int, keys []float32, ldk, n int) {
	k, ld := t.b.kern, roundUp(t.a.HeadDim)
	for j := 0; j < n; j += k.nr {
		k.tiles(s.scores[j:], keyBlock, s.q, ld, rows, keys[j*ldk:], ldk, ld)
	}
}

// soften turns the scores of positions [lo,hi) into weights, zero where a token does not see the position.
func (t *attendTask) soften(s *scratch, q queryTile, lo, hi int) {
	n := 0
	for i := q.lo; i < q.hi; i++ {
		from, to := t.visible(i)
		from, to = min(max(from, lo), hi)-lo, max(min(to, hi), lo)-lo
		for range t.group {
			row := s.scores[n*keyBlock : n*keyBlock+hi-lo]
			clear(row[:min(from, len(row))])
			clear(row[max(to, 0):])
			if from < to {
				t.softenRow(s, n, row[from:to])
			}
			n++
		}
	}
}

func (t *attendTask) softenRow(s *scratch, n int, row []float32) {
	top := s.top[n]
	for j, v := range row {
		v *= t.a.Scale
		if c := t.a.Softcap; c > 0 {
			v = c * float32(math.Tanh(float64(v/c)))
		}
		row[j] = v
		if v > top {
			top = v
		}
	}
	if top > s.top[n] {
		shrink := exp(s.top[n] - top)
		s.sum[n] *= shrink
		ld := roundUp(t.a.HeadDim)
		for j, v := range s.acc[n*ld : (n+1)*ld] {
			s.acc[n*ld+j] = v * shrink
		}
		s.top[n] = top
	}
	whole := len(row) &^ (vector - 1)
	if whole > 0 {
		s.sum[n] += t.b.kern.expSum(&row[0], whole, top)
	}
	if rest := row[whole:]; len(rest) > 0 {
		last := s.arg[:vector]
		for j := copy(last, rest); j < vector; j++ {
			last[j] = float32(math.Inf(-1)) // adds e^-87 at most
		}
		s.sum[n] += t.b.kern.expSum(&last[0], vector, top)
		copy(rest, last)
	}
}

// mix adds the weighted values to s.acc.
func (t *attendTask) mix(s *scratch, rows int, values []float32, ldv, n int) {
	k, ld := t.b.kern, roundUp(t.a.HeadDim)
	for i := 0; i < rows; i += 4 {
		c := 0
		for ; c+k.mixAt <= ld; c += k.mixAt {
			k.mix(&s.acc[i*ld+c], ld, &s.scores[i*keyBlock], keyBlock, &values[c], ldv, n)
		}
		for ; c < ld; c += 16 {
			k.mix16(&s.acc[i*ld+c], ld, &s.scores[i*keyBlock], keyBlock, &values[c], ldv, n)
		}
	}
}

// store writes the weighted means.
func (t *attendTask) store(s *scratch, q queryTile, head int) {
	d, n := t.a.HeadDim, 0
	ld := roundUp(d)
	for i := q.lo; i < q.hi; i++ {
		for g := range t.group {
			y := t.y.row(int(i))[(head+g)*d:][:d]
			inv := 1 / s.sum[n]
			for j, v := range s.acc[n*ld : n*ld+d] {
				y[j] = v * inv
			}
			n++
		}
	}
}

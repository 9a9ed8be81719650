package cuda

import (
	"errors"
	"fmt"
	"math"

	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

func (t *selfTest) norms() {
	t.normsOf(5, 1032)
	t.normsOf(3*16*t.b.k.SMs()+1, 520) // several to a block
}

func (t *selfTest) normsOf(rows, h int) {
	const eps = 1e-5
	x, res, w := t.random(t.elem(), rows, h), t.random(t.elem(), rows, h), t.random(tensor.F32, h)
	y := t.poisoned(t.elem(), rows, h)
	err := t.b.k.RMSNorm(t.b.stream, y.View, x.View, w.View, eps)
	t.report(fmt.Sprintf("rmsnorm T=%d H=%d", rows, h), errors.Join(err, t.expect(y.View, normOf(x.host, w.host, eps), nil, t.round())))

	sum := make([]float64, len(x.host))
	rounded := make([]float32, len(x.host))
	for i, v := range x.host {
		sum[i] = float64(v) + float64(res.host[i])
		rounded[i] = t.rounded(v + res.host[i])
	}
	err = t.b.k.AddRMSNorm(t.b.stream, y.View, res.View, x.View, w.View, eps)
	t.report(fmt.Sprintf("add_rmsnorm T=%d H=%d", rows, h), errors.Join(err, t.expect(res.View, sum, nil, t.round()),
		t.expect(y.View, normOf(rounded, w.host, eps), nil, t.round())))

	res = t.put(t.elem(), res.host, rows, h)
	err = t.b.k.Add(t.b.stream, res.View, x.View)
	t.report(fmt.Sprintf("add T=%d H=%d", rows, h), errors.Join(err, t.expect(res.View, sum, nil, t.round())))
}

func normOf(x, w []float32, eps float64) []float64 {
	var out []float64
	for ; len(x) > 0; x = x[len(w):] {
		sum := 0.0
		for _, v := range x[:len(w)] {
			sum += float64(v) * float64(v)
		}
		scale := 1 / math.Sqrt(sum/float64(len(w))+eps)
		for i, v := range x[:len(w)] {
			out = append(out, float64(v)*scale*float64(w[i]))
		}
	}
	return out
}

func (t *selfTest) gather() {
	const n, h, scale = 7, 264, 3
	table, index := t.random(t.elem(), n, h), make([]float32, 301) // enough for blocks of several rows, the last one ragged
	for i := range index {
		index[i] = float32(i*3%(n+1) - 1)
	}
	ids, y := t.put(tensor.I32, index, len(index)), t.poisoned(t.elem(), len(index), h)
	var want []float64
	for _, id := range index {
		for _, v := range table.host[max(0, int(id))*h:][:h] {
			want = append(want, scale*float64(v))
		}
	}
	err := t.b.k.Rows(t.b.stream, y.View, table.View, ids.View, scale)
	t.report("rows", errors.Join(err, t.expect(y.View, want, nil, t.round())))
}

// linears runs each tile with each epilogue on ragged sizes, K once split and once not, and takes the largest of the logits.
func (t *selfTest) linears() {
	defer func() { t.report("linear: giving back the choice", t.b.k.Force("linear", "")) }()
	kept, picked := t.memory, map[string]bool{}
	t.memory = memory{ctx: t.b.ctx}
	for _, v := range t.b.k.Variants() {
		if v.Op != "linear" {
			continue
		}
		err := t.b.k.Force("linear", v.Name)
		for _, s := range []struct{ m, n, k int }{{1, 80, 1096}, {v.Rows, 208, 72}, {v.Rows - 1, 112, 2048}} {
			err = errors.Join(err, t.linear(max(1, s.m), s.n, s.k))
		}
		if !picked[v.Source] { // one kernel in every form
			err = errors.Join(err, t.argmax(max(1, v.Rows-1), 203, 72))
		}
		picked[v.Source] = true
		err = errors.Join(err, t.memory.close()) // of this variant: there are many
		t.memory = memory{ctx: t.b.ctx}
		t.report(v.Op+" "+v.Name, err)
	}
	t.memory = kept
}

// linear runs what is forced with each epilogue.
func (t *selfTest) linear(m, n, k int) error {
	x, w, bias := t.random(t.elem(), m, k), t.random(t.elem(), n, k), t.random(tensor.F32, n)
	want, mag := dots(x.host, w.host, k)
	y, z, g := t.poisoned(t.elem(), m, n), t.poisoned(tensor.F32, m, n), t.poisoned(t.elem(), m, n/2)
	biased := make([]float64, len(want))
	capped, gate, gateMag := make([]float64, len(want)), make([]float64, m*n/2), make([]float64, m*n/2)
	for i, v := range want {
		biased[i] = v + float64(bias.host[i%n])
		capped[i] = 30 * math.Tanh(0.5*v/30)
	}
	for i := range gate {
		row, col := i/(n/2), i%(n/2)
		at := row*n + col/8*16 + col%8
		silu := want[at] / (1 + math.Exp(-want[at]))
		gate[i] = silu * want[at+8]
		gateMag[i] = 1.13*mag[at]*math.Abs(want[at+8]) + math.Abs(silu)*mag[at+8]
	}
	s := t.b.stream
	err := errors.Join(t.b.k.Linear(s, y.View, x.View, w.View, bias.View), t.expect(y.View, biased, mag, t.round()),
		t.b.k.Logits(s, z.View, x.View, w.View, 0.5, 30), t.expect(z.View, capped, mag, sumF32),
		t.b.k.GatedLinear(s, g.View, x.View, w.View, ptx.SiLU), t.expect(g.View, gate, gateMag, t.round()))
	if err != nil {
		return fmt.Errorf("M=%d N=%d K=%d: %w", m, n, k, err)
	}
	return nil
}

// dots returns x·wᵀ and the sums of the absolute products.
func dots(x, w []float32, k int) (sum, mag []float64) {
	for i := 0; i < len(x); i += k {
		for j := 0; j < len(w); j += k {
			s, m := 0.0, 0.0
			for l := range k {
				p := float64(x[i+l]) * float64(w[j+l])
				s += p
				m += math.Abs(p)
			}
			sum, mag = append(sum, s), append(mag, m)
		}
	}
	return sum, mag
}

func (t *selfTest) rope() {
	for _, interleaved := range []bool{false, true} {
		n := t.b.k.SMs()
		for _, h := range []struct{ tokens, d, r int }{
			{3, 96, 64}, {1, 128, 128}, {2, 40, 20}, {1, 256, 72}, {8*n + 1, 256, 256}, {31 * n, 64, 64}, {7 * n, 128, 128},
		} {
			t.ropeOf(h.tokens, h.d, h.r, interleaved, false)
		}
	}
	t.ropeOf(3, 96, 64, false, true)
	err := t.b.k.Force("rope_store", "rope_store")
	t.ropeOf(9, 128, 128, false, false)
	if err = errors.Join(err, t.b.k.Force("rope_store", "")); err != nil {
		t.report("choice of rope_store", err)
	}
}

// ropeOf normalises each head, or, wide, all heads of q and of k as one vector.
func (t *selfTest) ropeOf(tokens, d, r int, interleaved, wide bool) {
	const heads, kv, context, eps = 5, 2, 4, 1e-6
	width, slots := (heads+2*kv)*d, tokens+3
	qkv, table := t.random(t.elem(), tokens, width), t.random(tensor.F32, context, r)
	qNorm := t.random(tensor.F32, d)
	kNorm := qNorm
	if wide {
		qNorm, kNorm = t.random(tensor.F32, heads*d), t.random(tensor.F32, kv*d)
	}
	slot, pos := make([]float32, tokens), make([]float32, tokens)
	for i, s := range t.rng.Perm(slots)[:tokens] {
		slot[i], pos[i] = float32(s), float32(t.rng.IntN(context))
	}
	a := ptx.RopeStore{
		Q: t.poisoned(t.elem(), tokens, heads*d).View, KCache: t.poisoned(t.elem(), kv, slots, d).View,
		VCache: t.poisoned(t.elem(), kv, slots, d).View, QKV: qkv.View, Slots: t.put(tensor.I32, slot, tokens).View,
		Pos: t.put(tensor.I32, pos, tokens).View, QNorm: qNorm.View, KNorm: kNorm.View, Table: table.View,
		Heads: heads, Interleaved: interleaved, Eps: eps,
	}
	err := t.b.k.RopeStore(t.b.stream, &a)
	for i := range tokens {
		for h := range heads + 2*kv {
			in := qkv.host[i*width+h*d:][:d]
			out := tensor.Of(a.Q.Ptr+uintptr(2*(i*heads+h)*d), t.elem(), d)
			if h >= heads {
				cache := a.KCache
				if h >= heads+kv {
					cache = a.VCache
				}
				out = tensor.Of(cache.Ptr+uintptr(2*((h-heads)%kv*slots+int(slot[i]))*d), t.elem(), d)
			}
			want, mag := make([]float64, d), make([]float64, d)
			for j, v := range in {
				want[j], mag[j] = float64(v), math.Abs(float64(v))
			}
			if h < heads+kv {
				norm, all, at := qNorm.host, qkv.host[i*width:][:heads*d], h*d
				if h >= heads {
					norm, all, at = kNorm.host, qkv.host[i*width+heads*d:][:kv*d], (h-heads)*d
				}
				if !wide {
					all, at = in, 0
				}
				want = normOf(all, norm, eps)[at:][:d]
				mag = rotated(want, table.host[int(pos[i])*r:][:r], interleaved)
			}
			err = errors.Join(err, t.expect(out, want, mag, t.round()))
		}
	}
	t.report(fmt.Sprintf("rope_store T=%d D=%d R=%d, interleaved %v, wide norms %v", tokens, d, r, interleaved, wide), err)
}

// rotated turns the pairs of x in place and returns the magnitudes that went into each.
func rotated(x []float64, angle []float32, interleaved bool) (mag []float64) {
	mag = make([]float64, len(x))
	for i, v := range x {
		mag[i] = math.Abs(v)
	}
	half := len(angle) / 2
	for i := range half {
		p, q := i, i+half
		if interleaved {
			p, q = 2*i, 2*i+1
		}
		cos, sin := float64(angle[i]), float64(angle[half+i])
		a, b := x[p], x[q]
		x[p], x[q] = a*cos-b*sin, b*cos+a*sin
		mag[p] = math.Abs(a*cos) + math.Abs(b*sin)
		mag[q] = math.Abs(b*cos) + math.Abs(a*sin)
	}
	return mag
}

func (t *selfTest) books() {
	const rows, cols = 3, 9
	pages, tokens := t.put(tensor.I32, make([]float32, rows*cols), rows, cols), t.put(tensor.I32, make([]float32, rows*cols), rows, cols)
	cached := t.put(tensor.I32, []float32{2, 0, 11, 101, 2, 1, 12, 102}, 2, 4)
	ids := t.put(tensor.I32, []float32{-1, 7, 8}, 3)
	i32 := func(v ...float32) tensor.View { return t.put(tensor.I32, v, len(v)).View }
	wantPages, wantTokens := make([]float64, rows*cols), make([]float64, rows*cols)
	wantPages[2*cols], wantPages[2*cols+1], wantPages[4], wantPages[5] = 11, 12, 14, 15
	wantTokens[2*cols], wantTokens[2*cols+1], wantTokens[4], wantTokens[5] = 101, 102, 7, 8
	wantPages[2*cols+1] = 13 // the first token of the step
	s := t.b.stream
	err := errors.Join(t.b.k.StepCached(s, cached.View, pages.View, tokens.View),
		t.b.k.StepTokens(s, ids.View, i32(1, 4, 5), i32(13, 14, 15), i32(2, 0), i32(0, 1, 3), pages.View, tokens.View),
		t.expect(ids.View, []float64{102, 7, 8}, nil, 0), t.expect(pages.View, wantPages, nil, 0),
		t.expect(tokens.View, wantTokens, nil, 0))
	t.report("step_cached, step_tokens", err)
	t.report("step_begin, step_end", t.packedBooks())
}

// packedBooks has three decoding requests: one whose token the device knows, one that brings its own, and padding.
func (t *selfTest) packedBooks() error {
	const rows, cols, n = 4, 9, 3
	pool := make([]float32, rows*cols)
	pool[1*cols+5] = 77
	pages, tokens := t.put(tensor.I32, make([]float32, rows*cols), rows, cols), t.put(tensor.I32, pool, rows, cols)
	in := ptx.StepInputs{T: n, Pos: 4, Slots: 8, Rows: 12}
	inputs := []int32{-1, 6, 0, 0 /* pos */, 5, 2, 0, 0 /* slots */, 21, 22, 0, 0 /* rows */, 1, 0, 3, 0, 31, 32}
	words := len(inputs)
	raw, err := t.b.ctx.AllocHost(2 * 4 * words)
	if err != nil {
		return err
	}
	defer func() { t.err = errors.Join(t.err, t.b.ctx.FreeHost(raw)) }()
	host := over[int32](raw)
	copy(host, inputs)
	packed := t.poisoned(tensor.I32, words)
	wantPages, wantTokens, want := make([]float64, rows*cols), make([]float64, rows*cols), make([]float64, words)
	wantPages[1*cols+5], wantPages[2] = 21, 22
	wantTokens[1*cols+5], wantTokens[2] = 77, 6
	for i, v := range inputs {
		want[i] = float64(v)
	}
	want[0] = 77
	s := t.b.stream
	err = errors.Join(t.b.k.StepBegin(s, packed.View, addressOf(host), in, pages.View, tokens.View),
		t.b.k.StepEnd(s, addressOf(host[words:]), packed.Ptr, words),
		t.expect(packed.View, want, nil, 0), t.expect(pages.View, wantPages, nil, 0), t.expect(tokens.View, wantTokens, nil, 0))
	for i, v := range host[words:] {
		if float64(v) != want[i] {
			return errors.Join(err, fmt.Errorf("word %d on the host is %d, want %v", i, v, want[i]))
		}
	}
	return err
}

package cuda

import (
	"errors"
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// attention runs prefill and decode over scattered slots, for every head size, with and without a softcap.
func (t *selfTest) attention() {
	for _, d := range []int{64, 96, 128, 256} {
		for _, softcap := range []float32{0, 8} {
			f := ptx.Scores{Scale: float32(1 / math.Sqrt(float64(d))), Softcap: softcap, Window: 50}
			t.report(fmt.Sprintf("attend, head %d, softcap %v", d, softcap), t.attend(d, f))
			if t.b.k.Hopper() && (d == 64 || d == 128) {
				for _, name := range []string{"attend_decode", "attend_decode_sm90", "attend_decode_few_sm90", "attend_prefill", "attend_prefill_sm90"} {
					op := strings.TrimSuffix(strings.TrimSuffix(name, "_sm90"), "_few")
					if op == "attend_prefill" && softcap != 0 {
						continue // one kernel has it
					}
					err := errors.Join(t.b.k.Force(op, name), t.attend(d, f), t.b.k.Force(op, ""))
					t.report(fmt.Sprintf("%s, head %d, softcap %v", name, d, softcap), err)
				}
			}
		}
	}
}

// attend has three requests: two decode over 1 and 70 keys, one computes the last 5 of its 40 tokens.
func (t *selfTest) attend(d int, f ptx.Scores) error {
	const heads, kv, slots, cols = 6, 2, 200, 80
	rows, start, context := []float32{2, 0, 1}, []float32{0, 1, 2, 7}, []float32{1, 70, 40}
	pages := make([]float32, 3*cols)
	for i, slot := range t.rng.Perm(slots - 1)[:len(rows)*66] {
		pages[i/66*cols+i%66] = float32(slot + 1)
	}
	for i := range pages {
		if pages[i] == 0 {
			pages[i] = float32(1 + i%(slots-1))
		}
	}
	q, y := t.random(t.elem(), 7, heads*d), t.poisoned(t.elem(), 7, heads*d)
	k, v := t.random(t.elem(), kv, slots, d), t.random(t.elem(), kv, slots, d)
	i32 := func(v []float32) tensor.View { return t.put(tensor.I32, v, len(v)).View }
	cache := ptx.KV{K: k.View, V: v.View, Pages: t.put(tensor.I32, pages, 3, cols).View}
	r := ptx.Requests{Rows: i32(rows), Start: i32(start), Context: i32(context), Tokens: 7, Decodes: 2}
	err := errors.Join(t.b.k.ReserveDecode(t.b.stream, d, kv, 2), t.b.k.AttendPrefill(t.b.stream, y.View, q.View, cache, r, f),
		t.b.k.AttendDecode(t.b.stream, y.View, q.View, cache, r, f))
	var want, mag []float64
	for b := range rows {
		for token := int(start[b]); token < int(start[b+1]); token++ {
			pos := int(context[b]) - int(start[b+1]) + token
			for h := range heads {
				plane := h / (heads / kv) * slots * d
				w, m := attendOne(q.host[(token*heads+h)*d:][:d], k.host[plane:], v.host[plane:], pages[int(rows[b])*cols:], pos, f)
				want, mag = append(want, w...), append(mag, m...)
			}
		}
	}
	return errors.Join(err, t.expect(y.View, want, mag, 3*t.round()))
}

// attendOne is one head of the token at pos: its output, and the weighted magnitudes of the values.
func attendOne(q, k, v, page []float32, pos int, f ptx.Scores) (y, mag []float64) {
	d := len(q)
	y, mag = make([]float64, d), make([]float64, d)
	total := 0.0
	for p := max(0, pos+1-f.Window); p <= pos; p++ {
		slot, s := int(page[p])*d, 0.0
		for j, x := range q {
			s += float64(x) * float64(k[slot+j])
		}
		s *= float64(f.Scale)
		if c := float64(f.Softcap); c > 0 {
			s = c * math.Tanh(s/c)
		}
		w := math.Exp(s)
		total += w
		for j := range d {
			y[j] += w * float64(v[slot+j])
			mag[j] += w * math.Abs(float64(v[slot+j]))
		}
	}
	for j := range d {
		y[j] /= total
		mag[j] /= total
	}
	return y, mag
}

// sampling draws in ways that leave one choice, with all kernels, and compares ids and log-probabilities.
func (t *selfTest) sampling() {
	const n, vocab, top, cols = 4, 5003, 5, 16
	logits := t.random(tensor.F32, n, vocab)
	raw := append([]float32(nil), logits.host...)
	best := make([][]int, n)
	for s := range n {
		best[s] = make([]int, vocab)
		for i := range best[s] {
			best[s][i] = i
		}
		row := raw[s*vocab:][:vocab]
		sort.Slice(best[s], func(a, b int) bool { return row[best[s][a]] > row[best[s][b]] })
	}
	rules := []backend.Sampling{
		{TopP: 1, Repetition: 1, Logprobs: top},
		{Temperature: 1, TopK: 1, TopP: 1, Repetition: 1, Logprobs: 0},
		{Temperature: 0.7, TopP: 1e-6, Repetition: 1, Logprobs: -1},
		{Temperature: 1, TopP: 1, MinP: 1, Repetition: 1, Presence: 100, Logprobs: -1}, // the likeliest is in the pool
	}
	pool := make([]float32, n*cols)
	pool[3*cols+2] = float32(best[3][0])
	limits := ptx.SampleLimits{Samples: n, Vocab: vocab, MaxContext: cols, Biases: 1}
	b := t.samples(rules, limits, []float32{0, 1, 2, 3}, []float32{5, 5, 5, 5}, pool)
	b.Logits = logits.View
	err := t.b.k.Sample(t.b.stream, b, ptx.NeedLogprobs|ptx.NeedEdits|ptx.NeedSelect)
	ids := []float64{float64(best[0][0]), float64(best[1][0]), float64(best[2][0]), float64(best[3][1])}
	var topIDs, topLogprobs []float64
	for _, id := range best[0][:top] {
		topIDs, topLogprobs = append(topIDs, float64(id)), append(topLogprobs, logSoftmax(raw[:vocab], id))
	}
	err = errors.Join(err, t.expect(b.IDs, ids, nil, 0),
		t.expect(b.Logprobs, []float64{topLogprobs[0], logSoftmax(raw[vocab:2*vocab], best[1][0])}, nil, 1e-5),
		t.expect(tensor.Of(b.TopIDs.Ptr, tensor.I32, top), topIDs, nil, 0),
		t.expect(tensor.Of(b.TopLogprobs.Ptr, tensor.F32, top), topLogprobs, nil, 1e-5))
	t.report("sample_logprobs, sample_edit, sample_draw, sample_select", err)
}

func logSoftmax(x []float32, i int) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v))
	}
	return float64(x[i]) - math.Log(sum)
}

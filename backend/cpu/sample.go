package cpu

import (
	"math"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// sampler is the workspace of drawing tokens, one a worker.
type sampler struct {
	work []workspace
}

type workspace struct {
	z    []float32   // [V] logits as penalties, mask and temperature left them
	seen []int32     // [V] 1 + how often the output holds a token; 0 for one that the request does not hold
	list []candidate // [V]
}

type candidate struct {
	z  float32
	id int32
}

func (s *sampler) init(l backend.Limits, workers int) {
	s.work = make([]workspace, min(workers, l.Requests))
	for i := range s.work {
		s.work[i] = workspace{make([]float32, l.Vocab), make([]int32, l.Vocab), make([]candidate, 0, l.Vocab)}
	}
}

// draw samples the rows of logits into st.result and the token pool.
func (b *Backend) draw(st *step, logits tensor.View) {
	c := tensor.Checking("sample")
	c.Want("logits", logits, tensor.F32, "S", "V")
	c.Want("last", st.batch.Last, tensor.I32, "S")
	c.Want("work", tensor.Of(0, tensor.F32, b.limits.Vocab), tensor.F32, "V")
	if err := c.Err(); err != nil {
		b.fail(err)
		return
	}
	b.tasks.draw = drawTask{b, st, matrix(logits)}
	b.pool.do(&b.tasks.draw, logits.Dim[0], 1)
}

type drawTask struct {
	b      *Backend
	st     *step
	logits mat
}

func (t *drawTask) run(w, lo, hi int) {
	for s := lo; s < hi; s++ {
		t.one(&t.b.sample.work[w], s)
	}
}

// one draws the token of sample s.
func (t *drawTask) one(ws *workspace, s int) {
	x, in, r := t.logits.row(s), &t.st.in, &t.st.result
	owner, p := t.st.owner[s], &t.st.sampling[s]
	pos := in.context[owner]
	tokens := t.b.tokens(in.rows[owner])
	r.IDs[s], r.Logprobs[s] = -1, 0
	k := t.b.kern
	top, id := k.largest(x)
	if id < 0 || math.IsInf(float64(top), 1) {
		return
	}
	if !asItIs(p) {
		z := ws.z[:copy(ws.z, x)]
		t.modify(z, ws.seen, tokens[:pos], p)
		if id = k.choose(z, ws, p, uint32(pos)); id < 0 {
			return
		}
	}
	tokens[pos], r.IDs[s] = id, id
	if p.Logprobs >= 0 {
		n := s * backend.MaxTopLogprobs
		r.Logprobs[s] = logprobs(x, id, top, r.TopIDs[n:n+int(p.Logprobs)], r.TopLogprobs[n:n+int(p.Logprobs)])
	}
}

// asItIs reports whether the largest logit is the token to draw.
func asItIs(p *backend.Sampling) bool {
	return p.Temperature < leastTemperature && p.Bias[0] == p.Bias[1] && !penalises(p) && p.Mask == 0
}

func penalises(p *backend.Sampling) bool {
	return (p.Repetition != 0 && p.Repetition != 1) || p.Presence != 0 || p.Frequency != 0
}

// modify applies biases, penalties and mask to z. tokens are those that the request holds.
func (t *drawTask) modify(z []float32, seen, tokens []int32, p *backend.Sampling) {
	for _, e := range t.st.bias[p.Bias[0]:p.Bias[1]] {
		z[e.ID] += e.Value
	}
	if penalises(p) {
		penalise(z, seen, tokens, p)
	}
	if p.Mask != 0 {
		words := (len(z) + 31) / 32
		mask(z, t.st.masks[int(p.Mask-1)*words:][:words])
	}
}

// penalise lowers the logits of tokens that the request holds.
func penalise(z []float32, seen, tokens []int32, p *backend.Sampling) {
	for i, id := range tokens {
		if outside(id, len(z)) {
			continue
		}
		seen[id] = max(seen[id], 1)
		if i >= int(p.Prompt) {
			seen[id]++
		}
	}
	for _, id := range tokens {
		if outside(id, len(z)) || seen[id] == 0 {
			continue
		}
		l, n := z[id], seen[id]-1
		seen[id] = 0
		if p.Repetition != 0 && p.Repetition != 1 {
			if l > 0 {
				l /= p.Repetition
			} else {
				l *= p.Repetition
			}
		}
		if n > 0 {
			l -= float32(p.Frequency * float32(n))
			l -= p.Presence
		}
		z[id] = l
	}
}

func mask(z []float32, words []uint32) {
	for i := range z {
		if words[i/32]>>(i%32)&1 == 0 {
			z[i] = float32(math.Inf(-1))
		}
	}
}

// logprobs returns the log-probability of id and fills the most likely ids with theirs.
func logprobs(x []float32, id int32, top float32, ids []int32, lps []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(exp(v - top))
	}
	norm := float32(float64(top) + math.Log(sum))
	n := 0
	for i, v := range x {
		if n == len(ids) && (n == 0 || v <= lps[n-1]) {
			continue
		}
		if n < len(ids) {
			n++
		}
		j := n - 1
		for ; j > 0 && v > lps[j-1]; j-- {
			lps[j], ids[j] = lps[j-1], ids[j-1]
		}
		lps[j], ids[j] = v, int32(i)
	}
	for j := range lps {
		lps[j] -= norm
	}
	return x[id] - norm
}

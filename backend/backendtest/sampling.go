package backendtest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

const (
	patterns   = 8  // rows of logits; token i leads to pattern i % patterns
	drawLength = 64 // tokens of a request at most
	nanToken   = 15 // leads to logits of NaN
	infToken   = 23 // leads to +Inf
	drawRows   = 40 // requests at most
	fineStep   = 1. / 512
	drawWidth  = 256 // of hidden states: four stages of K, as kernels for few tokens want
)

// drawer is a model whose logits are known to the bit: each is the sum of two products that bf16 holds exactly.
type drawer struct {
	*harness
	vocab   int
	logits  [patterns][]float32
	forward func(*backend.Batch) tensor.View
	tokens  [drawRows][]int32
	slot    int32
}

func newDrawer(t *testing.T, o suite, vocab int) *drawer {
	h := &drawer{harness: open(t, o), vocab: vocab}
	embedding, head := make([]float32, vocab*drawWidth), make([]float32, vocab*drawWidth)
	for v := range vocab {
		p := v % patterns
		embedding[v*drawWidth+2*p], embedding[v*drawWidth+2*p+1] = 1, fineStep
		for p := range patterns {
			coarse := math.Round(h.rng.NormFloat64()*float64(16+16*p)) / 16
			if coarse > 15 || coarse < -15 {
				coarse = 15
			}
			fine := math.Round(h.rng.Float64()*64) / 64
			head[v*drawWidth+2*p], head[v*drawWidth+2*p+1] = float32(coarse), float32(fine)
			h.logits[p] = append(h.logits[p], float32(coarse+fineStep*fine))
		}
	}
	embedding[nanToken*drawWidth] = float32(math.NaN())
	embedding[infToken*drawWidth+1] = float32(math.Inf(1)) // times fine parts of one sign
	e, w := h.linear(embedding, vocab, drawWidth), h.linear(head, vocab, drawWidth)
	h.forward = func(b *backend.Batch) tensor.View { return h.b.Logits(h.b.Last(h.b.Embed(e, b, 1), b), w, 1, 0) }
	limits := backend.Limits{Tokens: 1024, Requests: drawRows, MaxContext: drawLength, Cached: 64, Vocab: vocab}
	if err := h.b.Plan(limits, h.forward); err != nil {
		t.Fatal(err)
	}
	if err := h.b.AllocKV(backend.KVSpec{Layers: 1, KVHeads: 1, HeadDim: 64, Slots: drawRows*drawLength + 1}); err != nil {
		t.Fatal(err)
	}
	return h
}

// request is one row of a step.
type request struct {
	name     string
	prompt   []int32
	sampling backend.Sampling
	bias     []backend.Bias
	mask     []uint32
}

// build makes the step that computes the prompts (n = 0) or, in decode, the n-th sampled token, whose id only the
// backend knows.
func (h *drawer) build(requests []request, n int) *backend.Step {
	s := &backend.Step{Start: []int32{0}}
	for row, r := range requests {
		ids, pos := r.prompt, 0
		if n > 0 {
			ids, pos = []int32{backend.FromDevice}, len(r.prompt)+n-1
			s.Decodes++
		}
		for i, id := range ids {
			s.IDs = append(s.IDs, id)
			s.Pos = append(s.Pos, int32(pos+i))
			s.Slots = append(s.Slots, int32(1+row*drawLength+pos+i))
		}
		s.Rows = append(s.Rows, int32(row))
		s.Start = append(s.Start, int32(len(s.IDs)))
		s.Context = append(s.Context, int32(pos+len(ids)))
		s.Last = append(s.Last, int32(len(s.IDs)-1))
		s.Owner = append(s.Owner, int32(row))
		p := r.sampling
		p.Prompt = int32(len(r.prompt))
		p.Bias = [2]int32{int32(len(s.Bias)), int32(len(s.Bias) + len(r.bias))}
		s.Bias = append(s.Bias, r.bias...)
		if r.mask != nil {
			s.Masks = append(s.Masks, r.mask...)
			p.Mask = int32(len(s.Masks) / len(r.mask))
		}
		s.Sampling = append(s.Sampling, p)
	}
	return s
}

func testSampling(t *testing.T, o suite) {
	for _, vocab := range []int{1000, 4099} {
		t.Run(label("V=%d", vocab), func(t *testing.T) {
			h := newDrawer(t, o, vocab)
			h.follow(h.requests(), 8)
			for _, t := range [][]float32{{0, 1, 0.3, 3, 2e-5, 0, 1, 0.7, 20}, {0, 0, 1e-6, 0, 0, 0, 0, 0, 0}} {
				alone := h.alone(t)
				h.follow(alone, 8)
				alone[1].mask = h.odd()
				h.follow(alone, 2)
				h.follow(alone[:1], 2)
			}
		})
	}
	t.Run("distribution", func(t *testing.T) { testDistribution(t, o) })
	t.Run("bad rows", func(t *testing.T) { testBadRows(t, o) })
}

// odd is a mask of odd ids.
func (h *drawer) odd() []uint32 {
	odd := make([]uint32, (h.vocab+31)/32)
	for i := range odd {
		odd[i] = 0xaaaaaaaa
	}
	return odd
}

// alone returns requests that ask for a temperature and nothing else, two of which reach bad rows at once. Where all are greedy a
// backend may have kernels of their own.
func (h *drawer) alone(temperatures []float32) (list []request) {
	for i, t := range temperatures {
		r := request{name: label("temperature %v alone", t), prompt: []int32{h.harmless(), h.harmless()},
			sampling: backend.Sampling{Temperature: t, TopP: 1, Repetition: 1, Seed: h.rng.Uint64(), Logprobs: -1}}
		if i == 5 || i == 6 {
			r.prompt[1] = []int32{nanToken, infToken}[i-5]
		}
		list = append(list, r)
	}
	return list
}

// requests returns one request for each parameter and for mixtures.
func (h *drawer) requests() []request {
	odd := h.odd()
	few := make([]uint32, len(odd))
	few[1], few[len(few)-1] = 1<<5|1<<9, 1
	bias := []backend.Bias{{ID: 3, Value: 9.5}, {ID: int32(h.vocab - 1), Value: 20}, {ID: 3, Value: -2}, {ID: 40, Value: -100}}
	p := func(temperature float32, change func(*backend.Sampling)) backend.Sampling {
		s := backend.Sampling{Temperature: temperature, TopP: 1, Repetition: 1, Seed: h.rng.Uint64(), Logprobs: -1}
		if change != nil {
			change(&s)
		}
		return s
	}
	list := []request{
		{name: "greedy", sampling: p(0, nil)},
		{name: "greedy with log-probabilities", sampling: p(0, func(s *backend.Sampling) { s.Logprobs = 20 })},
		{name: "temperature 1", sampling: p(1, nil)},
		{name: "temperature 0.3", sampling: p(0.3, func(s *backend.Sampling) { s.Logprobs = 0 })},
		{name: "temperature 3", sampling: p(3, func(s *backend.Sampling) { s.Logprobs = 5 })},
		{name: "tiny temperature", sampling: p(2e-5, nil)},
		{name: "top-k 1", sampling: p(2, func(s *backend.Sampling) { s.TopK = 1 })},
		{name: "top-k 7", sampling: p(2, func(s *backend.Sampling) { s.TopK = 7 })},
		{name: "top-k 300", sampling: p(9, func(s *backend.Sampling) { s.TopK = 300 })},
		{name: "top-k above V", sampling: p(2, func(s *backend.Sampling) { s.TopK = 1 << 30 })},
		{name: "top-p 0", sampling: p(2, func(s *backend.Sampling) { s.TopP = 0 })},
		{name: "top-p 0.5", sampling: p(2, func(s *backend.Sampling) { s.TopP = 0.5 })},
		{name: "top-p 0.95, flat", sampling: p(20, func(s *backend.Sampling) { s.TopP = 0.95 })},
		{name: "top-k and top-p", sampling: p(3, func(s *backend.Sampling) { s.TopK, s.TopP = 50, 0.8 })},
		{name: "min-p", sampling: p(3, func(s *backend.Sampling) { s.MinP = 0.2 })},
		{name: "min-p 1", sampling: p(3, func(s *backend.Sampling) { s.MinP = 1 })},
		{name: "all filters", sampling: p(4, func(s *backend.Sampling) { s.TopK, s.TopP, s.MinP = 90, 0.9, 0.05 })},
		{name: "repetition", sampling: p(0, func(s *backend.Sampling) { s.Repetition = 1.7 })},
		{name: "presence", sampling: p(0, func(s *backend.Sampling) { s.Presence = 3.3 })},
		{name: "frequency", sampling: p(0, func(s *backend.Sampling) { s.Frequency = 1.1 })},
		{name: "all penalties", sampling: p(0.7, func(s *backend.Sampling) { s.Repetition, s.Presence, s.Frequency = 1.2, 0.5, 0.4 })},
		{name: "negative penalties", sampling: p(0.7, func(s *backend.Sampling) { s.Repetition, s.Presence, s.Frequency = 0.8, -0.5, -0.9 })},
		{name: "bias", sampling: p(1, nil), bias: bias},
		{name: "mask of odd ids", sampling: p(1, nil), mask: odd},
		{name: "mask of few ids", sampling: p(5, func(s *backend.Sampling) { s.TopP = 0.9 }), mask: few},
		{name: "everything", sampling: p(1.3, func(s *backend.Sampling) {
			s.TopK, s.TopP, s.MinP, s.Repetition, s.Presence, s.Frequency, s.Logprobs = 200, 0.97, 0.01, 1.1, 0.2, 0.3, 3
		}), bias: bias, mask: odd},
	}
	for i := range list {
		for range 3 + i%5 {
			list[i].prompt = append(list[i].prompt, h.harmless())
		}
		list[i].prompt = append(list[i].prompt, list[i].prompt[0])
	}
	return list
}

// harmless returns a token that does not lead to NaN or an infinity.
func (h *drawer) harmless() int32 {
	for {
		if id := int32(h.rng.IntN(h.vocab)); id != nanToken && id != infToken {
			return id
		}
	}
}

// follow computes the prompts and decodes, collecting each step while the next one runs, and compares every token with
// the reference's. A request ends when it reaches a token with a bad row.
func (h *drawer) follow(requests []request, steps int) {
	h.t.Helper()
	for i, r := range requests {
		h.tokens[i] = append([]int32(nil), r.prompt...)
	}
	var before *backend.Batch
	var specs *backend.Step
	for n := 0; n <= steps; n++ {
		s := h.build(requests, n)
		b, err := h.b.Begin(s)
		if err == nil {
			err = h.b.Run(b, h.forward)
		}
		if err != nil {
			h.t.Fatal(err)
		}
		if before != nil {
			h.collect(before, specs, requests)
		}
		before, specs = b, s
	}
	h.collect(before, specs, requests)
}

func (h *drawer) collect(b *backend.Batch, s *backend.Step, requests []request) {
	h.t.Helper()
	var got backend.Result
	if err := h.b.Collect(b, &got); err != nil {
		h.t.Fatal(err)
	}
	for i, r := range requests {
		last := h.tokens[i][len(h.tokens[i])-1]
		if last < 0 || last == nanToken || last == infToken {
			h.tokens[i] = append(h.tokens[i], -1)
			continue
		}
		x := h.logits[last%patterns]
		want := sample(x, s.Sampling[i], h.tokens[i], r.bias, r.mask)
		if got.IDs[i] != want {
			h.t.Errorf("%s: token %d = %d, want %d", r.name, len(h.tokens[i]), got.IDs[i], want)
		}
		h.tokens[i] = append(h.tokens[i], want)
		h.logprobs(r.name, x, want, int(s.Sampling[i].Logprobs), i, &got)
	}
}

// logprobs compares log-probabilities; 1e-4 allows for sums in float32 in any order.
func (h *drawer) logprobs(name string, x []float32, id int32, n, row int, got *backend.Result) {
	h.t.Helper()
	if n < 0 {
		return
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v))
	}
	check := func(what string, got float32, id int32) {
		if want := float64(x[id]) - math.Log(sum); !(math.Abs(float64(got)-want) <= 1e-4) {
			h.t.Errorf("%s: log-probability of %s %d = %v, want %v", name, what, id, got, want)
		}
	}
	check("token", got.Logprobs[row], id)
	for j, want := range ordered(x)[:n] {
		at := row*backend.MaxTopLogprobs + j
		if got.TopIDs[at] != want {
			h.t.Errorf("%s: alternative %d = %d, want %d", name, j, got.TopIDs[at], want)
			return
		}
		check("alternative", got.TopLogprobs[at], want)
	}
}

// testDistribution draws with many seeds and compares the counts with the probabilities by a chi-squared test. The
// seeds are fixed, so it does not fail by chance.
func testDistribution(t *testing.T, o suite) {
	h := newDrawer(t, o, 1000)
	const steps, pattern = 50, 2
	rng := rand.New(rand.NewPCG(9, 9))
	var requests []request
	for range drawRows {
		requests = append(requests, request{prompt: []int32{pattern}})
	}
	counts, total := make(map[int32]float64), 0.0
	for range steps {
		for i := range requests {
			requests[i].sampling = backend.Sampling{Temperature: 1, TopP: 1, Repetition: 1, Seed: rng.Uint64(), Logprobs: -1}
		}
		for _, id := range h.step(h.build(requests, 0), h.forward).IDs {
			counts[id]++
			total++
		}
	}
	sum := 0.0
	for _, v := range h.logits[pattern] {
		sum += math.Exp(float64(v))
	}
	chi, cells, rest, others := 0.0, 0, total, total
	for _, id := range ordered(h.logits[pattern]) {
		want := total * math.Exp(float64(h.logits[pattern][id])) / sum
		if want < 20 {
			break
		}
		chi += (counts[id] - want) * (counts[id] - want) / want
		rest, others, cells = rest-want, others-counts[id], cells+1
	}
	chi += (others - rest) * (others - rest) / rest
	// The statistic has mean cells and variance 2·cells; 4 deviations are one chance in thousands.
	if limit := float64(cells) + 4*math.Sqrt(2*float64(cells)); cells < 5 || chi > limit {
		t.Errorf("chi-squared = %.1f over %d cells, limit %.1f", chi, cells, limit)
	}
}

// testBadRows checks that NaN, infinities and an empty mask end one row and leave the others as they are.
func testBadRows(t *testing.T, o suite) {
	h := newDrawer(t, o, 1000)
	s := backend.Sampling{Temperature: 0.8, TopP: 0.9, Repetition: 1, Seed: 5, Logprobs: 2}
	good := []int32{1, 2, 3}
	requests := []request{
		{prompt: good, sampling: s},
		{prompt: []int32{1, 2, nanToken}, sampling: s},
		{prompt: good, sampling: s},
		{prompt: []int32{infToken}, sampling: s},
		{prompt: good, sampling: s, mask: make([]uint32, 32)},
		{prompt: good, sampling: s},
	}
	got := h.step(h.build(requests, 0), h.forward)
	want := sample(h.logits[3], s, good, nil, nil)
	for i, id := range []int32{want, -1, want, -1, -1, want} {
		if got.IDs[i] != id {
			t.Errorf("row %d: id %d, want %d", i, got.IDs[i], id)
		}
		if id >= 0 {
			h.logprobs(label("row %d", i), h.logits[3], id, 2, i, &got)
		}
	}
}

package golden

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/model"
	"github.com/weft-llm/weft/model/weights"
)

// Deterministic holds a backend to giving a request the same bytes and the same bits of every log-probability: alone, in
// batches of 64 others, with its prompt cut into chunks of any size, with a prefix found in the cache or not, paused and
// resumed or not.
type Deterministic struct {
	Open    func() (backend.Backend, error) // called on the engine's thread
	Weights func() (*weights.Checkpoint, error)
	Context int // tokens of a request at most
	Trials  int // batches in each way of running
}

// Run draws requests and compares.
func (d *Deterministic) Run(t *testing.T) {
	rng := rand.New(rand.NewPCG(16, 64))
	alone := d.start(t, engine.Options{MaxRequests: 1, NoCache: true})
	var needles []engine.Request
	var want [][]string
	for i := range 8 {
		r := d.request(rng, alone.Vocab(), i)
		needles = append(needles, r)
		want = append(want, answer(t, submit(t, alone, r)))
	}
	for i, r := range needles { // the same again, for a start
		if got := answer(t, submit(t, alone, r)); !slices.Equal(got, want[i]) {
			t.Fatalf("request %d: %v at its second time alone, want %v", i, got, want[i])
		}
	}
	for _, c := range []struct {
		name string
		o    engine.Options
	}{
		{"among 63", engine.Options{MaxRequests: 64, NoCache: true}},
		{"among 63, prefixes shared", engine.Options{MaxRequests: 64}},
		{"prompts in pieces", engine.Options{MaxRequests: 16, StepTokens: 19, NoCache: true}},
		{"prompts in pieces, prefixes shared", engine.Options{MaxRequests: 16, StepTokens: 23, MixedTokens: 5}},
		{"paused", engine.Options{MaxRequests: 64, PauseEvery: 3}},
		{"paused, nothing kept", engine.Options{MaxRequests: 64, PauseEvery: 5, NoCache: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := d.start(t, c.o)
			for range d.Trials {
				d.among(t, e, rng, needles, want)
			}
			if s := e.Stats(); c.o.PauseEvery > 0 && s.Paused == 0 || !c.o.NoCache && s.CachedTokens == 0 {
				t.Errorf("%d requests were paused and %d tokens came from the cache, want some", s.Paused, s.CachedTokens)
			}
		})
	}
}

// among runs the needles among others, 64 in all, in random order.
func (d *Deterministic) among(t *testing.T, e *engine.Engine, rng *rand.Rand, needles []engine.Request, want [][]string) {
	all := slices.Clone(needles)
	for len(all) < 64 {
		all = append(all, d.request(rng, e.Vocab(), rng.IntN(100)))
	}
	order := rng.Perm(len(all))
	gens := make([]*engine.Generation, len(all))
	for _, i := range order {
		gens[i] = submit(t, e, all[i])
	}
	for i, g := range gens {
		got := answer(t, g)
		if i < len(want) && !slices.Equal(got, want[i]) {
			t.Errorf("request %d: %v, alone it is %v", i, got, want[i])
		}
	}
}

// request draws one; kind chooses how its tokens are chosen. Half of the prompts share a beginning.
func (d *Deterministic) request(rng *rand.Rand, vocab, kind int) engine.Request {
	r := engine.Request{MaxTokens: 1 + rng.IntN(d.Context/3), Sampling: engine.DefaultSampling(), Logprobs: 5}
	if rng.IntN(2) == 0 {
		for i := range d.Context / 3 {
			r.Prompt = append(r.Prompt, int32((i*31+7)%vocab))
		}
	}
	for range 1 + rng.IntN(d.Context/3) {
		r.Prompt = append(r.Prompt, rng.Int32N(int32(vocab)))
	}
	r.Sampling.Seed = rng.Uint64()
	switch kind % 4 {
	case 0:
		r.Sampling.Temperature = 0
	case 1:
		r.Sampling.TopP, r.Sampling.TopK = 0.9, 40
	case 2:
		r.Sampling.Repetition, r.Sampling.Frequency = 1.2, 0.3
	}
	return r
}

// start opens an engine that ends with the test.
func (d *Deterministic) start(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	c, err := d.Weights()
	if err != nil {
		t.Fatal(err)
	}
	o.MaxContext, o.KVTokens, o.Verify = d.Context, 64*d.Context, true
	e, err := engine.Start(o, func() (backend.Backend, engine.Model, error) {
		b, err := d.Open()
		if err != nil {
			return nil, nil, err
		}
		m, err := model.Load(c, b, model.LoadOptions{MaxContext: d.Context})
		if err != nil {
			return nil, nil, errors.Join(err, b.Close())
		}
		return b, m, nil
	})
	if err != nil {
		t.Fatal(errors.Join(err, c.Close()))
	}
	t.Cleanup(func() {
		if err := errors.Join(e.Close(), c.Close()); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return e
}

func submit(t *testing.T, e *engine.Engine, r engine.Request) *engine.Generation {
	t.Helper()
	g, err := e.Submit(r)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// answer writes each token with the bits of its log-probability and those of the alternatives.
func answer(t *testing.T, g *engine.Generation) (out []string) {
	t.Helper()
	for {
		tokens, err := g.Next(context.Background(), nil)
		for _, k := range tokens {
			s := fmt.Sprintf("%d:%08x", k.ID, math.Float32bits(k.Logprob))
			for _, a := range k.Top {
				s += fmt.Sprintf(" %d:%08x", a.ID, math.Float32bits(a.Logprob))
			}
			out = append(out, s)
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

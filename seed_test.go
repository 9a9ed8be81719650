package weft_test

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
)

// seeded are requests that draw at random, each with a seed and settings of its own, and want log-probabilities.
func seeded(n int) []engine.Request {
	r := rand.New(rand.NewPCG(9, 9))
	var out []engine.Request
	for i, ids := range prompts(n) {
		q := engine.Request{Prompt: ids, MaxTokens: 8 + r.IntN(24), Logprobs: 5, Sampling: engine.Sampling{
			Temperature: 0.5 + r.Float32(), TopP: 1, Repetition: 1, Seed: uint64(i)<<32 | 7,
		}}
		switch i % 4 {
		case 1:
			q.Sampling.TopP = 0.8
		case 2:
			q.Sampling.TopK, q.Sampling.MinP = 20, 0.02
		case 3:
			q.Sampling.Repetition, q.Sampling.Presence, q.Sampling.Frequency = 1.3, 0.4, 0.2
		}
		out = append(out, q)
	}
	return out
}

// drawn reads a generation with its log-probabilities.
func drawn(t *testing.T, g *engine.Generation) (tokens []engine.Token) {
	t.Helper()
	for {
		var err error
		tokens, err = g.Next(context.Background(), tokens)
		if errors.Is(err, io.EOF) {
			return tokens
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// differ says where two answers differ in a token or in one bit of a log-probability; -1: nowhere.
func differ(a, b []engine.Token) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i].ID != b[i].ID || math.Float32bits(a[i].Logprob) != math.Float32bits(b[i].Logprob) || len(a[i].Top) != len(b[i].Top) {
			return i
		}
		for j, x := range a[i].Top {
			if y := b[i].Top[j]; x.ID != y.ID || math.Float32bits(x.Logprob) != math.Float32bits(y.Logprob) {
				return i
			}
		}
	}
	return -1
}

// TestSeed_DrawsTheSameAloneAndInAnyCompany: the same request with the same seed gets the same tokens and, bit by bit,
// the same log-probabilities, whoever else is in the batch, whether its prompt is found in the cache, is computed in
// pieces or again after a pause.
func TestSeed_DrawsTheSameAloneAndInAnyCompany(t *testing.T) {
	asked := seeded(32)
	alone := open(t, weft.Options{Engine: engine.Options{MaxRequests: 1, NoCache: true}})
	var want [][]engine.Token
	for _, q := range asked {
		want = append(want, drawn(t, submit(t, alone, q)))
	}
	other := asked[0]
	other.Sampling.Seed++
	if got := drawn(t, submit(t, alone, other)); differ(got, want[0]) < 0 {
		t.Fatal("another seed draws the same: the test shows nothing")
	}
	for _, c := range []struct {
		name    string
		o       engine.Options
		overlap bool
	}{
		{"a large batch", engine.Options{MaxRequests: 96}, false},
		{"a large batch, overlap", engine.Options{MaxRequests: 96, KVTokens: 6000}, true},
		{"prompts in pieces", engine.Options{MaxRequests: 16, StepTokens: 16}, false},
		{"pauses", engine.Options{MaxRequests: 16, PauseEvery: 3}, false},
		{"pauses without a cache, overlap", engine.Options{MaxRequests: 16, KVTokens: 3000, PauseEvery: 5, NoCache: true}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := weft.Options{Engine: c.o}
			if c.overlap {
				o.Backend = openEager
			}
			m := open(t, o)
			r := rand.New(rand.NewPCG(4, 4))
			for round := range 2 { // in the second one prompts are in the cache
				gens := make([]*engine.Generation, len(asked))
				var others []*engine.Generation
				for _, i := range r.Perm(len(asked)) {
					for _, q := range seeded(2 + r.IntN(3)) { // company
						q.Prompt, q.MaxTokens, q.Sampling.Seed = q.Prompt[r.IntN(3):], 1+r.IntN(40), r.Uint64()
						others = append(others, submit(t, m, q))
					}
					gens[i] = submit(t, m, asked[i])
				}
				for i, g := range gens {
					got := drawn(t, g)
					if at := differ(got, want[i]); at >= 0 {
						t.Errorf("round %d, request %d differs from token %d on: %v, alone %v", round, i, at, got[min(at, len(got)):], want[i][min(at, len(want[i])):])
					}
				}
				for _, g := range others {
					drawn(t, g)
				}
			}
		})
	}
}

func submit(t *testing.T, m *weft.Model, q engine.Request) *engine.Generation {
	t.Helper()
	g, err := m.Engine().Submit(q)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

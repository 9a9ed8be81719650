package engine

import (
	"slices"
	"testing"
)

func prompt(n int) []int32 {
	p := make([]int32, n)
	for i := range p {
		p[i] = int32(i*i+i) % vocab
	}
	return p
}

// TestSamples_OfOnePromptComputeItOnce: the others wait for the first, and then find the prompt in the tree.
func TestSamples_OfOnePromptComputeItOnce(t *testing.T) {
	for _, async := range []bool{true, false} {
		e := newEngine(Options{MaxRequests: 16, KVTokens: 2000, StepTokens: 40, MaxContext: 200})
		c := &chain{vocab: vocab, async: async}
		if err := e.prepare(c, chainModel{vocab, 200}); err != nil {
			t.Fatal(err)
		}
		const n, length = 8, 100
		s := &simulation{t: t, l: e.loop}
		for i := range n {
			r := request(prompt(length), 10+i)
			s.add(r)
		}
		s.add(request([]int32{40, 41, 42}, 3)) // is let past
		for s.busy() {
			s.step()
			if e.loop.count.Steps == 1 && len(e.loop.running) != 1 {
				t.Errorf("async %v: %d requests in the first step, want one: the budget is full", async, len(e.loop.running))
			}
			if e.loop.count.Steps == 3 && len(e.loop.running) != 2 {
				t.Errorf("async %v: %d requests in the third step, want the first sample and the one let past", async, len(e.loop.running))
			}
		}
		if c := e.loop.count; c.PromptTokens != length+n-1+3 || c.CachedTokens != (n-1)*(length-1) {
			t.Errorf("async %v: %d prompt tokens computed, %d found, want %d and %d", async, c.PromptTokens, c.CachedTokens, length+n-1+3, (n-1)*(length-1))
		}
		for i, q := range s.all[:n] {
			if want := chainOutput(prompt(length), 10+i, vocab); !slices.Equal(q.gen.ids, want) {
				t.Errorf("sample %d is %v, want %v", i, q.gen.ids, want)
			}
		}
	}
}

func ids(tokens []Token) (out []int32) {
	for _, tok := range tokens {
		out = append(out, tok.ID)
	}
	return out
}

// TestSamples_DoNotWaitForOneThatLeft: when the one that computes the prefix is cancelled, the next does it.
func TestSamples_DoNotWaitForOneThatLeft(t *testing.T) {
	e := newEngine(Options{MaxRequests: 4, KVTokens: 2000, StepTokens: 20, MaxContext: 200})
	if err := e.prepare(&chain{vocab: vocab, async: true}, chainModel{vocab, 200}); err != nil {
		t.Fatal(err)
	}
	s := &simulation{t: t, l: e.loop}
	s.add(request(prompt(100), 5))
	s.add(request(prompt(100), 5))
	s.step()
	s.step()
	s.all[0].gen.Cancel()
	s.step()
	if len(e.loop.running) != 1 || e.loop.running[0] != s.all[1] {
		t.Errorf("after the first left %d requests run, want the second", len(e.loop.running))
	}
	for s.busy() {
		s.step()
	}
	if got, want := s.all[1].gen.ids, chainOutput(prompt(100), 5, vocab); !slices.Equal(got, want) {
		t.Errorf("the second gets %v, want %v", got, want)
	}
}

package engine

import (
	"fmt"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// sampling translates a request's parameters, and adds its biases to the step.
func sampling(st *backend.Step, s *sequence) backend.Sampling {
	p := &s.req.Sampling
	first := int32(len(st.Bias))
	for _, b := range p.Bias {
		st.Bias = append(st.Bias, backend.Bias{ID: b.ID, Value: b.Value})
	}
	return backend.Sampling{
		Temperature: p.Temperature, TopK: int32(p.TopK), TopP: p.TopP, MinP: p.MinP,
		Repetition: p.Repetition, Presence: p.Presence, Frequency: p.Frequency,
		Seed: p.Seed, Prompt: int32(len(s.req.Prompt)), Logprobs: int32(s.req.Logprobs),
		Bias: [2]int32{first, int32(len(st.Bias))},
	}
}

// land waits for a step and hands out its tokens. Tokens of requests that ended meanwhile are dropped.
func (l *loop) land(f *flight) error {
	waited := time.Now()
	if err := l.b.Collect(f.batch, &l.result); err != nil {
		return fmt.Errorf("cannot collect the samples of step %d: %w", f.record.Step, err)
	}
	collected := time.Now()
	for i, s := range f.sampled {
		s.pending--
		if !s.ended {
			l.apply(s, i)
		}
	}
	l.waker.add(l.given)
	clear(l.given)
	l.given = l.given[:0]
	if err := l.landed(f, waited, collected, time.Now()); err != nil {
		return fmt.Errorf("cannot time step %d: %w", f.record.Step, err)
	}
	return nil
}

// numeric is ErrNumeric, with what may help.
func (l *loop) numeric() error {
	if l.e.info.Activation != tensor.F16 {
		return ErrNumeric
	}
	return fmt.Errorf("%w: it computes in f16, which ends at 65504; --dtype bf16 has room for more", ErrNumeric)
}

// apply gives s the i-th sample of the step that landed.
func (l *loop) apply(s *sequence, i int) {
	id := l.result.IDs[i]
	if id < 0 {
		l.finish(s, Failed, l.numeric())
		return
	}
	if s.row >= 0 {
		s.proved = len(s.tokens)
		l.share(s)
	}
	s.tokens = append(s.tokens, id)
	l.count.OutputTokens++
	if s.stops(id) {
		l.finish(s, Stopped, nil)
		return
	}
	s.emitted++
	s.gen.push(l.token(s, i))
	l.given = append(l.given, s.gen)
	if s.emitted == s.req.MaxTokens {
		l.finish(s, Length, nil)
	}
}

// share puts a prompt into the tree as soon as it is computed, so that requests that come while this one still runs
// find it. When another request put the same tokens there first, this one keeps its own copy until it ends.
func (l *loop) share(s *sequence) {
	prompt := s.tokens[:min(len(s.tokens), s.computed)]
	if s.shared >= len(prompt)-1 || s.sharedPrompt || l.e.opts.NoCache {
		return
	}
	s.sharedPrompt = true
	if l.tree.Peek(s.req.CacheSalt, prompt) != s.shared {
		return
	}
	_, end := l.tree.Insert(s.req.CacheSalt, prompt, s.slots[:len(prompt)])
	l.tree.Lock(end)
	l.tree.Unlock(s.node)
	s.node, s.shared = end, len(prompt)
}

func (l *loop) token(s *sequence, i int) Token {
	t := Token{ID: l.result.IDs[i]}
	if s.req.Logprobs < 0 {
		return t
	}
	t.Logprob = l.result.Logprobs[i]
	for j := range s.req.Logprobs {
		at := i*backend.MaxTopLogprobs + j
		t.Top = append(t.Top, TopLogprob{l.result.TopIDs[at], l.result.TopLogprobs[at]})
	}
	return t
}

func (s *sequence) late(now time.Time) bool { return !s.expires.IsZero() && now.After(s.expires) }

package cuda

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
)

// check compares the counts and indices of s with each other and with the limits: a kernel cannot.
func (b *Backend) check(s *backend.Step) error {
	t, n, l := len(s.IDs), len(s.Rows), b.limits
	switch {
	case b.kv.pages.Rank == 0:
		return errors.New("no KV cache: call Plan, then AllocKV")
	case t > l.Tokens || n > l.Requests || len(s.Last) > l.Requests:
		return fmt.Errorf("%d tokens, %d requests, %d samples: limits are %d, %d, %d", t, n, len(s.Last), l.Tokens, l.Requests, l.Requests)
	case len(s.Pos) != t || len(s.Slots) != t || len(s.Start) != n+1 || len(s.Context) != n:
		return errors.New("arrays disagree in length")
	case len(s.Owner) != len(s.Last) || len(s.Sampling) != len(s.Last):
		return errors.New("sampling arrays disagree in length")
	case s.Start[0] != 0 || int(s.Start[n]) != t:
		return fmt.Errorf("requests start at %d and end at %d, want 0 and %d", s.Start[0], s.Start[n], t)
	case s.Decodes < 0 || s.Decodes > n:
		return fmt.Errorf("%d decodes of %d requests", s.Decodes, n)
	}
	return errors.Join(b.checkRequests(s), b.checkTokens(s), b.checkSampling(s))
}

func (b *Backend) checkRequests(s *backend.Step) error {
	for i := range s.Rows {
		count := s.Start[i+1] - s.Start[i]
		switch {
		case count < 0 || i < s.Decodes && count != 1:
			return fmt.Errorf("request %d computes %d tokens", i, count)
		case outside(s.Rows[i], b.limits.Requests) || s.Context[i] < count || int(s.Context[i]) > b.limits.MaxContext:
			return fmt.Errorf("request %d: row %d of %d, context %d of %d for %d tokens", i, s.Rows[i], b.limits.Requests,
				s.Context[i], b.limits.MaxContext, count)
		}
	}
	return nil
}

func (b *Backend) checkTokens(s *backend.Step) error {
	for i := range s.IDs {
		if outside(s.Pos[i], b.limits.MaxContext) || outside(s.Slots[i], b.kv.spec.Slots) {
			return fmt.Errorf("token %d: position %d of %d, slot %d of %d", i, s.Pos[i], b.limits.MaxContext, s.Slots[i], b.kv.spec.Slots)
		}
		if s.IDs[i] != backend.FromDevice && outside(s.IDs[i], b.limits.Vocab) {
			return fmt.Errorf("token %d: id %d of %d", i, s.IDs[i], b.limits.Vocab)
		}
	}
	for _, c := range s.Cached {
		if outside(c.Row, b.limits.Requests) || outside(c.Pos, b.limits.MaxContext) || outside(c.Slot, b.kv.spec.Slots) {
			return fmt.Errorf("cached entry %+v is out of range", c)
		}
	}
	return nil
}

func (b *Backend) checkSampling(s *backend.Step) error {
	if len(s.Bias) > b.limits.Requests*biasPerRequest || len(s.Masks) > b.limits.Requests*b.maskWords() {
		return fmt.Errorf("%d biases and %d mask words: limits are %d and %d", len(s.Bias), len(s.Masks),
			b.limits.Requests*biasPerRequest, b.limits.Requests*b.maskWords())
	}
	for i := range s.Last {
		p := &s.Sampling[i]
		switch {
		case outside(s.Last[i], len(s.IDs)) || outside(s.Owner[i], len(s.Rows)):
			return fmt.Errorf("sample %d: token %d of %d, request %d of %d", i, s.Last[i], len(s.IDs), s.Owner[i], len(s.Rows))
		case p.Bias[0] < 0 || p.Bias[1] < p.Bias[0] || int(p.Bias[1]) > len(s.Bias):
			return fmt.Errorf("sample %d: biases %v of %d", i, p.Bias, len(s.Bias))
		case p.Mask < 0 || int(p.Mask)*b.maskWords() > len(s.Masks):
			return fmt.Errorf("sample %d: mask %d, %d words in all", i, p.Mask, len(s.Masks))
		case p.Logprobs > backend.MaxTopLogprobs:
			return fmt.Errorf("sample %d: %d log-probabilities, limit %d", i, p.Logprobs, backend.MaxTopLogprobs)
		}
	}
	for _, e := range s.Bias {
		if outside(e.ID, b.limits.Vocab) {
			return fmt.Errorf("bias of token %d, vocabulary %d", e.ID, b.limits.Vocab)
		}
	}
	return nil
}

func outside(i int32, n int) bool { return i < 0 || int(i) >= n }

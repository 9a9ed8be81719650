package backend

import (
	"errors"
	"fmt"
)

// Check compares the counts and indices of s with each other, with l and with the slots of the KV cache, so that no
// kernel reads or writes out of bounds.
func (s *Step) Check(l Limits, slots int) error {
	t, n := len(s.IDs), len(s.Rows)
	switch {
	case t > l.Tokens || n > l.Requests || len(s.Last) > min(l.Requests, l.Tokens):
		return fmt.Errorf("%d tokens, %d requests, %d samples: limits are %d, %d, %d", t, n, len(s.Last),
			l.Tokens, l.Requests, min(l.Requests, l.Tokens))
	case len(s.Cached) > l.Cached:
		return fmt.Errorf("%d cached entries, limit %d", len(s.Cached), l.Cached)
	case len(s.Pos) != t || len(s.Slots) != t || len(s.Start) != n+1 || len(s.Context) != n:
		return errors.New("arrays disagree in length")
	case len(s.Owner) != len(s.Last) || len(s.Sampling) != len(s.Last):
		return errors.New("sampling arrays disagree in length")
	case s.Start[0] != 0 || int(s.Start[n]) != t:
		return fmt.Errorf("requests start at %d and end at %d, want 0 and %d", s.Start[0], s.Start[n], t)
	case s.Decodes < 0 || s.Decodes > n:
		return fmt.Errorf("%d decodes of %d requests", s.Decodes, n)
	}
	return errors.Join(s.checkRequests(l), s.checkTokens(l, slots), s.checkSampling(l))
}

func (s *Step) checkRequests(l Limits) error {
	for i := range s.Rows {
		count := s.Start[i+1] - s.Start[i]
		switch {
		case count < 0 || i < s.Decodes && count != 1:
			return fmt.Errorf("request %d computes %d tokens", i, count)
		case outside(s.Rows[i], l.Requests) || s.Context[i] < count || int(s.Context[i]) > l.MaxContext:
			return fmt.Errorf("request %d: row %d of %d, context %d of %d for %d tokens", i, s.Rows[i], l.Requests,
				s.Context[i], l.MaxContext, count)
		}
	}
	return nil
}

func (s *Step) checkTokens(l Limits, slots int) error {
	for i, id := range s.IDs {
		if outside(s.Pos[i], l.MaxContext) || outside(s.Slots[i], slots) {
			return fmt.Errorf("token %d: position %d of %d, slot %d of %d", i, s.Pos[i], l.MaxContext, s.Slots[i], slots)
		}
		if id != FromDevice && outside(id, l.Vocab) {
			return fmt.Errorf("token %d: id %d of %d", i, id, l.Vocab)
		}
	}
	for _, c := range s.Cached {
		if outside(c.Row, l.Requests) || outside(c.Pos, l.MaxContext) || outside(c.Slot, slots) {
			return fmt.Errorf("cached entry %+v is out of range", c)
		}
	}
	return nil
}

func (s *Step) checkSampling(l Limits) error {
	words := (l.Vocab + 31) / 32
	for i := range s.Last {
		p := &s.Sampling[i]
		switch {
		case outside(s.Last[i], len(s.IDs)) || outside(s.Owner[i], len(s.Rows)):
			return fmt.Errorf("sample %d: token %d of %d, request %d of %d", i, s.Last[i], len(s.IDs), s.Owner[i], len(s.Rows))
		case p.Bias[0] < 0 || p.Bias[1] < p.Bias[0] || int(p.Bias[1]) > len(s.Bias):
			return fmt.Errorf("sample %d: biases %v of %d", i, p.Bias, len(s.Bias))
		case p.Mask < 0 || int(p.Mask)*words > len(s.Masks):
			return fmt.Errorf("sample %d: mask %d, %d words in all", i, p.Mask, len(s.Masks))
		case p.Logprobs > MaxTopLogprobs:
			return fmt.Errorf("sample %d: %d log-probabilities, limit %d", i, p.Logprobs, MaxTopLogprobs)
		}
	}
	for _, e := range s.Bias {
		if outside(e.ID, l.Vocab) {
			return fmt.Errorf("bias of token %d, vocabulary %d", e.ID, l.Vocab)
		}
	}
	return nil
}

func outside(i int32, n int) bool { return i < 0 || int(i) >= n }

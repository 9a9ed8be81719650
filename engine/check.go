package engine

import (
	"fmt"
	"math"

	"github.com/weft-llm/weft/backend"
)

// check refuses a request that the engine could not serve, naming the field.
func (e *Engine) check(r *Request) error {
	bad := func(field, format string, args ...any) error {
		return &RequestError{field, fmt.Sprintf(format, args...)}
	}
	switch {
	case len(r.Prompt) == 0:
		return bad("prompt", "is empty")
	case r.MaxTokens < 1:
		return bad("max_tokens", "is %d, want at least 1", r.MaxTokens)
	case r.MaxTokens > e.Limit()-len(r.Prompt):
		return &TooLongError{len(r.Prompt), r.MaxTokens, e.Limit()}
	case r.Logprobs < -1 || r.Logprobs > backend.MaxTopLogprobs:
		return bad("logprobs", "is %d, want -1 to %d", r.Logprobs, backend.MaxTopLogprobs)
	case len(r.Sampling.Bias) > MaxBias:
		return bad("logit_bias", "has %d entries, limit %d", len(r.Sampling.Bias), MaxBias)
	}
	for i, id := range r.Prompt {
		if id < 0 || int(id) >= e.vocab {
			return bad("prompt", "has token id %d at position %d, want 0 to %d", id, i, e.vocab-1)
		}
	}
	for _, b := range r.Sampling.Bias {
		if b.ID < 0 || int(b.ID) >= e.vocab || !finite(b.Value) {
			return bad("logit_bias", "has %g for token id %d, want finite values for ids 0 to %d", b.Value, b.ID, e.vocab-1)
		}
	}
	return checkSampling(&r.Sampling, bad)
}

func checkSampling(s *Sampling, bad func(field, format string, args ...any) error) error {
	switch {
	case !finite(s.Temperature) || s.Temperature < 0:
		return bad("temperature", "is %g, want 0 or more", s.Temperature)
	case s.TopK < 0:
		return bad("top_k", "is %d, want 0 or more", s.TopK)
	case !(s.TopP > 0 && s.TopP <= 1):
		return bad("top_p", "is %g, want more than 0 and at most 1", s.TopP)
	case !(s.MinP >= 0 && s.MinP <= 1):
		return bad("min_p", "is %g, want 0 to 1", s.MinP)
	case !finite(s.Repetition) || s.Repetition <= 0:
		return bad("repetition_penalty", "is %g, want more than 0", s.Repetition)
	case !finite(s.Presence):
		return bad("presence_penalty", "is %g", s.Presence)
	case !finite(s.Frequency):
		return bad("frequency_penalty", "is %g", s.Frequency)
	}
	return nil
}

func finite(x float32) bool { return !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) }

package cuda

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
)

// check compares s with the limits of the plan and with the pinned memory that it is uploaded from.
func (b *Backend) check(s *backend.Step) error {
	biases, words := b.limits.Requests*biasPerRequest, b.limits.Requests*b.maskWords()
	switch {
	case b.kv.pages.Rank == 0:
		return errors.New("no KV cache: call Plan, then AllocKV")
	case len(s.Bias) > biases || len(s.Masks) > words:
		return fmt.Errorf("%d biases and %d mask words: limits are %d and %d", len(s.Bias), len(s.Masks), biases, words)
	}
	return s.Check(b.limits, b.kv.spec.Slots)
}

package engine

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// size reserves the step's memory and decides how many KV slots the rest holds.
func (e *Engine) size(b backend.Backend, m Model) error {
	o := &e.opts
	if o.MaxContext > m.MaxContext() {
		return fmt.Errorf("cannot serve a context of %d tokens: the model was made for %d", o.MaxContext, m.MaxContext())
	}
	asked := o.MaxContext
	setDefault(&o.MaxContext, m.MaxContext())
	o.setDefaults(b.Info().Async, o.MaxContext)
	limits := backend.Limits{
		Tokens: o.StepTokens, Requests: o.MaxRequests, MaxContext: o.MaxContext,
		Vocab: m.Vocab(), Cached: o.MaxContext,
	}
	if err := b.Plan(limits, func(batch *backend.Batch) tensor.View { return m.Forward(b, batch) }); err != nil {
		if full(err) {
			return fmt.Errorf("cannot reserve memory for steps of %d tokens and %d requests: %w. Lower --step-tokens or --max-requests", o.StepTokens, o.MaxRequests, err)
		}
		return fmt.Errorf("cannot plan steps of %d tokens: %w", o.StepTokens, err)
	}
	e.slots = o.KVTokens
	if e.slots == 0 {
		e.slots = slotsIn(b, m, o)
	}
	e.slots = min(e.slots, o.MaxRequests*o.MaxContext)
	if want := max(asked, 1); e.slots < want {
		per := b.KVBytes(m.KVSpec(2)) - b.KVBytes(m.KVSpec(1))
		return fmt.Errorf("cannot hold a context of %d tokens: the KV cache has room for %d (%d bytes a token, %d bytes free, of which %g is used). "+
			"Lower --max-context or --step-tokens, or raise --kv-memory", want, max(e.slots, 0), per, b.Info().Free, o.KVMemory)
	}
	return nil
}

// full reports whether err says that the device's memory is full.
func full(err error) bool {
	var e interface{ OutOfMemory() bool }
	return errors.As(err, &e) && e.OutOfMemory()
}

// slotsIn returns how many slots fit the share of free memory that the KV cache may take, the padding slot not counted.
func slotsIn(b backend.Backend, m Model, o *Options) int {
	fixed := b.KVBytes(m.KVSpec(0))
	per := b.KVBytes(m.KVSpec(1)) - fixed
	room := int64(float64(b.Info().Free) * o.KVMemory)
	return int((room-fixed)/per) - 1
}

//go:build !race

package cpu

import (
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// TestStep_DecodeAllocatesNothing decodes with every kind of sampling.
func TestStep_DecodeAllocatesNothing(t *testing.T) {
	b := New(Options{Threads: 2})
	defer b.Close()
	m := newLlama(t, b, tiny(tensor.Q4_1))
	var r backend.Result
	m.run(t, m.step(4, 0, 50), &r)
	s := m.step(4, 50, 1)
	s.Decodes = 4
	s.Sampling[1] = backend.Sampling{Temperature: 1, TopP: 0.9, TopK: 40, Repetition: 1.1, Presence: 1, Logprobs: 5}
	s.Sampling[2] = backend.Sampling{Temperature: 1, TopP: 1, Logprobs: 0, Mask: 1}
	s.Masks = make([]uint32, 32)
	s.Masks[0] = 0xffff
	s.IDs[3] = backend.FromDevice
	if n := testing.AllocsPerRun(50, func() { m.run(t, s, &r) }); n >= 1 {
		t.Errorf("a decode step makes %v allocations, want 0", n)
	}
}

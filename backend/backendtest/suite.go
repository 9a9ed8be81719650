// Package backendtest is the conformance suite of backend.Backend: every operation over odd sizes, against references
// in float64 that share no code with any backend.
//
// A tolerance is a multiple of a magnitude that the reference computes beside the value (the sum of the absolute
// products of a dot product, for example), one number for each activation type. The reason stands in the case.
package backendtest

import (
	"testing"

	"github.com/weft-llm/weft/backend"
)

// Open returns a fresh backend, or skips the test. It must implement backend.Memory too. The suite closes it.
type Open func(t *testing.T) backend.Backend

// Run runs the suite. With -short it leaves out the largest sizes.
func Run(t *testing.T, open Open) { suite{open, testing.Short()}.run(t) }

// RunSmall leaves out the largest sizes always: for what computes slowly.
func RunSmall(t *testing.T, open Open) { suite{open, true}.run(t) }

type suite struct {
	open  Open
	small bool
}

func (s suite) run(t *testing.T) {
	t.Run("norm", func(t *testing.T) { testNorm(t, s) })
	t.Run("linear", func(t *testing.T) { testLinear(t, s) })
	t.Run("types", func(t *testing.T) { testTypes(t, s) })
	t.Run("embed", func(t *testing.T) { testEmbed(t, s) })
	t.Run("attention", func(t *testing.T) { testAttention(t, s) })
	t.Run("sampling", func(t *testing.T) { testSampling(t, s) })
	t.Run("step", func(t *testing.T) { testStep(t, s) })
}

// tokens are the token counts of an operation's cases.
func (s suite) tokens() []int {
	if s.small {
		return []int{1, 19}
	}
	return []int{1, 2, 3, 5, 8, 9, 19, 33, 111, 989}
}

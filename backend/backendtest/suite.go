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
func Run(t *testing.T, open Open) {
	t.Run("norm", func(t *testing.T) { testNorm(t, open) })
	t.Run("linear", func(t *testing.T) { testLinear(t, open) })
	t.Run("fused", func(t *testing.T) { testFused(t, open) })
	t.Run("types", func(t *testing.T) { testTypes(t, open) })
	t.Run("embed", func(t *testing.T) { testEmbed(t, open) })
	t.Run("attention", func(t *testing.T) { testAttention(t, open) })
	t.Run("sampling", func(t *testing.T) { testSampling(t, open) })
	t.Run("step", func(t *testing.T) { testStep(t, open) })
}

// tokens are the token counts of an operation's cases.
func tokens() []int {
	if testing.Short() {
		return []int{1, 19}
	}
	return []int{1, 2, 3, 5, 8, 9, 19, 33, 111, 989}
}

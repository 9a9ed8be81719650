package golden_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/tensor"
)

// openGPU returns what opens the first GPU with o, or skips and says why there is none.
func openGPU(o cuda.Options) golden.Open {
	return func(t *testing.T) backend.Backend {
		t.Helper()
		runtime.LockOSThread() // a CUDA context belongs to a thread; the test's goroutine ends with it
		b, err := cuda.Open(0, o)
		if errors.Is(err, driver.ErrNoDriver) {
			t.Skipf("skipped: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// The tolerance is bf16's: activations and weights have 8 bits.
func TestGPU_AgreesWithTransformers(t *testing.T) { golden.Run(t, openGPU(cuda.Options{}), 2e-2) }

// f16 has 11.
func TestGPU_F16AgreesWithTransformers(t *testing.T) {
	golden.Run(t, openGPU(cuda.Options{Elem: tensor.F16, Residual: tensor.F32}), 4e-3)
}

// TestGPU_SmolLM2AgreesUpToNearTies runs with each type of elements and of the residual stream.
func TestGPU_SmolLM2AgreesUpToNearTies(t *testing.T) {
	for _, o := range []cuda.Options{
		{Elem: tensor.BF16, Residual: tensor.BF16}, {Elem: tensor.BF16, Residual: tensor.F32},
		{Elem: tensor.F16, Residual: tensor.F16}, {Elem: tensor.F16, Residual: tensor.F32},
	} {
		t.Run(fmt.Sprintf("%s, residual %s", o.Elem, o.Residual), func(t *testing.T) { golden.RunSmolLM2(t, openGPU(o), 0.05, 0.005) })
	}
}

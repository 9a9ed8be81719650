package golden_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/internal/golden"
)

// openGPU opens the first GPU, or skips and says why there is none.
func openGPU(t *testing.T) backend.Backend {
	t.Helper()
	runtime.LockOSThread() // a CUDA context belongs to a thread; the test's goroutine ends with it
	b, err := cuda.Open(0, cuda.Options{})
	if errors.Is(err, driver.ErrNoDriver) {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The tolerance is bf16's: activations and weights have 8 bits.
func TestGPU_AgreesWithTransformers(t *testing.T) { golden.Run(t, openGPU, 2e-2) }

func TestGPU_SmolLM2AgreesUpToNearTies(t *testing.T) { golden.RunSmolLM2(t, openGPU, 0.05, 0.005) }

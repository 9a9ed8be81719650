package cuda

import (
	"errors"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/backendtest"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// onGPU opens the first GPU with o, or skips and says why there is none.
func onGPU(t *testing.T, o Options) *Backend {
	t.Helper()
	onThread(t)
	b, err := Open(0, o)
	if errors.Is(err, driver.ErrNoDriver) {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGPU_SelfTest(t *testing.T) { selfTestOnGPU(t, Options{}) }

func TestGPU_SelfTestOverlapped(t *testing.T) { selfTestOnGPU(t, Options{Overlap: true}) }

func selfTestOnGPU(t *testing.T, o Options) {
	b := onGPU(t, o)
	defer func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	}()
	for _, c := range b.SelfTest() {
		if c.Err != nil {
			t.Errorf("%s: %v", c.Name, c.Err)
		}
	}
}

func TestGPU_Conformance(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backend.Backend { return onGPU(t, Options{}) })
}

func TestGPU_ConformanceOverlapped(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backend.Backend { return onGPU(t, Options{Overlap: true}) })
}

func TestGPU_ConformanceWithoutGraphs(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backend.Backend { return onGPU(t, Options{NoGraphs: true}) })
}

func TestGPU_SelfTestInF16(t *testing.T) { selfTestOnGPU(t, Options{Elem: tensor.F16}) }

func TestGPU_ConformanceInF16(t *testing.T) {
	backendtest.Run(t, func(t *testing.T) backend.Backend { return onGPU(t, Options{Elem: tensor.F16, Residual: tensor.F32}) })
}

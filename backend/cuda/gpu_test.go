package cuda

import (
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/backendtest"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// opener opens d's first GPU with o.
func opener(d drivertest.Device, o Options) func(t *testing.T) *Backend {
	return func(t *testing.T) *Backend {
		t.Helper()
		onThread(t)
		b, err := OpenWith(d.Library, 0, o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestGPU_SelfTest(t *testing.T) { selfTestOnGPU(t, Options{}) }

func TestGPU_SelfTestOverlapped(t *testing.T) { selfTestOnGPU(t, Options{Overlap: true}) }

func TestGPU_SelfTestInF16(t *testing.T) { selfTestOnGPU(t, Options{Elem: tensor.F16}) }

func selfTestOnGPU(t *testing.T, o Options) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		b := opener(d, o)(t)
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
	})
}

func TestGPU_Conformance(t *testing.T) { conformOnGPU(t, Options{}) }

func TestGPU_ConformanceOverlapped(t *testing.T) { conformOnGPU(t, Options{Overlap: true}) }

func TestGPU_ConformanceFused(t *testing.T) { conformOnGPU(t, Options{Fused: FuseAll}) }

func TestGPU_ConformanceWithoutGraphs(t *testing.T) { conformOnGPU(t, Options{NoGraphs: true}) }

func TestGPU_ConformanceInF16(t *testing.T) {
	conformOnGPU(t, Options{Elem: tensor.F16, Residual: tensor.F32})
}

func conformOnGPU(t *testing.T, o Options) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		open := opener(d, o)
		backendtest.Run(t, func(t *testing.T) backend.Backend { return open(t) })
	})
}

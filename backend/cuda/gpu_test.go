package cuda

import (
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/backendtest"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// opener opens d's first GPU with o. On a simulated one kernels are always launched to overlap: it runs them one after the
// other, and finds what would be touched too early.
func opener(d drivertest.Device, o Options) func(t *testing.T) *Backend {
	return func(t *testing.T) *Backend {
		t.Helper()
		if d.Simulated && d.Hopper && o.Elem == tensor.F16 {
			t.Skip("skipped: for f16 there are only the kernels of sm_80, which the other simulated GPU runs")
		}
		onThread(t)
		o.Overlap = o.Overlap || d.Simulated
		b, err := OpenWith(d.Library, 0, o)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestGPU_SelfTest(t *testing.T) { drivertest.OnEach(t, selfTestWith(Options{})) }

func TestGPU_SelfTestOverlapped(t *testing.T) { onlyReal(t, selfTestWith(Options{Overlap: true})) }

func TestGPU_SelfTestInF16(t *testing.T) {
	drivertest.OnEach(t, selfTestWith(Options{Elem: tensor.F16}))
}

// onlyReal is for what a simulated GPU, where kernels run one after the other, would do a second time.
func onlyReal(t *testing.T, run func(*testing.T, drivertest.Device)) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		if d.Simulated {
			t.Skip("skipped: a simulated GPU, which always overlaps and replays graphs launch by launch, does the same without this")
		}
		run(t, d)
	})
}

func selfTestWith(o Options) func(*testing.T, drivertest.Device) {
	return func(t *testing.T, d drivertest.Device) {
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
	}
}

func TestGPU_Conformance(t *testing.T) { drivertest.OnEach(t, conformWith(Options{})) }

func TestGPU_ConformanceOverlapped(t *testing.T) { onlyReal(t, conformWith(Options{Overlap: true})) }

func TestGPU_ConformanceFused(t *testing.T) {
	drivertest.OnEach(t, func(t *testing.T, d drivertest.Device) {
		gpu, err := d.Library.Device(0)
		if err != nil {
			t.Fatal(err)
		}
		if gpu.Arch() != 90 {
			t.Skipf("skipped: kernels are fused on sm_90 alone, and this GPU is sm_%d", gpu.Arch())
		}
		conformWith(Options{Fused: FuseAll})(t, d)
	})
}

func TestGPU_ConformanceFusedAhead(t *testing.T) {
	onlyReal(t, conformWith(Options{Fused: FuseAll | AheadAttend}))
}

func TestGPU_ConformanceWithoutGraphs(t *testing.T) {
	onlyReal(t, conformWith(Options{NoGraphs: true}))
}

func TestGPU_ConformanceInF16(t *testing.T) {
	drivertest.OnEach(t, conformWith(Options{Elem: tensor.F16, Residual: tensor.F32}))
}

// conformWith runs the suite with o, on a simulated GPU without the largest sizes.
func conformWith(o Options) func(*testing.T, drivertest.Device) {
	return func(t *testing.T, d drivertest.Device) {
		open := opener(d, o)
		run := backendtest.Run
		if d.Simulated {
			run = backendtest.RunSmall
		}
		run(t, func(t *testing.T) backend.Backend { return open(t) })
	}
}

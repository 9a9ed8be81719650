package cuda

import (
	"maps"
	"strings"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// TestRun_F16HasModulesOfItsOwn checks that no kernel for bf16, nor one for Hopper, is loaded beside those for f16.
func TestRun_F16HasModulesOfItsOwn(t *testing.T) {
	m, _ := started(t, Options{Elem: tensor.F16})
	for _, l := range m.b.k.Loads() {
		if !strings.HasSuffix(l.File, "_half") && l.File != "step" && l.File != "sample" {
			t.Errorf("module %s is loaded", l.File)
		}
	}
	if got := m.b.Info(); got.Activation != tensor.F16 || got.Residual != tensor.F16 {
		t.Errorf("Info() says activations %s, residual stream %s, want f16 for both", got.Activation, got.Residual)
	}
}

func TestOpen_RefusesTypesThatNoKernelHas(t *testing.T) {
	onThread(t)
	lib, err := drivertest.New(drivertest.Config{}).Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Elem: tensor.F32}, {Residual: tensor.F16}, {Elem: tensor.F16, Residual: tensor.BF16}} {
		if b, err := OpenWith(lib, 0, o); err == nil {
			t.Errorf("%+v is accepted", o)
			b.Close()
		}
	}
}

// TestRun_AResidualInF32TakesNoKernelMore counts the kernels of a decode step by name with either residual.
func TestRun_AResidualInF32TakesNoKernelMore(t *testing.T) {
	count := func(o Options) map[string]int {
		m, fake := started(t, o)
		var r backend.Result
		if err := m.step(decodeStep(3, 5), &r); err != nil {
			t.Fatal(err)
		}
		fake.Record(true)
		before := len(fake.Launches())
		if err := m.step(decodeStep(3, 6), &r); err != nil {
			t.Fatal(err)
		}
		n := map[string]int{}
		for _, l := range fake.Launches()[before:] {
			n[l.Kernel]++
		}
		return n
	}
	rounded, kept := count(Options{}), count(Options{Residual: tensor.F32})
	if rounded["rmsnorm"] != 1 || rounded["add_rmsnorm"] != 2 {
		t.Errorf("in bf16: %v, want one rmsnorm and two of add_rmsnorm", rounded)
	}
	delete(rounded, "rmsnorm")
	delete(rounded, "add_rmsnorm")
	rounded["add_rmsnorm_f32"] = 3
	if !maps.Equal(kept, rounded) {
		t.Errorf("in f32: %v, want %v", kept, rounded)
	}
}

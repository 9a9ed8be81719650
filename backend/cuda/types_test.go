package cuda

import (
	"strings"
	"testing"

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
	if got := m.b.Info().Activation; got != tensor.F16 {
		t.Errorf("Info() says activations are %s, want f16", got)
	}
}

func TestOpen_RefusesTypesThatNoKernelHas(t *testing.T) {
	onThread(t)
	lib, err := drivertest.New(drivertest.Config{}).Library()
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []tensor.DType{tensor.F32, tensor.Q8_0} {
		if b, err := OpenWith(lib, 0, Options{Elem: typ}); err == nil {
			t.Errorf("%s is accepted", typ)
			b.Close()
		}
	}
}

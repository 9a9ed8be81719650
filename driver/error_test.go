package driver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

func TestError_NamesCallCodeAndWhatWasAsked(t *testing.T) {
	c := drivertest.New(drivertest.Config{Memory: 1 << 20}).Context(t)
	s, err := c.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Destroy()
	m, err := c.LoadModule("add", []byte(addPTX))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Unload()
	f, err := m.Function("vadd")
	if err != nil {
		t.Fatal(err)
	}
	var a driver.Args
	a.Ptr(0).Ptr(0).Ptr(0).U32(0)
	_, errAlloc := c.Alloc(2 << 20)
	_, errFunction := m.Function("vsub")
	_, errGlobal := func() (driver.DevicePtr, error) { p, _, err := m.Global("question"); return p, err }()
	_, errTile := c.Library().EncodeTile(driver.Tile{Dims: []int{8, 8}, Box: []int{8}})
	for _, x := range []struct {
		err  error
		code driver.Result
		want string
	}{
		{errAlloc, driver.OutOfMemory, "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY (2): 2097152 bytes on GPU 0, 1048576 of 1048576 free"},
		{errFunction, driver.NotFound, "cuModuleGetFunction: CUDA_ERROR_NOT_FOUND (500): kernel vsub of module add"},
		{errGlobal, driver.NotFound, "cuModuleGetGlobal: CUDA_ERROR_NOT_FOUND (500): variable question of module add"},
		{f.Launch(&driver.Launch{Grid: driver.Dim{X: 3}, Block: driver.Dim{X: 64, Y: 32}, Shared: 16, Stream: s}, &a), driver.InvalidValue,
			"cuLaunchKernel: CUDA_ERROR_INVALID_VALUE (1): vadd grid 3×1×1 block 64×32×1 shared 16"},
		{f.Launch(&driver.Launch{Grid: driver.Dim{X: 3}, Cluster: driver.Dim{X: 2}}, &a), driver.InvalidClusterSize,
			"cuLaunchKernelEx: CUDA_ERROR_INVALID_CLUSTER_SIZE (912): vadd grid 3×1×1 block 1×1×1 shared 0 cluster 2×1×1"},
		{f.SetMaxShared(1 << 20), driver.InvalidValue,
			"cuFuncSetAttribute: CUDA_ERROR_INVALID_VALUE (1): attribute 8 of vadd to 1048576"},
		{errTile, driver.InvalidValue, "cuTensorMapEncodeTiled: CUDA_ERROR_INVALID_VALUE (1): " +
			"2 dims, 0 strides and a box of 1: want 1 to 5 dims, one stride less, a box alike"},
	} {
		if x.err == nil || x.err.Error() != x.want || !errors.Is(x.err, x.code) {
			t.Errorf("error = %v, want %s", x.err, x.want)
		}
	}
}

func TestLoadModule_ErrorHasTheCompilersLog(t *testing.T) {
	c := drivertest.New(drivertest.Config{}).Context(t)
	_, err := c.LoadModule("broken", []byte("this is no PTX"))
	if !errors.Is(err, driver.InvalidPTX) || !strings.Contains(err.Error(), "broken on GPU 0: Fake H100, sm_90") ||
		!strings.Contains(err.Error(), "\nptxas") {
		t.Errorf("LoadModule() = %v, want the module, the GPU and ptxas's lines", err)
	}
	_, err = c.Compile("broken", []byte("this is no PTX"))
	if !errors.Is(err, driver.InvalidPTX) || !strings.Contains(err.Error(), "\nptxas") {
		t.Errorf("Compile() = %v, want ptxas's lines", err)
	}
}

// The seven codes after which promise P7 ends the process, and some after which it must not.
func TestSticky_IsForLostContexts(t *testing.T) {
	for _, r := range []driver.Result{700, 715, 716, 717, 718, 719, 214} {
		if !r.Sticky() || !driver.Sticky(fmt.Errorf("cannot run step 7: %w", &driver.Error{Call: "cuLaunchKernel", Result: r})) {
			t.Errorf("%v is not sticky", r)
		}
	}
	for _, r := range []driver.Result{driver.Success, driver.OutOfMemory, driver.NotReady, driver.InvalidValue, driver.Unknown} {
		if r.Sticky() {
			t.Errorf("%v is sticky", r)
		}
	}
	if driver.Sticky(errors.New("no driver call")) {
		t.Error("an error from elsewhere is sticky")
	}
	if got := driver.Result(4242).Error(); got != "CUDA_ERROR_UNNAMED (4242)" {
		t.Errorf("Error() of an unknown code = %q", got)
	}
}

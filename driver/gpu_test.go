package driver_test

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

func TestLife_GPU(t *testing.T) {
	lib := drivertest.Open(t).Library()
	v, err := lib.DriverVersion()
	t.Logf("%s: CUDA %d.%d, %v; lost: %q", lib.Path, v/1000, v%1000/10, err, lib.Lost())
	z, err := life(lib)
	if err != nil {
		t.Fatal(err)
	}
	checkLife(t, z)
}

func TestDevice_IsPlausible_GPU(t *testing.T) {
	c := drivertest.Open(t)
	d := c.Device
	t.Logf("%+v", *d)
	if d.Name == "" || d.Major < 7 || d.SMs < 1 || d.TotalMemory < 1<<30 || d.WarpSize != 32 || d.SharedPerBlockOptin < 48<<10 ||
		!strings.HasPrefix(d.UUID, "GPU-") || len(d.UUID) != 40 || strings.Count(d.PCI, ":") != 2 {
		t.Errorf("Device(0) = %+v", *d)
	}
	free, total, err := c.MemInfo()
	if err != nil || free <= 0 || free > total || total > d.TotalMemory {
		t.Errorf("MemInfo() = %d, %d, %v with %d in all", free, total, err, d.TotalMemory)
	}
	if _, err := c.Alloc(2 * total); !errors.Is(err, driver.OutOfMemory) {
		t.Errorf("Alloc(twice the memory) = %v, want OutOfMemory", err)
	}
}

func TestModule_VariablesAttributesAndOccupancy_GPU(t *testing.T) {
	c := drivertest.Open(t)
	m := loaded(t, c, addPTX)
	s := streamOf(t, c)
	p, n, err := m.Global("answer")
	if err != nil || n != 4 {
		t.Fatalf("Global() = %#x, %d, %v, want 4 bytes", p, n, err)
	}
	word := make([]byte, 4)
	if err := errors.Join(driver.CopyDtoH(s, word, p), s.Sync()); err != nil || word[0] != 42 {
		t.Errorf("answer = %v, %v, want 42", word, err)
	}
	f := kernel(t, m, "vadd")
	regs, err := f.Attribute(driver.FuncRegisters)
	if err != nil || regs < 4 || regs > 255 {
		t.Errorf("registers = %d, %v", regs, err)
	}
	blocks, err := f.Occupancy(256, 0)
	if err != nil || blocks != c.Device.ThreadsPerSM/256 {
		t.Errorf("Occupancy(256) = %d, %v, want %d", blocks, err, c.Device.ThreadsPerSM/256)
	}
	var a driver.Args
	if err := errors.Join(kernel(t, m, "nothing").Launch(&driver.Launch{Stream: s}, &a), s.Sync()); err != nil {
		t.Errorf("a kernel without parameters: %v", err)
	}
	if err := f.SetMaxShared(c.Device.SharedPerBlockOptin); err != nil {
		t.Error(err)
	}
	if _, err := m.Function("vsub"); !errors.Is(err, driver.NotFound) {
		t.Errorf("Function(vsub) = %v, want NotFound", err)
	}
}

func TestLoadModule_ErrorHasTheCompilersLog_GPU(t *testing.T) {
	c := drivertest.Open(t)
	broken := []byte(strings.Replace(addPTX, "add.f32", "sum.f32", 1))
	if _, err := c.LoadModule("broken", broken); !errors.Is(err, driver.InvalidPTX) || !strings.Contains(err.Error(), "line ") {
		t.Errorf("LoadModule() = %v, want InvalidPTX and the line", err)
	}
	if _, err := c.Compile("broken", broken); !errors.Is(err, driver.InvalidPTX) || !strings.Contains(err.Error(), "line ") {
		t.Errorf("Compile() = %v, want InvalidPTX and the line", err)
	}
}

func TestCompile_GivesAModuleThatRuns_GPU(t *testing.T) {
	c := drivertest.Open(t)
	cubin, err := c.Compile("add", []byte(addPTX))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	m := loaded(t, c, string(cubin))
	t.Logf("cubin of %d bytes loads in %v", len(cubin), time.Since(began))
	kernel(t, m, "vadd")
}

func TestLaunch_ClusterAndOverlap_GPU(t *testing.T) {
	c := drivertest.Open(t)
	if c.Device.Major < 9 {
		t.Skipf("skipped: %v has no clusters", c.Device)
	}
	f := kernel(t, loaded(t, c, clusterPTX), "width")
	s := streamOf(t, c)
	p, err := c.Alloc(256)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Free(p)
	var a driver.Args
	a.Ptr(p)
	word := make([]byte, 4)
	l := driver.Launch{Grid: driver.Dim{X: 8}, Block: driver.Dim{X: 1}, Stream: s, Cluster: driver.Dim{X: 4}, Overlap: true}
	if err := errors.Join(f.Launch(&l, &a), f.Launch(&l, &a), driver.CopyDtoH(s, word, p), s.Sync()); err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint32(word); got != 4 {
		t.Errorf("blocks in the cluster = %d, want 4", got)
	}
	m, err := c.Library().EncodeTile(driver.Tile{Type: driver.TileBF16, Addr: p, Dims: []int{64, 2}, Strides: []int64{128},
		Box: []int{64, 2}, Swizzle: driver.Swizzle128})
	if err != nil || m == (driver.TensorMap{}) {
		t.Errorf("EncodeTile() = %v, %v", m, err)
	}
}

func TestLaunch_ParametersAlignedTo64AreReached_GPU(t *testing.T) {
	c := drivertest.Open(t)
	f := kernel(t, loaded(t, c, alignedPTX), "aligned")
	s := streamOf(t, c)
	p, err := c.Alloc(256)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Free(p)
	for _, overlap := range []bool{false, c.Device.Major >= 9} {
		var a driver.Args
		q, got := make([]byte, 128), make([]byte, 8)
		q[124] = 7
		a.Bytes(q, 64).Ptr(p).U32(9)
		err := errors.Join(driver.Memset8(s, p, 0xff, 8), f.Launch(&driver.Launch{Stream: s, Overlap: overlap}, &a), driver.CopyDtoH(s, got, p), s.Sync())
		if want := []byte{7, 0, 0, 0, 9, 0, 0, 0}; err != nil || !slices.Equal(got, want) {
			t.Errorf("overlap %v: the kernel saw % x, %v, want % x", overlap, got, err, want)
		}
	}
}

// A kernel that stores to a wild address loses the context for good, so it runs in a process of its own.
func TestSticky_AWildStoreLosesTheContext_GPU(t *testing.T) {
	if os.Getenv("WEFT_TEST_WILD") != "" {
		storeWild(t)
		return
	}
	drivertest.Open(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestSticky_AWildStoreLosesTheContext_GPU$", "-test.v")
	cmd.Env = append(os.Environ(), "WEFT_TEST_WILD=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func storeWild(t *testing.T) {
	runtime.LockOSThread()
	lib, err := driver.Open()
	if err != nil {
		t.Fatal(err)
	}
	d, err := lib.Device(0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.LoadModule("add", []byte(addPTX))
	if err != nil {
		t.Fatal(err)
	}
	var a driver.Args
	a.Ptr(64)
	if err := kernel(t, m, "poke").Launch(&driver.Launch{Stream: s}, &a); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); !driver.Sticky(err) {
		t.Errorf("Sync() = %v, want a sticky error", err)
	}
	if _, err := c.Alloc(1); !driver.Sticky(err) {
		t.Errorf("Alloc() afterwards = %v, want the sticky error again", err)
	}
}

func loaded(t *testing.T, c *driver.Context, image string) *driver.Module {
	t.Helper()
	m, err := c.LoadModule("test", []byte(image))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Unload() })
	return m
}

func kernel(t *testing.T, m *driver.Module, name string) *driver.Function {
	t.Helper()
	f, err := m.Function(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func streamOf(t *testing.T, c *driver.Context) driver.Stream {
	t.Helper()
	s, err := c.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Destroy() })
	return s
}

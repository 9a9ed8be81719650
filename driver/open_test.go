package driver_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
)

func TestOpen_WithoutADriverSaysWhatToDo(t *testing.T) {
	t.Setenv("WEFT_LIBCUDA", "/nowhere/libcuda.so.1")
	_, err := driver.Open()
	if !errors.Is(err, driver.ErrNoDriver) {
		t.Fatalf("Open() = %v, want ErrNoDriver", err)
	}
	for _, want := range openWords {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Open() = %v, want %q in it", err, want)
		}
	}
}

func TestOpen_ExplainsADriverThatDoesNotStart(t *testing.T) {
	for _, c := range []struct {
		code     driver.Result
		noDriver bool
		want     string
	}{
		{driver.NoDevice, true, "CUDA_VISIBLE_DEVICES"},
		{driver.StubLibrary, true, "stubs folder"},
		{driver.SystemNotReady, false, "nvidia-fabricmanager"},
		{driver.SystemDriverMismatch, false, "reboot"},
		{driver.Unknown, false, "dmesg"},
	} {
		fake := drivertest.New(drivertest.Config{})
		fake.FailCall("cuInit", 1, c.code)
		lib, err := fake.Library()
		if lib != nil || !errors.Is(err, c.code) || errors.Is(err, driver.ErrNoDriver) != c.noDriver || !strings.Contains(err.Error(), c.want) {
			t.Errorf("cuInit gives %v: OpenWith() = %v, %v, want %q and ErrNoDriver %v", c.code, lib, err, c.want, c.noDriver)
		}
	}
}

func TestOpen_RefusesADriverThatLacksARequiredSymbol(t *testing.T) {
	_, err := drivertest.New(drivertest.Config{Lacks: []string{"cuLaunchKernel", "cuMemAlloc_v2"}}).Library()
	want := "cannot use stand-in: it lacks cuMemAlloc_v2, cuLaunchKernel. Install an NVIDIA driver"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("OpenWith() = %v, want %q…", err, want)
	}
}

func TestOpen_AnOptionalSymbolSaysWhatIsLost(t *testing.T) {
	lib, err := drivertest.New(drivertest.Config{Lacks: []string{"cuTensorMapEncodeTiled", "cuDeviceGetUuid_v2"}}).Library()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"cuDeviceGetUuid_v2: GPUs are named by index only",
		"cuTensorMapEncodeTiled: no TMA copies: kernels for sm_90 stay unused"}
	if got := lib.Lost(); !slices.Equal(got, want) {
		t.Errorf("Lost() = %q, want %q", got, want)
	}
	_, err = lib.EncodeTile(driver.Tile{Dims: []int{64}, Box: []int{64}})
	if !errors.Is(err, driver.NotSupported) || !strings.Contains(err.Error(), "this driver does not have it: no TMA copies") {
		t.Errorf("EncodeTile() = %v, want NotSupported and what is lost", err)
	}
	d, err := lib.Device(0)
	if err != nil || d.UUID != "" || d.PCI != "0000:10:00.0" {
		t.Errorf("Device(0) = %+v, %v, want no UUID and a PCI address", d, err)
	}
}

func TestDevice_IsDescribed(t *testing.T) {
	lib, err := drivertest.New(drivertest.Config{Devices: 2}).Library()
	if err != nil {
		t.Fatal(err)
	}
	if v, err := lib.DriverVersion(); v != 12040 || err != nil {
		t.Errorf("DriverVersion() = %d, %v", v, err)
	}
	d, err := lib.Device(1)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := d.String(), "GPU 1: Fake H100, sm_90, 132 SMs, 0.2 GiB"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if d.UUID != "GPU-face0000-0000-0000-0000-000000000001" || d.SharedPerBlockOptin != 232448 || d.WarpSize != 32 {
		t.Errorf("Device(1) = %+v", d)
	}
	if _, err := lib.Device(2); !errors.Is(err, driver.InvalidDevice) {
		t.Errorf("Device(2) = %v, want InvalidDevice", err)
	}
}

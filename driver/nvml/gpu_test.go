package nvml_test

import (
	"slices"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/driver/nvml"
)

func openNVML(t *testing.T, open func() (nvml.NVML, error)) nvml.NVML {
	t.Helper()
	n, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func sampleOf(t *testing.T, n nvml.NVML, d *driver.Device) *nvml.Sample {
	t.Helper()
	s, err := n.Sample(d.PCI)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSample_AgreesWithTheDriver_GPU(t *testing.T) {
	c := drivertest.Open(t)
	n := openNVML(t, nvml.Open)
	s := sampleOf(t, n, c.Device)
	t.Logf("%+v", *s)
	if s.Name != c.Device.Name || s.UUID != c.Device.UUID {
		t.Errorf("Sample() is of %s %s, want %s %s", s.Name, s.UUID, c.Device.Name, c.Device.UUID)
	}
	if s.MemoryTotal < c.Device.TotalMemory || s.MemoryFree+s.MemoryUsed > s.MemoryTotal {
		t.Errorf("memory = %d free + %d used of %d, the driver says %d", s.MemoryFree, s.MemoryUsed, s.MemoryTotal, c.Device.TotalMemory)
	}
	if !slices.Contains(s.Missing, "temperature") && (s.TemperatureC < 5 || s.TemperatureC > 110) {
		t.Errorf("TemperatureC = %d", s.TemperatureC)
	}
	if v, err := n.DriverVersion(); v == "" || err != nil {
		t.Errorf("DriverVersion() = %q, %v", v, err)
	}
}

//go:build cgo && gonvml && linux && !nogpu

package nvml_test

import (
	"reflect"
	"testing"

	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/driver/nvml"
)

// Both bindings read the same GPU. Figures that move between two reads are compared within bounds, the rest exactly.
func TestBindings_Agree_GPU(t *testing.T) {
	c := drivertest.Open(t)
	a := sampleOf(t, openNVML(t, nvml.Open), c.Device)
	b := sampleOf(t, openNVML(t, nvml.OpenGo), c.Device)
	for _, m := range []struct {
		name   string
		a, b   *int
		within int
	}{
		{"power", &a.PowerMilliwatts, &b.PowerMilliwatts, 150_000},
		{"temperature", &a.TemperatureC, &b.TemperatureC, 5},
		{"SM clock", &a.SMClockMHz, &b.SMClockMHz, 500},
		{"busy", &a.BusyPercent, &b.BusyPercent, 100},
		{"memory busy", &a.MemoryBusyPercent, &b.MemoryBusyPercent, 100},
	} {
		if d := *m.a - *m.b; d > m.within || -d > m.within {
			t.Errorf("%s: %d and %d", m.name, *m.a, *m.b)
		}
		*m.b = *m.a
	}
	b.Throttle = a.Throttle
	if !reflect.DeepEqual(a, b) {
		t.Errorf("purego reads %+v\ngo-nvml reads %+v", *a, *b)
	}
}

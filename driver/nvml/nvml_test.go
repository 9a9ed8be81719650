package nvml

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"unsafe"
)

// card plays one GPU: symbol → what it writes, argument by argument after the handle.
type card struct {
	results map[string]Result
	users   []processInfo
	asked   []string
}

func put[T any](address uintptr, v T) { **(**T)(unsafe.Pointer(&address)) = v }

func putText(address uintptr, text string) {
	copy(unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), 96), text+"\x00")
}

// gpu is the handle of the card.
const gpu = 77

func (c *card) call(symbol string, a []uintptr) Result {
	c.asked = append(c.asked, symbol)
	if r, planned := c.results[symbol]; planned {
		return r
	}
	switch symbol {
	case "nvmlInit_v2", "nvmlShutdown":
		return Success
	case "nvmlSystemGetDriverVersion":
		putText(a[0], "550.54.15")
		return Success
	case "nvmlDeviceGetHandleByPciBusId_v2":
		put(a[1], uintptr(gpu))
		return Success
	}
	if a[0] != gpu {
		return 2
	}
	return c.figure(symbol, a)
}

func (c *card) figure(symbol string, a []uintptr) Result {
	switch symbol {
	case "nvmlDeviceGetName":
		putText(a[1], "Card 9")
	case "nvmlDeviceGetUUID":
		putText(a[1], "GPU-9")
	case "nvmlDeviceGetMemoryInfo":
		put(a[1], [3]uint64{80 << 30, 70 << 30, 10 << 30})
	case "nvmlDeviceGetUtilizationRates":
		put(a[1], [2]uint32{97, 41})
	case "nvmlDeviceGetPowerUsage":
		put(a[1], uint32(690123))
	case "nvmlDeviceGetEnforcedPowerLimit":
		put(a[1], uint32(700000))
	case "nvmlDeviceGetTemperature":
		put(a[2], uint32(64))
	case "nvmlDeviceGetClockInfo":
		put(a[2], uint32(1000+a[1]))
	case "nvmlDeviceGetMaxClockInfo":
		put(a[2], uint32(2000+a[1]))
	case "nvmlDeviceGetEccMode":
		put(a[1], uint32(1))
	case "nvmlDeviceGetTotalEccErrors":
		put(a[3], uint64(5-a[1]))
	case "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons":
		put(a[1], uint64(0x44))
	case "nvmlDeviceGetComputeRunningProcesses_v3":
		return c.processes(a[1], a[2])
	default:
		return FunctionNotFound
	}
	return Success
}

func (c *card) processes(count, list uintptr) Result {
	n := *(**uint32)(unsafe.Pointer(&count))
	room := *n
	*n = uint32(len(c.users))
	if room < *n {
		return InsufficientSize
	}
	copy(unsafe.Slice(*(**processInfo)(unsafe.Pointer(&list)), room), c.users)
	return Success
}

func TestSample_HasEveryFigure(t *testing.T) {
	c := &card{users: []processInfo{{pid: 2114, bytes: 41 << 30}, {pid: 7, bytes: math.MaxUint64}}}
	n, err := start(&library{fake: c.call})
	if err != nil {
		t.Fatal(err)
	}
	want := &Sample{Name: "Card 9", UUID: "GPU-9", MemoryTotal: 80 << 30, MemoryFree: 70 << 30, MemoryUsed: 10 << 30,
		BusyPercent: 97, MemoryBusyPercent: 41, PowerMilliwatts: 690123, PowerLimitMilliwatts: 700000, TemperatureC: 64,
		SMClockMHz: 1001, SMClockMaxMHz: 2001, MemoryClockMHz: 1002, MemoryClockMaxMHz: 2002,
		ECC: ECC{true, 5, 4}, Throttle: 0x44, Processes: []Process{{2114, 41 << 30}, {7, -1}}}
	got, err := n.Sample("0000:3b:00.0")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Sample() = %+v, %v\nwant %+v", got, err, want)
	}
	if v, err := n.DriverVersion(); v != "550.54.15" || err != nil {
		t.Errorf("DriverVersion() = %q, %v", v, err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

func TestSample_NamesWhatIsNotTold(t *testing.T) {
	c := &card{results: map[string]Result{"nvmlDeviceGetPowerUsage": NotSupported, "nvmlDeviceGetEccMode": NotSupported,
		"nvmlDeviceGetComputeRunningProcesses_v3": NoPermission, "nvmlDeviceGetCurrentClocksEventReasons": FunctionNotFound}}
	n, err := start(&library{fake: c.call})
	if err != nil {
		t.Fatal(err)
	}
	s, err := n.Sample("0000:3b:00.0")
	if err != nil || !slices.Equal(s.Missing, []string{"power", "ecc", "processes"}) {
		t.Errorf("Sample() misses %q, %v, want power, ecc, processes", s.Missing, err)
	}
	if s.Throttle != 0x44 {
		t.Errorf("Throttle = %v, want it from the older call", s.Throttle)
	}
}

func TestSample_ALostGPUIsAnError(t *testing.T) {
	c := &card{results: map[string]Result{"nvmlDeviceGetTemperature": GPUIsLost}}
	n, err := start(&library{fake: c.call})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Sample("0000:3b:00.0"); !errors.Is(err, GPUIsLost) {
		t.Errorf("Sample() = %v, want GPUIsLost", err)
	}
	c.results = map[string]Result{"nvmlDeviceGetHandleByPciBusId_v2": NotFound}
	want := "nvmlDeviceGetHandleByPciBusId: NVML_ERROR_NOT_FOUND (6): 0000:3b:00.0"
	if _, err := n.Sample("0000:3b:00.0"); err == nil || err.Error() != want {
		t.Errorf("Sample() = %v, want %s", err, want)
	}
}

func TestSample_ReadsMoreProcessesThanExpected(t *testing.T) {
	c := &card{users: make([]processInfo, 100)}
	n, err := start(&library{fake: c.call})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := n.Sample("x"); err != nil || len(s.Processes) != 100 {
		t.Errorf("Sample() has %d processes, %v, want 100", len(s.Processes), err)
	}
}

func TestOpen_ADriverThatIsNotLoadedIsAnError(t *testing.T) {
	c := &card{results: map[string]Result{"nvmlInit_v2": DriverNotLoaded}}
	if n, err := start(&library{fake: c.call}); n != nil || !errors.Is(err, DriverNotLoaded) {
		t.Errorf("start() = %v, %v, want DriverNotLoaded", n, err)
	}
}

func TestThrottle_IsWords(t *testing.T) {
	for _, c := range []struct {
		t      Throttle
		want   string
		slowed bool
	}{{0, "none", false}, {1, "idle", false}, {0x44, "power cap, thermal slowdown (hardware)", true}, {0x200, "0x200", false}} {
		if c.t.String() != c.want || c.t.Slowed() != c.slowed {
			t.Errorf("Throttle(%#x) = %q, slowed %v, want %q, %v", uint64(c.t), c.t, c.t.Slowed(), c.want, c.slowed)
		}
	}
	if size := unsafe.Sizeof(processInfo{}); size != 24 {
		t.Errorf("processInfo has %d bytes, nvmlProcessInfo_t 24", size)
	}
}

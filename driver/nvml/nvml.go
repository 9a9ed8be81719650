// Package nvml reads what the NVIDIA management library tells of a GPU: memory, utilisation, power, temperature,
// clocks, ECC errors, reasons for slowing down, and who uses it. It is optional: weft runs without it.
//
// Open uses libnvidia-ml without cgo. OpenGo, in builds with cgo and -tags gonvml, does the same through NVIDIA's go-nvml;
// a test compares the two.
package nvml

import (
	"fmt"
	"strings"
)

// NVML is the management library, started. It is safe for concurrent use until Close.
type NVML interface {
	// DriverVersion is the driver's own number, such as "550.54.15".
	DriverVersion() (string, error)
	// Sample reads the GPU with the given PCI address (driver.Device.PCI).
	Sample(pci string) (*Sample, error)
	// Close ends the use of the library.
	Close() error
}

// Sample is a GPU at one moment. What Missing names is zero here because the GPU or the driver does not tell.
type Sample struct {
	Name, UUID string

	MemoryTotal, MemoryFree, MemoryUsed int64 // bytes, the driver's own share counted as used

	BusyPercent       int // time in which a kernel ran, over the last sampling period (up to 1 s)
	MemoryBusyPercent int // time in which memory was read or written

	PowerMilliwatts      int
	PowerLimitMilliwatts int
	TemperatureC         int

	SMClockMHz, SMClockMaxMHz         int
	MemoryClockMHz, MemoryClockMaxMHz int

	ECC       ECC
	Throttle  Throttle
	Processes []Process // that compute; graphics is not counted

	Missing []string
}

// ECC counts memory errors since the driver was loaded.
type ECC struct {
	Enabled                bool
	Corrected, Uncorrected uint64
}

// Process is a user of the GPU. In a container the PID may be the host's, or the list empty.
type Process struct {
	PID   int
	Bytes int64 // -1: not told
}

// Throttle is the set of reasons for which clocks are below their maximum; bits are nvmlClocksEventReasons of nvml.h.
type Throttle uint64

// Slowed says whether the hardware or the driver holds clocks down against the load's wish: heat or power, rather than
// idling or a setting.
func (t Throttle) Slowed() bool { return t&(0x04|0x08|0x20|0x40|0x80) != 0 }

func (t Throttle) String() string {
	names := [...]string{"idle", "application clocks", "power cap", "hardware slowdown", "sync boost", "thermal slowdown (driver)",
		"thermal slowdown (hardware)", "power brake", "display clocks"}
	var set []string
	for i, name := range names {
		if t&(1<<i) != 0 {
			set = append(set, name)
		}
	}
	if rest := t >> len(names); rest != 0 {
		set = append(set, fmt.Sprintf("%#x", uint64(rest<<len(names))))
	}
	if set == nil {
		return "none"
	}
	return strings.Join(set, ", ")
}

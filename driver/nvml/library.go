package nvml

import (
	"bytes"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/weft-llm/weft/driver/internal/dl"
)

// library is NVML without cgo.
type library struct {
	lookup func(symbol string) uintptr
	fake   func(symbol string, args []uintptr) Result // in place of the C functions, in tests
}

// Open loads and starts libnvidia-ml. It comes with the driver; where it is missing only figures are lost.
func Open() (NVML, error) {
	candidates := []string{"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1", "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
		"/run/opengl-driver/lib/libnvidia-ml.so.1"}
	if runtime.GOOS == "windows" {
		candidates = []string{"nvml.dll"}
	}
	found, err := dl.Open(candidates...)
	if err != nil {
		return nil, fmt.Errorf("cannot open NVML: %w", err)
	}
	return start(&library{lookup: found.Lookup})
}

func start(l *library) (NVML, error) {
	if err := fail("nvmlInit", l.call("nvmlInit_v2"), ""); err != nil {
		return nil, fmt.Errorf("cannot open NVML: %w", err)
	}
	return l, nil
}

// call calls the library. Pointers are converted inside the argument list: the compiler then moves what they point to
// onto the heap, which does not move, and keeps it alive until call returns.
//
//go:uintptrescapes
func (l *library) call(symbol string, args ...uintptr) Result {
	if l.fake != nil {
		return l.fake(symbol, args)
	}
	entry := l.lookup(symbol)
	if entry == 0 {
		return FunctionNotFound
	}
	return Result(dl.Call(entry, args...))
}

func (l *library) Close() error { return fail("nvmlShutdown", l.call("nvmlShutdown"), "") }

func (l *library) DriverVersion() (string, error) {
	var text [96]byte
	r := l.call("nvmlSystemGetDriverVersion", uintptr(unsafe.Pointer(&text)), uintptr(len(text)))
	return cString(text[:]), fail("nvmlSystemGetDriverVersion", r, "")
}

func (l *library) Sample(pci string) (*Sample, error) {
	var gpu uintptr
	id := append([]byte(pci), 0)
	r := l.call("nvmlDeviceGetHandleByPciBusId_v2", uintptr(unsafe.Pointer(&id[0])), uintptr(unsafe.Pointer(&gpu)))
	if r != Success {
		return nil, fail("nvmlDeviceGetHandleByPciBusId", r, pci)
	}
	s := &Sample{}
	for _, f := range figures {
		switch r := f.read(l, gpu, s); {
		case r == Success:
		case r.untold():
			s.Missing = append(s.Missing, f.name)
		default:
			return nil, fail("cannot read "+f.name+" of GPU "+pci, r, "")
		}
	}
	return s, nil
}

// cString is b up to its first NUL.
func cString(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

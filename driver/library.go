package driver

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"unsafe"

	"github.com/weft-llm/weft/driver/internal/dl"
)

// Library is the loaded and initialised driver. It is safe for concurrent use and is never unloaded.
type Library struct {
	Path string // where it was found

	fn    entries
	calls Calls // nil: fn holds the addresses of real C functions
	lists sync.Pool
}

// MaxArgs is the most arguments that one call has (cuTensorMapEncodeTiled).
const MaxArgs = 12

// Calls stands in for libcuda in tests; see package drivertest. Arguments arrive as C would see them.
type Calls interface {
	Has(symbol string) bool
	Call(symbol string, args [MaxArgs]uintptr) Result
}

// Open finds libcuda, loads it and initialises it: $WEFT_LIBCUDA alone when that is set, else the loader's own search,
// then where WSL, Jetson, containers and NixOS keep it. Where no GPU can be used the error matches ErrNoDriver.
func Open() (*Library, error) {
	found, err := dl.Open(candidates()...)
	if err != nil {
		return nil, noDriver(err)
	}
	return start(&Library{Path: found.Path}, found.Lookup)
}

// OpenWith makes a Library of a stand-in for libcuda. Only tests use it.
func OpenWith(calls Calls) (*Library, error) {
	return start(&Library{Path: "stand-in", calls: calls}, func(name string) uintptr {
		if calls.Has(name) {
			return 1
		}
		return 0
	})
}

// start resolves the symbols and runs cuInit.
func start(l *Library, lookup func(string) uintptr) (*Library, error) {
	if missing := l.fn.resolve(lookup); missing != nil {
		return nil, fmt.Errorf("cannot use %s: it lacks %s. Install an NVIDIA driver that supports CUDA 12.4 or later (550 or later)",
			l.Path, strings.Join(missing, ", "))
	}
	if r := l.call(&l.fn.init, 0); r != Success {
		return nil, notReady(l.Path, l.fn.init.fail(r, ""))
	}
	return l, nil
}

// call calls the driver. Pointers are converted inside the argument list: the compiler then moves what they point to
// onto the heap, which does not move, and keeps it alive until call returns. It allocates the list; see quick.
//
//go:uintptrescapes
func (l *Library) call(e *entry, args ...uintptr) Result { return l.enter(e, args) }

// quick is call for hot paths: up to four arguments, in a list that is used again. C functions do not look at
// arguments that they do not have.
//
//go:uintptrescapes
func (l *Library) quick(e *entry, a0, a1, a2, a3 uintptr) Result {
	list, _ := l.lists.Get().(*[4]uintptr)
	if list == nil {
		list = new([4]uintptr)
	}
	*list = [4]uintptr{a0, a1, a2, a3}
	r := l.enter(e, list[:])
	l.lists.Put(list)
	return r
}

// enter is the one place where this package leaves Go.
func (l *Library) enter(e *entry, args []uintptr) Result {
	if e.addr == 0 {
		return NotSupported
	}
	if l.calls != nil {
		var a [MaxArgs]uintptr
		copy(a[:], args)
		return l.calls.Call(e.name, a)
	}
	return Result(dl.Call(e.addr, args...))
}

// DriverVersion is the newest CUDA version that the driver supports, as 1000*major + 10*minor: 12040 is CUDA 12.4.
func (l *Library) DriverVersion() (int, error) {
	var v int32
	r := l.call(&l.fn.driverGetVersion, uintptr(unsafe.Pointer(&v)))
	return int(v), l.fn.driverGetVersion.fail(r, "")
}

// DeviceCount is the number of GPUs that CUDA_VISIBLE_DEVICES leaves visible.
func (l *Library) DeviceCount() (int, error) {
	var n int32
	r := l.call(&l.fn.deviceGetCount, uintptr(unsafe.Pointer(&n)))
	return int(n), l.fn.deviceGetCount.fail(r, "")
}

// Lost lists the optional calls that this driver lacks, each with what does not work without it.
func (l *Library) Lost() []string {
	var lost []string
	for _, s := range l.fn.table() {
		if s.to.addr == 0 {
			lost = append(lost, s.name+": "+s.lost)
		}
	}
	return lost
}

// noDriver is the error of a library that does not load.
func noDriver(err error) error {
	if errors.Is(err, dl.ErrUnsupported) {
		return fmt.Errorf("%w: %w. Use a release build, or run on the CPU", ErrNoDriver, err)
	}
	return fmt.Errorf("%w: %w. Install the NVIDIA driver (`nvidia-smi` must work), in a container run with --gpus all, "+
		"or set WEFT_LIBCUDA to the path of libcuda.so.1", ErrNoDriver, err)
}

// notReady is the error of a driver that loads and does not start, with what to do about it.
func notReady(path string, err error) error {
	advice := "Look at `nvidia-smi` and the kernel log (dmesg)"
	switch {
	case errors.Is(err, NoDevice):
		advice = "It has no GPU to give: check `nvidia-smi -L` and CUDA_VISIBLE_DEVICES"
	case errors.Is(err, StubLibrary):
		advice = "That is the toolkit's stub, not the driver: remove the stubs folder from LD_LIBRARY_PATH"
	case errors.Is(err, SystemNotReady):
		advice = "Start the fabric manager (systemctl start nvidia-fabricmanager) and try again"
	case errors.Is(err, SystemDriverMismatch):
		advice = "The library and the kernel module differ in version: reboot after the driver update"
	}
	if errors.Is(err, NoDevice) || errors.Is(err, StubLibrary) {
		return fmt.Errorf("%w: %s: %w. %s", ErrNoDriver, path, err, advice)
	}
	return fmt.Errorf("cannot start the driver %s: %w. %s", path, err, advice)
}

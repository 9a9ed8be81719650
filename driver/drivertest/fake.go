// Package drivertest is a GPU that exists in Go only: it answers the calls of package driver, so that everything above
// can be started, used and shut down in a test without a GPU, with any call failing on demand.
//
// Host memory stands in for device memory, at addresses of its own: copies copy, memsets set, and a wild address is
// IllegalAddress. Streams run at once and in order. Modules take any PTX and know its kernels and their parameters;
// a launch is checked against them, recorded, and run by a Go function where the test gives one (Fake.Kernel).
// Graphs replay what was captured. Misuse that real hardware punishes late or never (a double free, a call on a thread
// without the context, a handle of something destroyed) is noted, and Check fails the test for it and for leaks.
package drivertest

import (
	"sync"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest/simt"
)

// Config says what GPU to play. Zero fields take the values of DefaultConfig.
type Config struct {
	Devices      int
	Name         string
	Major, Minor int
	SMs          int
	Memory       int64    // bytes on each device
	Version      int      // of the driver, 12040 for CUDA 12.4
	Lacks        []string // symbols that the driver does not export
	NoPeers      bool     // devices cannot reach each other
	Opaque       bool     // machine code of others loads, and tells nothing of its kernels; otherwise it is refused
	Run          bool     // launches run the PTX of their module, on the CPU, where no Kernel function stands for it
	Seed         uint64   // of the order in which warps and blocks take turns then
}

// DefaultConfig is one small GPU of Hopper's kind.
var DefaultConfig = Config{Devices: 1, Name: "Fake H100", Major: 9, SMs: 132, Memory: 256 << 20, Version: 12040}

// Call is one call as it arrived.
type Call struct {
	N      int // counted from 1
	Symbol string
	Args   [driver.MaxArgs]uintptr
	Result driver.Result
}

// Fake is the stand-in. Its methods may be called from any goroutine, but not from within a Kernel function.
type Fake struct {
	cfg Config

	mu        sync.Mutex
	n         int // calls so far
	counts    map[string]int
	log       []Call
	gathered  []byte // arguments of the launch under way
	launches  []Launch
	quiet     bool
	plan      []failure
	hang      chan struct{} // not nil: work never ends until it is closed
	poison    driver.Result // the sticky code that ended the context
	faults    []string
	started   bool
	retained  []int           // contexts retained, by device
	current   map[int]uintptr // context, by OS thread
	space     space
	handles   map[uintptr]resource
	last      uintptr // newest handle
	host      map[uintptr][]byte
	kernels   map[string]func(*Launch) driver.Result
	captures  map[int]*capture    // by OS thread
	programs  map[string]*program // by PTX, to read it once
	now       op                  // what runs
	ahead     []simt.Span         // what the last kernel wrote, where the next may start before its end
	took      int64               // instructions of warps
	attempted map[uintptr]bool    // freed handles and addresses, to tell a double free from a foreign one
}

// New makes a Fake; zero fields of cfg are those of DefaultConfig.
func New(cfg Config) *Fake {
	d := DefaultConfig
	cfg.Devices = or(cfg.Devices, d.Devices)
	cfg.Name = or(cfg.Name, d.Name)
	cfg.SMs = or(cfg.SMs, d.SMs)
	cfg.Memory = or(cfg.Memory, d.Memory)
	cfg.Version = or(cfg.Version, d.Version)
	if cfg.Major == 0 {
		cfg.Major, cfg.Minor = d.Major, d.Minor
	}
	return &Fake{
		cfg: cfg, counts: map[string]int{}, retained: make([]int, cfg.Devices), current: map[int]uintptr{},
		space: newSpace(cfg.Devices, cfg.Memory), handles: map[uintptr]resource{}, host: map[uintptr][]byte{},
		kernels: map[string]func(*Launch) driver.Result{}, captures: map[int]*capture{}, programs: map[string]*program{}, attempted: map[uintptr]bool{},
		last: 0x100,
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Library opens the fake as driver.Open opens a real driver. A planned failure of cuInit comes back from here.
func (f *Fake) Library() (*driver.Library, error) { return driver.OpenWith(f) }

// Context opens the fake's first GPU on the test's thread, which it locks, closes it when the test ends, and then
// fails the test for whatever Check finds.
func (f *Fake) Context(t testing.TB) *driver.Context {
	t.Helper()
	t.Cleanup(func() { f.Check(t) })
	lib, err := f.Library()
	if err != nil {
		t.Fatalf("Library() = %v", err)
	}
	return openFirst(t, lib)
}

// Has is for package driver.
func (f *Fake) Has(symbol string) bool {
	for _, s := range f.cfg.Lacks {
		if s == symbol {
			return false
		}
	}
	_, known := handlers[symbol]
	return known
}

// Call is for package driver.
func (f *Fake) Call(symbol string, a [driver.MaxArgs]uintptr) driver.Result {
	f.waitWhileHanging(symbol)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	f.counts[symbol]++
	r := f.answer(symbol, a)
	if !f.quiet {
		f.log = append(f.log, Call{f.n, symbol, a, r})
	}
	if r.Sticky() {
		f.poison = r
	}
	return r
}

// answer is the planned failure, the code of a lost context, or what the call does.
func (f *Fake) answer(symbol string, a args) driver.Result {
	h, known := handlers[symbol]
	if !known {
		panic("BUG: drivertest has no " + symbol)
	}
	r := f.planned(symbol)
	if r == driver.Success && h.where == inContext {
		r = f.lost(symbol)
	}
	if r == driver.Success {
		return h.do(f, a)
	}
	if h.fails != nil {
		h.fails(f, a)
	}
	return r
}

// lost is what every call in a context gives that was never current, is gone, or met a sticky error.
func (f *Fake) lost(symbol string) driver.Result {
	if !f.started {
		f.fault("%s before cuInit", symbol)
		return driver.NotInitialized
	}
	if f.currentDevice() < 0 {
		f.fault("%s on a thread without a context: call Context.Bind after runtime.LockOSThread", symbol)
		return driver.InvalidContext
	}
	return f.poison
}

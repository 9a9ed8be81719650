package drivertest

import (
	"strings"

	"github.com/weft-llm/weft/driver"
)

// failure is a planned one: when left reaches 0 for a call whose symbol begins with symbol.
type failure struct {
	symbol string
	left   int
	result driver.Result
}

// FailAt makes the n-th call from now fail with r, n from 1. A sticky r is what every later call in the context gives.
func (f *Fake) FailAt(n int, r driver.Result) { f.FailCall("", n, r) }

// FailCall makes the n-th call from now whose symbol begins with prefix fail with r, n from 1: ("cuMem", 3, …).
func (f *Fake) FailCall(prefix string, n int, r driver.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.plan = append(f.plan, failure{prefix, n, r})
}

// planned is the result of a failure that is due with this call.
func (f *Fake) planned(symbol string) driver.Result {
	result := driver.Success
	for i := range f.plan {
		p := &f.plan[i]
		if !strings.HasPrefix(symbol, p.symbol) {
			continue
		}
		if p.left--; p.left == 0 {
			result = p.result
		}
	}
	return result
}

// Hang makes device work never end: syncs block and queries say not ready, until resume is called (once). What events marked
// before has ended.
func (f *Fake) Hang() (resume func()) {
	gate := make(chan struct{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang = gate
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.hang = nil
		close(gate)
	}
}

// waitWhileHanging blocks the calls that wait for the device.
func (f *Fake) waitWhileHanging(symbol string) {
	switch symbol {
	case "cuStreamSynchronize", "cuCtxSynchronize", "cuEventSynchronize":
	default:
		return
	}
	f.mu.Lock()
	gate := f.hang
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
}

// Record turns the keeping of calls and launches on (as at first) or off; counts go on. Off, a call allocates nothing.
func (f *Fake) Record(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quiet = !on
}

// Calls are all recorded calls, oldest first.
func (f *Fake) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.log...)
}

// Launches are all recorded launches, replays by graphs included, oldest first.
func (f *Fake) Launches() []Launch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Launch(nil), f.launches...)
}

// Count is how many calls there were whose symbol begins with prefix; "" counts all.
func (f *Fake) Count(prefix string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for symbol, c := range f.counts {
		if strings.HasPrefix(symbol, prefix) {
			n += c
		}
	}
	return n
}

// Kernel makes launches of the named kernel run as run. What it returns ends the launch as a fault of the kernel would,
// seen at once. Without it a launch is recorded and changes no memory.
func (f *Fake) Kernel(name string, run func(*Launch) driver.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kernels[name] = run
}

package drivertest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weft-llm/weft/driver"
)

// resource is something that a call made and another gives back.
type resource struct {
	kind   string
	device int
	made   int // the call's number
	owner  any // *stream, *event, *module, *function, *graph
}

// fault notes misuse.
func (f *Fake) fault(format string, a ...any) {
	f.faults = append(f.faults, fmt.Sprintf("call %d: ", f.n)+fmt.Sprintf(format, a...))
}

// Faults are the misuses so far: double frees, wild addresses, dead handles, calls without a context.
func (f *Fake) Faults() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.faults)
}

// Leaks are what was made and never given back, contexts included, each with the number of the call that made it.
func (f *Fake) Leaks() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var leaks []string
	for _, b := range f.space.live() {
		leaks = append(leaks, fmt.Sprintf("%d bytes on GPU %d of call %d", len(b.data), b.device, b.made))
	}
	for _, r := range f.handles {
		if r.kind != "function" {
			leaks = append(leaks, fmt.Sprintf("%s of call %d", r.kind, r.made))
		}
	}
	for device, n := range f.retained {
		if n > 0 {
			leaks = append(leaks, fmt.Sprintf("context of GPU %d, retained %d times", device, n))
		}
	}
	slices.Sort(leaks)
	return leaks
}

// Check fails t for each fault and leak.
func (f *Fake) Check(t testing.TB) {
	t.Helper()
	for _, text := range f.Faults() {
		t.Errorf("fault: %s", text)
	}
	for _, text := range f.Leaks() {
		t.Errorf("leak: %s", text)
	}
}

// add registers owner under a new handle.
func (f *Fake) add(kind string, owner any) uintptr {
	f.last += 16
	f.handles[f.last] = resource{kind, f.currentDevice(), f.n, owner}
	return f.last
}

// drop forgets a handle; one that is not there is a fault.
func (f *Fake) drop(kind string, handle uintptr) driver.Result {
	r, ok := f.handles[handle]
	if !ok || r.kind != kind {
		f.fault("%s %#x is given back, but %s", kind, handle, f.whyMissing(handle))
		return driver.InvalidHandle
	}
	delete(f.handles, handle)
	f.attempted[handle] = true
	return driver.Success
}

func (f *Fake) whyMissing(handle uintptr) string {
	if f.attempted[handle] {
		return "was given back before"
	}
	return "was never made"
}

// get finds the owner behind a handle, nil with a fault when there is none of that type.
func get[T any](f *Fake, handle uintptr) *T {
	owner, ok := f.handles[handle].owner.(*T)
	if !ok {
		f.fault("%T %#x is used, but %s", owner, handle, f.whyMissing(handle))
		return nil
	}
	return owner
}

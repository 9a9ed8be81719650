package driver

import (
	"fmt"
	"time"
	"unsafe"
)

// Event is a mark in a stream's work, to wait for or to measure between. It is a small value to pass around.
type Event struct {
	ctx    *Context
	handle uintptr
	ms     *float32 // what Elapsed reads into; nil without timing
}

// NewEvent makes an event; only one made with timing can be measured, and it costs more. End it with Destroy.
func (c *Context) NewEvent(timing bool) (Event, error) {
	const disableTiming = 2
	var flags uintptr = disableTiming
	if timing {
		flags = 0
	}
	ev := Event{ctx: c}
	if timing {
		ev.ms = new(float32)
	}
	e := &c.lib.fn.eventCreate
	if r := c.lib.call(e, uintptr(unsafe.Pointer(&ev.handle)), flags); r != Success {
		return Event{}, e.fail(r, fmt.Sprintf("GPU %d", c.Device.Index))
	}
	return ev, nil
}

// Record puts the mark behind all work that s has now. An earlier mark of ev is forgotten.
func (ev Event) Record(s Stream) error {
	e := &ev.ctx.lib.fn.eventRecord
	return e.fail(ev.ctx.lib.quick(e, ev.handle, s.handle, 0, 0), "")
}

// Sync waits until the work before the mark has ended.
func (ev Event) Sync() error {
	e := &ev.ctx.lib.fn.eventSync
	return e.fail(ev.ctx.lib.quick(e, ev.handle, 0, 0, 0), "")
}

// Query says whether the work before the mark has ended, without waiting.
func (ev Event) Query() (done bool, err error) {
	return ev.ctx.lib.poll(&ev.ctx.lib.fn.eventQuery, ev.handle)
}

// Elapsed is the device's time from start's mark to ev's. Both were made with timing and have been reached.
// Resolution is about half a microsecond. It allocates nothing; one goroutine at a time may ask ev.
func (ev Event) Elapsed(start Event) (time.Duration, error) {
	e := &ev.ctx.lib.fn.eventElapsed
	if ev.ms == nil {
		return 0, e.fail(InvalidHandle, "the event was made without timing")
	}
	if r := ev.ctx.lib.quick(e, uintptr(unsafe.Pointer(ev.ms)), start.handle, ev.handle, 0); r != Success {
		return 0, e.fail(r, "")
	}
	return time.Duration(float64(*ev.ms) * float64(time.Millisecond)), nil
}

// Destroy ends ev. Destroying the zero Event does nothing.
func (ev Event) Destroy() error {
	if ev.ctx == nil {
		return nil
	}
	e := &ev.ctx.lib.fn.eventDestroy
	return e.fail(ev.ctx.lib.call(e, ev.handle), "")
}

package driver

import (
	"fmt"
	"unsafe"
)

// Stream is a queue of device work: what is enqueued on one stream runs in order. It is a small value to pass around.
// The zero Stream belongs to no context: only Launch.Stream may hold it, where it means the context's default stream.
type Stream struct {
	ctx    *Context
	handle uintptr
}

// NewStream makes a stream that does not wait for the default stream. End it with Destroy.
func (c *Context) NewStream() (Stream, error) {
	const nonBlocking = 1
	s := Stream{ctx: c}
	e := &c.lib.fn.streamCreate
	if r := c.lib.call(e, uintptr(unsafe.Pointer(&s.handle)), nonBlocking); r != Success {
		return Stream{}, e.fail(r, fmt.Sprintf("GPU %d", c.Device.Index))
	}
	return s, nil
}

// Context is where s was made; nil for the zero Stream.
func (s Stream) Context() *Context { return s.ctx }

// Sync waits until all work of s has ended. A fault in a kernel of s surfaces here or in any later call.
func (s Stream) Sync() error {
	e := &s.ctx.lib.fn.streamSync
	return e.fail(s.ctx.lib.quick(e, s.handle, 0, 0, 0), "")
}

// Query says whether all work of s has ended, without waiting.
func (s Stream) Query() (done bool, err error) {
	e := &s.ctx.lib.fn.streamQuery
	return s.ctx.lib.poll(e, s.handle)
}

// Wait makes later work of s wait for ev, which may come from another stream or GPU. The host does not wait.
func (s Stream) Wait(ev Event) error {
	e := &s.ctx.lib.fn.streamWait
	return e.fail(s.ctx.lib.quick(e, s.handle, ev.handle, 0, 0), "")
}

// Destroy ends s once its work has ended; it does not wait. Destroying the zero Stream does nothing.
func (s Stream) Destroy() error {
	if s.ctx == nil {
		return nil
	}
	e := &s.ctx.lib.fn.streamDestroy
	return e.fail(s.ctx.lib.call(e, s.handle), "")
}

// poll calls e and reads NotReady as false.
func (l *Library) poll(e *entry, handle uintptr) (bool, error) {
	r := l.quick(e, handle, 0, 0, 0)
	if r == NotReady {
		return false, nil
	}
	return r == Success, e.fail(r, "")
}

package driver

import (
	"errors"
	"fmt"
	"unsafe"
)

// Context is a GPU's primary context: the owner of all memory, streams, events and modules made through it.
type Context struct {
	Device *Device

	lib      *Library
	handle   uintptr
	launches launchLog
}

// Open retains the primary context of d and makes it current on the calling OS thread. Lock the thread first
// (runtime.LockOSThread), and end with Close.
func (d *Device) Open() (*Context, error) {
	c := &Context{Device: d, lib: d.lib}
	e := &d.lib.fn.ctxRetain
	if r := d.lib.call(e, uintptr(unsafe.Pointer(&c.handle)), uintptr(d.handle)); r != Success {
		return nil, e.fail(r, fmt.Sprintf("GPU %d", d.Index))
	}
	if err := c.Bind(); err != nil {
		return nil, errors.Join(err, c.release())
	}
	return c, nil
}

// Library is the driver that c came from.
func (c *Context) Library() *Library { return c.lib }

// Bind makes c current on the calling OS thread, which must stay locked to the goroutine.
func (c *Context) Bind() error { return c.setCurrent(c.handle) }

// Unbind takes c off the calling OS thread.
func (c *Context) Unbind() error { return c.setCurrent(0) }

func (c *Context) setCurrent(handle uintptr) error {
	e := &c.lib.fn.ctxSetCurrent
	if r := c.lib.call(e, handle); r != Success {
		return e.fail(r, fmt.Sprintf("GPU %d", c.Device.Index))
	}
	return nil
}

// Sync waits for all work of all streams of c. A fault in any kernel surfaces here.
func (c *Context) Sync() error {
	e := &c.lib.fn.ctxSync
	if r := c.lib.call(e); r != Success {
		return e.fail(r, fmt.Sprintf("GPU %d", c.Device.Index))
	}
	return nil
}

// Close takes c off the calling thread and releases it. Free and destroy everything made through c before: the primary
// context lives on while another user of the process holds it, and so would they. Both steps are always tried.
func (c *Context) Close() error { return errors.Join(c.Unbind(), c.release()) }

func (c *Context) release() error {
	e := &c.lib.fn.ctxRelease
	if r := c.lib.call(e, uintptr(c.Device.handle)); r != Success {
		return e.fail(r, fmt.Sprintf("GPU %d", c.Device.Index))
	}
	return nil
}

// EnablePeer lets kernels and copies of c reach peer's memory; see Device.CanAccess. Twice is no error.
func (c *Context) EnablePeer(peer *Context) error {
	e := &c.lib.fn.ctxEnablePeer
	r := c.lib.call(e, peer.handle, 0)
	if r == Success || r == PeerAccessAlreadyEnabled {
		return nil
	}
	return e.fail(r, fmt.Sprintf("GPU %d to GPU %d", c.Device.Index, peer.Device.Index))
}

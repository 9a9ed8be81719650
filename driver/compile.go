package driver

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// Compile turns PTX into a cubin for c's device, which LoadModule takes without compiling. Keep it only beside the
// driver version, the PTX's hash and Device.Arch: it fits no other. A driver without the linker gives NotSupported.
func (c *Context) Compile(name string, ptx []byte) (cubin []byte, err error) {
	var link uintptr
	opts := newJITOptions() // the linker writes its log there until it is destroyed
	e := &c.lib.fn.linkCreate
	r := c.lib.call(e, uintptr(len(opts.codes)), uintptr(unsafe.Pointer(&opts.codes)), uintptr(unsafe.Pointer(&opts.values)),
		uintptr(unsafe.Pointer(&link)))
	if r != Success {
		return nil, e.fail(r, name)
	}
	defer func() {
		err = errors.Join(err, c.lib.fn.linkDestroy.fail(c.lib.call(&c.lib.fn.linkDestroy, link), name))
		runtime.KeepAlive(opts)
	}()
	cubin, err = c.link(link, name, ptx)
	var failed *Error
	if errors.As(err, &failed) {
		failed.Detail += opts.text()
	}
	return cubin, err
}

// link adds ptx to the open linker and copies out the result, which dies with the linker.
func (c *Context) link(link uintptr, name string, ptx []byte) ([]byte, error) {
	const inputPTX = 1
	text := append(append(make([]byte, 0, len(ptx)+1), ptx...), 0)
	label := append([]byte(name), 0)
	e := &c.lib.fn.linkAddData
	r := c.lib.call(e, link, inputPTX, uintptr(unsafe.Pointer(&text[0])), uintptr(len(text)),
		uintptr(unsafe.Pointer(&label[0])), 0, 0, 0)
	if r != Success {
		return nil, e.fail(r, fmt.Sprintf("%s on %s", name, c.Device))
	}
	var image unsafe.Pointer
	var size uint64
	e = &c.lib.fn.linkComplete
	if r := c.lib.call(e, link, uintptr(unsafe.Pointer(&image)), uintptr(unsafe.Pointer(&size))); r != Success {
		return nil, e.fail(r, fmt.Sprintf("%s on %s", name, c.Device))
	}
	return append([]byte(nil), unsafe.Slice((*byte)(image), size)...), nil
}

package driver

import (
	"fmt"
	"unsafe"
)

// Module is loaded device code.
type Module struct {
	Name string

	ctx    *Context
	handle uintptr
}

// jitLogBytes bounds the compiler's log that an error carries.
const jitLogBytes = 16 << 10

// jitOptions asks the driver's PTX compiler for its error log. It lies on the heap as a whole, since its options point
// into it.
type jitOptions struct {
	log    [jitLogBytes]byte
	codes  [2]uint32
	values [2]uintptr
}

// fill sets the options: CU_JIT_ERROR_LOG_BUFFER and CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES.
func (o *jitOptions) fill() {
	o.codes = [2]uint32{5, 6}
	o.values = [2]uintptr{uintptr(unsafe.Pointer(&o.log)), jitLogBytes}
}

// LoadModule loads PTX, which the driver compiles for the device, or a cubin. name stands in errors only; a PTX that
// does not compile gives the compiler's log. image may be dropped afterwards.
func (c *Context) LoadModule(name string, image []byte) (*Module, error) {
	m := &Module{Name: name, ctx: c}
	text := append(append(make([]byte, 0, len(image)+1), image...), 0) // PTX ends with NUL
	opts := newJITOptions()
	e := &c.lib.fn.moduleLoad
	r := c.lib.call(e, uintptr(unsafe.Pointer(&m.handle)), uintptr(unsafe.Pointer(&text[0])),
		uintptr(len(opts.codes)), uintptr(unsafe.Pointer(&opts.codes)), uintptr(unsafe.Pointer(&opts.values)))
	if r != Success {
		return nil, e.fail(r, fmt.Sprintf("%s on %s%s", name, c.Device, opts.text()))
	}
	return m, nil
}

// newJITOptions is not inlined, so that what it makes is on the heap, where the addresses that fill takes stay true.
//
//go:noinline
func newJITOptions() *jitOptions {
	o := new(jitOptions)
	o.fill()
	return o
}

// text is the log for an error message: on lines of its own, or nothing.
func (o *jitOptions) text() string {
	log := cString(o.log[:])
	if log == "" {
		return ""
	}
	return ":\n" + log
}

// Function finds a kernel by the name of its .entry.
func (m *Module) Function(name string) (*Function, error) {
	f := &Function{Name: name, ctx: m.ctx}
	symbol := append([]byte(name), 0)
	e := &m.ctx.lib.fn.moduleFunction
	r := m.ctx.lib.call(e, uintptr(unsafe.Pointer(&f.handle)), m.handle, uintptr(unsafe.Pointer(&symbol[0])))
	if r != Success {
		return nil, e.fail(r, fmt.Sprintf("kernel %s of module %s", name, m.Name))
	}
	return f, nil
}

// Global finds a device variable by name and tells its size in bytes.
func (m *Module) Global(name string) (p DevicePtr, n int64, err error) {
	var size uint64
	symbol := append([]byte(name), 0)
	e := &m.ctx.lib.fn.moduleGlobal
	r := m.ctx.lib.call(e, uintptr(unsafe.Pointer(&p)), uintptr(unsafe.Pointer(&size)), m.handle, uintptr(unsafe.Pointer(&symbol[0])))
	if r != Success {
		return 0, 0, e.fail(r, fmt.Sprintf("variable %s of module %s", name, m.Name))
	}
	return p, int64(size), nil
}

// Unload drops the code; its Functions are dead. Work that uses it must have ended.
func (m *Module) Unload() error {
	e := &m.ctx.lib.fn.moduleUnload
	if r := m.ctx.lib.call(e, m.handle); r != Success {
		return e.fail(r, "module "+m.Name)
	}
	return nil
}

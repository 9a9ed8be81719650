package driver

import (
	"fmt"
	"unsafe"
)

// Function is a kernel. It lives as long as its Module.
type Function struct {
	Name string

	ctx    *Context
	handle uintptr
}

// FuncAttribute is a CUfunction_attribute of cuda.h.
type FuncAttribute int

const (
	FuncMaxThreads  FuncAttribute = 0 // threads a block, as compiled
	FuncStaticShare FuncAttribute = 1 // bytes of static shared memory
	FuncLocalBytes  FuncAttribute = 3 // bytes a thread spills or indexes
	FuncRegisters   FuncAttribute = 4 // registers a thread
	FuncPTXVersion  FuncAttribute = 5 // 10*major + minor of the PTX target
	FuncBinary      FuncAttribute = 6 // 10*major + minor of the machine code
	FuncMaxShared   FuncAttribute = 8 // bytes of dynamic shared memory that a launch may ask for
	FuncCarveout    FuncAttribute = 9 // share of L1 given to shared memory, percent

	// FuncNonPortableCluster allows clusters of more than 8 blocks when it is 1.
	FuncNonPortableCluster FuncAttribute = 14
)

// Attribute reads one figure of the compiled kernel.
func (f *Function) Attribute(a FuncAttribute) (int, error) {
	var v int32
	e := &f.ctx.lib.fn.funcGetAttribute
	if r := f.ctx.lib.call(e, uintptr(unsafe.Pointer(&v)), uintptr(a), f.handle); r != Success {
		return 0, e.fail(r, fmt.Sprintf("attribute %d of %s", a, f.Name))
	}
	return int(v), nil
}

// SetAttribute sets FuncMaxShared, FuncCarveout or FuncNonPortableCluster.
func (f *Function) SetAttribute(a FuncAttribute, v int) error {
	e := &f.ctx.lib.fn.funcSetAttribute
	if r := f.ctx.lib.call(e, f.handle, uintptr(a), uintptr(v)); r != Success {
		return e.fail(r, fmt.Sprintf("attribute %d of %s to %d", a, f.Name, v))
	}
	return nil
}

// SetMaxShared lets launches ask for up to n bytes of dynamic shared memory: needed above Device.SharedPerBlock, and
// limited by Device.SharedPerBlockOptin less the kernel's static share.
func (f *Function) SetMaxShared(n int) error { return f.SetAttribute(FuncMaxShared, n) }

// Occupancy is how many blocks of the given threads and dynamic shared bytes fit on one SM at a time.
func (f *Function) Occupancy(threads, shared int) (blocks int, err error) {
	var n int32
	e := &f.ctx.lib.fn.occupancy
	r := f.ctx.lib.call(e, uintptr(unsafe.Pointer(&n)), f.handle, uintptr(threads), uintptr(shared))
	if r != Success {
		return 0, e.fail(r, fmt.Sprintf("%s with %d threads and %d bytes shared", f.Name, threads, shared))
	}
	return int(n), nil
}

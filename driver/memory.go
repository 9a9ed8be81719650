package driver

import (
	"fmt"
	"unsafe"
)

// DevicePtr is an address in device memory. 0 is no memory.
type DevicePtr = uintptr

// Alloc reserves n > 0 bytes of device memory, not zeroed, 256-byte aligned. Free it with Context.Free.
// On a full device the error matches OutOfMemory, gives the free bytes, and nothing is reserved.
func (c *Context) Alloc(n int64) (DevicePtr, error) {
	var p DevicePtr
	e := &c.lib.fn.memAlloc
	r := c.lib.call(e, uintptr(unsafe.Pointer(&p)), uintptr(n))
	if r == Success {
		return p, nil
	}
	detail := fmt.Sprintf("%d bytes on GPU %d", n, c.Device.Index)
	if r == OutOfMemory {
		if free, total, err := c.MemInfo(); err == nil {
			detail += fmt.Sprintf(", %d of %d free", free, total)
		}
	}
	return 0, e.fail(r, detail)
}

// Free gives back memory of Alloc, after all work that uses it has ended. Freeing 0 does nothing.
func (c *Context) Free(p DevicePtr) error {
	if p == 0 {
		return nil
	}
	e := &c.lib.fn.memFree
	if r := c.lib.call(e, p); r != Success {
		return e.fail(r, fmt.Sprintf("%#x on GPU %d", p, c.Device.Index))
	}
	return nil
}

// MemInfo is the free and total memory of the GPU in bytes, other processes counted.
func (c *Context) MemInfo() (free, total int64, err error) {
	var f, t uint64
	e := &c.lib.fn.memGetInfo
	r := c.lib.call(e, uintptr(unsafe.Pointer(&f)), uintptr(unsafe.Pointer(&t)))
	if r != Success {
		return 0, 0, e.fail(r, fmt.Sprintf("GPU %d", c.Device.Index))
	}
	return int64(f), int64(t), nil
}

// AllocHost reserves n > 0 bytes of page-locked host memory, not zeroed, which every GPU copies from and to
// asynchronously. The garbage collector knows nothing of it: give it back with FreeHost and drop all slices of it.
func (c *Context) AllocHost(n int) ([]byte, error) {
	const portable = 1
	var p unsafe.Pointer
	e := &c.lib.fn.memHostAlloc
	if r := c.lib.call(e, uintptr(unsafe.Pointer(&p)), uintptr(n), portable); r != Success {
		return nil, e.fail(r, fmt.Sprintf("%d bytes of host memory", n))
	}
	return unsafe.Slice((*byte)(p), n), nil
}

// FreeHost gives back what AllocHost returned, its first byte in place. Freeing nil does nothing.
func (c *Context) FreeHost(b []byte) error {
	if cap(b) == 0 {
		return nil
	}
	e := &c.lib.fn.memFreeHost
	if r := c.lib.call(e, uintptr(unsafe.Pointer(unsafe.SliceData(b)))); r != Success {
		return e.fail(r, fmt.Sprintf("%d bytes of host memory", len(b)))
	}
	return nil
}

package drivertest

import (
	"unsafe"

	"github.com/weft-llm/weft/driver"
)

// Memory is the n bytes of device memory at p, shared and not copied; nil and a fault where there are none.
func (f *Fake) Memory(p driver.DevicePtr, n int64) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.memory("Memory", p, n)
}

// Used is how many bytes of device memory are allocated on all devices.
func (f *Fake) Used() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	used := int64(0)
	for _, free := range f.space.free {
		used += f.space.total - free
	}
	return used
}

func (f *Fake) memory(who string, p driver.DevicePtr, n int64) []byte {
	data, why := f.space.slice(p, n)
	if data == nil {
		f.fault("%s of %d bytes at %#x, which %s", who, n, p, why)
	}
	return data
}

func (f *Fake) memAlloc(a args) driver.Result {
	if r := f.refuseInCapture("cuMemAlloc"); r != driver.Success {
		return r
	}
	p, r := f.space.alloc(f.currentDevice(), int64(a[1]), f.n)
	if r == driver.Success {
		put(a[0], p)
	}
	return r
}

func (f *Fake) memFree(a args) driver.Result {
	if why := f.space.release(a[0]); why != "" {
		f.fault("cuMemFree of %#x, which %s", a[0], why)
		return driver.InvalidValue
	}
	return f.refuseInCapture("cuMemFree")
}

func (f *Fake) memGetInfo(a args) driver.Result {
	put(a[0], uint64(f.space.free[f.currentDevice()]))
	put(a[1], uint64(f.space.total))
	return driver.Success
}

func (f *Fake) memHostAlloc(a args) driver.Result {
	if r := f.refuseInCapture("cuMemHostAlloc"); r != driver.Success {
		return r
	}
	if a[1] == 0 {
		return driver.InvalidValue
	}
	data := make([]byte, a[1])
	p := unsafe.Pointer(unsafe.SliceData(data))
	put(a[0], p)
	f.host[uintptr(p)] = data
	f.handles[uintptr(p)] = resource{"pinned memory", f.currentDevice(), f.n, data}
	delete(f.attempted, uintptr(p)) // Go may hand out an address again
	return driver.Success
}

func (f *Fake) memFreeHost(a args) driver.Result {
	delete(f.host, a[0])
	if r := f.drop("pinned memory", a[0]); r != driver.Success {
		return driver.InvalidValue
	}
	return f.refuseInCapture("cuMemFreeHost")
}

// pinned is n bytes at p of memory that cuMemHostAlloc gave, nil when it is not such.
func (f *Fake) pinned(p uintptr, n int) []byte {
	for base, data := range f.host {
		if p >= base && p+uintptr(n) <= base+uintptr(len(data)) {
			return data[p-base:][:n]
		}
	}
	return nil
}

func (f *Fake) copyHtoD(a args) driver.Result {
	return f.enqueue(a[3], op{kind: opCopyIn, dst: a[0], n: int64(a[2]), host: bytesAt(a[1], int(a[2]))})
}

func (f *Fake) copyDtoH(a args) driver.Result {
	return f.enqueue(a[3], op{kind: opCopyOut, src: a[1], n: int64(a[2]), host: bytesAt(a[0], int(a[2]))})
}

func (f *Fake) copyDtoD(a args) driver.Result {
	return f.enqueue(a[3], op{kind: opCopy, dst: a[0], src: a[1], n: int64(a[2])})
}

func (f *Fake) copyPeer(a args) driver.Result {
	return f.enqueue(a[5], op{kind: opCopy, dst: a[0], src: a[2], n: int64(a[4])})
}

func (f *Fake) memset8(a args) driver.Result {
	return f.enqueue(a[3], op{kind: opSet, dst: a[0], n: int64(a[2]), value: uint32(a[1]), width: 1})
}

func (f *Fake) memset32(a args) driver.Result {
	if a[0]%4 != 0 {
		return driver.InvalidValue
	}
	return f.enqueue(a[3], op{kind: opSet, dst: a[0], n: 4 * int64(a[2]), value: uint32(a[1]), width: 4})
}

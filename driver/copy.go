package driver

import (
	"fmt"
	"unsafe"
)

// CopyHtoD enqueues dst[:len(src)] = src on s. src stays reachable and unchanged until s is synced.
func CopyHtoD(s Stream, dst DevicePtr, src []byte) error {
	if len(src) == 0 {
		return nil
	}
	e := &s.ctx.lib.fn.copyHtoD
	r := s.ctx.lib.quick(e, dst, uintptr(unsafe.Pointer(unsafe.SliceData(src))), uintptr(len(src)), s.handle)
	if r != Success {
		return e.fail(r, fmt.Sprintf("%d bytes to %#x", len(src), dst))
	}
	return nil
}

// CopyDtoH enqueues dst = src[:len(dst)] on s. dst stays reachable and holds the data once s is synced.
func CopyDtoH(s Stream, dst []byte, src DevicePtr) error {
	if len(dst) == 0 {
		return nil
	}
	e := &s.ctx.lib.fn.copyDtoH
	r := s.ctx.lib.quick(e, uintptr(unsafe.Pointer(unsafe.SliceData(dst))), src, uintptr(len(dst)), s.handle)
	if r != Success {
		return e.fail(r, fmt.Sprintf("%d bytes from %#x", len(dst), src))
	}
	return nil
}

// CopyDtoD enqueues a copy of n bytes within one GPU on s. The ranges do not overlap.
func CopyDtoD(s Stream, dst, src DevicePtr, n int64) error {
	if n == 0 {
		return nil
	}
	e := &s.ctx.lib.fn.copyDtoD
	if r := s.ctx.lib.quick(e, dst, src, uintptr(n), s.handle); r != Success {
		return e.fail(r, fmt.Sprintf("%d bytes from %#x to %#x", n, src, dst))
	}
	return nil
}

// CopyPeer enqueues a copy of n bytes from src of GPU from to dst of GPU to on s, a stream of either.
func CopyPeer(s Stream, to *Context, dst DevicePtr, from *Context, src DevicePtr, n int64) error {
	if n == 0 {
		return nil
	}
	e := &s.ctx.lib.fn.copyPeer
	if r := s.ctx.lib.call(e, dst, to.handle, src, from.handle, uintptr(n), s.handle); r != Success {
		return e.fail(r, fmt.Sprintf("%d bytes from GPU %d to GPU %d", n, from.Device.Index, to.Device.Index))
	}
	return nil
}

// Memset8 enqueues n bytes of v at dst on s.
func Memset8(s Stream, dst DevicePtr, v byte, n int64) error {
	if n == 0 {
		return nil
	}
	e := &s.ctx.lib.fn.memset8
	if r := s.ctx.lib.quick(e, dst, uintptr(v), uintptr(n), s.handle); r != Success {
		return e.fail(r, fmt.Sprintf("%d bytes at %#x", n, dst))
	}
	return nil
}

// Memset32 enqueues n words of v at dst, 4-byte aligned, on s.
func Memset32(s Stream, dst DevicePtr, v uint32, n int64) error {
	if n == 0 {
		return nil
	}
	e := &s.ctx.lib.fn.memset32
	if r := s.ctx.lib.quick(e, dst, uintptr(v), uintptr(n), s.handle); r != Success {
		return e.fail(r, fmt.Sprintf("%d words at %#x", n, dst))
	}
	return nil
}

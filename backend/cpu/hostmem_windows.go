package cpu

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// reserve takes n zeroed bytes outside the Go heap, so that a large KV cache does not raise the collector's goal.
func reserve(n int64) ([]byte, error) {
	p, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_COMMIT|windows.MEM_RESERVE, windows.PAGE_READWRITE)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p))), n), nil
}

func release(m []byte) error {
	return windows.VirtualFree(uintptr(unsafe.Pointer(&m[0])), 0, windows.MEM_RELEASE)
}

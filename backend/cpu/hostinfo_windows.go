package cpu

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// memoryStatus is MEMORYSTATUSEX.
type memoryStatus struct {
	length, load         uint32
	total, free          uint64
	pageTotal, pageFree  uint64
	virtTotal, virtFree  uint64
	virtExtendedFreePart uint64
}

// hostMemory returns the bytes of memory that are free and that there are.
func hostMemory() (free, total int64) {
	m := memoryStatus{length: uint32(unsafe.Sizeof(memoryStatus{}))}
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&m))); ok == 0 {
		return 0, 0
	}
	return int64(m.free), int64(m.total)
}

package drivertest

import (
	"unsafe"

	"github.com/weft-llm/weft/driver"
)

// args are a call's arguments as C gets them.
type args = [driver.MaxArgs]uintptr

// at is the Go value behind an address that package driver passed; its caller keeps the value alive during the call.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// bytesAt is n bytes of host memory.
func bytesAt(address uintptr, n int) []byte { return unsafe.Slice(at[byte](address), n) }

// textAt is the C string at address.
func textAt(address uintptr) string {
	n := 0
	for *at[byte](address + uintptr(n)) != 0 {
		n++
	}
	return string(bytesAt(address, n))
}

// put writes v to where the caller wants it.
func put[T any](address uintptr, v T) { *at[T](address) = v }

func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

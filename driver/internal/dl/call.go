//go:build !nogpu && (linux || windows) && (amd64 || arm64)

package dl

import "github.com/ebitengine/purego"

// Supported says whether this build can load libraries.
const Supported = true

// Call calls the C function at entry with integer and pointer arguments; it returns the C result register.
// A pointer argument is written uintptr(unsafe.Pointer(p)) inside the call: what it points to is then on the heap,
// which does not move, and stays alive until Call returns. Memory that C keeps for longer must not be Go's.
//
//go:uintptrescapes
func Call(entry uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(entry, args...)
	return r
}

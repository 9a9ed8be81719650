//go:build nogpu || !(linux || windows) || !(amd64 || arm64)

package dl

import (
	"fmt"
	"runtime"
)

// Supported says whether this build can load libraries.
const Supported = false

func open(string) (uintptr, error) {
	if runtime.GOOS == "linux" || runtime.GOOS == "windows" {
		return 0, fmt.Errorf("%w: it was built with -tags nogpu or for a processor without CUDA (%s)", ErrUnsupported, runtime.GOARCH)
	}
	return 0, fmt.Errorf("%w: CUDA does not exist on %s", ErrUnsupported, runtime.GOOS)
}

// Lookup finds nothing: no library is ever loaded.
func (l *Lib) Lookup(string) uintptr { return 0 }

// Call is never reached: there is no entry to call.
func Call(uintptr, ...uintptr) uintptr { panic("BUG: call without a library") }

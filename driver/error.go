package driver

import (
	"errors"
	"fmt"
)

// ErrNoDriver means that no GPU can be used: there is no NVIDIA driver, or it has no device to give.
// The error around it says what was tried and what to do.
var ErrNoDriver = errors.New("no usable NVIDIA driver")

// Error is a failed driver call.
type Error struct {
	Call   string // the C function, such as cuMemAlloc
	Result Result
	Detail string // what was asked: sizes, names, the compiler's log
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s: %v", e.Call, e.Result)
	}
	return fmt.Sprintf("%s: %v: %s", e.Call, e.Result, e.Detail)
}

// Unwrap gives the Result, so that errors.Is(err, OutOfMemory) works.
func (e *Error) Unwrap() error { return e.Result }

// OutOfMemory says whether the device, or the pinned memory of the host, is full.
func (e *Error) OutOfMemory() bool { return e.Result == OutOfMemory }

// Sticky says whether err comes from a call after which the context is lost; see Result.Sticky.
func Sticky(err error) bool {
	var r Result
	return errors.As(err, &r) && r.Sticky()
}

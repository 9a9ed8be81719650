//go:build !linux

package drivertest

// thread is the same for all threads where the standard library cannot tell them apart: a missing Context.Bind is then
// not seen.
func thread() int { return 0 }

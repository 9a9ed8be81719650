//go:build !linux

package cpu

// preferLargePages does nothing: the system chooses.
func preferLargePages([]byte) {}

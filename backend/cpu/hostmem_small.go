//go:build !linux

package cpu

const hasLargePages = false

// preferLargePages does nothing: the system chooses.
func preferLargePages([]byte) {}

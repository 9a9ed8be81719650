//go:build !linux && !windows && !darwin

package cpu

// hostMemory is not known here.
func hostMemory() (free, total int64) { return 0, 0 }

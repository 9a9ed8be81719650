package cpu

import "golang.org/x/sys/unix"

// hostMemory returns the bytes of memory that there are. These systems do not tell how many are free: half is assumed.
func hostMemory() (free, total int64) {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0, 0
	}
	return int64(n / 2), int64(n)
}

//go:build unix

package cpu

import "golang.org/x/sys/unix"

// reserve takes n zeroed bytes outside the Go heap, so that a large KV cache does not raise the collector's goal.
func reserve(n int64) ([]byte, error) {
	return unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

func release(m []byte) error { return unix.Munmap(m) }

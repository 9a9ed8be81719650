//go:build unix && !linux

package server

import "golang.org/x/sys/unix"

// hungUp looks at the next byte without taking it: none and no error is the end of the stream. A client that sent its
// next request already and then left is seen only at the next write.
func hungUp(fd int) bool {
	var b [1]byte
	n, _, err := unix.Recvfrom(fd, b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	switch err {
	case nil:
		return n == 0
	case unix.EAGAIN, unix.EINTR:
		return false
	}
	return true
}

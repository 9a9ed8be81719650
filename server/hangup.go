//go:build unix

package server

import "syscall"

// gone reports whether the client closed its end, or the connection broke. A client that only closes its sending side
// counts as gone too: without writing to it the two cannot be told apart, and net/http does the same.
func (c *conn) gone() bool {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true // closed on our side
	}
	gone := false
	if err := raw.Control(func(fd uintptr) { gone = hungUp(int(fd)) }); err != nil {
		return true
	}
	return gone
}

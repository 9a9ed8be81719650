package server

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// TestStall_AReaderCostsAtMost64KiBInTheKernel: what a client leaves unread waits in its socket's send buffer.
func TestStall_AReaderCostsAtMost64KiBInTheKernel(t *testing.T) {
	s := start(t, always(say("hello")))
	c := s.raw(t, chatPath, chatBody(`"stream":true`))
	defer c.Close()
	waitFor(t, "the connection", func() bool { return len(connections(s.Server)) > 0 })
	for _, c := range connections(s.Server) {
		raw, err := c.Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		size := 0
		if err := raw.Control(func(fd uintptr) { size, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF) }); err != nil {
			t.Fatal(err)
		}
		if err != nil || size > 64<<10 || size < 16<<10 {
			t.Errorf("the send buffer has %d bytes, %v, want 64 KiB at most", size, err)
		}
	}
}

func connections(s *Server) (all []*conn) {
	l := s.ln.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		all = append(all, c)
	}
	return all
}

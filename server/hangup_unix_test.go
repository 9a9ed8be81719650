//go:build unix

package server

import (
	"context"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/pipes"
)

// socketed is a pipe beside one end of a pair of sockets. What is asked of a socket without waiting, whether the other
// side left, is asked of that.
type socketed struct {
	net.Conn
	fd int
}

func (c socketed) SyscallConn() (syscall.RawConn, error) { return rawSocket(c.fd), nil }

func (c socketed) Close() error {
	_ = unix.Close(c.fd)
	return c.Conn.Close()
}

type rawSocket int

func (fd rawSocket) Control(f func(uintptr)) error  { f(uintptr(fd)); return nil }
func (fd rawSocket) Read(func(uintptr) bool) error  { panic("nothing is read") }
func (fd rawSocket) Write(func(uintptr) bool) error { panic("nothing is written") }

// TestHangUp_InVirtualTimeIsSeenWhenPromised: with a clock that moves only when all wait, a client that leaves is seen
// within 250 ms while it streams and within a second otherwise, at whatever moment of its request it leaves.
func TestHangUp_InVirtualTimeIsSeenWhenPromised(t *testing.T) {
	for _, c := range []struct {
		name   string
		play   func() script
		fields string
		half   bool // the client closes its sending side only
		within time.Duration
	}{
		{"queued", queued, `"stream":false`, false, time.Second},
		{"queued stream", queued, `"stream":true`, false, time.Second},
		{"queued half-close", queued, `"stream":false`, true, time.Second},
		{"decoding", decoding, `"stream":false`, false, time.Second},
		{"decoding n", decoding, `"stream":false,"n":3`, false, time.Second},
		{"streaming", decoding, `"stream":true`, false, 250 * time.Millisecond},
		{"streaming half-close", decoding, `"stream":true`, true, 250 * time.Millisecond},
		{"streaming n", decoding, `"stream":true,"n":3`, false, 250 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			var slowest time.Duration
			virtually(t, func(engine.Request) script { return c.play() }, func(t *testing.T, s *testServer) {
				for stay := time.Duration(0); stay < 450*time.Millisecond; stay += 7 * time.Millisecond {
					network := s.Server.ln.Load().Listener.(*pipes.Network)
					client, sock := dialSocketed(t, network)
					s.connect = func(context.Context, string, string) (net.Conn, error) { return client, nil }
					_ = s.raw(t, chatPath, chatBody(c.fields))
					go func() { _, _ = io.Copy(io.Discard, client) }()
					time.Sleep(stay)
					synctest.Wait()
					if s.engine.running() == 0 {
						t.Fatal("the request does not run")
					}
					began := time.Now()
					if c.half {
						_ = unix.Shutdown(sock, unix.SHUT_WR)
					} else {
						_ = unix.Close(sock)
						_ = client.Close()
					}
					for s.engine.running() > 0 && time.Since(began) < time.Minute {
						time.Sleep(time.Millisecond)
					}
					slowest = max(slowest, time.Since(began))
					waitFor(t, "the job's end", func() bool { return s.inflight.count() == 0 })
					if c.half {
						_ = unix.Close(sock)
						_ = client.Close()
					}
				}
			}, func(o *Options) { o.Model.MaxContext = 1 << 17 })
			t.Logf("freed after %v at most", slowest)
			if slowest > c.within {
				t.Errorf("freed after %v, want %v", slowest, c.within)
			}
		})
	}
}

// dialSocketed connects to n by a pipe with a pair of sockets, of which it returns the client's.
func dialSocketed(t *testing.T, n *pipes.Network) (client net.Conn, sock int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	client, theirs := net.Pipe()
	if err := n.Offer(socketed{theirs, pair[0]}); err != nil {
		t.Fatal(err)
	}
	return client, pair[1]
}

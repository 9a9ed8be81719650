package server

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	watchEvery  = 200 * time.Millisecond // how often a waiting request's socket is asked whether its client left
	sendBuffer  = 64 << 10               // of a socket: what a client that stops reading can cost in the kernel
	lingerTime  = 2 * time.Second        // after an early answer, for the client to read it
	lingerBytes = 64 << 20
)

// conn is a client's connection with what fasthttp lacks: every write has a deadline of its own, a client that left is
// seen while nothing is written, and an answer before the end of the body arrives.
type conn struct {
	net.Conn
	l      *listener
	linger atomic.Bool // read on for a while before closing, so that the answer is not lost in a reset
	once   sync.Once

	// Of the goroutine that reads and writes.
	arrived time.Time // when the last bytes came
	refuses bool      // the next write is a 429
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.arrived = time.Now()
	}
	return n, err
}

// Write fails when the client has taken none or only some of p for the stall time.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.l.stall)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.l.stalled()
	}
	if c.refuses {
		c.refuses = false
		c.l.refused(time.Since(c.arrived))
	}
	return n, err
}

func (c *conn) Close() error {
	if c.linger.Load() {
		c.drainInput()
	}
	c.once.Do(func() { c.l.forget(c) })
	return c.Conn.Close()
}

// drainInput ends our side and reads what the client still sends: closing with unread input would reset the
// connection, and the client might never see the answer.
func (c *conn) drainInput() {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
}

// listener makes every connection a conn and can close all of them.
type listener struct {
	net.Listener
	stall   time.Duration
	stalled func()              // called for a client that stopped reading
	refused func(time.Duration) // called for a 429 with the time from the request's last bytes to the answer's

	mu    sync.Mutex
	conns map[*conn]struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer / 2) // Linux doubles it; a refusal costs only memory
	}
	c := &conn{Conn: raw, l: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[c] = struct{}{}
	return c, nil
}

func (l *listener) forget(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
}

// cut closes every connection.
func (l *listener) cut() {
	l.mu.Lock()
	all := make([]*conn, 0, len(l.conns))
	for c := range l.conns {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		_ = c.Conn.Close()
	}
}

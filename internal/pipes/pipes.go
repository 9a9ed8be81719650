// Package pipes is a network within the process. Tests run servers and clients on it in a bubble of testing/synctest,
// where the clock moves only when all of them wait: times are exact then, however slow the machine is.
package pipes

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// Network is a listener that connections of the same process reach. Each is a pair of pipes without a buffer, so that a
// client that does not read stops its server's first write. It belongs to the bubble that made it.
type Network struct {
	offered chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// New makes a network.
func New() *Network { return &Network{offered: make(chan net.Conn), closed: make(chan struct{})} }

// Accept waits for the next connection.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.offered:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listener. Connections that were accepted go on.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr is a port of the loopback, which nobody listens on.
func (n *Network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// Dial connects, whatever the address.
func (n *Network) Dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	return ours, n.Offer(theirs)
}

// Offer hands c to Accept as the server's end of a connection.
func (n *Network) Offer(c net.Conn) error {
	select {
	case n.offered <- c:
		return nil
	case <-n.closed:
		return net.ErrClosed
	}
}

// Client makes requests over n and keeps no connection.
func (n *Network) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: n.Dial, DisableKeepAlives: true}}
}

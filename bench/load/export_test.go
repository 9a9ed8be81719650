package load

import (
	"context"
	"net"
)

// ConnectBy makes t ready as Connect does, over another network than the machine's.
func (t *Target) ConnectBy(dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
	t.connectBy(dial)
}

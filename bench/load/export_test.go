package load

import (
	"context"
	"net"
	"net/http"
)

// ConnectBy makes t ready as Connect does, over another network than the machine's.
func (t *Target) ConnectBy(dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
	t.client = &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 1 << 16, DisableCompression: true}}
}

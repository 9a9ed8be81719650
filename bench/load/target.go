package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Target is an OpenAI endpoint.
type Target struct {
	URL       string // up to and without /v1
	Key       string // "": none is sent
	Model     string // "": FindModel sets it
	Chat      bool   // chat completions, with text; else completions
	Text      bool   // completions: prompts are text, not token ids
	IgnoreEOS bool   // answers have their full length: weft, vLLM and SGLang know the field
	Salts     bool   // each request gets a cache_salt of its own: nothing is found in the prefix cache
	Timeout   time.Duration

	client *http.Client
}

// Connect makes t ready for many requests at once.
func (t *Target) Connect() {
	t.connectBy((&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext)
}

func (t *Target) connectBy(dial func(ctx context.Context, network, addr string) (net.Conn, error)) {
	t.URL = strings.TrimSuffix(strings.TrimSuffix(t.URL, "/"), "/v1")
	t.client = &http.Client{Transport: &http.Transport{
		DialContext: dial, MaxIdleConns: 0, MaxIdleConnsPerHost: 1 << 16, IdleConnTimeout: time.Minute,
		DisableCompression: true, WriteBufferSize: 16 << 10, ReadBufferSize: 4 << 10,
	}}
}

// Close ends idle connections.
func (t *Target) Close() { t.client.CloseIdleConnections() }

func (t *Target) path() string {
	if t.Chat {
		return t.URL + "/v1/chat/completions"
	}
	return t.URL + "/v1/completions"
}

// FindModel asks the endpoint for its first model when none was named.
func (t *Target) FindModel(ctx context.Context) error {
	if t.Model != "" {
		return nil
	}
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL+"/v1/models", nil)
	if err != nil {
		return fmt.Errorf("cannot ask %s for its models: %w", t.URL, err)
	}
	t.authorize(q)
	r, err := t.client.Do(q)
	if err != nil {
		return fmt.Errorf("cannot ask %s for its models: %w", t.URL, err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || r.StatusCode != http.StatusOK {
		return fmt.Errorf("cannot ask %s for its models: status %d: %.200s", t.URL, r.StatusCode, b)
	}
	var list struct{ Data []struct{ ID string } }
	if err := json.Unmarshal(b, &list); err != nil || len(list.Data) == 0 {
		return fmt.Errorf("cannot find a model at %s in %.200s: name it", t.URL, b)
	}
	t.Model = list.Data[0].ID
	return nil
}

func (t *Target) authorize(q *http.Request) {
	if t.Key != "" {
		q.Header.Set("Authorization", "Bearer "+t.Key)
	}
}

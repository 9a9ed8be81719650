package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client makes single requests. It never lets the transport decompress: what is counted and hashed is what came.
type client struct {
	endpoint *url.URL
	token    string
	agent    string
	http     *http.Client
}

const (
	connectTimeout = 15 * time.Second
	headerTimeout  = 60 * time.Second
	maxRedirects   = 5
	maxMessage     = 300 // bytes of a server's words in an error
)

// transport has HTTP/1.1 connections, one for each part in flight: the streams of one HTTP/2 connection share a window.
func transport(connections int) *http.Transport {
	var one http.Protocols
	one.SetHTTP1(true)
	return &http.Transport{
		Protocols:             &one,
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout:   connectTimeout,
		ResponseHeaderTimeout: headerTimeout,
		MaxIdleConnsPerHost:   connections,
		IdleConnTimeout:       90 * time.Second,
		ReadBufferSize:        64 << 10,
		DisableCompression:    true,
	}
}

// changedError means that the Hub serves something else under a file's name than it listed.
type changedError struct{ name, got, want string }

func (e *changedError) Error() string {
	return fmt.Sprintf("the Hub listed %s as %s and now serves %s: pull again", e.name, e.want, e.got)
}

// get makes one request. ref is a path at the endpoint; f, which may be nil, is the file that it is for. Any answer but
// 200 and 206 is an error.
func (c *client) get(ctx context.Context, ref string, header http.Header, f *File) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint.String()+ref, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", c.agent)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	hc := *c.http
	hc.CheckRedirect = func(next *http.Request, via []*http.Request) error { return c.redirect(next, via, f) }
	resp, err := hc.Do(req)
	if err != nil {
		return nil, withoutQuery(err)
	}
	if err := c.accept(resp, f); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// redirect lets a request go on to another address, without the token unless that is the endpoint's own.
func (c *client) redirect(next *http.Request, via []*http.Request, f *File) error {
	if !sameOrigin(next.URL, c.endpoint) {
		next.Header.Del("Authorization")
		next.Header.Del("Referer")
	}
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case via[0].URL.Scheme == "https" && next.URL.Scheme != "https":
		return errors.New("redirected from https to " + next.URL.Scheme)
	case f == nil:
		return nil
	}
	return f.checkETag(next.Response.Header.Get("X-Linked-Etag"))
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}

// checkETag compares the Hub's tag of a file, which is its hash, with the listing. Tags of other kinds say nothing.
func (f *File) checkETag(tag string) error {
	tag = strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
	if blobPattern.MatchString(tag) && len(tag) == len(f.ID) && tag != f.ID {
		return &changedError{f.Name, tag, f.ID}
	}
	return nil
}

// accept refuses every answer whose body is not what was asked for.
func (c *client) accept(resp *http.Response, f *File) error {
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		return c.statusError(resp)
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return &badAnswer{fmt.Sprintf("the server compressed the answer (%.40q), which was not asked for", enc)}
	}
	if f != nil && sameOrigin(resp.Request.URL, c.endpoint) {
		return f.checkETag(firstSet(resp.Header.Get("X-Linked-Etag"), resp.Header.Get("ETag")))
	}
	return nil
}

// badAnswer is an answer that breaks the protocol. It may be a passing fault of something between.
type badAnswer struct{ what string }

func (e *badAnswer) Error() string { return e.what }

// read returns the body of the answer at ref, of at most limit bytes.
func (c *client) read(ctx context.Context, ref string, limit int64) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, 2*headerTimeout)
	defer stop()
	resp, err := c.get(ctx, ref, nil, nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return readAtMost(resp.Body, limit)
}

// withoutQuery shortens the address in a transport's error: the query of a redirect's target holds its signature.
func withoutQuery(err error) error {
	var e *url.Error
	if !errors.As(err, &e) {
		return err
	}
	address, _, _ := strings.Cut(e.URL, "?")
	return fmt.Errorf("%s: %w", address, e.Err)
}

package server

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

const testKey = "sk-weft-secret"

func withKey(o *Options) { o.APIKey = testKey }

// TestKey_EveryRouteButHealthNeedsIt sends paths as they are, on a socket: a client library would tidy them.
func TestKey_EveryRouteButHealthNeedsIt(t *testing.T) {
	s := start(t, always(say("hello")), withKey)
	for _, rt := range s.routes() {
		path := strings.ReplaceAll(rt.path, "{id:*}", "tiny")
		for name, c := range map[string]struct {
			path, header string
			allowed      bool
		}{
			"no key":             {path, "", false},
			"wrong key":          {path, "Authorization: Bearer nope\r\n", false},
			"longer key":         {path, "Authorization: Bearer " + testKey + "x\r\n", false},
			"other scheme":       {path, "Authorization: Basic " + testKey + "\r\n", false},
			"no scheme":          {path, "Authorization: " + testKey + "\r\n", false},
			"X-Api-Key":          {path, "X-Api-Key: " + testKey + "\r\n", false},
			"query string":       {path + "?api_key=" + testKey, "", false},
			"two slashes":        {"/" + path, "", false},
			"dots":               {"/x/.." + path, "", false},
			"via health":         {"/health/.." + path, "", false},
			"encoded":            {strings.Replace(path, "/", "/%2e/", 1), "", false},
			"double encoded":     {strings.ReplaceAll(path, "e", "%2565"), "", false},
			"right key":          {path, "Authorization: Bearer " + testKey + "\r\n", true},
			"scheme is caseless": {path, "authorization: bearer " + testKey + "\r\n", true},
		} {
			status := rawStatus(t, s.addr, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Type: application/json\r\n"+
				"Content-Length: 2\r\nConnection: close\r\n\r\n{}", rt.method, c.path, c.header))
			open := c.allowed || (rt.path == healthPath && (c.path == path || strings.HasPrefix(c.path, path+"?")))
			if (status != 401) != open {
				t.Errorf("%s %s, %s: status %d", rt.method, rt.path, name, status)
			}
		}
	}
	if a := s.do(t, "GET", "/nothing", ""); a.status != 401 || a.header.Get("WWW-Authenticate") != "Bearer" {
		t.Errorf("an unknown path without a key = %d", a.status)
	}
}

// rawStatus sends text and returns the status of the answer.
func rawStatus(t *testing.T, addr, text string) int {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%.60q: %v", text, err)
	}
	r.Body.Close()
	return r.StatusCode
}

func TestLog_HoldsNeitherPromptNorKey(t *testing.T) {
	var log bytes.Buffer
	s := start(t, always(say("ANSWER")), withKey, func(o *Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	auth := []string{"Authorization", "Bearer " + testKey}
	s.post(t, chatPath, `{"messages":[{"role":"user","content":"MYPROMPT"}]}`, auth...)
	s.post(t, chatPath, `{"messages":[{"role":"user","content":"MYPROMPT"}],"MYPROMPT":1}`, auth...)
	s.post(t, chatPath, `{"messages":[{"role":"user","content":"MYPROMPT"}]}`, "Authorization", "Bearer "+testKey+"x")
	rawStatus(t, s.addr, "MYPROMPT / HTTP/1.1\r\nA:"+testKey+strings.Repeat("x", 40<<10)+"\r\n\r\n")
	s.inflight.stop()
	if !strings.Contains(log.String(), "completion_tokens=6") {
		t.Errorf("the request has no line in the log: %s", log.String())
	}
	for _, secret := range []string{"MYPROMPT", "ANSWER", testKey} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q: %s", secret, log.String())
		}
	}
}

func TestHost_OthersAreRefusedOnTheLoopback(t *testing.T) {
	loopback := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8000}
	everywhere := &net.TCPAddr{IP: net.IPv6unspecified, Port: 8000}
	for _, c := range []struct {
		addr    net.Addr
		given   []string
		host    string
		allowed bool
	}{
		{loopback, nil, "localhost:8000", true},
		{loopback, nil, "LOCALHOST", true},
		{loopback, nil, "127.0.0.1:8000", true},
		{loopback, nil, "[::1]:8000", true},
		{loopback, nil, "[::1]", true},
		{loopback, nil, "evil.example:8000", false},
		{loopback, nil, "localhost.evil.example", false},
		{loopback, nil, "", false},
		{loopback, []string{"weft.lan"}, "weft.lan:8000", true},
		{loopback, []string{"weft.lan"}, "localhost", true},
		{loopback, []string{"*"}, "evil.example", true},
		{everywhere, nil, "gpu7.example", true},
		{everywhere, []string{"gpu7.example"}, "gpu7.example", true},
		{everywhere, []string{"gpu7.example"}, "gpu8.example", false},
	} {
		var s Server
		if names := hostNames(c.given, c.addr); names != nil {
			s.hosts.Store(names)
		}
		if bad := s.checkHost(c.host); (bad == nil) != c.allowed {
			t.Errorf("on %v with %v, host %q: allowed %v, want %v", c.addr, c.given, c.host, bad == nil, c.allowed)
		}
	}
	s := start(t, always(say("hello")))
	if a := s.post(t, chatPath, chatBody(""), "Host", "evil.example"); a.status != 403 || len(s.engine.requests) != 0 {
		t.Errorf("a rebound host got %d", a.status)
	}
}

func TestCORS_OnlyOriginsOfTheListGetHeaders(t *testing.T) {
	s := start(t, always(say("hello")), withKey, func(o *Options) { o.Origins = []string{"https://chat.example"} })
	a := s.do(t, "OPTIONS", chatPath, "", "Origin", "https://chat.example", "Access-Control-Request-Method", "POST")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "https://chat.example" {
		t.Errorf("preflight = %d %v", a.status, a.header)
	}
	a = s.do(t, "OPTIONS", chatPath, "", "Origin", "https://evil.example")
	if a.status != 401 || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a preflight from elsewhere = %d %v", a.status, a.header)
	}
	a = s.post(t, chatPath, chatBody(""), "Origin", "https://chat.example", "Authorization", "Bearer "+testKey)
	if a.status != 200 || a.header.Get("Access-Control-Allow-Origin") != "https://chat.example" ||
		a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("a call from the page = %d %v", a.status, a.header)
	}
}

func TestBody_OnlyPlainJSONIsTaken(t *testing.T) {
	s := start(t, always(say("hello")))
	for _, c := range []struct {
		header []string
		want   int
	}{
		{[]string{"Content-Type", "application/json; charset=utf-8"}, 200},
		{[]string{"Content-Type", "text/plain"}, 415},
		{[]string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		{[]string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		{[]string{"Content-Encoding", "gzip"}, 415},
	} {
		if a := s.post(t, chatPath, chatBody(""), c.header...); a.status != c.want {
			t.Errorf("%v = %d, want %d", c.header, a.status, c.want)
		}
	}
	for path, want := range map[string]int{"/v1/chat": 404, "/v1/chat/completions/": 404, "//v1/chat/completions": 404} {
		if a := s.post(t, path, chatBody("")); a.status != want {
			t.Errorf("POST %s = %d, want %d", path, a.status, want)
		}
	}
	if a := s.do(t, "GET", chatPath, ""); a.status != 405 || !strings.Contains(a.header.Get("Allow"), "POST") {
		t.Errorf("GET %s = %d %v", chatPath, a.status, a.header)
	}
}

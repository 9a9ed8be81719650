package server

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"mime"
	"net"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"
)

// guard stands before every route: the Host and Origin of browsers, then the key, then the form of the body. It
// returns what is wrong; preflight reports that a CORS preflight was answered. /health is open to probes.
func (s *Server) guard(ctx *fasthttp.RequestCtx) (bad *apiError, preflight bool) {
	if string(ctx.Request.URI().PathOriginal()) == healthPath { // the very path that the router sees
		return nil, false
	}
	if bad := s.checkHost(string(ctx.Host())); bad != nil {
		return bad, false
	}
	if s.cors(ctx) && ctx.IsOptions() {
		ctx.SetStatusCode(fasthttp.StatusNoContent)
		return nil, true
	}
	if !s.keyed(ctx.Request.Header.Peek("Authorization")) {
		return refused(fasthttp.StatusUnauthorized, "invalid_api_key",
			"The API key is missing or wrong. Send it as Authorization: Bearer KEY."), false
	}
	if ctx.IsPost() {
		return checkBody(ctx), false
	}
	return nil, false
}

// keyed compares the key in constant time; the hashes make its length no secret to be found either.
func (s *Server) keyed(header []byte) bool {
	if s.key == nil {
		return true
	}
	scheme, key, _ := bytes.Cut(header, []byte(" "))
	sum := sha256.Sum256(bytes.TrimSpace(key))
	return bytes.EqualFold(scheme, []byte("Bearer")) && subtle.ConstantTimeCompare(sum[:], s.key[:]) == 1
}

// checkHost refuses names that are not this server's. A page that rebinds its own name to 127.0.0.1 sends that name.
func (s *Server) checkHost(host string) *apiError {
	allowed := s.hosts.Load()
	if allowed == nil {
		return nil
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if slices.Contains(*allowed, name) {
		return nil
	}
	return refused(fasthttp.StatusForbidden, "host_not_allowed", "The host %s is not one of this server's.", quote(host))
}

// hostNames are the names that requests may use: every one when the server listens beyond this machine and none were
// given, else those given and those of the loopback.
func hostNames(given []string, addr net.Addr) *[]string {
	tcp, ok := addr.(*net.TCPAddr)
	if slices.Contains(given, "*") || (len(given) == 0 && (!ok || !tcp.IP.IsLoopback())) {
		return nil
	}
	names := []string{"localhost", "127.0.0.1", "::1"}
	if ok && !tcp.IP.IsUnspecified() {
		names = append(names, tcp.IP.String())
	}
	for _, n := range given {
		names = append(names, strings.ToLower(strings.Trim(n, "[]")))
	}
	return &names
}

// cors adds the headers for a web page of an allowed origin and reports whether the request came from one. No
// credentials are allowed: a page must hold the key itself.
func (s *Server) cors(ctx *fasthttp.RequestCtx) bool {
	origin := string(ctx.Request.Header.Peek("Origin"))
	if origin == "" || len(s.origins) == 0 {
		return false
	}
	h := &ctx.Response.Header
	h.Add("Vary", "Origin")
	if !slices.Contains(s.origins, origin) && !slices.Contains(s.origins, "*") {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
	h.Set("Access-Control-Max-Age", "600")
	return true
}

// checkBody refuses bodies that are not plain JSON, and framing that two servers could read in two ways.
func checkBody(ctx *fasthttp.RequestCtx) *apiError {
	h := &ctx.Request.Header
	if h.ContentLength() == -1 && hasHeader(h.RawHeaders(), "content-length") {
		ctx.SetConnectionClose()
		return refused(fasthttp.StatusBadRequest, "bad_framing", "The request has both Content-Length and Transfer-Encoding.")
	}
	if kind, _, err := mime.ParseMediaType(string(h.ContentType())); err != nil || kind != "application/json" {
		// Web pages can send other types across origins without asking first.
		return refused(fasthttp.StatusUnsupportedMediaType, "unsupported_media_type", "Send Content-Type: application/json.")
	}
	if len(h.Peek("Content-Encoding")) > 0 {
		return refused(fasthttp.StatusUnsupportedMediaType, "unsupported_encoding", "Send the body without Content-Encoding.")
	}
	return nil
}

// hasHeader looks for a header in the bytes as they came; fasthttp drops Content-Length beside chunks.
func hasHeader(raw []byte, name string) bool {
	for line := range bytes.Lines(raw) {
		if key, _, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(key), name) {
			return true
		}
	}
	return false
}

// Package server is the HTTP front end: OpenAI's endpoints over an engine, with limits, keys, streams and metrics.
//
// It speaks to the engine through the interface Engine and to text through Tokenizer and Template, so that every
// endpoint is tested without a model. One goroutine per request does all that is text: nothing here runs on the
// engine's goroutine.
package server

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/fasthttp/router"
	"github.com/valyala/fasthttp"

	"github.com/weft-llm/weft/engine"
)

// Options says what a Server serves and to whom.
type Options struct {
	Engine    Engine
	Tokenizer Tokenizer
	Template  Template // nil: the model has none, and chat is refused
	Model     Model
	Limits    Limits
	APIKey    string   // "": none is asked for
	Hosts     []string // names that requests may use as Host; none: those of the loopback if it listens there; "*": all
	Origins   []string // web origins that may call from a browser; "*": all
	Logger    *slog.Logger
}

// Model is what clients see of the model.
type Model struct {
	Name       string
	Aliases    []string
	Created    time.Time
	MaxContext int             // tokens of prompt and answer together
	Stop       []int32         // ids that end an answer, unless ignore_eos is set
	Sampling   engine.Sampling // defaults of the fields that a request leaves out; zero: engine.DefaultSampling
}

// Limits bound what a client can cost. Zero is the default that stands beside each.
type Limits struct {
	Body   int           // bytes of a request's body; 8 MiB
	Header int           // bytes of its header; 32 KiB
	Read   time.Duration // for a request to arrive; 60 s
	Idle   time.Duration // between requests of a connection; 2 min
	Stall  time.Duration // that a client may leave an answer unread; 30 s
	Wait   time.Duration // in the engine's queue; 0: the engine's default
	Total  time.Duration // of a request in the engine; 0: no limit
}

func (l *Limits) setDefaults() {
	l.Body = cmp.Or(l.Body, 8<<20)
	l.Header = cmp.Or(l.Header, 32<<10)
	l.Read = cmp.Or(l.Read, time.Minute)
	l.Idle = cmp.Or(l.Idle, 2*time.Minute)
	l.Stall = cmp.Or(l.Stall, 30*time.Second)
}

const (
	healthPath     = "/health"
	maxConnections = 16384
)

// Server serves one model. New makes it; Serve runs it; Drain ends it.
type Server struct {
	engine    Engine
	tokenizer Tokenizer
	template  Template
	model     Model
	limits    Limits
	key       *[sha256.Size]byte // nil: no key is asked for
	origins   []string
	given     []string // Options.Hosts
	hosts     atomic.Pointer[[]string]
	log       *slog.Logger

	chatFields, completionFields, tokenizeFields, detokenizeFields fields

	metrics  *metrics
	inflight inflight
	failed   atomic.Bool // the device broke: nothing is answered but 503
	base     context.Context
	stop     context.CancelCauseFunc
	http     *fasthttp.Server
	ln       atomic.Pointer[listener]
}

// New makes a server of o. It starts nothing.
func New(o Options) (*Server, error) {
	switch {
	case o.Engine == nil:
		return nil, errors.New("cannot make a server: no engine")
	case o.Tokenizer == nil:
		return nil, errors.New("cannot make a server: no tokenizer")
	case o.Model.Name == "":
		return nil, errors.New("cannot make a server: the model has no name")
	case o.Model.MaxContext < 2:
		return nil, fmt.Errorf("cannot make a server: a context of %d tokens holds no prompt and answer", o.Model.MaxContext)
	}
	s := &Server{
		engine: o.Engine, tokenizer: o.Tokenizer, template: o.Template, model: o.Model, limits: o.Limits,
		origins: o.Origins, given: o.Hosts, log: o.Logger,
		chatFields: chatFields(), completionFields: completionFields(),
		tokenizeFields: tokenizeFields(), detokenizeFields: detokenizeFields(),
	}
	s.limits.setDefaults()
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.model.Sampling.TopP == 0 && s.model.Sampling.Repetition == 0 {
		s.model.Sampling = engine.DefaultSampling()
	}
	if o.APIKey != "" {
		sum := sha256.Sum256([]byte(o.APIKey))
		s.key = &sum
	}
	s.base, s.stop = context.WithCancelCause(context.Background())
	s.metrics = newMetrics(s.engine, s.inflight.count)
	s.http = s.newHTTP()
	return s, nil
}

func (s *Server) newHTTP() *fasthttp.Server {
	return &fasthttp.Server{
		Handler:      s.handler(),
		ErrorHandler: s.badRequest,
		Logger:       httpLog{s.log},
		Name:         "weft",

		Concurrency:        maxConnections,
		MaxRequestBodySize: s.limits.Body,
		ReadBufferSize:     s.limits.Header,
		ReadTimeout:        s.limits.Read,
		IdleTimeout:        s.limits.Idle, // writes have their own deadlines: conn.Write

		SecureErrorLogMessage:        true,
		DisablePreParseMultipartForm: true,
		CloseOnShutdown:              true,
	}
}

// routes are all that the server answers. Everything but /health needs the key.
func (s *Server) routes() []route {
	return []route{
		{"POST", "/v1/chat/completions", s.chatCompletions},
		{"POST", "/v1/completions", s.completions},
		{"GET", "/v1/models", s.listModels},
		{"GET", "/v1/models/{id:*}", s.getModel},
		{"POST", "/tokenize", s.tokenize},
		{"POST", "/detokenize", s.detokenize},
		{"GET", "/metrics", s.getMetrics},
		{"GET", "/debug/flight", s.getFlight},
		{"GET", healthPath, s.health},
	}
}

type route struct {
	method, path string
	handle       fasthttp.RequestHandler
}

// handler is what fasthttp calls: it counts, guards, routes and stops panics.
func (s *Server) handler() fasthttp.RequestHandler {
	r := router.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath, r.HandleOPTIONS = false, false, false
	for _, rt := range s.routes() {
		r.Handle(rt.method, rt.path, func(ctx *fasthttp.RequestCtx) {
			ctx.SetUserValue(routeKey{}, rt.path)
			rt.handle(ctx)
		})
	}
	r.NotFound = func(ctx *fasthttp.RequestCtx) {
		writeError(ctx, refused(fasthttp.StatusNotFound, "not_found", "There is no such path."))
	}
	r.MethodNotAllowed = func(ctx *fasthttp.RequestCtx) {
		writeError(ctx, refused(fasthttp.StatusMethodNotAllowed, "method_not_allowed", "The path does not take this method."))
	}
	return func(ctx *fasthttp.RequestCtx) {
		defer func() {
			if s.recovered(recover(), "") {
				writeError(ctx, internal())
			}
			if s.inflight.closed() {
				ctx.SetConnectionClose()
			}
			path, _ := ctx.UserValue(routeKey{}).(string)
			s.metrics.response(path, ctx.Response.StatusCode())
		}()
		bad, preflight := s.guard(ctx)
		switch {
		case bad != nil:
			writeError(ctx, bad)
		case !preflight:
			r.Handler(ctx)
		}
	}
}

type routeKey struct{}

// badRequest answers what never became a request: too large, too slow, not HTTP.
func (s *Server) badRequest(ctx *fasthttp.RequestCtx, err error) {
	var timeout net.Error
	var header *fasthttp.ErrSmallBuffer
	bad := refused(fasthttp.StatusBadRequest, "bad_request", "The request is not valid HTTP.")
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		bad = refused(fasthttp.StatusRequestEntityTooLarge, "body_too_large", "The body has more than %d bytes.", s.limits.Body)
	case errors.As(err, &header):
		bad = refused(fasthttp.StatusRequestHeaderFieldsTooLarge, "header_too_large", "The header has more than %d bytes.", s.limits.Header)
	case errors.As(err, &timeout) && timeout.Timeout():
		bad = refused(fasthttp.StatusRequestTimeout, "request_timeout", "The request took more than %v to arrive.", s.limits.Read)
	}
	if c := connOf(ctx); c != nil {
		c.linger.Store(true)
	}
	ctx.SetConnectionClose()
	writeError(ctx, bad)
	s.metrics.response("", bad.status)
}

// Serve answers requests on ln until Drain, then returns nil: at once when Drain came first. It can be called once.
func (s *Server) Serve(ln net.Listener) error {
	l := &listener{
		Listener: ln, stall: s.limits.Stall, stalled: s.metrics.stalled.Inc, conns: map[*conn]struct{}{},
		refused: func(d time.Duration) { s.metrics.refusal.Observe(d.Seconds()) },
	}
	if !s.ln.CompareAndSwap(nil, l) {
		return errors.New("cannot serve: this server serves already")
	}
	s.hosts.Store(hostNames(s.given, ln.Addr()))
	if s.inflight.closed() {
		return ln.Close()
	}
	if err := s.http.Serve(l); err != nil {
		return fmt.Errorf("cannot serve on %s: %w", ln.Addr(), err)
	}
	return nil
}

// Drain ends the server: new work gets a 503 at once, and so does /health; requests under way go on until they end or
// ctx does; then they are cut. It returns an error that matches ctx's if any was cut.
func (s *Server) Drain(ctx context.Context) error {
	empty := s.inflight.stop()
	var cut error
	select {
	case <-empty:
	case <-ctx.Done():
		if n := s.inflight.count(); n > 0 {
			cut = fmt.Errorf("cannot finish %d requests: %w", n, ctx.Err())
		}
	}
	s.stop(errShutdown)
	last, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	select {
	case <-empty:
	case <-last.Done(): // a client that does not read holds its request: cut below
	}
	err := s.http.ShutdownWithContext(last)
	l := s.ln.Load()
	if l == nil {
		return cut
	}
	_ = l.Listener.Close() // fasthttp does not when Serve comes just now
	if err != nil {
		l.cut()
	}
	return cut
}

// engineError is the client's form of err. A device that broke is remembered.
func (s *Server) engineError(err error, r *request, started bool) *apiError {
	var device *engine.DeviceError
	if errors.As(err, &device) {
		s.deviceFailed(device)
	}
	return engineError(err, r, started)
}

// deviceFailed remembers that the device broke: /health says so at once.
func (s *Server) deviceFailed(err error) {
	if s.failed.CompareAndSwap(false, true) {
		s.log.Error("the device failed: no more requests are taken", "error", err)
	}
}

// httpLog passes on what fasthttp logs, which are clients' faults, without what they sent.
type httpLog struct{ log *slog.Logger }

func (l httpLog) Printf(format string, args ...any) {
	l.log.Debug("http", "event", fmt.Sprintf(format, args...))
}

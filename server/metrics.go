package server

import (
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
	"github.com/valyala/fasthttp"
)

// metrics are what GET /metrics shows. Each server has a registry of its own.
type metrics struct {
	registry                           *prometheus.Registry
	ttft, interToken, total, refusal   prometheus.Histogram
	promptTokens, outputTokens, cached prometheus.Counter
	hangups, stalled                   prometheus.Counter
	responses                          *prometheus.CounterVec
}

var (
	secondsBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}
	refusalBuckets = []float64{.00005, .0001, .0002, .0005, .001, .002, .005, .01, .025, .05, .1, .5, 1, 5}
	tokenBuckets   = []float64{.001, .002, .003, .005, .0075, .01, .015, .02, .03, .05, .075, .1, .25, .5, 1, 5}
)

func newMetrics(e Engine, inflight func() int) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
		m.registry.MustRegister(h)
		return h
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	gauge := func(name, help string, f func() float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
	}
	m.ttft = histogram("weft_time_to_first_token_seconds", "From a request's arrival to its first token.", secondsBuckets)
	m.interToken = histogram("weft_inter_token_seconds", "Between two tokens of one request.", tokenBuckets)
	m.total = histogram("weft_request_seconds", "From a request's arrival to its last byte.", secondsBuckets)
	m.refusal = histogram("weft_refusal_seconds", "From the last bytes of a request to its 429 being written: without what either waited in a socket.", refusalBuckets)
	m.promptTokens = counter("weft_prompt_tokens_total", "Tokens of prompts.")
	m.outputTokens = counter("weft_output_tokens_total", "Tokens generated.")
	m.cached = counter("weft_cached_tokens_total", "Tokens of prompts that were found in the KV cache.")
	m.hangups = counter("weft_client_hangups_total", "Requests whose client left before the end.")
	m.stalled = counter("weft_slow_readers_total", "Connections cut because their client stopped reading.")
	m.responses = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weft_http_responses_total", Help: "Responses by route and status code.",
	}, []string{"route", "code"})
	m.registry.MustRegister(m.responses)
	gauge("weft_requests_in_flight", "Requests between arrival and last byte.", func() float64 { return float64(inflight()) })
	m.registerEngine(e, gauge)
	m.registry.MustRegister(collectors.NewGoCollector())
	if runtime.GOOS == "linux" {
		m.registry.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return m
}

// registerEngine adds the gauges of an engine that tells its state.
func (m *metrics) registerEngine(e Engine, gauge func(name, help string, f func() float64)) {
	st, ok := e.(statser)
	if !ok {
		return
	}
	gauge("weft_requests_running", "Requests in the batch.", func() float64 { return float64(st.Stats().Running) })
	gauge("weft_requests_waiting", "Requests in the queue.", func() float64 { return float64(st.Stats().Waiting) })
	gauge("weft_kv_tokens_used", "Token slots of the KV cache in use.", func() float64 { return float64(st.Stats().KVUsed) })
	gauge("weft_expected_output_tokens", "Output that a new request is expected to generate; 0: all it may.", func() float64 { return float64(st.Stats().Expected) })
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "weft_requests_paused_total", Help: "Times that a request was paused for want of token slots.",
	}, func() float64 { return float64(st.Stats().Paused) }))
	gauge("weft_kv_tokens_total", "Token slots of the KV cache.", func() float64 { return float64(st.Stats().KVTotal) })
}

func (m *metrics) response(route string, status int) {
	m.responses.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

// request counts a request at its end.
func (m *metrics) request(j *job, u usage) {
	m.total.Observe(time.Since(j.timing.start).Seconds())
	m.promptTokens.Add(float64(u.prompt))
	m.outputTokens.Add(float64(u.completion))
	m.cached.Add(float64(u.cached))
}

// timing measures one request. The zero first means that no token came yet.
type timing struct{ start, first time.Time }

// arrived takes n tokens of c that came together: the time since its last is shared among them.
func (t *timing) arrived(m *metrics, c *choice, n int) {
	if n == 0 {
		return
	}
	now := time.Now()
	if t.first.IsZero() {
		t.first = now
		m.ttft.Observe(now.Sub(t.start).Seconds())
	}
	if !c.last.IsZero() {
		each := now.Sub(c.last).Seconds() / float64(n)
		for range n {
			m.interToken.Observe(each)
		}
	}
	c.last = now
}

func (t *timing) ttft() time.Duration {
	if t.first.IsZero() {
		return 0
	}
	return t.first.Sub(t.start).Round(time.Microsecond)
}

// getMetrics serves GET /metrics in Prometheus' text format.
func (s *Server) getMetrics(ctx *fasthttp.RequestCtx) {
	families, err := s.metrics.registry.Gather()
	if err != nil {
		s.log.Error("cannot gather metrics", "error", err)
		writeError(ctx, internal())
		return
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	ctx.SetContentType(string(format))
	encode := expfmt.NewEncoder(ctx, format)
	for _, f := range families {
		if err := encode.Encode(f); err != nil {
			s.log.Error("cannot write metrics", "error", err)
			writeError(ctx, internal())
			return
		}
	}
}

package server

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/tokenizer"
)

// job is one request to generate, from its admission to its last byte. It holds nothing of fasthttp's.
type job struct {
	s       *Server
	req     *request
	id      string
	created time.Time
	choices []*choice
	prompt  int      // tokens of all prompts
	echo    []string // completions with echo: the text of each choice's prompt

	ctx    context.Context // ends when the client hangs up, a drain ends or the job does
	cancel context.CancelCauseFunc
	sink   sync.Mutex // held while a choice is written

	timing timing
	failed *apiError // what the client was told went wrong
}

// admit counts a job in, unless the server drains. The caller must call end once, whatever happens.
func (s *Server) admit(r *request) (*job, *apiError) {
	if !s.inflight.enter() {
		return nil, draining()
	}
	j := &job{s: s, req: r, id: newID(r.chat), created: time.Now()}
	j.timing.start = j.created
	j.ctx, j.cancel = context.WithCancelCause(s.base)
	return j, nil
}

// end gives back whatever the job still holds, and writes its line in the log.
func (j *job) end() {
	j.cancel(context.Canceled)
	for _, c := range j.choices {
		c.gen.Cancel()
	}
	j.s.inflight.leave()
	j.log()
}

func newID(chat bool) string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	if chat {
		return "chatcmpl-" + hex.EncodeToString(b[:])
	}
	return "cmpl-" + hex.EncodeToString(b[:])
}

// watch ends the job when its client hangs up. fasthttp does not tell, so the socket is asked. It returns at once.
func (j *job) watch(c *conn) {
	if c == nil {
		return
	}
	go func() {
		t := time.NewTicker(watchEvery)
		defer t.Stop()
		for {
			select {
			case <-j.ctx.Done():
				return
			case <-t.C:
			}
			if c.gone() {
				j.hungUp()
				return
			}
		}
	}()
}

// hungUp ends the job because its client left, however that was seen.
func (j *job) hungUp() {
	if j.ctx.Err() == nil {
		j.s.metrics.hangups.Inc()
	}
	j.cancel(errHungUp)
}

// submit queues every choice of every prompt, or none: when one is refused, those before it are taken back.
func (j *job) submit(prompts [][]int32) *apiError {
	r := j.req
	for _, ids := range prompts {
		j.prompt += len(ids)
		maxTokens, bad := j.s.maxTokens(r, len(ids))
		if bad != nil {
			return bad
		}
		for i := range r.n {
			q := r.engineRequest(ids, i)
			if q.MaxTokens = maxTokens; !r.ignoreEOS {
				q.Stop = append(append([]int32(nil), j.s.model.Stop...), r.stopIDs...)
			}
			q.Wait, q.Timeout = j.s.limits.Wait, j.s.limits.Total
			g, err := j.s.engine.Submit(q)
			if err != nil {
				return j.fail(err, false)
			}
			j.choices = append(j.choices, &choice{
				index: len(j.choices), gen: g, text: j.s.tokenizer.NewStream(r.keepSpecial),
				stop: tokenizer.NewStopper(r.stop, r.keepStop), probed: r.logprobs >= 0,
			})
		}
	}
	return nil
}

// maxTokens returns how many tokens a prompt's answer may have: what the client said, or what remains of the context.
func (s *Server) maxTokens(r *request, prompt int) (int, *apiError) {
	want := r.limit()
	if want == 0 {
		want = max(1, s.model.MaxContext-prompt)
	}
	if want > s.model.MaxContext-prompt {
		return 0, tooLong(r.promptParam(), r.maxTokensParam(), prompt, want, s.model.MaxContext)
	}
	return want, nil
}

// fail turns what went wrong into the client's error and remembers both it and a device that broke.
func (j *job) fail(err error, started bool) *apiError {
	if cause := context.Cause(j.ctx); cause != nil && errors.Is(err, j.ctx.Err()) {
		err = cause
	}
	j.failed = j.s.engineError(err, j.req, started)
	if j.failed.code == "internal_error" && !errors.Is(err, errHungUp) {
		j.s.log.Error("generation failed", "id", j.id, "error", err)
	}
	return j.failed
}

// pump reads every choice to its end and calls write after each batch of tokens and after the end, when the choice has
// its reason. Calls of write never overlap. It returns the first error of the engine, of ctx or of write.
func (j *job) pump(write func(*choice) error) error {
	if len(j.choices) == 1 {
		return j.pumpOne(j.choices[0], write)
	}
	errs := make(chan error, len(j.choices))
	for _, c := range j.choices {
		go func() {
			err := errPanicked
			defer func() {
				j.s.recovered(recover(), j.id)
				if err != nil {
					j.cancel(err) // one failed choice ends the others
				}
				errs <- err
			}()
			err = j.pumpOne(c, write)
		}()
	}
	var first error
	for range j.choices {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

var errPanicked = errors.New("server: a handler panicked")

func (j *job) pumpOne(c *choice, write func(*choice) error) error {
	for c.reason == "" {
		tokens, err := c.next(j.ctx)
		switch {
		case c.push(tokens):
			c.gen.Cancel()
		case errors.Is(err, io.EOF) && c.gen.Finish() == engine.Cancelled:
			return cmp.Or(context.Cause(j.ctx), errShutdown)
		case errors.Is(err, io.EOF):
			c.end(c.gen.Finish())
		case err != nil:
			return err
		}
		if err := j.write(c, len(tokens), write); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) write(c *choice, tokens int, write func(*choice) error) error {
	j.sink.Lock()
	defer j.sink.Unlock()
	j.timing.arrived(j.s.metrics, c, tokens)
	return write(c)
}

// usage is what a request cost, in tokens.
type usage struct{ prompt, completion, cached int }

func (j *job) usage() usage {
	u := usage{prompt: j.prompt}
	for i, c := range j.choices {
		u.completion += c.tokens
		if i%j.req.n == 0 { // choices of one prompt share it
			u.cached += c.gen.Cached()
		}
	}
	return u
}

// log writes the job's line: counts and times, never text.
func (j *job) log() {
	u := j.usage()
	attrs := []any{
		"id", j.id, "stream", j.req.stream, "prompt_tokens", u.prompt, "cached_tokens", u.cached,
		"completion_tokens", u.completion, "ttft", j.timing.ttft(), "total", time.Since(j.created).Round(time.Microsecond),
	}
	j.s.metrics.request(j, u)
	switch {
	case errors.Is(context.Cause(j.ctx), errHungUp):
		j.s.log.Info("client hung up", attrs...)
	case j.failed != nil:
		j.s.log.Warn("request failed", append(attrs, "status", j.failed.status, "code", j.failed.code)...)
	default:
		j.s.log.Info("request", attrs...)
	}
}

// recovered logs a panic and reports whether there was one. The client gets a plain 500.
func (s *Server) recovered(p any, id string) bool {
	if p == nil {
		return false
	}
	s.log.Error("handler panicked", slog.String("id", id), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	return true
}

// connOf is the client's connection, nil when the listener is not Serve's.
func connOf(ctx *fasthttp.RequestCtx) *conn {
	c, _ := ctx.Conn().(*conn)
	return c
}

package server

import (
	"bufio"
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// answer runs a decoded request and writes its response. promptIDs are the prompts as tokens.
func (s *Server) answer(ctx *fasthttp.RequestCtx, r *request, prompts [][]int32) {
	if r.user == "" {
		r.user = ctx.RemoteIP().String()
	}
	j, bad := s.admit(r)
	if bad != nil {
		writeError(ctx, bad)
		return
	}
	streaming := false
	defer func() {
		if !streaming {
			j.end()
		}
	}()
	ctx.Response.Header.Set("X-Request-Id", j.id)
	if bad := j.submit(prompts); bad != nil {
		writeError(ctx, bad)
		return
	}
	j.watch(connOf(ctx))
	if r.echo {
		j.setEcho(prompts)
	}
	if !r.stream {
		j.whole(ctx)
		return
	}
	if bad := j.first(); bad != nil {
		writeError(ctx, bad)
		return
	}
	ctx.SetContentType("text/event-stream")
	ctx.Response.Header.Set("Cache-Control", "no-cache")
	ctx.Response.Header.Set("X-Accel-Buffering", "no") // nginx would hold frames back
	streaming = true
	ctx.SetBodyStreamWriter(func(w *bufio.Writer) { // ctx is not touched from here on
		defer j.end()
		j.stream(w)
	})
}

// first waits a while for the first tokens: what goes wrong before them still has a status code of its own.
func (j *job) first() *apiError {
	ctx, cancel := context.WithTimeout(j.ctx, headerWait)
	defer cancel()
	err := j.choices[0].peek(ctx)
	if err == nil || (errors.Is(err, context.DeadlineExceeded) && j.ctx.Err() == nil) {
		return nil
	}
	return j.fail(err, false)
}

// headerWait is how long a stream's header waits for the first token. Proxies give up on a silent server after a
// minute or more.
const headerWait = 5 * time.Second

// stream writes the frames of every choice, then usage if asked for, then [DONE]. What goes wrong is an error frame.
func (j *job) stream(w *bufio.Writer) {
	f := newFrames(j)
	defer func() {
		if j.s.recovered(recover(), j.id) {
			_, _ = w.Write(f.error(internal()))
			_, _ = w.WriteString(done)
			_ = w.Flush()
		}
	}()
	started := make([]bool, len(j.choices))
	err := j.pump(func(c *choice) error { return j.writeChoice(w, f, c, &started[c.index]) })
	if err != nil {
		_, _ = w.Write(f.error(j.fail(err, !j.timing.first.IsZero())))
	} else if j.req.usage {
		_, _ = w.Write(f.usage(j.usage()))
	}
	_, _ = w.WriteString(done)
	_ = w.Flush() // a client that is gone does not want it
}

// writeChoice writes what c has to say and flushes it.
func (j *job) writeChoice(w *bufio.Writer, f *frames, c *choice, started *bool) error {
	if !*started {
		*started = true
		if j.req.chat {
			_, _ = w.Write(f.role(c.index)) // bufio keeps the first error until Flush
		}
		if j.echo != nil {
			_, _ = w.Write(f.text(c.index, []byte(j.echo[c.index]), nil))
		}
	}
	if n := c.ready(); len(c.out) > 0 || n > 0 {
		_, _ = w.Write(f.text(c.index, c.out, c.probs[:n]))
		c.take(n)
	}
	if c.reason != "" {
		_, _ = w.Write(f.finish(c.index, c.reason))
	}
	if w.Buffered() == 0 {
		return nil
	}
	if err := w.Flush(); err != nil {
		j.hungUp()
		return errHungUp
	}
	return nil
}

// whole waits for all choices and answers with one JSON object.
func (j *job) whole(ctx *fasthttp.RequestCtx) {
	err := j.pump(func(*choice) error { return nil })
	if err != nil {
		writeError(ctx, j.fail(err, !j.timing.first.IsZero()))
		return
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(j.appendBody(nil))
}

func (j *job) appendBody(b []byte) []byte {
	object := "text_completion"
	if j.req.chat {
		object = "chat.completion"
	}
	probs := logprobWriter{tokenizer: j.s.tokenizer, chat: j.req.chat, top: j.req.logprobs}
	b = append(appendHead(b, j, object), `,"choices":[`...)
	for i, c := range j.choices {
		b = strconv.AppendInt(append(comma(b, i), `{"index":`...), int64(c.index), 10)
		if j.req.chat {
			b = appendString(append(b, `,"message":{"role":"assistant","content":`...), c.out)
			b = append(b, `,"refusal":null}`...)
		} else {
			b = appendString(append(b, `,"text":`...), j.echoed(c)+string(c.out))
		}
		b = probs.append(append(b, `,"logprobs":`...), c.probs)
		b = append(appendString(append(b, `,"finish_reason":`...), c.reason), '}')
	}
	b = appendUsage(append(b, `],"usage":`...), j.usage())
	return append(b, '}')
}

// setEcho keeps the text of each choice's prompt, which comes before its answer.
func (j *job) setEcho(prompts [][]int32) {
	for i, p := range j.req.prompts {
		text := p.text
		if p.ids != nil {
			text = j.s.tokenizer.Decode(prompts[i], j.req.keepSpecial)
		}
		for range j.req.n {
			j.echo = append(j.echo, text)
		}
	}
}

func (j *job) echoed(c *choice) string {
	if j.echo == nil {
		return ""
	}
	return j.echo[c.index]
}

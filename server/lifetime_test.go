package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weft-llm/weft/engine"
)

// TestChat_HangUpFreesSlots: whenever and however a client leaves, its generations are cancelled within the time that
// is promised.
func TestChat_HangUpFreesSlots(t *testing.T) {
	queued := func() script { return script{start: make(chan struct{})} }
	slow := func() script {
		s := script{tokens: make([]int32, 1000), wait: 5 * time.Millisecond}
		for i := range s.tokens {
			s.tokens[i] = 'a'
		}
		return s
	}
	closed := func(c *net.TCPConn) { _ = c.Close() }
	reset := func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }
	half := func(c *net.TCPConn) { _ = c.CloseWrite() }
	for _, c := range []struct {
		name   string
		play   func() script
		fields string
		leave  func(*net.TCPConn)
		within time.Duration
	}{
		{"queued", queued, `"stream":false`, closed, time.Second},
		{"queued stream", queued, `"stream":true`, closed, time.Second},
		{"queued reset", queued, `"stream":false`, reset, time.Second},
		{"queued half-close", queued, `"stream":false`, half, time.Second},
		{"decoding", slow, `"stream":false`, closed, time.Second},
		{"decoding n", slow, `"stream":false,"n":3`, closed, time.Second},
		{"streaming", slow, `"stream":true`, closed, 250 * time.Millisecond},
		{"streaming reset", slow, `"stream":true`, reset, 250 * time.Millisecond},
		{"streaming half-close", slow, `"stream":true`, half, 250 * time.Millisecond},
		{"streaming n", slow, `"stream":true,"n":3`, closed, 250 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(engine.Request) script { return c.play() }, func(o *Options) { o.Model.MaxContext = 4096 })
			conn := s.raw(t, chatPath, chatBody(c.fields)).(*net.TCPConn)
			waitFor(t, "the request", func() bool { return s.engine.running() > 0 })
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			began := time.Now()
			c.leave(conn)
			waitFor(t, "its end", func() bool { return s.engine.running() == 0 })
			if took := time.Since(began); took > c.within+50*time.Millisecond { // the machine's own delays
				t.Errorf("freed after %v, want %v", took, c.within)
			}
			waitFor(t, "the job's end", func() bool { return s.inflight.count() == 0 })
		})
	}
}

func TestChat_KeepAliveConnectionServesManyStreams(t *testing.T) {
	s := start(t, always(say("hello")))
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := chatBody(`"stream":true`)
	for i := range 3 {
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			chatPath, len(body), body)
		if a := readResponse(t, c); !strings.HasSuffix(a.body, done) {
			t.Fatalf("stream %d: %d %q", i, a.status, a.body)
		}
	}
}

func TestDrain_InFlightFinishesAndNewWorkIs503(t *testing.T) {
	gate := make(chan struct{})
	s := start(t, func(engine.Request) script {
		q := say("hello", " world")
		q.start = gate
		return q
	})
	whole, stream := s.raw(t, chatPath, chatBody("")), s.raw(t, chatPath, chatBody(`"stream":true`))
	waitFor(t, "both requests", func() bool { return s.engine.running() == 2 })
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(context.Background()) }()
	waitFor(t, "the drain", s.inflight.closed)
	if a := s.post(t, chatPath, chatBody("")); a.status != 503 || errorOf(t, a.body).Code != "shutting_down" || a.header.Get("Retry-After") == "" {
		t.Errorf("new work while draining = %d %s", a.status, a.body)
	}
	if a := s.do(t, "GET", "/health", ""); a.status != 503 {
		t.Errorf("/health while draining = %d", a.status)
	}
	close(gate)
	for _, c := range []net.Conn{whole, stream} {
		if a := readResponse(t, c); a.status != 200 || !strings.Contains(a.body, " world") {
			t.Errorf("a request under way = %d %s", a.status, a.body)
		}
	}
	if err := <-drained; err != nil {
		t.Errorf("Drain() = %v", err)
	}
	if err := <-s.served; err != nil {
		t.Errorf("Serve() = %v", err)
	}
}

func TestDrain_CutsWhatDoesNotEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	s := start(t, func(q engine.Request) script {
		if q.MaxTokens == 7 {
			return script{start: make(chan struct{})} // never comes to its turn
		}
		long := script{tokens: make([]int32, 1<<20)} // fills the socket of a client that does not read
		return long
	}, func(o *Options) { o.Model.MaxContext = 1 << 21 })
	whole, stream := s.raw(t, chatPath, chatBody(`"max_tokens":7`)), s.raw(t, chatPath, chatBody(`"stream":true,"max_tokens":7`))
	_ = s.raw(t, chatPath, chatBody(`"stream":true`))
	waitFor(t, "the requests", func() bool { return s.engine.running() == 3 })
	time.Sleep(300 * time.Millisecond) // the third blocks on its socket
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain() = %v, want the deadline", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Drain took %v", took)
	}
	for _, c := range []net.Conn{whole, stream} {
		if a := readResponse(t, c); a.status != 503 {
			t.Errorf("a request that was cut = %d %s", a.status, a.body)
		}
	}
	waitFor(t, "every generation's end", func() bool { return s.engine.running() == 0 && s.inflight.count() == 0 })
	<-s.served
	waitFor(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestDevice_FailureIs503EverywhereAtOnce(t *testing.T) {
	broken := &engine.DeviceError{Err: errors.New("CUDA_ERROR_ILLEGAL_ADDRESS (700) at 0x7f00")}
	gate := make(chan struct{})
	s := start(t, always(script{start: gate, err: broken}))
	whole, stream := s.raw(t, chatPath, chatBody("")), s.raw(t, chatPath, chatBody(`"stream":true`))
	waitFor(t, "both requests", func() bool { return s.engine.running() == 2 })
	if a := s.do(t, "GET", "/health", ""); a.status != 200 {
		t.Errorf("/health before = %d", a.status)
	}
	close(gate)
	for _, c := range []net.Conn{whole, stream} {
		a := readResponse(t, c)
		if e := errorOf(t, a.body); a.status != 503 || e.Code != "device_error" || leak.MatchString(a.body) {
			t.Errorf("a request under way = %d %s", a.status, a.body)
		}
	}
	if a := s.do(t, "GET", "/health", ""); a.status != 503 {
		t.Errorf("/health after = %d", a.status)
	}
	idle := start(t, always(say("hello")))
	idle.engine.mu.Lock()
	idle.engine.err = broken
	idle.engine.mu.Unlock()
	if a := idle.do(t, "GET", "/health", ""); a.status != 503 {
		t.Errorf("/health of an engine that failed while idle = %d", a.status)
	}
}

func TestDevice_FailureMidStreamIsAnErrorFrame(t *testing.T) {
	q := say("hello")
	q.err = &engine.DeviceError{Err: errors.New("x")}
	s := start(t, always(q))
	a := s.post(t, chatPath, chatBody(`"stream":true,"n":2`))
	if a.status != 200 || !strings.Contains(a.body, `"code":"device_error"`) || !strings.HasSuffix(a.body, done) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.do(t, "GET", "/health", ""); a.status != 503 {
		t.Errorf("/health after = %d", a.status)
	}
}

func TestPanic_EndsOneRequestOnly(t *testing.T) {
	s := start(t, func(q engine.Request) script {
		if q.MaxTokens == 7 {
			return say("hello")
		}
		return script{forget: true}
	})
	for _, fields := range []string{"", `"stream":true`, `"n":2`, `"stream":true,"n":2`} {
		a := s.post(t, chatPath, chatBody(fields))
		if e := errorOf(t, strings.TrimSuffix(a.body[strings.LastIndex(a.body, `{"error"`):], "\n\n"+done)); e.Code != "internal_error" {
			t.Errorf("%s: %d %s", fields, a.status, a.body)
		}
		if leak.MatchString(a.body) || strings.Contains(a.body, "panics") {
			t.Errorf("the error leaks: %s", a.body)
		}
		if a := s.post(t, chatPath, chatBody(`"max_tokens":7`)); a.status != 200 {
			t.Errorf("the next request = %d", a.status)
		}
	}
	if n := s.inflight.count() + s.engine.running(); n != 0 {
		t.Errorf("%d requests or generations remain", n)
	}
}

// TestStream_ManyChoicesKeepTheirOrder: frames of several choices mix, but each choice starts with its role, has its own
// text and ends with one reason.
func TestStream_ManyChoicesKeepTheirOrder(t *testing.T) {
	s := start(t, func(q engine.Request) script {
		out := say("The", " capital", " of", " France")
		out.wait = time.Duration(rand.IntN(3)) * time.Millisecond
		return out
	})
	a := s.post(t, chatPath, chatBody(`"stream":true,"n":8,"stream_options":{"include_usage":true}`))
	text, ends := map[int]string{}, map[int]int{}
	for frame := range strings.SplitSeq(strings.TrimSuffix(a.body, "\n\n"+done), "\n\n") {
		chunk := decodeChunk(t, frame)
		if len(chunk.Choices) == 0 {
			if chunk.Usage.CompletionTokens != 32 || len(ends) != 8 {
				t.Errorf("usage %+v after %d ends", chunk.Usage, len(ends))
			}
			continue
		}
		c := chunk.Choices[0]
		if _, begun := text[c.Index]; begun == (c.Delta.Role == "assistant") {
			t.Errorf("choice %d has its role at the wrong place: %s", c.Index, frame)
		}
		text[c.Index] += c.Delta.Content
		if c.FinishReason != "" {
			ends[c.Index]++
		}
	}
	for i := range 8 {
		if text[i] != "The capital of France" || ends[i] != 1 {
			t.Errorf("choice %d says %q and ends %d times", i, text[i], ends[i])
		}
	}
}

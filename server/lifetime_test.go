package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-llm/weft/engine"
)

// queued is a request that does not come to its turn, decoding one that gets a token every 5 ms.
func queued() script { return script{start: make(chan struct{})} }

func decoding() script {
	s := script{tokens: make([]int32, 1<<16), wait: 5 * time.Millisecond}
	for i := range s.tokens {
		s.tokens[i] = 'a'
	}
	return s
}

// TestChat_HangUpFreesSlots: whenever and however a client leaves, its generations are cancelled. That this takes no
// longer than is promised is shown in virtual time, by TestHangUp_InVirtualTimeIsSeenWhenPromised; here a busy machine
// adds delays of its own.
func TestChat_HangUpFreesSlots(t *testing.T) {
	closed := func(c *net.TCPConn) { _ = c.Close() }
	reset := func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }
	half := func(c *net.TCPConn) { _ = c.CloseWrite() }
	for _, c := range []struct {
		name   string
		play   func() script
		fields string
		leave  func(*net.TCPConn)
	}{
		{"queued", queued, `"stream":false`, closed},
		{"queued stream", queued, `"stream":true`, closed},
		{"queued reset", queued, `"stream":false`, reset},
		{"queued half-close", queued, `"stream":false`, half},
		{"decoding", decoding, `"stream":false`, closed},
		{"decoding n", decoding, `"stream":false,"n":3`, closed},
		{"streaming", decoding, `"stream":true`, closed},
		{"streaming reset", decoding, `"stream":true`, reset},
		{"streaming half-close", decoding, `"stream":true`, half},
		{"streaming n", decoding, `"stream":true,"n":3`, closed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, func(engine.Request) script { return c.play() }, func(o *Options) { o.Model.MaxContext = 1 << 17 })
			conn := s.raw(t, chatPath, chatBody(c.fields)).(*net.TCPConn)
			waitFor(t, "the request", func() bool { return s.engine.running() > 0 })
			time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
			began := time.Now()
			c.leave(conn)
			waitFor(t, "its end", func() bool { return s.engine.running() == 0 })
			t.Logf("freed after %v", time.Since(began))
			waitFor(t, "the job's end", func() bool { return s.inflight.count() == 0 })
			if a := s.do(t, "GET", "/metrics", ""); strings.Contains(a.body, "\nweft_client_hangups_total 0\n") {
				t.Error("no hang-up is counted: the request ended by itself")
			}
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

// drainsWhatDoesNotEnd lets a server end in 50 ms while two requests never come to their turn and a third client does not
// read. It returns how long that took and what the two are told.
func drainsWhatDoesNotEnd(t *testing.T, s *testServer) (took time.Duration, told <-chan answer) {
	t.Helper()
	answers := make(chan answer, 2)
	for _, fields := range []string{`"max_tokens":7`, `"stream":true,"max_tokens":7`} {
		c := s.raw(t, chatPath, chatBody(fields))
		go func() {
			_ = c.SetReadDeadline(time.Now().Add(2 * time.Minute))
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				answers <- answer{body: err.Error()}
				return
			}
			answers <- answer{status: r.StatusCode}
		}()
	}
	_ = s.raw(t, chatPath, chatBody(`"stream":true`))
	waitFor(t, "the requests", func() bool { return s.engine.running() == 3 })
	time.Sleep(300 * time.Millisecond) // the third blocks on its socket
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain() = %v, want the deadline", err)
	}
	return time.Since(began), answers
}

func neverEnds(q engine.Request) script {
	if q.MaxTokens == 7 {
		return queued()
	}
	return script{tokens: make([]int32, 1<<20)} // fills the socket of a client that does not read
}

func TestDrain_CutsWhatDoesNotEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	s := start(t, neverEnds, func(o *Options) { o.Model.MaxContext = 1 << 21 })
	took, told := drainsWhatDoesNotEnd(t, s)
	t.Logf("Drain took %v", took)
	for range 2 { // in virtual time they are told for sure: here a second may be over before a busy machine lets them write
		if a := <-told; a.status != 503 && a.status != 0 {
			t.Errorf("a request that was cut = %d", a.status)
		}
	}
	waitFor(t, "every generation's end", func() bool { return s.engine.running() == 0 && s.inflight.count() == 0 })
	<-s.served
	waitFor(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before+2 })
}

// TestDrain_InVirtualTimeCutsAfterASecond: those who can be told are told when the time is over, and have a second to
// read it while a client that does not read is waited for.
func TestDrain_InVirtualTimeCutsAfterASecond(t *testing.T) {
	virtually(t, neverEnds, func(t *testing.T, s *testServer) {
		took, told := drainsWhatDoesNotEnd(t, s)
		if took != 1050*time.Millisecond {
			t.Errorf("Drain took %v, want 50 ms and a second", took)
		}
		for range 2 {
			if a := <-told; a.status != 503 {
				t.Errorf("a request that was cut = %d %s", a.status, a.body)
			}
		}
		synctest.Wait()
		if n := s.engine.running() + s.inflight.count(); n != 0 {
			t.Errorf("%d requests or generations remain", n)
		}
	}, func(o *Options) { o.Model.MaxContext = 1 << 21 })
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

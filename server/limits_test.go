package server

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-llm/weft/engine"
)

func TestBody_TooLargeIs413(t *testing.T) {
	s := start(t, always(say("hello")))
	big := `{"safety_identifier":"` + strings.Repeat("x", 9<<20) + `"}`
	if a := s.post(t, chatPath, big); a.status != 413 || errorOf(t, a.body).Code != "body_too_large" {
		t.Errorf("9 MiB = %d %s", a.status, a.body)
	}
	if a := s.post(t, chatPath, big, "Expect", "100-continue"); a.status != 413 {
		t.Errorf("9 MiB after 100-continue = %d", a.status)
	}
	fits := `{"safety_identifier":"` + strings.Repeat("x", 7<<20) + `",` + chatBody("")[1:]
	if a := s.post(t, chatPath, fits); a.status != 200 {
		t.Errorf("7 MiB = %d %s", a.status, a.body)
	}
	c := s.dial(t, "POST "+chatPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n{")
	if a := readResponse(t, c); a.status != 413 {
		t.Errorf("10 GB = %d", a.status)
	}
}

func (s *testServer) dial(t *testing.T, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBody_ChunksAreBounded(t *testing.T) {
	s := start(t, always(say("hello")))
	const head = "POST " + chatPath + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
	body := chatBody("")
	tiny := strings.Builder{}
	tiny.WriteString(head + "\r\n")
	for range 1_000_000 { // a million one-byte chunks: spaces before the object
		tiny.WriteString("1\r\n \r\n")
	}
	fmt.Fprintf(&tiny, "%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	if a := readResponse(t, s.dial(t, tiny.String())); a.status != 200 {
		t.Errorf("a million chunks = %d %s", a.status, a.body)
	}
	if a := readResponse(t, s.dial(t, head+"\r\n7fffffff\r\n{")); a.status != 413 {
		t.Errorf("a chunk of 2 GiB = %d", a.status)
	}
	if a := readResponse(t, s.dial(t, head+"\r\nffffffffffffffffff\r\n{")); a.status != 400 {
		t.Errorf("a chunk of 2^72 = %d", a.status)
	}
	both := fmt.Sprintf("%sContent-Length: 5\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", head, len(body), body)
	if a := readResponse(t, s.dial(t, both)); a.status != 400 || errorOf(t, a.body).Code != "bad_framing" {
		t.Errorf("both lengths = %d %s", a.status, a.body)
	}
}

func TestHeader_TooLargeIs431(t *testing.T) {
	s := start(t, always(say("hello")))
	a := readResponse(t, s.dial(t, "GET /health HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n"))
	if a.status != 431 || errorOf(t, a.body).Code != "header_too_large" {
		t.Errorf("a header of 1 MiB = %d %s", a.status, a.body)
	}
	if a := s.do(t, "GET", "/health", "", "X", strings.Repeat("x", 16<<10)); a.status != 200 {
		t.Errorf("a header of 16 KiB = %d", a.status)
	}
	a = readResponse(t, s.dial(t, "nonsense\r\n\r\n"))
	if a.status != 400 || errorOf(t, a.body).Code != "bad_request" {
		t.Errorf("no HTTP = %d %s", a.status, a.body)
	}
}

func TestRead_SlowRequestIs408(t *testing.T) {
	s := start(t, always(say("hello")), func(o *Options) { o.Limits.Read = 100 * time.Millisecond })
	a := readResponse(t, s.dial(t, "POST "+chatPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"))
	if a.status != 408 {
		t.Errorf("half a request = %d %s", a.status, a.body)
	}
}

// TestQueue_FullIs429InTime: of many requests at once exactly those that the engine takes are served; the others are
// told to come back, at once.
func TestQueue_FullIs429InTime(t *testing.T) {
	const all, capacity = 300, 20
	gate := make(chan struct{})
	taken := 0
	s := start(t, func(engine.Request) script {
		if taken == capacity {
			return script{refuse: engine.ErrQueueFull}
		}
		taken++
		q := say("hello")
		q.start = gate
		return q
	})
	var mu sync.Mutex
	var slowest time.Duration
	count := map[int]int{}
	var wg, refused sync.WaitGroup
	refused.Add(all - capacity)
	for range all {
		wg.Go(func() {
			began := time.Now()
			a := s.post(t, chatPath, chatBody(`"stream":true`))
			mu.Lock()
			defer mu.Unlock()
			count[a.status]++
			if a.status == 429 {
				slowest = max(slowest, time.Since(began))
				refused.Done()
			}
		})
	}
	refused.Wait()
	close(gate)
	wg.Wait()
	if count[200] != capacity || count[429] != all-capacity {
		t.Errorf("answers %v, want %d times 200, the rest 429", count, capacity)
	}
	if slowest > 2*time.Second { // clients and server share the test machine's cores
		t.Errorf("the slowest 429 took %v", slowest)
	}
}

func TestUser_IsWhomFairShareCounts(t *testing.T) {
	s := start(t, always(say("hello")))
	for fields, want := range map[string]string{`"user":"ann"`: "ann", "": "127.0.0.1"} {
		if a := s.post(t, chatPath, chatBody(fields)); a.status != 200 || s.engine.last().Key != want {
			t.Errorf("%q: status %d, key %q, want %q", fields, a.status, s.engine.last().Key, want)
		}
	}
	if a := s.post(t, chatPath, chatBody(`"user":"`+strings.Repeat("x", 513)+`"`)); a.status != 400 {
		t.Errorf("a user of 513 bytes = %d", a.status)
	}
}

// TestQueue_FullRefusesBeforeTheWork: what will be refused is neither parsed nor rendered nor tokenized.
func TestQueue_FullRefusesBeforeTheWork(t *testing.T) {
	s := start(t, always(say("hello")), func(o *Options) { o.Tokenizer, o.Template = nothingEncodes{}, nothingRenders{} })
	s.engine.full = engine.ErrQueueFull
	for path, body := range map[string]string{chatPath: chatBody(""), "/v1/completions": `{"prompt":"x"}`, "/v1/completions?": "{not parsed"} {
		a := s.post(t, path, body)
		if e := errorOf(t, a.body); a.status != 429 || e.Code != "queue_full" || a.header.Get("Retry-After") != "1" {
			t.Errorf("POST %s = %d %s", path, a.status, a.body)
		}
	}
}

type nothingEncodes struct{ fakeTokenizer }

func (nothingEncodes) Encode(string, bool, bool) ([]int32, error) { panic("a prompt is encoded") }

type nothingRenders struct{}

func (nothingRenders) Render([]byte, []byte, bool) (string, error) { panic("a prompt is rendered") }

// TestStall_SlowReaderIsCutAndOthersGoOn: a client that reads nothing costs its socket's buffers and is cut.
func TestStall_SlowReaderIsCutAndOthersGoOn(t *testing.T) {
	long := script{tokens: make([]int32, 1<<20)}
	for i := range long.tokens {
		long.tokens[i] = 'a'
	}
	long.wait = 0
	s := start(t, func(q engine.Request) script {
		if q.MaxTokens == 7 {
			return say("hello")
		}
		return long
	}, func(o *Options) { o.Limits.Stall = 300 * time.Millisecond; o.Model.MaxContext = 1 << 21 })
	stalled := s.raw(t, chatPath, chatBody(`"stream":true`))
	_ = stalled.(*net.TCPConn).SetReadBuffer(4 << 10)
	began := time.Now()
	for len(s.engine.freed) == 0 {
		if a := s.post(t, chatPath, chatBody(`"stream":true,"max_tokens":7`)); !strings.Contains(a.body, "hello") {
			t.Fatalf("another client got %d %s", a.status, a.body)
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("the client that does not read was not cut")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("cut after %v, before the stall time", took)
	}
	waitFor(t, "the request to leave", func() bool { return s.inflight.count() == 0 })
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

package server

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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
	c, err := s.connect(t.Context(), "tcp", s.addr)
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
	virtually(t, always(say("hello")), func(t *testing.T, s *testServer) {
		began := time.Now()
		a := readResponse(t, s.dial(t, "POST "+chatPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"))
		if took := time.Since(began); a.status != 408 || took != time.Minute {
			t.Errorf("half a request = %d %s after %v, want 408 after a minute", a.status, a.body, took)
		}
	})
}

// TestQueue_FullIs429InTime: of many requests at once exactly those that the engine takes are served; the others are
// told to come back, at once: in virtual time a refusal takes none, since it waits for nothing.
func TestQueue_FullIs429InTime(t *testing.T) {
	const all, capacity = 300, 20
	limited := func() (play func(engine.Request) script, gate chan struct{}) {
		gate = make(chan struct{})
		taken := 0
		return func(engine.Request) script {
			if taken == capacity {
				return script{refuse: engine.ErrQueueFull}
			}
			taken++
			q := say("hello")
			q.start = gate
			return q
		}, gate
	}
	burst := func(t *testing.T, s *testServer, gate chan struct{}) (slowest time.Duration) {
		var mu sync.Mutex
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
		return slowest
	}
	t.Run("sockets", func(t *testing.T) {
		play, gate := limited()
		t.Logf("the slowest 429 took %v", burst(t, start(t, play), gate))
	})
	t.Run("virtual time", func(t *testing.T) {
		startClock(t)
		synctest.Test(t, func(t *testing.T) {
			play, gate := limited()
			inBubble(t, play, func(t *testing.T, s *testServer) {
				if slowest := burst(t, s, gate); slowest > 0 {
					t.Errorf("the slowest 429 took %v", slowest)
				}
			})
		})
	})
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

// TestStall_SlowReaderIsCutAndOthersGoOn: a client that reads nothing costs its socket's buffers and is cut. In virtual
// time it is cut exactly when it should be, and the others wait for nothing.
func TestStall_SlowReaderIsCutAndOthersGoOn(t *testing.T) {
	play := func(q engine.Request) script {
		if q.MaxTokens == 7 {
			return say("hello")
		}
		long := script{tokens: make([]int32, 1<<20)}
		for i := range long.tokens {
			long.tokens[i] = 'a'
		}
		return long
	}
	room := func(o *Options) { o.Model.MaxContext = 1 << 21 }
	untilCut := func(t *testing.T, s *testServer) (cut, slowest time.Duration) {
		_ = s.raw(t, chatPath, chatBody(`"stream":true`))
		began := time.Now()
		for len(s.engine.freed) == 0 {
			sent := time.Now()
			if a := s.post(t, chatPath, chatBody(`"stream":true,"max_tokens":7`)); !strings.Contains(a.body, "hello") {
				t.Fatalf("another client got %d %s", a.status, a.body)
			}
			slowest = max(slowest, time.Since(sent))
			if time.Since(began) > 2*time.Minute {
				t.Fatal("the client that does not read was not cut")
			}
			time.Sleep(20 * time.Millisecond)
		}
		cut = time.Since(began)
		waitFor(t, "the request to leave", func() bool { return s.inflight.count() == 0 })
		return cut, slowest
	}
	t.Run("sockets", func(t *testing.T) {
		const stall = 2 * time.Second // the others' writes have it too, and their clients may be slow
		s := start(t, play, room, func(o *Options) { o.Limits.Stall = stall })
		cut, slowest := untilCut(t, s)
		if cut < stall {
			t.Errorf("cut after %v, before the stall time", cut)
		}
		t.Logf("cut after %v; the others waited for %v at most", cut, slowest)
	})
	t.Run("virtual time", func(t *testing.T) {
		virtually(t, play, func(t *testing.T, s *testServer) {
			const stall = 30 * time.Second // the default
			if cut, slowest := untilCut(t, s); cut < stall || cut > stall+20*time.Millisecond || slowest > 0 {
				t.Errorf("cut after %v, and the others waited for %v at most, want %v and 0", cut, slowest, stall)
			}
		}, room)
	})
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

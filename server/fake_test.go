package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/weft-llm/weft/engine"
)

// fakeEngine plays a script for every request.
type fakeEngine struct {
	play func(engine.Request) script

	mu       sync.Mutex
	requests []engine.Request
	live     int           // generations that neither ended nor were cancelled
	freed    chan struct{} // gets one for each that was cancelled
	err      error         // Err
	full     error         // Reserve
}

// script is what happens to one request.
type script struct {
	refuse error         // Submit fails
	tokens []int32       //
	wait   time.Duration // before each token
	start  chan struct{} // nothing comes before it closes
	top    int           // alternatives made up for each token
	cached int
	finish engine.Finish // after the tokens; 0: Stopped
	err    error         // after the tokens
	forget bool          // Next panics
}

func (e *fakeEngine) Submit(q engine.Request) (Generation, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.play(q)
	if s.refuse != nil {
		return nil, s.refuse
	}
	e.requests = append(e.requests, q)
	e.live++
	g := &fakeGeneration{e: e, s: s, cancel: make(chan struct{}), logprobs: q.Logprobs}
	if len(s.tokens) > q.MaxTokens {
		g.s.tokens, g.s.finish = s.tokens[:q.MaxTokens], engine.Length
	}
	return g, nil
}

func (e *fakeEngine) Stats() Stats { return Stats{Running: e.running(), KVUsed: 3, KVTotal: 10} }

func (e *fakeEngine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

func (e *fakeEngine) Reserve() (*engine.Place, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return nil, e.full
}

func (e *fakeEngine) running() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.live
}

func (e *fakeEngine) last() engine.Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.requests[len(e.requests)-1]
}

type fakeGeneration struct {
	e        *fakeEngine
	s        script
	logprobs int
	at       int
	once     sync.Once
	cancel   chan struct{}
	finish   engine.Finish
}

func (g *fakeGeneration) Next(ctx context.Context, dst []engine.Token) ([]engine.Token, error) {
	if g.s.forget {
		panic("the fake engine panics")
	}
	var after <-chan time.Time
	if g.s.wait > 0 && g.at < len(g.s.tokens) {
		after = time.After(g.s.wait)
	} else {
		c := make(chan time.Time)
		close(c)
		after = c
	}
	if g.s.start != nil {
		select {
		case <-g.s.start:
		case <-ctx.Done():
			return dst, ctx.Err()
		case <-g.cancel:
			g.finish = engine.Cancelled
			return dst, io.EOF
		}
	}
	select {
	case <-after:
	case <-ctx.Done():
		return dst, ctx.Err()
	case <-g.cancel:
		g.finish = engine.Cancelled
		return dst, io.EOF
	}
	if g.at == len(g.s.tokens) {
		g.end()
		if g.s.err != nil {
			g.finish = engine.Failed
			return dst, g.s.err
		}
		if g.finish = g.s.finish; g.finish == engine.Running {
			g.finish = engine.Stopped
		}
		return dst, io.EOF
	}
	id := g.s.tokens[g.at]
	g.at++
	t := engine.Token{ID: id}
	if g.logprobs >= 0 {
		t.Logprob = -0.5
		for i := range g.logprobs {
			t.Top = append(t.Top, engine.TopLogprob{ID: (id + int32(i)) % vocabularySize, Logprob: -0.5 - float32(i)})
		}
	}
	return append(dst, t), nil
}

func (g *fakeGeneration) Finish() engine.Finish { return g.finish }
func (g *fakeGeneration) Cached() int           { return g.s.cached }

func (g *fakeGeneration) Cancel() {
	g.once.Do(func() {
		close(g.cancel)
		g.e.mu.Lock()
		g.e.live--
		g.e.mu.Unlock()
		if g.e.freed != nil {
			g.e.freed <- struct{}{}
		}
	})
}

// end frees the generation without counting as cancelled.
func (g *fakeGeneration) end() {
	g.once.Do(func() {
		g.e.mu.Lock()
		g.e.live--
		g.e.mu.Unlock()
	})
}

// fakeTokenizer has the 256 bytes and a few words. Text becomes the longest word that fits, else a byte.
type fakeTokenizer struct{}

var words = []string{
	"<s>", "<|im_start|>", "<|im_end|>", " Paris", "Paris", "The", " capital", " of", " France", " is", ".", "user",
	"assistant", "system", " STOP", "ST", "OP", "hello", " world", "tok ",
}

const vocabularySize = 256 + 20

func tokenID(word string) int32 {
	for i, w := range words {
		if w == word {
			return int32(256 + i)
		}
	}
	panic("no word " + word)
}

func (fakeTokenizer) Encode(text string, _, addSpecial bool) ([]int32, error) {
	var ids []int32
	if addSpecial {
		ids = append(ids, tokenID("<s>"))
	}
	for len(text) > 0 {
		best, id := text[:1], int32(text[0])
		for i, w := range words {
			if strings.HasPrefix(text, w) && len(w) > len(best) {
				best, id = w, int32(256+i)
			}
		}
		ids = append(ids, id)
		text = text[len(best):]
	}
	return ids, nil
}

func (t fakeTokenizer) TokenBytes(id int32) []byte {
	if id < 256 {
		return []byte{byte(id)}
	}
	return []byte(words[id-256])
}

func (t fakeTokenizer) special(id int32) bool { return id >= 256 && id < 259 }

func (t fakeTokenizer) Decode(ids []int32, keepSpecial bool) string {
	var b []byte
	for _, id := range ids {
		if keepSpecial || !t.special(id) {
			b = append(b, t.TokenBytes(id)...)
		}
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

func (fakeTokenizer) Size() int { return vocabularySize }

func (t fakeTokenizer) NewStream(keepSpecial bool) TextStream { return &fakeStream{keep: keepSpecial} }

type fakeStream struct {
	keep bool
	half []byte
}

func (s *fakeStream) Push(id int32) string {
	if !s.keep && (fakeTokenizer{}).special(id) {
		return ""
	}
	s.half = append(s.half, fakeTokenizer{}.TokenBytes(id)...)
	n := 0
	for n < len(s.half) && utf8.FullRune(s.half[n:]) {
		_, size := utf8.DecodeRune(s.half[n:])
		n += size
	}
	text := strings.ToValidUTF8(string(s.half[:n]), "\ufffd")
	s.half = append(s.half[:0], s.half[n:]...)
	return text
}

func (s *fakeStream) Flush() string {
	text := strings.ToValidUTF8(string(s.half), "\ufffd")
	s.half = nil
	return text
}

// fakeTemplate writes a conversation in ChatML.
type fakeTemplate struct{}

func (fakeTemplate) Render(messages, kwargs []byte, prompt bool) (string, error) {
	var list []struct{ Role, Content, Name string }
	if err := json.Unmarshal(messages, &list); err != nil {
		return "", err
	}
	var b strings.Builder
	for _, m := range list {
		if m.Content == "refuse" {
			return "", errors.New("roles must alternate")
		}
		fmt.Fprintf(&b, "<|im_start|>%s\n%s<|im_end|>\n", m.Role, m.Content)
	}
	if prompt {
		b.WriteString("<|im_start|>assistant\n")
	}
	return b.String(), nil
}

// say is a script that says the pieces, which are words of the vocabulary or single bytes.
func say(pieces ...string) script {
	var s script
	for _, p := range pieces {
		ids, _ := fakeTokenizer{}.Encode(p, false, false)
		s.tokens = append(s.tokens, ids...)
	}
	return s
}

func always(s script) func(engine.Request) script { return func(engine.Request) script { return s } }

// testServer is a server on a loopback socket, or on pipes: virtually.
type testServer struct {
	*Server
	engine  *fakeEngine
	addr    string
	connect func(ctx context.Context, network, addr string) (net.Conn, error)
	served  chan error
}

func start(t *testing.T, play func(engine.Request) script, set ...func(*Options)) *testServer {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return startOn(t, ln, new(net.Dialer).DialContext, play, set...)
}

func startOn(t *testing.T, ln net.Listener, connect func(ctx context.Context, network, addr string) (net.Conn, error),
	play func(engine.Request) script, set ...func(*Options)) *testServer {
	t.Helper()
	e := &fakeEngine{play: play, freed: make(chan struct{}, 4096)}
	o := Options{
		Engine: e, Tokenizer: fakeTokenizer{}, Template: fakeTemplate{},
		Model: Model{Name: "tiny", MaxContext: 64, Stop: []int32{tokenID("<|im_end|>")}, Created: time.Unix(1700000000, 0)},
	}
	for _, f := range set {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ts := &testServer{Server: s, engine: e, addr: ln.Addr().String(), connect: connect, served: make(chan error, 1)}
	go func() { ts.served <- s.Serve(ln) }()
	for s.ln.Load() == nil { // Serve has the listener
		time.Sleep(time.Millisecond)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Drain(ctx)
	})
	return ts
}

// answer is a response as tests look at it.
type answer struct {
	status int
	header http.Header
	body   string
}

// client has no keep-alive: a test's server ends with its test.
func (s *testServer) client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: s.connect, DisableKeepAlives: true}}
}

func (s *testServer) do(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	q, err := http.NewRequest(method, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == "POST" {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			q.Host = header[i+1]
		}
		q.Header.Set(header[i], header[i+1])
	}
	r, err := s.client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header, string(b)}
}

func (s *testServer) post(t *testing.T, path, body string, header ...string) answer {
	t.Helper()
	return s.do(t, "POST", path, body, header...)
}

// errorOf reads an error body.
func errorOf(t *testing.T, body string) (e struct{ Type, Code, Param, Message string }) {
	t.Helper()
	var v struct {
		Error *struct{ Type, Code, Param, Message string }
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil || v.Error == nil {
		t.Fatalf("not an error body: %q", body)
	}
	return *v.Error
}

// raw opens a socket and sends a request on it.
func (s *testServer) raw(t *testing.T, path, body string) net.Conn {
	t.Helper()
	c, err := s.connect(t.Context(), "tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readResponse reads what a raw socket answers.
func readResponse(t *testing.T, c net.Conn) answer {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(2 * time.Minute))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, r.Body); err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Header, b.String()}
}

package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/bench/load"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/internal/pipes"
	"github.com/weft-llm/weft/server"
	"github.com/weft-llm/weft/tensor"
)

// vocab is below the tiny model's, and of ids that are text.
const vocab = 90

// serveTiny serves the tiny model on the CPU and returns a target for it.
func serveTiny(t *testing.T, o engine.Options) (*weft.Model, *load.Target) {
	t.Helper()
	m, err := weft.Open(golden.Chat(t), weft.Options{Device: "cpu", Engine: o})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Server(server.Options{APIKey: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	target := &load.Target{URL: "http://" + l.Addr().String() + "/v1/", Key: "secret", IgnoreEOS: true, Timeout: 5 * time.Minute}
	target.Connect()
	t.Cleanup(func() {
		target.Close()
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		if err := s.Drain(ctx); err != nil {
			t.Errorf("Drain = %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
		if err := m.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	if err := target.FindModel(context.Background()); err != nil || target.Model != m.Name() {
		t.Fatalf("FindModel finds %q, %v, want %q", target.Model, err, m.Name())
	}
	return m, target
}

func TestRun_CountsWhatTheServerDid(t *testing.T) {
	m, target := serveTiny(t, engine.Options{MaxRequests: 8})
	shape := load.Shape{Users: 6, Turns: 3, System: 10, Input: load.Range{Lo: 3, Hi: 8}, Output: load.Range{Lo: 4, Hi: 9}, Vocab: vocab, Seed: 5}
	for _, mode := range []struct {
		name        string
		chat, text  bool
		rate        float64
		concurrency int
	}{
		{name: "burst of ids"}, {name: "Poisson", rate: 200}, {name: "closed loop", concurrency: 2},
		{name: "text", text: true}, {name: "chat", chat: true},
	} {
		t.Run(mode.name, func(t *testing.T) {
			shape.Seed++
			shape := shape
			if mode.text || mode.chat { // the tiny model has one token for each letter
				shape.Turns, shape.System, shape.Input = 3, 2, load.Range{Lo: 1, Hi: 1}
			}
			w := load.Synthetic(shape)
			if mode.rate > 0 {
				w.Poisson(mode.rate, 1)
			}
			target.Chat, target.Text = mode.chat, mode.text
			wantOut := 0
			for _, s := range w.Sessions {
				for _, turn := range s.Turns {
					wantOut += turn.Output
				}
			}
			before := m.Engine().Stats()
			r := load.Run(context.Background(), target, w, load.Options{Concurrency: mode.concurrency, Vocab: vocab})
			s := r.Summarize(load.Limits{{Name: "e2e", Most: time.Minute}, {Name: "ttft", Most: time.Minute}})
			if s.Requests != 18 || s.Answered != 18 || len(s.Errors) != 0 || s.Output != wantOut || s.Goodput.Met != 18 || s.Goodput.Share != 1 {
				t.Fatalf("summary %+v, want 18 answers of %d tokens in all; first error %q", s, wantOut, r.Results[0].Detail)
			}
			after := m.Engine().Stats()
			if got := int(after.PromptTokens + after.CachedTokens - before.PromptTokens - before.CachedTokens); got != s.Input {
				t.Errorf("the report has %d prompt tokens, the engine %d", s.Input, got)
			}
			if cached := int(after.CachedTokens - before.CachedTokens); cached != s.Cached || cached == 0 {
				t.Errorf("the report has %d cached tokens, the engine %d, want some", s.Cached, cached)
			}
			if s.TTFT.P50 <= 0 || s.E2E.P99 < s.TTFT.P50 || s.OutputPerSecond <= 0 {
				t.Errorf("times %+v", s)
			}
			for _, q := range r.Results {
				if q.Sent < q.Due || q.First < q.Sent || q.Done < q.First {
					t.Errorf("times of %+v are out of order", q)
				}
			}
			checkFiles(t, r, s)
		})
	}
}

// checkFiles reads back what a report writes.
func checkFiles(t *testing.T, r *load.Report, s load.Summary) {
	t.Helper()
	var out bytes.Buffer
	if err := r.WriteJSON(&out, "weft bench serve", s); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Summary load.Summary
		Results []load.Result
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil || back.Summary.Output != s.Output || len(back.Results) != s.Requests {
		t.Errorf("JSON reads back as %+v, %v", back.Summary, err)
	}
	out.Reset()
	if err := r.WriteSVG(&out, "a < b & c"); err != nil {
		t.Fatal(err)
	}
	lines := 0
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the plot is not XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "path" {
			for _, a := range e.Attr {
				if a.Name.Local == "stroke" && a.Value == "#06c" {
					lines++
				}
			}
		}
	}
	want := 3
	if s.InterToken.Max == 0 { // the machine was so busy that each answer came in one piece
		want = 2
	}
	if lines != want {
		t.Errorf("the plot has %d distributions, want %d", lines, want)
	}
}

func TestRun_ErrorsAreCountedByStatus(t *testing.T) {
	_, target := serveTiny(t, engine.Options{})
	w := load.Synthetic(load.Shape{Users: 3, Turns: 2, Input: load.Range{Lo: 4, Hi: 4}, Output: load.Range{Lo: 2, Hi: 2}, Vocab: vocab, Seed: 1})
	w.Sessions[1].Turns[0].Output = 1 << 20 // more than the context
	s := load.Run(context.Background(), target, w, load.Options{Vocab: vocab}).Summarize(nil)
	if s.Answered != 4 || s.Errors["400"] != 1 || s.Unsent != 1 {
		t.Errorf("%d answered, errors %v, %d not sent, want 4, one 400, 1", s.Answered, s.Errors, s.Unsent)
	}
	target.Key = "wrong"
	s = load.Run(context.Background(), target, w, load.Options{Vocab: vocab}).Summarize(nil)
	if s.Answered != 0 || s.Errors["401"] != 3 {
		t.Errorf("with a wrong key: %+v, want three 401", s.Errors)
	}
	target.Key, target.URL = "secret", "http://127.0.0.1:1"
	s = load.Run(context.Background(), target, w, load.Options{Vocab: vocab}).Summarize(nil)
	if s.Errors["connection"] != 3 {
		t.Errorf("without a server: %+v, want three of connection", s.Errors)
	}
	var out strings.Builder
	if s.WriteText(&out); !strings.Contains(out.String(), "errors: connection: 3; 3 turns not sent") {
		t.Errorf("the table says %q", out.String())
	}
}

func TestCompare_ThePrefixCacheChangesNoAnswer(t *testing.T) {
	m, target := serveTiny(t, engine.Options{MaxRequests: 8, KVTokens: 8192})
	w := load.Synthetic(load.Shape{Users: 5, Turns: 3, System: 40, Input: load.Range{Lo: 3, Hi: 8}, Output: load.Range{Lo: 6, Hi: 6}, Vocab: vocab, Seed: 3})
	off := *target
	off.Salts = true
	before := m.Engine().Stats().CachedTokens
	without := load.Run(context.Background(), &off, w, load.Options{Vocab: vocab})
	if cached := m.Engine().Stats().CachedTokens - before; cached != 0 {
		t.Errorf("with a salt for each request %d tokens were found in the cache, want 0", cached)
	}
	c := load.Compare(without, load.Run(context.Background(), target, w, load.Options{Vocab: vocab}))
	if c.Compared != 15 || c.Same != 15 || c.On.Cached < 40*10 || c.Off.Cached != 0 || c.Throughput <= 0 || c.TTFT <= 0 {
		t.Errorf("comparison %+v, want 15 identical answers and many cached tokens", c)
	}
}

// paced is the CPU with steps that take a millisecond for each of their tokens.
type paced struct{ *cpu.Backend }

func (p paced) Run(b *backend.Batch, forward func(*backend.Batch) tensor.View) error {
	time.Sleep(time.Duration(b.Tokens) * time.Millisecond)
	return p.Backend.Run(b, forward)
}

// TestInterfere_MeasuresTheTimeOfTheLongPrompt runs the whole server in virtual time. A step has room for four tokens: it
// takes three milliseconds while three requests generate, and four while it also computes a token of the long prompt.
func TestInterfere_MeasuresTheTimeOfTheLongPrompt(t *testing.T) {
	t.Run("before", func(t *testing.T) { serveTiny(t, engine.Options{}) }) // fasthttp starts a clock for the process, which must not be in the bubble
	dir := golden.Chat(t)
	synctest.Test(t, func(t *testing.T) {
		m, err := weft.Open(dir, weft.Options{
			Backend: func() (backend.Backend, error) { return paced{cpu.New(cpu.Options{Threads: 1})}, nil },
			Engine:  engine.Options{MaxRequests: 4, StepTokens: 4},
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.Server(server.Options{})
		if err != nil {
			t.Fatal(err)
		}
		network := pipes.New()
		served := make(chan error, 1)
		go func() { served <- s.Serve(network) }()
		target := &load.Target{URL: "http://localhost", Model: m.Name(), IgnoreEOS: true, Timeout: time.Minute}
		target.ConnectBy(network.Dial)
		x, err := load.Interfere(t.Context(), target, load.Disturbance{Decoders: 3, Prompt: 4, Output: 100, Warm: 3, Long: 30, Vocab: vocab, Seed: 9})
		if err != nil {
			t.Fatal(err)
		}
		const ms = time.Millisecond
		// The long prompt comes within a step, and a token may wait for the next one to be text.
		if x.Quiet.P50 != 3*ms || x.During.P50 != 4*ms || x.During.P99 < 4*ms || x.Whole.P50 != 3*ms || x.LongTTFT < 30*4*ms || x.LongTTFT > 32*4*ms ||
			x.Ratio != float64(x.During.P99)/float64(x.Quiet.P99) {
			t.Errorf("interference %+v", x)
		}
		_, err = load.Interfere(t.Context(), target, load.Disturbance{Decoders: 2, Prompt: 4, Output: 16, Warm: 3, Long: 110, Vocab: vocab, Seed: 9})
		if err == nil || !strings.Contains(err.Error(), "ended before the long prompt had its first token") {
			t.Errorf("decoders that end at once: %v, want an error that says so", err)
		}
		target.Close()
		if err := s.Drain(t.Context()); err != nil {
			t.Errorf("Drain = %v", err)
		}
		if err := errors.Join(<-served, m.Close()); err != nil {
			t.Error(err)
		}
		time.Sleep(15 * time.Second) // fasthttp's cleaner sleeps for ten before it sees that its server has ended
	})
}

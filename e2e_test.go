package weft_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/server"
)

func open(t *testing.T, o weft.Options) *weft.Model {
	t.Helper()
	return openPath(t, golden.Chat(t), o)
}

func openPath(t *testing.T, path string, o weft.Options) *weft.Model {
	t.Helper()
	o.Device = "cpu"
	o.Engine.Verify = true
	o.Engine.Wait = time.Hour // in the queue: on a slow machine as well
	m, err := weft.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("Close() = %v", err)
		}
	})
	return m
}

func greedy(n int) weft.Params {
	return weft.Params{MaxTokens: n, Temperature: weft.Temperature(0), IgnoreEOS: true}
}

func TestGenerate_IsWhatStreamYields(t *testing.T) {
	m := open(t, weft.Options{})
	whole, err := m.Generate(context.Background(), "hello", greedy(20))
	if err != nil || whole == "" {
		t.Fatalf("Generate = %q, %v", whole, err)
	}
	var pieces strings.Builder
	for piece, err := range m.Stream(context.Background(), "hello", greedy(20)) {
		if err != nil {
			t.Fatal(err)
		}
		pieces.WriteString(piece)
	}
	if pieces.String() != whole {
		t.Errorf("Stream joins to %q, Generate gave %q", pieces.String(), whole)
	}
}

func TestGenerate_EndsBeforeAStopText(t *testing.T) {
	m := open(t, weft.Options{})
	whole, err := m.Generate(context.Background(), "hello", greedy(20))
	if err != nil {
		t.Fatal(err)
	}
	stop := whole[len(whole)/2:][:2]
	p := greedy(20)
	p.Stop = []string{stop}
	want := whole[:strings.Index(whole, stop)]
	if got, err := m.Generate(context.Background(), "hello", p); err != nil || got != want {
		t.Errorf("Generate with stop %q = %q, %v, want %q", stop, got, err, want)
	}
}

func TestStream_BreakingOffFreesTheRequest(t *testing.T) {
	m := open(t, weft.Options{})
	for range m.Stream(context.Background(), "hello", greedy(100)) {
		break
	}
	waitIdle(t, m)
}

func TestChat_RendersTheTemplate(t *testing.T) {
	m := open(t, weft.Options{})
	messages := []weft.Message{{Role: "user", Content: "hi"}}
	prompt, err := m.Render(messages)
	if want := "<s>user: hi</s><s>assistant: "; err != nil || prompt != want {
		t.Fatalf("Render = %q, %v, want %q", prompt, err, want)
	}
	if answer, err := m.Chat(context.Background(), messages, greedy(8)); err != nil || answer == "" {
		t.Errorf("Chat = %q, %v", answer, err)
	}
}

// TestServer_SameTextAloneAndAmongOthers sends requests over HTTP one at a time, then all at once.
func TestServer_SameTextAloneAndAmongOthers(t *testing.T) {
	m := open(t, weft.Options{Engine: engine.Options{MaxRequests: 8, KVTokens: 600}})
	url := listen(t, m)
	const n = 32
	var alone [n]string
	for i := range alone {
		alone[i] = stream(t, url, fmt.Sprintf("request number %d", i))
	}
	var all sync.WaitGroup
	for i := range alone {
		all.Go(func() {
			if got := stream(t, url, fmt.Sprintf("request number %d", i)); got != alone[i] {
				t.Errorf("request %d: %q among others, %q alone", i, got, alone[i])
			}
		})
	}
	all.Wait()
	direct, err := m.Generate(context.Background(), "request number 3", greedy(24))
	if err != nil || direct != alone[3] {
		t.Errorf("Generate = %q, %v, the server says %q", direct, err, alone[3])
	}
}

func listen(t *testing.T, m *weft.Model) string {
	t.Helper()
	s, err := m.Server(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, s)
}

// serveOn runs s on a port of the loopback until the test ends.
func serveOn(t *testing.T, s *server.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		if err := s.Drain(ctx); err != nil {
			t.Errorf("Drain = %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
	return "http://" + l.Addr().String()
}

// stream returns the text of a streamed completion.
func stream(t *testing.T, url, prompt string) string {
	body := fmt.Sprintf(`{"prompt": %q, "max_tokens": 24, "temperature": 0, "ignore_eos": true, "stream": true}`, prompt)
	r, err := http.Post(url+"/v1/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(r.Body)
		t.Errorf("status %d: %s", r.StatusCode, b)
		return ""
	}
	var text strings.Builder
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || data == "[DONE]" {
			continue
		}
		var frame struct{ Choices []struct{ Text string } }
		if err := json.Unmarshal([]byte(data), &frame); err != nil {
			t.Errorf("frame %q: %v", data, err)
		}
		for _, c := range frame.Choices {
			text.WriteString(c.Text)
		}
	}
	return text.String()
}

func TestOpen_TwoModelsInOneProcess(t *testing.T) {
	a, b := open(t, weft.Options{}), open(t, weft.Options{Engine: engine.Options{NoCache: true, StepTokens: 3}})
	for range 2 {
		x, err := a.Generate(context.Background(), "the same", greedy(12))
		if err != nil {
			t.Fatal(err)
		}
		if y, err := b.Generate(context.Background(), "the same", greedy(12)); err != nil || y != x {
			t.Errorf("one model says %q, the other %q, %v", x, y, err)
		}
	}
}

func TestOpen_NamesWhatIsWrong(t *testing.T) {
	for path, want := range map[string]string{
		"/nowhere":  "no such file",
		"weft.go":   "want a directory with config.json or a .gguf file",
		t.TempDir(): "config.json",
	} {
		if _, err := weft.Open(path, weft.Options{Device: "cpu"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, want an error with %q", path, err, want)
		}
	}
	if _, err := weft.Open(golden.Chat(t), weft.Options{Device: "tpu"}); err == nil || !strings.Contains(err.Error(), "want auto, cpu, cuda or cuda:N") {
		t.Errorf("device tpu: %v", err)
	}
	for typ, want := range map[string]string{"f16": "cannot compute in f16 on the CPU", "bf16": "drop --dtype", "fp8": `cannot compute in "fp8": want auto, bf16 or f16`} {
		if _, err := weft.Open(golden.Chat(t), weft.Options{Device: "cpu", DType: typ}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("dtype %s: %v, want an error with %q", typ, err, want)
		}
	}
}

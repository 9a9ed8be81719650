package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/weft-llm/weft/internal/pipes"
)

func TestReadStream_TakesWhatServersWrite(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	stream := ": a comment\n\n" +
		"data: {\"choices\":[{\"index\":0,\"text\":\"one\"}]}\n\n" +
		"event: message\r\ndata:{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\r\n\r\n" +
		"data: {\"choices\":[{\"delta\":{\"content\":\"" + long + "\"},\"finish_reason\":null}]}\n\n" +
		"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n" +
		"data: [DONE]\n\n"
	var got []string
	var u *usage
	read := func(text string) error {
		var f frame
		got, u = nil, nil
		return readStream(bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(text)), 16), &f, func(f *frame) {
			if f.text() != "" {
				got = append(got, f.text())
			}
			if f.Usage != nil {
				u = f.Usage
			}
		})
	}
	if err := read(stream); err != nil || !slices.Equal(got, []string{"one", long}) || u == nil || u.Prompt != 7 || u.Details.Cached != 3 {
		t.Errorf("read %d pieces, %+v, %v", len(got), u, err)
	}
	if err := read(strings.TrimSuffix(stream, "data: [DONE]\n\n")); !errors.Is(err, errTruncated) {
		t.Errorf("without [DONE]: %v, want %v", err, errTruncated)
	}
	if err := read(`data: {"error":{"message":"the device fell over"}}` + "\n\n"); !errors.Is(err, errStream) || !strings.Contains(err.Error(), "fell over") {
		t.Errorf("an error event: %v", err)
	}
	if err := read("data: {\n\n"); err == nil {
		t.Error("half an object is read without an error")
	}
}

func TestReadStream_AllocatesLittle(t *testing.T) {
	event := "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"text\":\" the\",\"finish_reason\":null}]}\n\n"
	text := strings.Repeat(event, 1000) + "data: [DONE]\n\n"
	var f frame
	n := testing.AllocsPerRun(5, func() {
		if err := readStream(bufio.NewReader(strings.NewReader(text)), &f, func(*frame) {}); err != nil {
			t.Fatal(err)
		}
	})
	if n > 3*1000 {
		t.Errorf("1000 events make %v allocations, want at most 3 each", n)
	}
}

// slow is an endpoint in the bubble that calls it: it answers each request after delay with three pieces that are 20 ms
// apart. bodies returns what was asked.
func slow(t *testing.T, delay time.Duration) (target *Target, bodies func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	network := pipes.New()
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked = append(asked, string(body))
		mu.Unlock()
		w.Header().Set("Content-Type", "text/event-stream")
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
		for i := range 3 {
			if i > 0 {
				time.Sleep(20 * time.Millisecond)
			}
			fmt.Fprintf(w, "data: {\"choices\":[{\"text\":\"piece %d\"}]}\n\n", i)
			w.(http.Flusher).Flush()
		}
		fmt.Fprint(w, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n")
	})}
	go s.Serve(network)
	target = &Target{URL: "http://localhost", Model: "m", Timeout: 10 * time.Second}
	target.ConnectBy(network.Dial)
	t.Cleanup(func() {
		target.Close()
		s.Close()
	})
	return target, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(asked)
	}
}

// TestRun_AnOpenLoopDoesNotWaitForAnswers lets requests arrive faster than a slow server answers. In virtual time each
// is sent when it is due, and its times are the server's.
func TestRun_AnOpenLoopDoesNotWaitForAnswers(t *testing.T) {
	const n, delay, every = 20, 300 * time.Millisecond, 10 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		target, bodies := slow(t, delay)
		w := Synthetic(Shape{Users: n, Turns: 1, Input: Range{4, 4}, Output: Range{3, 3}, Vocab: 100, Seed: 1})
		for i := range w.Sessions {
			w.Sessions[i].At = time.Duration(i) * every
		}
		r := Run(t.Context(), target, w, Options{Vocab: 100})
		for i, q := range r.Results {
			if q.Error != "" || q.Due != w.Sessions[i].At || q.Sent != q.Due {
				t.Errorf("request %d was due at %v and sent at %v, %s", i, q.Due, q.Sent, q.Detail)
			}
			if q.TTFT() != delay || q.E2E() != delay+40*time.Millisecond || q.TPOT() != 20*time.Millisecond {
				t.Errorf("request %d: first token after %v, last after %v, %v each", i, q.TTFT(), q.E2E(), q.TPOT())
			}
		}
		for _, body := range bodies() {
			if !strings.Contains(body, `"max_tokens":3,"temperature":0,"stream":true`) {
				t.Errorf("a request asks %s", body)
			}
		}
		s := r.Summarize(nil)
		if len(bodies()) != n || s.Answered != n || r.Wall != (n-1)*every+delay+40*time.Millisecond {
			t.Errorf("%d of %d requests in %v", s.Answered, n, r.Wall)
		}
	})
}

func TestRun_AClosedLoopKeepsItsConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		target, _ := slow(t, 10*time.Millisecond)
		w := Synthetic(Shape{Users: 9, Turns: 1, Input: Range{4, 4}, Output: Range{3, 3}, Vocab: 100, Seed: 1})
		r := Run(t.Context(), target, w, Options{Concurrency: 3, Vocab: 100})
		for _, q := range r.Results {
			at := 0
			for _, o := range r.Results {
				if o.Sent <= q.Sent && q.Sent < o.Done {
					at++
				}
			}
			if at != 3 {
				t.Errorf("%d requests are under way at %v, want 3", at, q.Sent)
			}
		}
		if want := 3 * 50 * time.Millisecond; len(r.Results) != 9 || r.Wall != want {
			t.Errorf("%d requests took %v, want 9 and %v: three after each other, three times", len(r.Results), r.Wall, want)
		}
	})
}

func TestRun_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const end = 50 * time.Millisecond
		target, _ := slow(t, 20*time.Second)
		ctx, stop := context.WithTimeout(t.Context(), end)
		defer stop()
		w := Synthetic(Shape{Users: 2, Turns: 2, Input: Range{4, 4}, Output: Range{3, 3}, Vocab: 100, Seed: 1})
		w.Sessions[1].At = time.Hour
		r := Run(ctx, target, w, Options{Vocab: 100})
		if len(r.Results) != 1 || r.Results[0].Error == "" || r.Unsent != 3 || r.Wall != end {
			t.Errorf("%d results, %d not sent, after %v", len(r.Results), r.Unsent, r.Wall)
		}
	})
}

func TestPoisson_HasItsRate(t *testing.T) {
	w := Synthetic(Shape{Users: 20000, Turns: 1, Input: Range{1, 1}, Output: Range{1, 1}, Vocab: 2})
	w.Poisson(50, 3)
	last := w.Sessions[len(w.Sessions)-1].At.Seconds()
	within := 0 // gaps below the mean: 1-1/e of an exponential distribution
	for i := 1; i < len(w.Sessions); i++ {
		if w.Sessions[i].At-w.Sessions[i-1].At < 20*time.Millisecond {
			within++
		}
	}
	share := float64(within) / float64(len(w.Sessions)-1)
	if last < 390 || last > 410 || share < 0.62 || share > 0.645 {
		t.Errorf("20000 arrivals at 50/s take %v s, %.3f of the gaps are below the mean; want 400 and 0.632", last, share)
	}
}

func TestReadTrace_SharesPrefixesAsRecorded(t *testing.T) {
	const trace = `{"chat_id": 1, "parent_chat_id": -1, "timestamp": 61.0, "input_length": 40, "output_length": 5, "type": "text", "turn": 1, "hash_ids": [10, 11, 12]}
{"chat_id": 2, "parent_chat_id": 1, "timestamp": 62.5, "input_length": 36, "output_length": 6, "type": "text", "turn": 2, "hash_ids": [10, 11, 99]}

{"timestamp": 63, "input_length": 100, "output_length": 1, "hash_ids": [1, 2, 3, 4, 5, 6, 7]}
{"timestamp": 64, "input_length": 9, "output_length": 2}
`
	w, err := ReadTrace(strings.NewReader(trace), TraceOptions{Scale: 0.5, MaxContext: 100, Vocab: 1000})
	if err != nil || len(w.Sessions) != 3 || w.Skipped != 1 {
		t.Fatalf("read %d sessions, %d skipped, %v, want 3 and 1", len(w.Sessions), w.Skipped, err)
	}
	a, b := w.Sessions[0].Turns[0], w.Sessions[1].Turns[0]
	if len(a.Input) != 40 || a.Output != 5 || len(b.Input) != 36 || w.Sessions[1].At != 750*time.Millisecond || len(w.Sessions[2].Turns[0].Input) != 9 {
		t.Errorf("sessions %+v", w.Sessions)
	}
	if !slices.Equal(a.Input[:32], b.Input[:32]) || slices.Equal(a.Input[32:36], b.Input[32:]) {
		t.Error("two prompts with two common blocks of 16 share other tokens than these")
	}
	if w, err := ReadTrace(strings.NewReader(trace), TraceOptions{Limit: 2, Scale: 1, Vocab: 10}); err != nil || len(w.Sessions) != 2 {
		t.Errorf("the first two: %v", err)
	}
	for _, bad := range []string{"{", `{"input_length": 0, "output_length": 1}`, `{"input_length": 1, "output_length": 1, "hash_ids": [1,2]}`, ""} {
		if _, err := ReadTrace(strings.NewReader(bad), TraceOptions{Vocab: 10}); err == nil {
			t.Errorf("the trace %q is read without an error", bad)
		}
	}
}

func TestSummarize_FiguresAreRight(t *testing.T) {
	ms := time.Millisecond
	r := &Report{Wall: 2 * time.Second}
	for i := range 100 { // first token after i+1 ms, then a gap of 10 ms and one of 30 ms
		first := time.Duration(i+1) * ms
		r.Results = append(r.Results, Result{Session: i, First: first, Done: first + 40*ms, Input: 5, Output: 3,
			Arrivals: []time.Duration{first, first + 10*ms, first + 40*ms}})
	}
	r.Results = append(r.Results, Result{Error: "429", Sent: 30 * ms}, Result{Error: "429"}, Result{Error: "stream", Sent: 30 * ms})
	var l Limits
	if err := l.UnmarshalText([]byte("ttft:50ms,itl:30ms,tpot:20ms")); err != nil {
		t.Fatal(err)
	}
	s := r.Summarize(l)
	want := Spread{Mean: 50*ms + ms/2, P50: 50 * ms, P90: 90 * ms, P99: 99 * ms, Max: 100 * ms}
	if s.TTFT != want || s.InterToken.P50 != 10*ms || s.InterToken.P90 != 30*ms || s.TPOT.Max != 20*ms || s.E2E.P99 != 139*ms {
		t.Errorf("times %+v", s)
	}
	if s.Answered != 100 || s.Errors["429"] != 2 || s.OutputPerSecond != 150 || s.Goodput.Met != 50 || s.Goodput.PerSecond != 25 {
		t.Errorf("counts %+v, goodput %+v", s, s.Goodput)
	}
	var out strings.Builder
	if s.WriteText(&out); !strings.Contains(out.String(), "fell behind") || !strings.Contains(out.String(), "429: 2, stream: 1") {
		t.Errorf("the table says %s", out.String())
	}
	for _, bad := range []string{"", "ttft", "ttft:5", "first:5ms", "ttft:-5ms"} {
		if l.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("the limits %q are read without an error", bad)
		}
	}
}

func TestRange_Reads(t *testing.T) {
	for text, want := range map[string]Range{"5": {5, 5}, "5-9": {5, 9}, "0": {0, 0}} {
		var r Range
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%q = %v, %v, want %v", text, r, err, want)
		}
	}
	for _, bad := range []string{"", "x", "9-5", "-3", "1-2-3"} {
		var r Range
		if r.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is read as %v", bad, r)
		}
	}
}

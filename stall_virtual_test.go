package weft_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/pipes"
	"github.com/weft-llm/weft/server"
)

// TestStall_InVirtualTimeNobodyWaitsForAReaderThatStopped: with the whole server on a clock that only moves when all of
// it waits, what is computed takes no time, and what is left between two tokens of a stream is the steps' pace and any
// waiting for others. Beside fifty readers that stopped it is exactly what it is without them, and they are cut after 30
// seconds, the default.
func TestStall_InVirtualTimeNobodyWaitsForAReaderThatStopped(t *testing.T) {
	const live, n = 50, 50
	var pace atomic.Int64 // of steps
	pace.Store(int64(20 * time.Millisecond))
	dir := longContext(t, 4096)
	answerOnce(t)
	synctest.Test(t, func(t *testing.T) {
		m := openPath(t, dir, weft.Options{
			Engine:  engine.Options{MaxRequests: live + n, KVTokens: 200_000, NoCache: true},
			Backend: withPace(func() { time.Sleep(time.Duration(pace.Load())) }),
		})
		network := listenInBubble(t, m)
		reader := network.Client()
		quiet := readPaced(t, reader, live)
		stopped := time.Now()
		for range n {
			c, err := network.Dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			body := `{"prompt": "x", "max_tokens": 3000, "stream": true, "ignore_eos": true}`
			fmt.Fprintf(c, "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
		time.Sleep(100 * time.Millisecond)
		if st := m.Engine().Stats(); st.Running != n {
			t.Fatalf("%d requests run, want those of the %d readers that stop", st.Running, n)
		}
		busy := readPaced(t, reader, live)
		q, b := percentile(quiet, 99), percentile(busy, 99)
		t.Logf("between tokens: p50 %v p99 %v alone, p50 %v p99 %v beside readers that stopped", percentile(quiet, 50), q, percentile(busy, 50), b)
		if b != q || !slices.Equal(quiet, busy) || slices.Min(quiet) != 20*time.Millisecond {
			t.Errorf("the times between tokens are not what they are alone")
		}
		pace.Store(int64(500 * time.Millisecond)) // fewer steps until they are cut
		for m.Engine().Stats().Running > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		if cut := time.Since(stopped); cut < 30*time.Second || cut > 32*time.Second {
			t.Errorf("readers that stopped are cut after %v, want 30 s", cut)
		}
	})
}

// listenInBubble serves m on pipes until the test ends.
func listenInBubble(t *testing.T, m *weft.Model) *pipes.Network {
	t.Helper()
	s, err := m.Server(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	network := pipes.New()
	served := make(chan error, 1)
	go func() { served <- s.Serve(network) }()
	t.Cleanup(func() {
		if err := s.Drain(context.Background()); err != nil {
			t.Errorf("Drain = %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
		time.Sleep(15 * time.Second) // fasthttp's cleaner sleeps for ten before it sees that its server has ended
	})
	return network
}

// answerOnce lets fasthttp start its clock, which it does with the first answer of a process: it must not be in a bubble.
func answerOnce(t *testing.T) {
	t.Helper()
	t.Run("before", func(t *testing.T) {
		r, err := client.Get(listen(t, open(t, weft.Options{})) + "/health")
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	})
}

// readPaced streams n answers at once and returns the times between their frames after the first.
func readPaced(t *testing.T, client *http.Client, n int) (gaps []time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			r, err := client.Post("http://localhost/v1/completions", "application/json",
				strings.NewReader(`{"prompt": "x", "max_tokens": 100, "temperature": 0, "stream": true, "ignore_eos": true}`))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			var last time.Time
			for lines := bufio.NewScanner(r.Body); lines.Scan(); {
				if !strings.HasPrefix(lines.Text(), `data: {"id"`) || strings.Contains(lines.Text(), `"text":""`) {
					continue // the frames of tokens that end in the middle of a rune come with the next
				}
				now := time.Now()
				if !last.IsZero() {
					mu.Lock()
					gaps = append(gaps, now.Sub(last))
					mu.Unlock()
				}
				last = now
			}
		})
	}
	all.Wait()
	if len(gaps) < n*20 {
		t.Errorf("%d streams have %d times between frames", n, len(gaps))
	}
	return gaps
}

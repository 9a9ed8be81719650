package weft_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/engine"
)

var soakFor = flag.Duration("soak", 6*time.Second, "how long TestSoak sends requests")

// TestSoak_EndsWhereItBegan sends random traffic, of which a fifth is cancelled and a twentieth is malformed, under a
// cache too small for it. Afterwards slots, goroutines and file descriptors are where they were, and the second half of
// the traffic took no more memory than the first. CI sends for five minutes: build.sh.
func TestSoak_EndsWhereItBegan(t *testing.T) {
	m := open(t, weft.Options{Engine: engine.Options{MaxRequests: 8, Queue: 16, KVTokens: 500, StepTokens: 32, PauseEvery: 50}})
	goroutines, files, memory := runtime.NumGoroutine(), openFiles(), resident(t)
	var sent [4]atomic.Int64 // served, refused, cancelled, malformed
	var after [2]int         // memory
	for half := range after {
		t.Run("traffic", func(t *testing.T) { soak(t, listen(t, m), *soakFor/2, &sent) }) // its server ends with it
		waitIdle(t, m)
		after[half] = resident(t)
	}
	s := m.Engine().Stats()
	t.Logf("%d served, %d refused, %d cancelled, %d malformed; %+v", sent[0].Load(), sent[1].Load(), sent[2].Load(), sent[3].Load(), s)
	if s.SlotsUsed != 0 || s.SlotsFree != 500 {
		t.Errorf("%d slots are used and %d free, want 0 and 500", s.SlotsUsed, s.SlotsFree)
	}
	if n := settled(runtime.NumGoroutine, goroutines+2); n > goroutines+2 {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", n, goroutines, buf[:runtime.Stack(buf, true)])
	}
	if n := settled(openFiles, files+2); n > files+2 { // the poller's own
		t.Errorf("%d open files, %d before", n, files)
	}
	t.Logf("memory: %d KiB at the start, %d more after half of the traffic, %d after all", memory>>10, (after[0]-memory)>>10, (after[1]-memory)>>10)
	if more := after[1] - memory; more > 64<<20 && !raced {
		t.Errorf("%d MiB more memory than at the start", more>>20)
	}
	if more := after[1] - after[0]; more > 8<<20 && !raced {
		t.Errorf("%d KiB more memory than after half of the traffic", more>>10)
	}
	for kind, n := range map[string]int64{"served": sent[0].Load(), "cancelled": sent[2].Load(), "malformed": sent[3].Load()} {
		if n == 0 {
			t.Errorf("no request was %s: the test shows nothing", kind)
		}
	}
}

// soak sends requests for a while, and so many at least that some are of each kind, however slow the machine is.
func soak(t *testing.T, url string, d time.Duration, sent *[4]atomic.Int64) {
	const seed, workers, least = 11, 24, 500
	end := time.Now().Add(d)
	var all sync.WaitGroup
	var asked atomic.Int64
	for w := range workers {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			for asked.Add(1) <= least || time.Now().Before(end) {
				kind, err := oneOfMany(r, url)
				if err != nil {
					t.Errorf("seed %d, worker %d: %v", seed, w, err)
					return
				}
				sent[kind].Add(1)
				if kind == 1 {
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	all.Wait()
}

// oneOfMany sends one random request and says what became of it.
func oneOfMany(r *rand.Rand, url string) (kind int, err error) {
	const served, refused, cancelled, malformed = 0, 1, 2, 3
	body := fmt.Sprintf(`{"prompt": %q, "max_tokens": %d, "stream": %v, "n": %d, "seed": %d, "cache_salt": "%d", "temperature": %g}`,
		strings.Repeat("shared ", r.IntN(8))+fmt.Sprint(r.IntN(20)), 1+r.IntN(50), r.IntN(2) == 0, 1+r.IntN(3), r.IntN(9), r.IntN(3), r.Float64())
	path, chance := "/v1/completions", r.Float64()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	switch {
	case chance < 0.05:
		kind = malformed
		body = []string{"{", `{"prompt": 1e999}`, `{"prompt": "x", "bogus": 1}`, `{"prompt": "x", "max_tokens": 100000}`, "\xff\x00", strings.Repeat("[", 1000)}[r.IntN(6)]
	case chance < 0.25:
		kind = cancelled
		time.AfterFunc(time.Duration(r.IntN(30))*time.Millisecond, stop)
	case chance < 0.5:
		path = "/v1/chat/completions"
		body = strings.Replace(body, `"prompt": `, `"messages": [{"role": "user", "content": `, 1)
		body = strings.Replace(body, `, "max_tokens"`, `}], "max_tokens"`, 1)
	}
	q, err := http.NewRequestWithContext(ctx, "POST", url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	q.Header.Set("Content-Type", "application/json")
	a, err := client.Do(q)
	if err != nil {
		return kind, unless(kind == cancelled, err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	switch {
	case err != nil:
		return kind, unless(kind == cancelled, err)
	case a.StatusCode == 429:
		return refused, nil
	case kind == malformed && a.StatusCode == 400, kind != malformed && a.StatusCode == 200 && !strings.Contains(string(text), `"error"`):
		return kind, nil
	}
	return kind, fmt.Errorf("%s = %d %s", body, a.StatusCode, text)
}

func unless(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

func waitIdle(t *testing.T, m *weft.Model) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s := m.Engine().Stats(); s.Running+s.Waiting+s.SlotsUsed == 0 {
			return
		}
	}
	t.Fatalf("the engine does not come to rest: %+v", m.Engine().Stats())
}

// settled waits until at most want of what count counts are left, or for a minute, and returns how many there are.
func settled(count func() int, want int) int {
	for end := time.Now().Add(time.Minute); count() > want && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	return count()
}

func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

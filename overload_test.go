package weft_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/tensor"
)

// paced is the CPU with steps that take at least as long as the test says.
type paced struct {
	*cpu.Backend
	before func() // each step
}

func (p paced) Run(b *backend.Batch, forward func(*backend.Batch) tensor.View) error {
	p.before()
	return p.Backend.Run(b, forward)
}

func withPace(before func()) func() (backend.Backend, error) {
	return func() (backend.Backend, error) { return paced{cpu.New(cpu.Options{}), before}, nil }
}

// longContext is the tiny chat model with room for n tokens.
func longContext(t *testing.T, n int) string {
	t.Helper()
	dir := golden.Chat(t)
	b, err := os.ReadFile(dir + "/config.json")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Replace(string(b), `"max_position_embeddings": 128`, fmt.Sprintf(`"max_position_embeddings": %d`, n), 1)
	if err := os.WriteFile(dir+"/config.json", []byte(long), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// percentile is the p-th of times, which it sorts.
func percentile(times []time.Duration, p int) time.Duration {
	slices.Sort(times)
	return times[min(len(times)-1, len(times)*p/100)]
}

// resident is the memory that the process holds, after what is free was given back.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("skipped: no /proc here to read the process's memory from")
	}
	_, after, _ := strings.Cut(string(b), "VmRSS:")
	kib, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// firstToken measures the time to the first frame of a stream, as the median of several. The tokens are greedy: of random
// ones the first may be half a character, whose frame comes with the second.
func firstToken(t *testing.T, url string) time.Duration { return firstTokenBy(t, client, url, 31) }

func firstTokenBy(t *testing.T, client *http.Client, url string, n int) time.Duration {
	t.Helper()
	var times []time.Duration
	for range n {
		began := time.Now()
		r, err := client.Post(url+"/v1/completions", "application/json", strings.NewReader(`{"prompt": "hello", "max_tokens": 2, "temperature": 0, "stream": true, "ignore_eos": true}`))
		if err != nil {
			t.Fatal(err)
		}
		_, err = bufio.NewReader(r.Body).ReadString('\n')
		times = append(times, time.Since(began))
		_, _ = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return percentile(times, 50)
}

// The two ways in which a server can be full: rows and what the queue holds beside them.
const overloadRows, overloadQueue = 16, 64

var overloads = []struct {
	name      string
	kv, admit int
}{
	{"rows are the limit", 4000, overloadRows + overloadQueue},
	{"the cache is the limit", 5*60 + 10, 5 + overloadQueue}, // a request takes 60 tokens
}

// TestOverload_AdmitsExactlyAndRefusesTheRest sends 2,000 requests at once, three times or more, from connections that are
// open already and stay open, and measures each refusal twice: at its client, from just before the write of its request to
// the last byte of its 429, and in the server, from the last bytes of the request to the write of the answer. Here the
// 2,000 clients share the cores with the server, and both with whatever else the machine does, so the best burst's times
// are bounded. `weft bench overload` measures them against a server of its own; that a refusal waits for nothing is shown
// in virtual time.
func TestOverload_AdmitsExactlyAndRefusesTheRest(t *testing.T) {
	const all = 2000
	for _, c := range overloads {
		t.Run(c.name, func(t *testing.T) {
			var gate sync.RWMutex // held for writing: no step goes on
			m := open(t, weft.Options{
				Engine:  engine.Options{MaxRequests: overloadRows, Queue: overloadQueue, KVTokens: c.kv, NoCache: true},
				Backend: withPace(func() { gate.RLock(); gate.RUnlock() }),
			})
			url := listen(t, m)
			before := firstToken(t, url)
			files := openFiles()
			// The first burst fills pools, and on a slow machine a later one may need more of them at a time. What grows
			// with each burst is a leak.
			var grown []int
			flat, fastest, probed := false, time.Hour, time.Hour
			for i := 0; i < 3 || i < 8 && (!flat || fastest > time.Second || probed > 50*time.Millisecond); i++ {
				gate.Lock()
				b := flood(t, url, all, all-c.admit)
				if b.refused != all-c.admit {
					t.Errorf("burst %d: %d of %d were refused, want %d", i, b.refused, all, all-c.admit)
				}
				probes := b.probe(t, url)
				t.Logf("burst %d: 429 p50 %v p99 %v of %d at once, p50 %v p90 %v p99 %v one by one", i, percentile(b.times, 50), percentile(b.times, 99),
					len(b.times), percentile(probes, 50), percentile(probes, 90), percentile(probes, 99))
				fastest, probed = min(fastest, percentile(b.times, 99)), min(probed, percentile(probes, 90))
				gate.Unlock()
				b.end(t, c.admit)
				settled(openFiles, files+2) // the server's ends of the connections hold memory
				grown = append(grown, resident(t)>>20)
				flat = flat || i > 1 && grown[i]-grown[i-1] <= 16
			}
			if fastest > time.Second {
				t.Errorf("the 99th percentile of 429s is %v in the best burst, want a second or less", fastest)
			}
			if probed > 50*time.Millisecond {
				t.Errorf("the 90th percentile of a 429 under a full queue is %v in the best burst, want 50 ms", probed)
			}
			if !flat && !raced {
				t.Errorf("the process holds %v MiB after each burst, more than 16 more after every one", grown)
			}
			half := refusedWithin(t, url, 0.5)
			t.Logf("in the server half of the refusals took at most %v, 99 %% at most %v", half, refusedWithin(t, url, 0.99))
			if half > 5*time.Millisecond {
				t.Errorf("in the server half of the refusals took more than 5 ms: %v", half)
			}
			t.Logf("time to first token %v before, %v after; memory after each burst %v MiB", before, firstToken(t, url), grown)
		})
	}
}

// TestOverload_InVirtualTimeARefusalTakesNone: on a clock that moves only when all of the server and its clients wait, a
// 429 comes in the instant of its request, whether 2,000 come at once or one beyond a full queue, and after the burst
// the time to the first token is what it was.
func TestOverload_InVirtualTimeARefusalTakesNone(t *testing.T) {
	const all, pace = 2000, 20 * time.Millisecond
	dir := golden.Chat(t)
	answerOnce(t)
	for _, c := range overloads {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var gate atomic.Pointer[chan struct{}] // open: steps go on
				hold := func() (open func()) {
					shut := make(chan struct{})
					gate.Store(&shut)
					return func() { close(shut) }
				}
				hold()()
				m := openPath(t, dir, weft.Options{
					Engine:  engine.Options{MaxRequests: overloadRows, Queue: overloadQueue, KVTokens: c.kv, NoCache: true},
					Backend: withPace(func() { <-*gate.Load(); time.Sleep(pace) }),
				})
				client := listenInBubble(t, m).Client()
				ask := func() (status int, took time.Duration) {
					began := time.Now()
					status, answer := postBy(t, client, "http://localhost", `{"prompt": "0123456789", "max_tokens": 50, "ignore_eos": true}`)
					if status == 429 && !strings.HasPrefix(answer, `{"error":{"type":"rate_limit_error","code":"queue_full"`) {
						t.Errorf("a 429 says %s", answer)
					}
					return status, time.Since(began)
				}
				before := firstTokenBy(t, client, "http://localhost", 1)
				open := hold()
				var mu sync.Mutex
				var burst sync.WaitGroup
				count := map[int]int{}
				slowest := time.Duration(0) // refusal
				for range all {
					burst.Go(func() {
						status, took := ask()
						mu.Lock()
						defer mu.Unlock()
						if count[status]++; status == 429 {
							slowest = max(slowest, took)
						}
					})
				}
				synctest.Wait()
				mu.Lock()
				if count[429] != all-c.admit || len(count) != 1 || slowest > 0 {
					t.Errorf("answers %v, the slowest 429 after %v, want %d times 429 at once", count, slowest, all-c.admit)
				}
				mu.Unlock()
				for range 10 {
					if status, took := ask(); status != 429 || took > 0 {
						t.Errorf("a request beyond a full queue = %d after %v, want 429 at once", status, took)
					}
				}
				open()
				burst.Wait()
				if count[200] != c.admit {
					t.Errorf("answers %v, want %d times 200", count, c.admit)
				}
				if after := firstTokenBy(t, client, "http://localhost", 1); after != before || before != pace {
					t.Errorf("the time to the first token is %v after the burst, %v before, want %v", after, before, pace)
				}
			})
		})
	}
}

// refusedWithin returns the bound of the server's own times of refusals under which the given share of them lies.
func refusedWithin(t *testing.T, url string, share float64) time.Duration {
	t.Helper()
	all := metric(t, url, "weft_refusal_seconds_count")
	for _, le := range []string{"5e-05", "0.0001", "0.0002", "0.0005", "0.001", "0.002", "0.005", "0.01", "0.025", "0.05", "0.1", "0.5", "1", "5"} {
		if metric(t, url, `weft_refusal_seconds_bucket{le="`+le+`"}`) >= share*all {
			d, err := time.ParseDuration(le + "s")
			if err != nil {
				f, _ := strconv.ParseFloat(le, 64)
				d = time.Duration(f * float64(time.Second))
			}
			return d
		}
	}
	return time.Hour
}

// bursting is many requests sent at once.
type bursting struct {
	mu      sync.Mutex
	refused int
	times   []time.Duration // of the refusals
	served  chan string     // the others' answers, as they end
	rest    sync.WaitGroup
}

// flood sends n requests of 60 tokens in all from connections that are open already, and returns when as many were
// refused as should be, or more, or some time has passed.
func flood(t *testing.T, url string, n, refuse int) *bursting {
	t.Helper()
	addr := strings.TrimPrefix(url, "http://")
	conns := make([]net.Conn, n)
	for i := range conns {
		var err error
		if conns[i], err = net.Dial("tcp", addr); err != nil {
			t.Fatal(err)
		}
	}
	b := &bursting{served: make(chan string, n)}
	body := `{"prompt": "0123456789", "max_tokens": 50, "ignore_eos": true}`
	text := fmt.Sprintf("POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	quiet := make(chan struct{}, n)
	start := make(chan struct{})
	for _, c := range conns {
		b.rest.Go(func() {
			defer c.Close()
			<-start
			began := time.Now()
			if _, err := io.WriteString(c, text); err != nil {
				t.Error(err)
			}
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			answer, err := io.ReadAll(r.Body)
			switch {
			case err != nil:
				t.Error(err)
			case r.StatusCode == 429:
				b.mu.Lock()
				b.refused++
				b.times = append(b.times, time.Since(began))
				b.mu.Unlock()
				if r.Header.Get("Retry-After") != "1" || !strings.HasPrefix(string(answer), `{"error":{"type":"rate_limit_error","code":"queue_full","param":null,"message":"`) {
					t.Errorf("a 429 with %v: %s", r.Header, answer)
				}
				quiet <- struct{}{}
			default:
				b.served <- fmt.Sprint(r.StatusCode, string(answer))
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // for the server to take in the last connections
	close(start)
	wait := 2 * time.Minute
	for got := 0; ; got++ {
		if got >= refuse {
			wait = 100 * time.Millisecond
		}
		select {
		case <-quiet:
		case <-time.After(wait):
			return b
		}
	}
}

// probe measures refusals one by one.
func (b *bursting) probe(t *testing.T, url string) (times []time.Duration) {
	for range 100 {
		began := time.Now()
		if status, body := post(t, url, `{"prompt": "x", "max_tokens": 5}`); status != 429 {
			t.Fatalf("a request beyond a full queue = %d %s", status, body)
		}
		times = append(times, time.Since(began))
	}
	return times
}

// end waits for the answers of those that were taken.
func (b *bursting) end(t *testing.T, n int) {
	t.Helper()
	b.rest.Wait()
	close(b.served)
	served := 0
	for answer := range b.served {
		if !strings.HasPrefix(answer, "200") || !strings.Contains(answer, `"completion_tokens":50`) {
			t.Errorf("a request that was taken ends with %s", answer)
		}
		served++
	}
	if served != n {
		t.Errorf("%d requests were served, want %d", served, n)
	}
}

// TestHangUp_FreesSlotsAnywhere: a hundred clients leave, in every way and at every point of their request, which is a
// number of steps of the engine and not a time. How soon a hang-up is seen is shown in virtual time, in package server.
func TestHangUp_FreesSlotsAnywhere(t *testing.T) {
	m := openPath(t, longContext(t, 1024), weft.Options{
		Engine:  engine.Options{MaxRequests: 4, StepTokens: 16, KVTokens: 4096},
		Backend: withPace(func() { time.Sleep(time.Millisecond) }),
	})
	url := listen(t, m)
	addr := strings.TrimPrefix(url, "http://")
	leave := []func(*net.TCPConn){
		func(c *net.TCPConn) { c.Close() },
		func(c *net.TCPConn) { _ = c.SetLinger(0); c.Close() },
		func(c *net.TCPConn) { _ = c.CloseWrite() },
	}
	const seed = 3
	r := rand.New(rand.NewPCG(seed, seed))
	turns := make(chan struct{}, 10)
	var all sync.WaitGroup
	for i := range 100 {
		// Prompts of up to 400 tokens take 25 steps; up to 12 of 10 clients' requests wait. Some end by themselves.
		prompt, tokens, stay := strings.Repeat("x", 1+r.IntN(400)), 1+r.IntN(500), uint64(r.IntN(250))
		body := fmt.Sprintf(`{"prompt": "%d %s", "max_tokens": %d, "stream": %v, "ignore_eos": true, "n": %d}`, i, prompt, tokens, i%2 == 0, 1+r.IntN(2))
		how := leave[r.IntN(3)]
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			raw, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer raw.Close()
			steps := m.Engine().Stats().Steps
			fmt.Fprintf(raw, "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			for end := time.Now().Add(3 * time.Second); m.Engine().Stats().Steps < steps+stay && time.Now().Before(end); { // no steps come when all have ended
				time.Sleep(time.Millisecond)
			}
			how(raw.(*net.TCPConn))
			time.Sleep(50 * time.Millisecond)
		})
	}
	all.Wait()
	began := time.Now()
	waitIdle(t, m)
	t.Logf("all slots were free %v after the last client left", time.Since(began))
	left := metric(t, url, "weft_client_hangups_total")
	t.Logf("%v clients left before their answer's end, after %d tokens in all", left, m.Engine().Stats().OutputTokens)
	if left < 10 || m.Engine().Stats().OutputTokens == 0 {
		t.Error("the clients left too early or too late for the test to show anything")
	}
}

// metric reads one value of /metrics.
func metric(t *testing.T, url, name string) float64 {
	t.Helper()
	r, err := client.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("/metrics has no %s", name)
	return 0
}

// TestSalt_SplitsTheCache: a prefix is found under its own salt only.
func TestSalt_SplitsTheCache(t *testing.T) {
	m := open(t, weft.Options{})
	url := listen(t, m)
	for i, c := range []struct {
		salt string
		want int
	}{
		{`"a"`, 0}, {`"a"`, 39}, {`"b"`, 0}, {`null`, 0}, {`"b"`, 39}, {`null`, 39}, {`"ab"`, 0},
	} {
		status, body := post(t, url, fmt.Sprintf(`{"prompt": %q, "max_tokens": 1, "temperature": 0, "cache_salt": %s}`, strings.Repeat("secret", 7)[:40], c.salt))
		var answer struct {
			Usage struct {
				PromptTokens        int `json:"prompt_tokens"`
				PromptTokensDetails struct {
					CachedTokens int `json:"cached_tokens"`
				} `json:"prompt_tokens_details"`
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 {
			t.Fatalf("%d %s, %v", status, body, err)
		}
		if u := answer.Usage; u.PromptTokensDetails.CachedTokens != c.want {
			t.Errorf("request %d with salt %s: %d of %d tokens cached, want %d", i, c.salt, u.PromptTokensDetails.CachedTokens, u.PromptTokens, c.want)
		}
	}
}

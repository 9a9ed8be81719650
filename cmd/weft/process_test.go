package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/internal/fakegpu"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/tensor"
)

// playAs, when set in the environment beside asWeft, is the device that weft runs on; gateOf names a file for it.
const playAs, gateOf = "WEFT_TEST_DEVICE", "WEFT_TEST_GATE"

// devices are those that processes of tests run on. A broken one and one that hangs do so after a number of steps.
var devices = map[string]func() (backend.Backend, error){
	"slow": func() (backend.Backend, error) {
		return waiting{cpu.New(cpu.Options{Threads: 1}), func() { time.Sleep(10 * time.Millisecond) }}, nil
	},
	"gated": func() (backend.Backend, error) { return waiting{cpu.New(cpu.Options{Threads: 1}), waitForGate}, nil },
	"broken": func() (backend.Backend, error) {
		fake := fakegpu.New(func() { time.Sleep(10 * time.Millisecond) })
		fake.FailCall("cuGraphLaunch", 60, driver.LaunchFailed)
		return fakegpu.Open(fake)
	},
	"hung": func() (backend.Backend, error) {
		var fake *drivertest.Fake
		var steps atomic.Int64
		fake = fakegpu.New(func() {
			if time.Sleep(10 * time.Millisecond); steps.Add(1) == 100 {
				go fake.Hang()
			}
		})
		return fakegpu.Open(fake)
	},
}

// waiting is the CPU with steps that wait for something.
type waiting struct {
	*cpu.Backend
	before func()
}

func (w waiting) Run(b *backend.Batch, forward func(*backend.Batch) tensor.View) error {
	w.before()
	return w.Backend.Run(b, forward)
}

// waitForGate waits until the gate's file is gone.
func waitForGate() {
	for {
		if _, err := os.Stat(os.Getenv(gateOf)); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// weftProcess is a server in a process of its own.
type weftProcess struct {
	cmd  *exec.Cmd
	url  string
	gate string // while the file is there, a gated device makes no step
	mu   sync.Mutex
	log  bytes.Buffer
	done chan struct{} // closed when it has exited
	code int
}

// serveIn starts `weft serve` and waits until it listens.
func serveIn(t *testing.T, device string, args ...string) *weftProcess {
	t.Helper()
	p := &weftProcess{done: make(chan struct{}), gate: t.TempDir() + "/gate"}
	if err := os.WriteFile(p.gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(os.Args[0], append([]string{"serve", "-m", golden.Chat(t), "--port", "0"}, args...)...)
	p.cmd.Env = append(os.Environ(), asWeft+"=1", playAs+"="+device, gateOf+"="+p.gate)
	pipe, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.done
		if t.Failed() {
			t.Logf("%s", p.text())
		}
	})
	listening := make(chan string, 1)
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(pipe); lines.Scan(); {
			p.mu.Lock()
			fmt.Fprintln(&p.log, lines.Text())
			p.mu.Unlock()
			if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
				listening <- url
			}
		}
		_ = p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
	}()
	select {
	case p.url = <-listening:
	case <-p.done:
		t.Fatal("weft serve ended before it listened")
	case <-time.After(time.Minute):
		t.Fatal("weft serve does not listen")
	}
	return p
}

func (p *weftProcess) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// post asks for n tokens; status 0 means that the connection broke.
func (p *weftProcess) post(n int) (status int, body string) {
	r, err := http.Post(p.url+"/v1/completions", "application/json",
		strings.NewReader(fmt.Sprintf(`{"prompt": "hello", "max_tokens": %d, "temperature": 0, "ignore_eos": true}`, n)))
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, err.Error()
	}
	return r.StatusCode, string(b)
}

func (p *weftProcess) health() int {
	r, err := http.Get(p.url + "/health")
	if err != nil {
		return 0
	}
	r.Body.Close()
	return r.StatusCode
}

// healths asks for the health over and over until nobody answers any more, and returns the answers, each once in a row.
func (p *weftProcess) healths() <-chan []int {
	all := make(chan []int, 1)
	go func() {
		var list []int
		for at := 200; at != 0; time.Sleep(5 * time.Millisecond) {
			if at = p.health(); len(list) == 0 || list[len(list)-1] != at {
				list = append(list, at)
			}
		}
		all <- list
	}()
	return all
}

// wantHealthTold wants that /health said 503 before the process ended.
func wantHealthTold(t *testing.T, healths <-chan []int) {
	t.Helper()
	if got, want := <-healths, []int{200, 503, 0}; !slices.Equal(got, want) {
		t.Errorf("/health said %v, want %v", got, want)
	}
}

// exits waits for the end of the process.
func (p *weftProcess) exits(t *testing.T) (code int) {
	t.Helper()
	began := time.Now()
	select {
	case <-p.done:
		t.Logf("the process exited after %v", time.Since(began))
		return p.code
	case <-time.After(time.Minute):
		t.Fatal("the process does not exit")
		return 0
	}
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// underWay reports whether n requests are.
func (p *weftProcess) underWay(n int) bool {
	r, err := http.Get(p.url + "/metrics")
	if err != nil {
		return false
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return strings.Contains(string(b), fmt.Sprintf("\nweft_requests_in_flight %d\n", n))
}

type reply struct {
	status int
	body   string
}

// four sends four requests to a gated device and returns when they are under way.
func (p *weftProcess) four(t *testing.T) <-chan reply {
	t.Helper()
	replies := make(chan reply, 4)
	for range 4 {
		go func() {
			status, body := p.post(110)
			replies <- reply{status, body}
		}()
	}
	waitUntil(t, "the requests to come", func() bool { return p.underWay(4) })
	return replies
}

func (p *weftProcess) open(t *testing.T) {
	t.Helper()
	if err := os.Remove(p.gate); err != nil {
		t.Fatal(err)
	}
}

func TestServe_SIGTERMLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "gated", "--drain-timeout", "5m")
	replies := p.four(t)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the drain", func() bool { return p.health() == 503 })
	if status, body := p.post(1); status != 503 || !strings.Contains(body, "shutting_down") { // though no step ends
		t.Errorf("new work while draining = %d %s", status, body)
	}
	p.open(t)
	for range 4 {
		if r := <-replies; r.status != 200 || !strings.Contains(r.body, `"completion_tokens":110`) {
			t.Errorf("a request under way = %d %s", r.status, r.body)
		}
	}
	if code := p.exits(t); code != exitDone {
		t.Errorf("exit code %d, want %d", code, exitDone)
	}
}

func TestServe_DrainTimeoutZeroCutsRequests(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "gated", "--drain-timeout", "0s")
	replies := p.four(t)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	for range 4 {
		if r := <-replies; r.status != 503 {
			t.Errorf("a request that was cut = %d %s", r.status, r.body)
		}
	}
	p.open(t) // the step under way is waited for
	if code := p.exits(t); code != exitFailed {
		t.Errorf("exit code %d, want %d: requests were cut", code, exitFailed)
	}
	idle := serveIn(t, "slow", "--drain-timeout", "0s")
	_ = idle.cmd.Process.Signal(syscall.SIGTERM)
	if code := idle.exits(t); code != exitDone {
		t.Errorf("exit code %d of an idle server, want %d", code, exitDone)
	}
}

func TestServe_ASecondSignalKills(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "gated", "--drain-timeout", "1h")
	p.four(t)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	waitUntil(t, "the drain", func() bool { return p.health() == 503 })
	go func() { // the first of these may come before the process has let go of the signal
		for p.cmd.Process.Signal(syscall.SIGTERM) == nil {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	p.exits(t) // its requests never end
	if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("the process ended with %v, want the signal", p.cmd.ProcessState)
	}
}

// TestServe_ABrokenDeviceEndsTheProcess: the context of a GPU is lost while four requests run.
func TestServe_ABrokenDeviceEndsTheProcess(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "broken", "--max-requests", "4")
	healths := p.healths()
	replies := make(chan reply, 4)
	for range 4 {
		go func() {
			status, body := p.post(110)
			replies <- reply{status, body}
		}()
	}
	for range 4 {
		if r := <-replies; r.status != 503 || !strings.Contains(r.body, "device_error") {
			t.Errorf("a request under way = %d %s", r.status, r.body)
		}
	}
	if code := p.exits(t); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	wantHealthTold(t, healths)
	p.tells(t, "call: cuGraphLaunch returned 719, CUDA_ERROR_LAUNCH_FAILED (719)", "likely shows Xid 13, 31", " under way ", "graph of ", "GPU 0 at ", "\nweft: engine: cannot run a step: ")
}

// tells looks for texts in what the process wrote.
func (p *weftProcess) tells(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			t.Errorf("stderr does not tell %q", text)
		}
	}
}

// TestServe_AHungDeviceEndsTheProcess: the device stops answering while requests run.
func TestServe_AHungDeviceEndsTheProcess(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "hung", "--max-requests", "4", "--watchdog", "5s")
	healths := p.healths()
	ended := make(chan reply, 1)
	go func() {
		for {
			if status, body := p.post(110); status != 200 {
				ended <- reply{status, body}
				return
			}
		}
	}()
	if r := <-ended; r.status != 503 || !strings.Contains(r.body, "device_error") {
		t.Errorf("a request on a device that hangs = %d %s", r.status, r.body)
	}
	if code := p.exits(t); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	wantHealthTold(t, healths)
	p.tells(t, "a step does not end", "cause: the GPU does not answer", " under way ", "graph of ", "GPU 0 at ", "\ngoroutine ", "driver.Event.Sync")
}

// TestServe_GoesOnThoughNobodyReadsItsLog: the pipe that stderr goes to is full.
func TestServe_GoesOnThoughNobodyReadsItsLog(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command(os.Args[0], "serve", "-m", golden.Chat(t), "--port", "0", "--device", "cpu", "--threads", "1")
	cmd.Env = append(os.Environ(), asWeft+"=1")
	cmd.Stderr = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill()
	lines := bufio.NewScanner(read)
	p := &weftProcess{}
	for p.url == "" && lines.Scan() {
		_, p.url, _ = strings.Cut(lines.Text(), "listening on ")
	}
	const requests, readers = 1000, 8 // a pipe holds 64 KiB, and a line has 200 bytes
	var sent atomic.Int64
	answered := make(chan reply, requests)
	for range readers {
		go func() {
			for sent.Add(1) <= requests {
				status, body := p.post(1)
				answered <- reply{status, body}
			}
		}()
	}
	limit := time.After(5 * time.Minute)
	for i := range requests {
		select {
		case r := <-answered:
			if r.status != 200 {
				t.Fatalf("request %d = %d %s", i, r.status, r.body)
			}
		case <-limit:
			t.Fatalf("after 5 min %d of %d requests are answered", i, requests)
		}
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the process ends with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("the process waits for a reader of its log")
	}
}

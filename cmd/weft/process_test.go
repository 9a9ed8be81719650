package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cpu"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/internal/fakegpu"
	"github.com/weft-llm/weft/internal/golden"
	"github.com/weft-llm/weft/tensor"
)

// playAs, when set in the environment beside asWeft, is the device that weft runs on.
const playAs = "WEFT_TEST_DEVICE"

// devices are those that processes of tests run on.
var devices = map[string]func() (backend.Backend, error){
	"slow": openSlow,
	"broken": func() (backend.Backend, error) {
		fake := fakegpu.New(func() { time.Sleep(10 * time.Millisecond) })
		fake.FailCall("cuGraphLaunch", 20, driver.LaunchFailed)
		return fakegpu.Open(fake)
	},
	"hung": func() (backend.Backend, error) {
		fake := fakegpu.New(func() { time.Sleep(10 * time.Millisecond) })
		time.AfterFunc(time.Second, func() { fake.Hang() })
		return fakegpu.Open(fake)
	},
}

// slow is the CPU with steps that take as long as a large model's.
type slow struct{ *cpu.Backend }

func openSlow() (backend.Backend, error) { return slow{cpu.New(cpu.Options{Threads: 1})}, nil }

func (s slow) Run(b *backend.Batch, forward func(*backend.Batch) tensor.View) error {
	time.Sleep(10 * time.Millisecond)
	return s.Backend.Run(b, forward)
}

// weftProcess is a server in a process of its own.
type weftProcess struct {
	cmd  *exec.Cmd
	url  string
	mu   sync.Mutex
	log  bytes.Buffer
	done chan struct{} // closed when it has exited
	code int
}

// serveIn starts `weft serve` and waits until it listens.
func serveIn(t *testing.T, device string, args ...string) *weftProcess {
	t.Helper()
	p := &weftProcess{done: make(chan struct{})}
	p.cmd = exec.Command(os.Args[0], append([]string{"serve", "-m", golden.Chat(t), "--port", "0"}, args...)...)
	p.cmd.Env = append(os.Environ(), asWeft+"=1", playAs+"="+device)
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
	case <-time.After(20 * time.Second):
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

// exits waits for the end of the process, which must come within limit.
func (p *weftProcess) exits(t *testing.T, limit time.Duration) (code int) {
	t.Helper()
	select {
	case <-p.done:
		return p.code
	case <-time.After(limit):
		t.Fatalf("the process did not exit within %v", limit)
		return 0
	}
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (p *weftProcess) running() bool {
	r, err := http.Get(p.url + "/metrics")
	if err != nil {
		return false
	}
	defer r.Body.Close()
	b, _ := io.ReadAll(r.Body)
	return strings.Contains(string(b), "\nweft_requests_running 4\n")
}

type reply struct {
	status int
	body   string
}

// four sends four requests of about a second and returns when they run.
func (p *weftProcess) four(t *testing.T) <-chan reply {
	t.Helper()
	replies := make(chan reply, 4)
	for range 4 {
		go func() {
			status, body := p.post(110)
			replies <- reply{status, body}
		}()
	}
	waitUntil(t, "the requests to run", p.running)
	return replies
}

func TestServe_SIGTERMLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "slow", "--drain-timeout", "30s")
	replies := p.four(t)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the drain", func() bool { return p.health() == 503 })
	began := time.Now()
	if status, body := p.post(1); status != 503 || !strings.Contains(body, "shutting_down") || time.Since(began) > 200*time.Millisecond {
		t.Errorf("new work while draining = %d %s after %v", status, body, time.Since(began))
	}
	for range 4 {
		if r := <-replies; r.status != 200 || !strings.Contains(r.body, `"completion_tokens":110`) {
			t.Errorf("a request under way = %d %s", r.status, r.body)
		}
	}
	if code := p.exits(t, 3*time.Second); code != exitDone {
		t.Errorf("exit code %d, want %d", code, exitDone)
	}
}

func TestServe_DrainTimeoutZeroCutsRequests(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "slow", "--drain-timeout", "0s")
	replies := p.four(t)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.exits(t, 4*time.Second); code != exitFailed {
		t.Errorf("exit code %d, want %d: requests were cut", code, exitFailed)
	}
	for range 4 {
		if r := <-replies; r.status != 503 {
			t.Errorf("a request that was cut = %d %s", r.status, r.body)
		}
	}
	idle := serveIn(t, "slow", "--drain-timeout", "0s")
	_ = idle.cmd.Process.Signal(syscall.SIGTERM)
	if code := idle.exits(t, 4*time.Second); code != exitDone {
		t.Errorf("exit code %d of an idle server, want %d", code, exitDone)
	}
}

func TestServe_ASecondSignalKills(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "slow", "--drain-timeout", "30s")
	p.four(t)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	waitUntil(t, "the drain", func() bool { return p.health() == 503 })
	go func() { // the first of these may come before the process has let go of the signal
		for p.cmd.Process.Signal(syscall.SIGTERM) == nil {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	p.exits(t, 800*time.Millisecond)
	if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ws.Signaled() || ws.Signal() != syscall.SIGTERM {
		t.Errorf("the process ended with %v, want the signal", p.cmd.ProcessState)
	}
}

// TestServe_ABrokenDeviceEndsTheProcess: the context of a GPU is lost while four requests run.
func TestServe_ABrokenDeviceEndsTheProcess(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "broken", "--max-requests", "4")
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
	broke := time.Now()
	if got := p.health(); got != 503 || time.Since(broke) > time.Second {
		t.Errorf("/health = %d after %v", got, time.Since(broke))
	}
	if code := p.exits(t, 5*time.Second-time.Since(broke)); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
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
	p := serveIn(t, "hung", "--max-requests", "4", "--watchdog", "2s")
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
	if got := p.health(); got != 503 {
		t.Errorf("/health = %d", got)
	}
	if code := p.exits(t, 5*time.Second); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
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
	limit := time.After(30 * time.Second)
	for i := range requests {
		select {
		case r := <-answered:
			if r.status != 200 {
				t.Fatalf("request %d = %d %s", i, r.status, r.body)
			}
		case <-limit:
			t.Fatalf("after 30 s %d of %d requests are answered", i, requests)
		}
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("the process ends with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the process waits for a reader of its log")
	}
}

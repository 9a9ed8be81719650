package weft_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/internal/fakegpu"
	"github.com/weft-llm/weft/internal/golden"
)

// TestDevice_AStickyErrorAnywhereEndsEverything lets the n-th call of a kind lose the context of the GPU while
// requests run and wait: each of them is told, /health says so, nothing comes after it and nothing stays behind. In
// virtual time all of it takes none: nobody waits for a watchdog or a timer to find out.
func TestDevice_AStickyErrorAnywhereEndsEverything(t *testing.T) {
	leavesNothing(t)
	answerOnce(t)
	dir := golden.Chat(t)
	sticky := []driver.Result{driver.IllegalAddress, driver.IllegalInstruction, driver.MisalignedAddress, driver.InvalidAddressSpace,
		driver.InvalidPC, driver.LaunchFailed, driver.ECCUncorrectable}
	for _, call := range []string{"cuLaunchKernel", "cuGraphLaunch", "cuMemcpyHtoD", "cuMemcpyDtoH", "cuEventRecord", "cuEventSync"} {
		for i, code := range sticky {
			t.Run(fmt.Sprintf("%s %d", call, code), func(t *testing.T) {
				t.Parallel()
				n := 1 + 3*i
				if strings.HasPrefix(call, "cuMemcpy") { // only steps with prompts make such calls
					n = 1 + i/3
				}
				synctest.Test(t, func(t *testing.T) { loseContext(t, dir, call, n, code) })
			})
		}
	}
}

// leavesNothing fails t when goroutines outlive it and what was registered after. fasthttp's own
// cleaner sleeps for ten seconds before it sees that its server has ended, and its clock runs for ever.
func leavesNothing(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
			goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
	})
}

func loseContext(t *testing.T, dir, call string, n int, code driver.Result) {
	fake := fakegpu.New(nil)
	m, err := weft.Open(dir, onFake(fake))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		m.Close()
		fake.Check(t)
	})
	network := listenInBubble(t, m)
	client := network.Client()
	fake.FailCall(call, n, code)
	began := time.Now()
	var mu sync.Mutex
	told := 0
	var all sync.WaitGroup
	for i := range 6 { // two run, four wait
		all.Go(func() {
			status, body := postBy(t, client, "http://localhost", fmt.Sprintf(`{"prompt": "request %d", "max_tokens": 30, "ignore_eos": true, "stream": %v}`, i, i%2 == 0))
			mu.Lock()
			defer mu.Unlock()
			switch broken := strings.Contains(body, `"code":"device_error"`); {
			case broken && status != 503 && !strings.HasSuffix(body, "}}\n\ndata: [DONE]\n\n"):
				t.Errorf("request %d: something comes after the error: %d %s", i, status, body)
			case broken:
				told++
			case status != 200: // whole before the failure
				t.Errorf("request %d ends with %d %s", i, status, body)
			}
		})
	}
	all.Wait()
	if told == 0 {
		t.Fatal("no request was told")
	}
	r, err := client.Get("http://localhost/health")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 503 {
		t.Errorf("/health = %d after the failure", r.StatusCode)
	}
	if status, body := postBy(t, client, "http://localhost", `{"prompt": "x", "max_tokens": 1}`); status != 503 {
		t.Errorf("the next request = %d %s", status, body)
	}
	<-m.Engine().Done()
	if took := time.Since(began); took > 0 {
		t.Errorf("until all was told %v went by, want none", took)
	}
	if err := m.Engine().Err(); !driver.Sticky(err) || !strings.Contains(err.Error(), fmt.Sprintf("(%d)", code)) {
		t.Errorf("Err() = %v, want one of code %d", err, code)
	}
	checkDump(t, m, call, code)
}

// symbols are the names by which package driver calls what the fake calls otherwise.
var symbols = map[string]string{"cuEventSync": "cuEventSynchronize"}

// checkDump looks for what a person needs after a device failed.
func checkDump(t *testing.T, m *weft.Model, call string, code driver.Result) {
	t.Helper()
	var b strings.Builder
	if err := m.WriteFailure(&b); err != nil {
		t.Fatal(err)
	}
	f, ok := code.Fault()
	want := []string{
		fmt.Sprintf("call: %s", cmp.Or(symbols[call], call)), fmt.Sprintf(" returned %d, %v", code, code), f.String(),
		" under way ", "launches, the newest last", " block 256×1×1 shared 0 args 0000", "GPU 0 at ",
	}
	if call == "cuGraphLaunch" {
		want = append(want, "kernels; 1× ")
	}
	for _, text := range want {
		if !strings.Contains(b.String(), text) || !ok {
			t.Errorf("the dump does not tell %q:\n%s", text, b.String())
			return
		}
	}
	if strings.Contains(b.String(), "request 1") {
		t.Errorf("the dump holds a prompt:\n%s", b.String())
	}
}

// client keeps no connection: a server that ends would wait for it.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// post sends a completion request and returns all of the answer.
func post(t *testing.T, url, body string) (status int, answer string) {
	return postBy(t, client, url, body)
}

func postBy(t *testing.T, client *http.Client, url, body string) (status int, answer string) {
	r, err := client.Post(url+"/v1/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return r.StatusCode, string(b)
}

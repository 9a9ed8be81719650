package weft_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/internal/fakegpu"
	"github.com/weft-llm/weft/internal/golden"
)

// TestDevice_AStickyErrorAnywhereEndsEverything lets the n-th call of a kind lose the context of the GPU while
// requests run and wait: each of them is told, /health says so within a second, nothing comes after it and nothing
// stays behind.
func TestDevice_AStickyErrorAnywhereEndsEverything(t *testing.T) {
	leavesNothing(t)
	dir := golden.Chat(t)
	sticky := []driver.Result{driver.IllegalAddress, driver.IllegalInstruction, driver.MisalignedAddress, driver.InvalidAddressSpace,
		driver.InvalidPC, driver.LaunchFailed, driver.ECCUncorrectable}
	for _, call := range []string{"cuLaunchKernel", "cuGraphLaunch", "cuMemcpyHtoD", "cuMemcpyDtoH", "cuEventRecord", "cuEventSync"} {
		for i, code := range sticky {
			t.Run(fmt.Sprintf("%s %d", call, code), func(t *testing.T) {
				t.Parallel() // most of it is waiting
				n := 1 + 3*i
				if strings.HasPrefix(call, "cuMemcpy") { // only steps with prompts make such calls
					n = 1 + i/3
				}
				loseContext(t, dir, call, n, code)
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
	defer fake.Check(t)
	defer m.Close()
	url := listen(t, m)
	fake.FailCall(call, n, code)
	var mu sync.Mutex
	var broke time.Time
	var all sync.WaitGroup
	for i := range 6 { // two run, four wait
		all.Go(func() {
			status, body := post(t, url, fmt.Sprintf(`{"prompt": "request %d", "max_tokens": 30, "ignore_eos": true, "stream": %v}`, i, i%2 == 0))
			told := strings.Contains(body, `"code":"device_error"`)
			mu.Lock()
			defer mu.Unlock()
			if told && broke.IsZero() {
				broke = time.Now()
			}
			switch {
			case !told && (status != 200 || !broke.IsZero() && time.Since(broke) > time.Second):
				t.Errorf("request %d ends with %d %s", i, status, body)
			case told && status != 503 && !strings.HasSuffix(body, "}}\n\ndata: [DONE]\n\n"):
				t.Errorf("request %d: something comes after the error: %d %s", i, status, body)
			}
		})
	}
	all.Wait()
	if broke.IsZero() {
		t.Fatal("no request was told")
	}
	r, err := client.Get(url + "/health")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != 503 || time.Since(broke) > time.Second {
		t.Errorf("/health = %d, %v after the failure", r.StatusCode, time.Since(broke))
	}
	if status, body := post(t, url, `{"prompt": "x", "max_tokens": 1}`); status != 503 {
		t.Errorf("the next request = %d %s", status, body)
	}
	<-m.Engine().Done()
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

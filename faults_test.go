package weft_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/fakegpu"
	"github.com/weft-llm/weft/internal/golden"
)

// onFake runs a model on a GPU that is played in Go.
func onFake(fake *drivertest.Fake) weft.Options {
	return weft.Options{
		CacheDir: "off", Engine: engine.Options{MaxContext: 48, MaxRequests: 2, StepTokens: 16, KVTokens: 96, Verify: true},
		Backend: func() (backend.Backend, error) { return fakegpu.Open(fake) },
	}
}

// life is start-up, two requests, of which the second finds a cached prefix, and shutdown.
func life(dir string, fake *drivertest.Fake) error {
	m, err := weft.Open(dir, onFake(fake))
	if err != nil {
		return err
	}
	for _, prompt := range []string{"a prompt of some tokens", "a prompt of other tokens"} {
		if err == nil {
			_, err = m.Generate(context.Background(), prompt, greedy(5))
		}
	}
	return errors.Join(err, m.Close())
}

// TestFaults_EveryDriverCallMayFail fails every driver call of a life in turn: never a panic, a hang or a leak, and
// the error tells which call it was.
func TestFaults_EveryDriverCallMayFail(t *testing.T) {
	leavesNothing(t)
	dir := golden.Chat(t)
	play := func(n int) (*drivertest.Fake, error) {
		fake := fakegpu.New(nil)
		if n > 0 {
			fake.FailAt(n, driver.Unknown)
		}
		ended := make(chan error, 1)
		go func() { ended <- life(dir, fake) }()
		select {
		case err := <-ended:
			return fake, err
		case <-time.After(5 * time.Minute):
			all := make([]byte, 1<<20)
			return nil, fmt.Errorf("nothing ends; the goroutines:\n%s", all[:runtime.Stack(all, true)])
		}
	}
	fake, err := play(0)
	if err != nil {
		t.Fatalf("a life without failures: %v", err)
	}
	fake.Check(t)
	total := fake.Count("")
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for n := int(next.Add(1)); n <= total && !t.Failed(); n = int(next.Add(1)) {
				fake, err := play(n)
				checkLife(t, fake, err, fmt.Sprintf("call %d of %d fails", n, total))
			}
		})
	}
	all.Wait()
	t.Logf("%d calls", total)
}

// checkLife looks at what a life in which a call failed left behind.
func checkLife(t *testing.T, fake *drivertest.Fake, err error, when string) {
	var typed *driver.Error
	if err != nil && !errors.As(err, &typed) {
		t.Errorf("%s: error %v is no *driver.Error", when, err)
	}
	if fake == nil { // it never ended
		return
	}
	for _, text := range fake.Faults() {
		t.Errorf("%s: fault: %s", when, text)
	}
	if leaks := fake.Leaks(); len(leaks) > 1 || len(leaks) == 1 && err == nil { // what fails to be given back stays, and is told
		t.Errorf("%s: error %v, leaks %v", when, err, leaks)
	}
}

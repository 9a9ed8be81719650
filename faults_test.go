package weft_test

import (
	"context"
	"errors"
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
		case <-time.After(30 * time.Second):
			t.Fatalf("call %d fails: nothing ends", n)
			return nil, nil
		}
	}
	fake, err := play(0)
	if err != nil {
		t.Fatalf("a life without failures: %v", err)
	}
	fake.Check(t)
	total := fake.Count("")
	for n := 1; n <= total; n++ {
		fake, err := play(n)
		var typed *driver.Error
		if err != nil && !errors.As(err, &typed) {
			t.Errorf("call %d of %d fails: error %v is no *driver.Error", n, total, err)
		}
		for _, text := range fake.Faults() {
			t.Errorf("call %d of %d fails: fault: %s", n, total, text)
		}
		leaks := fake.Leaks()
		if len(leaks) > 1 || len(leaks) == 1 && err == nil { // what fails to be given back stays, and is told
			t.Errorf("call %d of %d fails: error %v, leaks %v", n, total, err, leaks)
		}
	}
	t.Logf("%d calls", total)
}

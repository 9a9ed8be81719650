package weft_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/backend/cuda"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/engine"
	"github.com/weft-llm/weft/internal/golden"
)

// onFake runs a model on a GPU that is played in Go. Its kernels compute nothing, but one draws the same token always.
func onFake(fake *drivertest.Fake) weft.Options {
	fake.Kernel("sample_draw", func(l *drivertest.Launch) driver.Result {
		const ids, token = 64, 40 // see ptx.Samples
		out := l.Memory(l.Ptr(ids), int64(4*l.Grid.Y))
		for i := range out {
			out[i] = 0
			if i%4 == 0 {
				out[i] = token
			}
		}
		return driver.Success
	})
	return weft.Options{
		Engine: engine.Options{MaxContext: 48, MaxRequests: 2, StepTokens: 16, KVTokens: 96, Verify: true},
		Backend: func() (backend.Backend, error) {
			lib, err := fake.Library()
			if err != nil {
				return nil, err
			}
			b, err := cuda.OpenWith(lib, 0, cuda.Options{Chunk: 1 << 14})
			if err != nil {
				return nil, err
			}
			return b, nil
		},
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
	defer goleak.VerifyNone(t)
	dir := golden.Chat(t)
	play := func(n int) (*drivertest.Fake, error) {
		fake := drivertest.New(drivertest.Config{})
		fake.Record(false)
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

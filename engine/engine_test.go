package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/weft-llm/weft/backend"
	"go.uber.org/goleak"
)

const vocab = 50

func start(t *testing.T, c *chain, o Options) *Engine {
	t.Helper()
	c.vocab = vocab
	o.Verify = true
	e, err := Start(o, func() (backend.Backend, Model, error) { return c, chainModel{vocab, 200}, nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func request(prompt []int32, n int) Request {
	s := DefaultSampling()
	s.Temperature = 0
	return Request{Prompt: prompt, MaxTokens: n, Sampling: s, Logprobs: -1}
}

// collect reads g to its end.
func collect(g *Generation) ([]int32, error) {
	var ids []int32
	for {
		tokens, err := g.Next(context.Background(), nil)
		for _, tok := range tokens {
			ids = append(ids, tok.ID)
		}
		if err == io.EOF {
			return ids, nil
		}
		if err != nil {
			return ids, err
		}
	}
}

func randomPrompt(r *rand.Rand, most int) []int32 {
	p := make([]int32, 1+r.IntN(most))
	for i := range p {
		p[i] = r.Int32N(4) // few ids, so that prompts share prefixes
	}
	return p
}

// TestEngine_EveryRequestGetsItsOwnTokens runs random requests under every mode, with so few slots that the tree is
// evicted all the time, and compares each output with what the request alone would give.
func TestEngine_EveryRequestGetsItsOwnTokens(t *testing.T) {
	for _, mode := range []struct {
		name string
		o    Options
		sync bool
	}{
		{name: "overlap", o: Options{KVTokens: 400}},
		{name: "no overlap", o: Options{KVTokens: 400}, sync: true},
		{name: "no cache", o: Options{KVTokens: 400, NoCache: true}},
		{name: "small steps", o: Options{KVTokens: 400, StepTokens: 7}},
		{name: "paused", o: Options{KVTokens: 250, Expect: 1}},
		{name: "paused without cache", o: Options{KVTokens: 250, Expect: 1, NoCache: true}, sync: true},
		{name: "roomy", o: Options{KVTokens: 4000}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			mode.o.MaxRequests = 6
			c := &chain{async: !mode.sync}
			e := start(t, c, mode.o)
			const seed = 7
			r := rand.New(rand.NewPCG(seed, seed))
			var all sync.WaitGroup
			for i := range 200 {
				prompt, n := randomPrompt(r, 60), 1+r.IntN(30)
				g, err := e.Submit(request(prompt, n))
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() {
					got, err := collect(g)
					if want := chainOutput(prompt, n, vocab); err != nil || !slices.Equal(got, want) {
						t.Errorf("seed %d, request %d: got %v, %v, want %v", seed, i, got, err, want)
					}
				})
			}
			all.Wait()
			waitFor(t, func() bool { s := e.Stats(); return s.SlotsUsed+s.Running+s.Waiting == 0 })
			s := e.Stats()
			if mode.o.Expect > 0 && s.Paused == 0 {
				t.Error("no request was paused, though more were admitted than fit")
			}
			if mode.name == "roomy" && s.CachedTokens == 0 {
				t.Error("no token was found in the cache, though prompts share prefixes")
			}
		})
	}
}

func TestEngine_StopTokenEndsTheSequenceAndIsNotEmitted(t *testing.T) {
	e := start(t, &chain{async: true}, Options{})
	prompt := []int32{1, 2, 3}
	want := chainOutput(prompt, 20, vocab)
	r := request(prompt, 20)
	r.Stop = []int32{want[5]}
	cut := slices.Index(want, want[5])
	g, err := e.Submit(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := collect(g); !slices.Equal(got, want[:cut]) || g.Finish() != Stopped {
		t.Fatalf("got %v, finish %d, want %v, stopped", got, g.Finish(), want[:cut])
	}
}

func TestEngine_SecondRequestFindsThePromptInTheCache(t *testing.T) {
	e := start(t, &chain{async: true}, Options{})
	prompt := []int32{1, 2, 3, 4, 5, 6}
	for i, want := range []int{0, 5} {
		g, _ := e.Submit(request(prompt, 4))
		collect(g)
		if g.Cached() != want {
			t.Errorf("request %d: %d tokens cached, want %d", i, g.Cached(), want)
		}
	}
	salted := request(prompt, 4)
	salted.CacheSalt = "other"
	g, _ := e.Submit(salted)
	if collect(g); g.Cached() != 0 {
		t.Errorf("another salt found %d tokens, want 0", g.Cached())
	}
}

func TestEngine_CancelFreesTheSlotsWithinAStep(t *testing.T) {
	e := start(t, &chain{async: true}, Options{})
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		g, err := e.Submit(request(randomPrompt(r, 100), 100))
		if err != nil {
			t.Fatal(err)
		}
		for range r.IntN(3) {
			g.Next(context.Background(), nil)
		}
		g.Cancel()
		if _, err := collect(g); err != nil || g.Finish() == Running {
			t.Fatalf("cancelled generation ends with %v, finish %d", err, g.Finish())
		}
	}
	waitFor(t, func() bool { s := e.Stats(); return s.SlotsUsed == 0 && s.Running == 0 })
}

func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("condition not reached within a minute")
		}
	}
}

func TestEngine_RefusesWhatCannotFit(t *testing.T) {
	e := start(t, &chain{}, Options{MaxContext: 100})
	var long *TooLongError
	_, err := e.Submit(request(make([]int32, 90), 11))
	if !errors.As(err, &long) || long.Limit != 100 {
		t.Errorf("90+11 tokens of 100: %v, want a TooLongError with the limit", err)
	}
	huge := request([]int32{1}, 1)
	huge.MaxTokens = int(^uint(0) >> 1)
	if _, err := e.Submit(huge); !errors.As(err, &long) {
		t.Errorf("max_tokens of 2^63-1: %v, want a TooLongError", err)
	}
	var bad *RequestError
	if _, err := e.Submit(request([]int32{vocab}, 1)); !errors.As(err, &bad) {
		t.Errorf("token id beyond the vocabulary: %v, want a RequestError", err)
	}
}

func TestEngine_ABadRowInF16SaysWhatMayHelp(t *testing.T) {
	for _, half := range []bool{false, true} {
		e := start(t, &chain{half: half, poison: chainOutput([]int32{3}, 1, vocab)[0]}, Options{})
		g, err := e.Submit(request([]int32{3}, 4))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := collect(g); !errors.Is(err, ErrNumeric) || strings.Contains(err.Error(), "--dtype bf16") != half {
			t.Errorf("in f16 %v: %v, want ErrNumeric, with --dtype bf16 where it is", half, err)
		}
	}
}

func TestEngine_ABadRowEndsAloneAndItsMatesGoOn(t *testing.T) {
	prompts := [][]int32{{1}, {2}, {3}, {4}, {5}}
	poison := chainOutput(prompts[2], 4, vocab)[3]
	e := start(t, &chain{async: true, poison: poison}, Options{})
	var gens []*Generation
	for _, p := range prompts {
		g, _ := e.Submit(request(p, 10))
		gens = append(gens, g)
	}
	for i, g := range gens {
		want := chainOutput(prompts[i], 10, vocab)
		bad := slices.Index(want, poison)
		got, err := collect(g)
		if bad >= 0 && (!errors.Is(err, ErrNumeric) || !slices.Equal(got, want[:bad])) {
			t.Errorf("request %d: %v, %v, want %v and ErrNumeric", i, got, err, want[:bad])
		}
		if bad < 0 && (err != nil || !slices.Equal(got, want)) {
			t.Errorf("request %d: %v, %v, want %v", i, got, err, want)
		}
	}
}

func TestEngine_ADeviceFailureEndsEveryRequestAndTheEngine(t *testing.T) {
	c := &chain{async: true, failAt: 5}
	e := start(t, c, Options{})
	var gens []*Generation
	for i := range 4 {
		g, err := e.Submit(request([]int32{int32(i)}, 50))
		if err == nil {
			gens = append(gens, g)
		}
	}
	var device *DeviceError
	for _, g := range gens {
		if _, err := collect(g); !errors.As(err, &device) || !errors.Is(err, errBroken) {
			t.Errorf("generation ends with %v, want a DeviceError", err)
		}
	}
	<-e.Done()
	landed, left := e.Flight(), e.Unlanded()
	if len(landed) != 3 || len(left) != 2 || left[0].Step != 4 || left[1].Step != 5 || left[1].Tokens == 0 || left[1].Began <= left[0].Began {
		t.Errorf("%d steps landed and %+v did not, want 1 to 3, and 4 and 5 with what they held", len(landed), left)
	}
	if _, err := e.Submit(request([]int32{1}, 1)); !errors.As(err, &device) || e.Err() == nil {
		t.Errorf("Submit after the failure: %v, want a DeviceError", err)
	}
	if err := e.Close(); !errors.Is(err, errBroken) || c.closed != 1 {
		t.Errorf("Close() = %v, the backend was closed %d times, want its error and once", err, c.closed)
	}
}

// TestGeneration_UnreadTokensTakeFourBytes: what a reader that stopped has not taken stays small, and nothing of it is
// lost when it goes on.
func TestGeneration_UnreadTokensTakeFourBytes(t *testing.T) {
	e := start(t, &chain{}, Options{KVTokens: 400})
	const n = 150
	g, err := e.Submit(request([]int32{1, 2, 3}, n))
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return g.Finish() != Running })
	if size := 4*cap(g.ids) + int(unsafe.Sizeof(Token{}))*cap(g.tokens); size > 8*n {
		t.Errorf("%d unread tokens take %d bytes", n, size)
	}
	if got, err := collect(g); err != nil || !slices.Equal(got, chainOutput([]int32{1, 2, 3}, n, vocab)) {
		t.Errorf("a reader that comes late gets %v, %v", got, err)
	}
}

func TestEngine_DeadlinesEndRequests(t *testing.T) {
	e := start(t, &chain{}, Options{MaxRequests: 1, StepTokens: 1, MaxContext: 200})
	r := request(make([]int32, 100), 100)
	r.Timeout = time.Nanosecond
	g, err := e.Submit(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collect(g); !errors.Is(err, ErrDeadline) {
		t.Fatalf("got %v, want ErrDeadline", err)
	}
}

func TestEngine_DrainLetsRequestsFinish(t *testing.T) {
	e := start(t, &chain{async: true}, Options{})
	g, _ := e.Submit(request([]int32{1}, 100))
	if err := e.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, err := collect(g); err != nil || len(got) != 100 {
		t.Errorf("drained request has %d tokens, %v, want 100", len(got), err)
	}
	if _, err := e.Submit(request([]int32{1}, 1)); !errors.Is(err, ErrDraining) {
		t.Errorf("Submit while draining: %v, want ErrDraining", err)
	}
}

func TestStart_ReturnsOpensErrorAndLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	_, err := Start(Options{}, func() (backend.Backend, Model, error) { return nil, nil, errBroken })
	if !errors.Is(err, errBroken) {
		t.Fatalf("Start = %v, want %v", err, errBroken)
	}
	c := &chain{}
	_, err = Start(Options{MaxContext: 100, KVTokens: 50}, func() (backend.Backend, Model, error) { return c, chainModel{vocab, 200}, nil })
	if err == nil || c.closed != 1 {
		t.Fatalf("a cache of 50 tokens for a context of 100: %v, closed %d times", err, c.closed)
	}
}

func TestEngine_TwoEnginesShareNothing(t *testing.T) {
	a, b := start(t, &chain{async: true}, Options{}), start(t, &chain{}, Options{})
	for i, e := range []*Engine{a, b, a, b} {
		g, err := e.Submit(request([]int32{3, 1}, 5))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := collect(g); fmt.Sprint(got) != fmt.Sprint(chainOutput([]int32{3, 1}, 5, vocab)) {
			t.Errorf("engine %d: %v", i, got)
		}
	}
}

func TestEngine_AStepThatHangsEndsEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{vocab: vocab, async: true, hang: make(chan struct{})}
		e, err := Start(Options{}, func() (backend.Backend, Model, error) { return c, chainModel{vocab, 200}, nil })
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		g, err := e.Submit(request([]int32{1}, 5))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := collect(g); !errors.Is(err, ErrStalled) {
			t.Errorf("a request of a hanging device ends with %v, want ErrStalled", err)
		}
		if took := time.Since(began); took < time.Minute || took > 70*time.Second {
			t.Errorf("it took %v, want the watchdog's 60 s", took)
		}
		<-e.Done()
		var device *DeviceError
		if left := e.Unlanded(); len(left) != 1 || left[0].Step != 1 || left[0].Tokens != 1 {
			t.Errorf("the steps under way are %+v, want the first", left)
		}
		if err := e.Close(); !errors.As(err, &device) {
			t.Errorf("Close of a hanging engine: %v, want a DeviceError", err)
		}
		close(c.hang) // lets the engine goroutine end with the test
		<-e.ended
	})
}

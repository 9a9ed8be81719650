package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weft-llm/weft/backend"
)

// gated starts an engine whose steps end only when the test says so, in a bubble of synctest.
func gated(t *testing.T, c *chain, o Options) *Engine {
	c.vocab, c.gate = vocab, make(chan struct{})
	o.Verify = true
	e, err := Start(o, func() (backend.Backend, Model, error) { return c, chainModel{vocab, 200}, nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		close(c.gate)
		e.Close()
	})
	return e
}

// burst submits n requests at once and counts what is accepted.
func burst(t *testing.T, e *Engine, n int, r Request) (accepted int) {
	for range n {
		switch _, err := e.Submit(r); {
		case err == nil:
			accepted++
		case !errors.Is(err, ErrQueueFull):
			t.Fatal(err)
		}
	}
	return accepted
}

func TestQueue_HoldsExactlyWhatItSays(t *testing.T) {
	long := request(make([]int32, 50), 50)
	for _, c := range []struct {
		rule  string
		o     Options
		first int // of a burst that meets an idle engine, at least
		all   int // once the engine has admitted what it can
	}{
		{"rows limit: they are free at first", Options{MaxRequests: 4, Queue: 10, KVTokens: 10_000}, 14, 14},
		{"slots limit: two fit beside each other", Options{MaxRequests: 8, Queue: 10, KVTokens: 200}, 12, 12},
		{"one fits", Options{MaxRequests: 8, Queue: 1, KVTokens: 199, MaxContext: 100}, 2, 2},
		{"more are admitted than would fit if all grew to their limit", Options{MaxRequests: 8, Queue: 10, KVTokens: 200, Expect: 1}, 12, 13},
	} {
		synctest.Test(t, func(t *testing.T) {
			c.o.NoCache = true
			e := gated(t, &chain{}, c.o)
			first := burst(t, e, 100, long)
			synctest.Wait() // the first step waits for the gate
			all := first + burst(t, e, 100, long)
			// The engine may admit some while the burst still comes.
			if s := e.Stats(); first < c.first || first > c.all || all != c.all || s.Rejected != uint64(200-all) {
				t.Errorf("%s: %d accepted at once, %d in all, %d refused, want %d and %d", c.rule, first, all, s.Rejected, c.first, c.all)
			}
			e.mu.Lock()
			if waiting := len(e.live) - e.admitted - e.sure; waiting != c.o.Queue {
				t.Errorf("%s: %d wait, want %d", c.rule, waiting, c.o.Queue)
			}
			e.mu.Unlock()
		})
	}
}

// TestReserve_HoldsWhatSubmitWouldTake: places are refused as soon as those that are held could fill the queue, and
// requests with places are taken as exactly as requests without.
func TestReserve_HoldsWhatSubmitWouldTake(t *testing.T) {
	for _, c := range []struct {
		rule           string
		o              Options
		places, taken  int
		beforeAnything int // requests submitted without a place
	}{
		{"rows limit", Options{MaxRequests: 4, Queue: 10, KVTokens: 10_000}, 14, 14, 0},
		{"some run", Options{MaxRequests: 4, Queue: 10, KVTokens: 10_000}, 12, 12, 2},
		{"some wait", Options{MaxRequests: 4, Queue: 10, KVTokens: 10_000}, 7, 7, 7},
		{"slots limit: sizes are known only later", Options{MaxRequests: 8, Queue: 10, KVTokens: 200}, 18, 12, 0},
		{"all is full", Options{MaxRequests: 4, Queue: 10, KVTokens: 10_000}, 0, 0, 14},
	} {
		synctest.Test(t, func(t *testing.T) {
			c.o.NoCache = true
			e := gated(t, &chain{}, c.o)
			long := request(make([]int32, 50), 50)
			if n := burst(t, e, c.beforeAnything, long); n != c.beforeAnything {
				t.Fatalf("%s: %d of %d were taken", c.rule, n, c.beforeAnything)
			}
			var held []*Place
			for range 100 {
				p, err := e.Reserve()
				if err == nil {
					held = append(held, p)
				} else if !errors.Is(err, ErrQueueFull) {
					t.Fatal(err)
				}
			}
			if len(held) != c.places {
				t.Fatalf("%s: %d places, want %d", c.rule, len(held), c.places)
			}
			if len(held) > 0 { // one that turns out not to be needed is another's
				held[0].Release()
				held[0].Release()
				p, err := e.Reserve()
				if err != nil {
					t.Fatalf("%s: a place that was given back is not to be had: %v", c.rule, err)
				}
				if _, err := e.Reserve(); !errors.Is(err, ErrQueueFull) {
					t.Fatalf("%s: a place was given back twice: %v", c.rule, err)
				}
				held[0] = p
			}
			taken := 0
			for _, p := range held {
				q := long
				q.Place = p
				if _, err := e.Submit(q); err == nil {
					taken++
				}
				p.Release()
			}
			if taken != c.taken || e.reserved != 0 {
				t.Errorf("%s: %d taken and %d places held still, want %d and 0", c.rule, taken, e.reserved, c.taken)
			}
		})
	}
}

func TestDrain_WaitsThoughTheEngineWasIdleBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{async: true}
		e := gated(t, c, Options{})
		for range 2 {
			g, err := e.Submit(request([]int32{1}, 3))
			if err != nil {
				t.Fatal(err)
			}
			if e.Stats().OutputTokens > 0 {
				break
			}
			for range 3 {
				c.gate <- struct{}{}
			}
			if _, err := collect(g); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		if err := e.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain() = %v while a request runs, want the deadline's error", err)
		}
		for range 3 {
			c.gate <- struct{}{}
		}
		for range 2 { // both waiters are told
			if err := e.Drain(context.Background()); err != nil {
				t.Errorf("Drain() = %v", err)
			}
		}
	})
}

// TestWait_APausedRequestIsNoLongerInTheQueue: what was admitted once does not fail for want of slots that others took.
func TestWait_APausedRequestIsNoLongerInTheQueue(t *testing.T) {
	e := newEngine(Options{MaxRequests: 2, Wait: time.Second, KVTokens: 300, StepTokens: 10})
	if err := e.prepare(&chain{vocab: vocab, async: true}, chainModel{vocab, 200}); err != nil {
		t.Fatal(err)
	}
	s := newSequence(e, request(make([]int32, 100), 4), time.Unix(0, 0))
	e.live[s] = struct{}{}
	e.loop.waiting = append(e.loop.waiting, s)
	if _, err := e.loop.launch(); err != nil { // computes the first ten tokens of the prompt
		t.Fatal(err)
	}
	e.loop.pause(s)
	if e.loop.expire(time.Unix(10, 0)); s.ended || len(e.loop.waiting) != 1 {
		t.Errorf("a paused request ended with %v", s.gen.err)
	}
}

// TestDeadline_ExpiredRequestsNeverReachTheDevice gives random requests random deadlines, in a queue that moves slowly.
func TestDeadline_ExpiredRequestsNeverReachTheDevice(t *testing.T) {
	const seed, n, step = 5, 1000, 10 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, seed))
		c := &chain{async: true, prompts: map[[2]int32]struct{}{}}
		e := gated(t, c, Options{MaxRequests: 4, Queue: n, KVTokens: 1000, NoCache: true})
		type asked struct {
			Request
			*Generation
		}
		var all []asked
		start := time.Now()
		for i := range n {
			q := request([]int32{int32(i % vocab), int32(i / vocab)}, 1+r.IntN(10))
			q.Wait = time.Duration(1+r.IntN(3000)) * time.Millisecond
			if r.IntN(2) == 0 {
				q.Timeout = time.Duration(1+r.IntN(3000)) * time.Millisecond
			}
			g, err := e.Submit(q)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, asked{q, g})
		}
		ended := make([]time.Duration, n)
		for i, a := range all {
			go func() {
				_, _ = collect(a.Generation)
				ended[i] = time.Since(start)
			}()
		}
		for e.busy() {
			time.Sleep(step)
			synctest.Wait()
			select {
			case c.gate <- struct{}{}:
			default:
			}
		}
		synctest.Wait()
		late := 0
		for i, a := range all {
			s := a.seq
			whole := a.finish == Length && s.emitted == a.MaxTokens
			limit := a.Wait
			if s.admitted {
				limit = a.Timeout
			} else if a.Timeout > 0 {
				limit = min(limit, a.Timeout)
			}
			switch {
			case whole && (a.Timeout == 0 || ended[i] <= a.Timeout+2*step):
			case errors.Is(a.err, ErrDeadline) && limit > 0 && ended[i] >= limit && ended[i] <= limit+2*step:
				late++
				if _, reached := c.prompts[[2]int32(a.Prompt)]; reached != s.admitted {
					t.Errorf("seed %d, request %d: admitted %v, but seen by the device: %v", seed, i, s.admitted, reached)
				}
			default:
				t.Errorf("seed %d, request %d: wait %v, timeout %v, ended after %v with finish %d, %v", seed, i, a.Wait, a.Timeout, ended[i], a.finish, a.err)
			}
		}
		if late < n/10 || late > n*9/10 {
			t.Errorf("%d of %d expired: the test shows nothing", late, n)
		}
	})
}

// TestCancel_FreesSlotsWithinOneStep: requests that wait, compute their prompt or decode are gone when the step under
// way ends.
func TestCancel_FreesSlotsWithinOneStep(t *testing.T) {
	for steps := range 12 {
		synctest.Test(t, func(t *testing.T) {
			c := &chain{async: true}
			e := gated(t, c, Options{MaxRequests: 2, StepTokens: 10, KVTokens: 300})
			var all []*Generation
			for _, r := range []Request{request(prompt(5), 50), request(prompt(60), 50), request(prompt(90), 1)} {
				g, err := e.Submit(r)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, g)
			}
			for range steps {
				c.gate <- struct{}{}
			}
			synctest.Wait()
			for _, g := range all {
				g.Cancel()
			}
			c.gate <- struct{}{}
			synctest.Wait()
			if e.busy() {
				t.Errorf("after %d steps and one more, cancelled requests are still there", steps)
			}
			select {
			case c.gate <- struct{}{}: // a step that was launched before lands
			default:
			}
			synctest.Wait()
			if s := e.Stats(); s.SlotsUsed+s.Running+s.Waiting != 0 || s.SlotsFree != 300 {
				t.Errorf("after %d steps: %+v", steps, s)
			}
		})
	}
}

func (e *Engine) busy() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.live) > 0
}

func TestClose_AFailedDeviceThatDoesNotAnswerEndsAnyway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{vocab: vocab, async: true, failAt: 1, frees: make(chan struct{})}
		e, err := Start(Options{}, func() (backend.Backend, Model, error) { return c, chainModel{vocab, 200}, nil })
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		g, err := e.Submit(request([]int32{1}, 5))
		if err != nil {
			t.Fatal(err)
		}
		var device *DeviceError
		if _, err := collect(g); !errors.As(err, &device) {
			t.Errorf("the request ends with %v, want a DeviceError", err)
		}
		if <-e.Done(); time.Since(began) > 0 {
			t.Errorf("the engine told of the failure after %v", time.Since(began))
		}
		if err := e.Close(); !errors.As(err, &device) || time.Since(began) != time.Minute {
			t.Errorf("Close() = %v after %v, want a DeviceError after a minute", err, time.Since(began))
		}
		close(c.frees)
		<-e.ended
	})
}

// TestPoison_NeverStaysInTheTree: a prompt that holds a NaN is not kept, however its request ends.
func TestPoison_NeverStaysInTheTree(t *testing.T) {
	var healthy atomic.Bool
	c := &chain{async: true, poisonAt: func(id int32) bool { return id == 7 && !healthy.Load() }}
	e := start(t, c, Options{StepTokens: 4, MaxRequests: 4})
	prompt := []int32{1, 2, 3, 7, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}
	g, err := e.Submit(request(prompt, 5))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collect(g); !errors.Is(err, ErrNumeric) {
		t.Fatalf("a poisoned prompt ends with %v, want ErrNumeric", err)
	}
	for range 50 { // cut short at any point
		g, err := e.Submit(request(prompt, 5))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond)
		g.Cancel()
		_, _ = collect(g)
	}
	waitFor(t, func() bool { s := e.Stats(); return s.Running+s.Waiting == 0 })
	if n := e.Stats().SlotsCached; n != 0 {
		t.Errorf("%d tokens stay in the tree, want none", n)
	}
	healthy.Store(true)
	if g, err = e.Submit(request(prompt, 5)); err != nil {
		t.Fatal(err)
	}
	if got, err := collect(g); err != nil || !slices.Equal(got, chainOutput(prompt, 5, vocab)) {
		t.Errorf("after the fault: %v, %v", got, err)
	}
}

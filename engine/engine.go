// Package engine turns prompts into tokens, many at once: it plans a step, uploads it, runs the model, samples, and
// hands each request its token. It knows neither text nor HTTP.
package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/kvcache"
	"github.com/weft-llm/weft/scheduler"
	"github.com/weft-llm/weft/tensor"
)

// Model is what an engine runs; *model.Decoder is one.
type Model interface {
	// Forward enqueues one step and returns its logits, f32 [S,V].
	Forward(k backend.Kernels, b *backend.Batch) tensor.View
	KVSpec(slots int) backend.KVSpec
	Vocab() int
	MaxContext() int
}

// Options set an engine's limits. The zero value of a field means its default.
type Options struct {
	MaxContext  int // tokens of one request, prompt and output; default: the model's, or what memory holds
	MaxRequests int // requests running at once; default 256, on the CPU 16
	StepTokens  int // tokens computed in one step; default 8192, on the CPU 512
	MixedTokens int // of these, tokens of prompts in a step that also decodes; default: no limit of its own
	// Longest that prompts may make a step that also decodes, in times of one that only decodes: their tokens are fitted to
	// it by what steps took, but at least 16 a step; default: no limit.
	DecodeSlowdown float64
	KVMemory       float64       // share of the memory that is free after loading, for the KV cache; default 0.88
	KVTokens       int           // size of the KV cache in tokens instead; default on the CPU 4·MaxContext, at most 65536
	Queue          int           // requests waiting at most, besides those that are admitted or fit without anyone's end; default 512
	Wait           time.Duration // longest wait in the queue; default 60 s
	Watchdog       time.Duration // a step that takes longer is a *DeviceError that wraps ErrStalled; default 60 s, on the CPU 10 min
	Flight         int           // steps that the flight recorder remembers; default 4096
	Policy         scheduler.Policy
	Expect         int  // output tokens that a request is expected to generate, or ExpectAll; when it was too few, the newest are paused; default: as recent ones did
	NoCache        bool // do not keep prefixes for later requests
	NoOverlap      bool // wait for each step before planning the next
	Verify         bool // check the cache's invariants after each step; slow, for tests
	PauseEvery     int  // pause the newest of several requests each so many steps; for tests
}

// setDefaults fills in what was left open. A backend that works beside the host is an accelerator with memory of its
// own; on the host's the KV cache is modest.
func (o *Options) setDefaults(accelerator bool, maxContext int) {
	requests, tokens, watchdog := 16, 512, 10*time.Minute // a host is slow, but hangs no step
	if accelerator {
		requests, tokens, watchdog = 256, 8192, time.Minute
	} else if o.KVTokens == 0 {
		o.KVTokens = min(4*maxContext, 65536)
	}
	setDefault(&o.MaxRequests, requests)
	setDefault(&o.StepTokens, tokens)
	setDefault(&o.KVMemory, 0.88)
	setDefault(&o.Queue, 512)
	setDefault(&o.Wait, time.Minute)
	setDefault(&o.Watchdog, watchdog)
	setDefault(&o.Flight, 4096)
	o.StepTokens = max(o.StepTokens, o.MaxRequests)
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Engine runs one model on one backend. Its methods may be called from any goroutine.
type Engine struct {
	opts  Options
	info  backend.Info
	vocab int
	slots int // of the KV cache, without the padding slot

	mu        sync.Mutex
	inbox     []*sequence // submitted, not yet seen by the engine goroutine
	cancelled []*sequence
	live      map[*sequence]struct{} // submitted and not ended
	closed    error                  // why Submit refuses; nil while open
	stats     Stats
	wake      chan struct{} // capacity 1: the inbox is not empty, or the engine closes
	done      chan struct{} // closed when the engine serves no more
	ended     chan struct{} // closed when the engine goroutine has ended
	stop      sync.Once     // closes done
	empty     chan struct{} // closed when no requests are left and no more come
	emptied   bool
	admitted  int // requests of live that were admitted at least once
	sure      int // requests of live that were not, but will be without waiting for another to end
	promised  int // slots that these two may come to hold
	reserved  int // places that are held

	born time.Time // began counts from here

	loop *loop // the engine goroutine's own
}

// Start opens a backend and a model on a goroutine and an OS thread of their own, sizes the KV cache, and serves until
// Close. Open's error is returned as it is; nothing is left behind then.
func Start(o Options, open func() (backend.Backend, Model, error)) (*Engine, error) {
	e := newEngine(o)
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer e.halt()
		defer close(e.ended)
		b, m, err := open()
		if err == nil {
			err = e.prepare(b, m)
			if err != nil {
				err = errors.Join(err, b.Close())
			}
		}
		ready <- err
		if err == nil {
			e.loop.run()
		}
	}()
	if err := <-ready; err != nil {
		return nil, err
	}
	go e.watch()
	go e.loop.waker.run(e.done)
	return e, nil
}

func newEngine(o Options) *Engine {
	return &Engine{
		opts: o, live: map[*sequence]struct{}{}, wake: make(chan struct{}, 1), empty: make(chan struct{}),
		done: make(chan struct{}), ended: make(chan struct{}), born: time.Now(),
	}
}

func (e *Engine) halt() { e.stop.Do(func() { close(e.done) }) }

// prepare reserves all memory that the engine will use.
func (e *Engine) prepare(b backend.Backend, m Model) error {
	if err := e.size(b, m); err != nil {
		return err
	}
	if err := b.AllocKV(m.KVSpec(e.slots + 1)); err != nil {
		if full(err) {
			return fmt.Errorf("cannot reserve a KV cache of %d tokens: %w. Lower --kv-memory or --kv-tokens", e.slots, err)
		}
		return fmt.Errorf("cannot reserve a KV cache of %d tokens: %w", e.slots, err)
	}
	e.info, e.vocab = b.Info(), m.Vocab()
	pool := kvcache.NewPool(e.slots)
	e.loop = newLoop(e, b, m, pool, kvcache.NewTree(pool))
	return nil
}

// Submit queues r and returns at once. Errors: *RequestError, *TooLongError, ErrQueueFull, ErrDraining, *DeviceError.
func (e *Engine) Submit(r Request) (*Generation, error) {
	if err := e.check(&r); err != nil {
		return nil, err
	}
	s := newSequence(e, r, time.Now())
	e.mu.Lock()
	defer e.mu.Unlock()
	r.Place.take()
	if e.closed != nil {
		return nil, e.closed
	}
	if !e.enqueue(s) {
		e.stats.Rejected++
		return nil, ErrQueueFull
	}
	e.inbox = append(e.inbox, s)
	e.signal()
	return s.gen, nil
}

// Limit returns how many tokens one request may hold, prompt and output together.
func (e *Engine) Limit() int { return min(e.opts.MaxContext, e.slots) }

// Slots returns the size of the KV cache in tokens.
func (e *Engine) Slots() int { return e.slots }

// Vocab returns the size of the model's vocabulary.
func (e *Engine) Vocab() int { return e.vocab }

// Info describes the device that the engine runs on.
func (e *Engine) Info() backend.Info { return e.info }

// Drain refuses new requests and waits until those under way have ended, or until ctx ends.
func (e *Engine) Drain(ctx context.Context) error {
	e.mu.Lock()
	if e.closed == nil {
		e.closed = ErrDraining
	}
	e.checkEmpty()
	e.mu.Unlock()
	select {
	case <-e.empty:
		return nil
	case <-e.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close cancels what is under way, frees everything and waits for that. It may be called again. An engine that stalled
// frees nothing: its device does not answer. One whose device failed waits for that no longer than Options.Watchdog.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed == nil {
		e.closed = ErrDraining
	}
	e.loop.closing.Store(true)
	e.signal()
	e.mu.Unlock()
	<-e.done
	err := e.Err()
	if errors.Is(err, ErrStalled) {
		return err
	}
	var enough <-chan time.Time
	if err != nil {
		enough = time.After(e.opts.Watchdog)
	}
	select {
	case <-e.ended:
		return e.loop.closeErr
	case <-enough:
		return fmt.Errorf("cannot free the device: it does not answer: %w", err)
	}
}

// Done is closed when the engine has stopped, after Close or because its device failed: Err tells.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err returns the *DeviceError that stopped the engine, or nil.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var device *DeviceError
	if errors.As(e.closed, &device) {
		return device
	}
	return nil
}

func (e *Engine) cancel(s *sequence) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.gen.Finish() == Running {
		e.cancelled = append(e.cancelled, s)
		e.signal()
	}
}

// signal wakes the engine goroutine. e.mu is held.
func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

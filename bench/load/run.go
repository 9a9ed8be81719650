package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Options say how a workload is run.
type Options struct {
	// Concurrency is how many sessions are under way at a time: the next begins when one ends (a closed loop). 0 is an
	// open loop: each session begins at its time, however slow the answers are.
	Concurrency int
	Vocab       int         // ids that stand for answers in conversations of ids are below it
	Progress    func(n int) // called after each request with how many have ended; may be nil

	start time.Time   // what times are relative to; zero: Run's begin
	on    func(i int) // called for each piece of an answer of session i; may be nil
}

// Run plays w against t and returns every request, in order of sessions and turns. It waits for all answers, or for
// ctx; errors of requests are in their results.
func Run(ctx context.Context, t *Target, w *Workload, o Options) *Report {
	r := &runner{t: t, w: w, o: o, ctx: ctx, results: make([][]Result, len(w.Sessions)), start: o.start}
	if r.start.IsZero() {
		r.start = time.Now()
	}
	if o.Concurrency > 0 {
		r.closed()
	} else {
		r.open()
	}
	out := &Report{Wall: time.Since(r.start), Skipped: w.Skipped, Open: o.Concurrency == 0}
	for _, list := range r.results {
		out.Results = append(out.Results, list...)
	}
	for i := range w.Sessions {
		out.Unsent += len(w.Sessions[i].Turns) - len(r.results[i])
	}
	return out
}

type runner struct {
	t       *Target
	w       *Workload
	o       Options
	ctx     context.Context
	results [][]Result // by session
	start   time.Time

	mu   sync.Mutex
	done int
}

// open starts each session at its time. It never waits for an answer: a client that falls behind shows as requests
// that were sent later than due.
func (r *runner) open() {
	var all sync.WaitGroup
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for i := range r.w.Sessions {
		at := r.w.Sessions[i].At
		if wait := at - time.Since(r.start); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-r.ctx.Done():
			}
		}
		if r.ctx.Err() != nil {
			break
		}
		all.Go(func() { r.session(i, at) })
	}
	all.Wait()
}

func (r *runner) closed() {
	var all sync.WaitGroup
	next := make(chan int)
	for range min(r.o.Concurrency, len(r.w.Sessions)) {
		all.Go(func() {
			for i := range next {
				r.session(i, time.Since(r.start))
			}
		})
	}
	for i := range r.w.Sessions {
		select {
		case next <- i:
		case <-r.ctx.Done():
		}
	}
	close(next)
	all.Wait()
}

// session sends the turns of session i, the first one due at due. A failed turn ends it: there is nothing to go on from.
func (r *runner) session(i int, due time.Duration) {
	turns := r.w.Sessions[i].Turns
	c := newConversation(r.t, r.w.System, i, r.o.Vocab)
	var body []byte
	for turn := range turns {
		if r.ctx.Err() != nil {
			return
		}
		one := Result{Session: i, Turn: turn, Due: due, Arrivals: make([]time.Duration, 0, turns[turn].Output)}
		c.say("user", turns[turn].Input)
		if r.t.Salts {
			c.salt = fmt.Sprintf("%d-%d-%d", r.start.UnixNano(), i, turn)
		}
		body = c.body(body[:0], turns[turn].Output)
		var on func()
		if r.o.on != nil {
			on = func() { r.o.on(i) }
		}
		text := r.t.call(r.ctx, r.start, body, &one, on)
		r.results[i] = append(r.results[i], one)
		r.count()
		if one.Error != "" {
			return
		}
		c.answer(text, turns[turn].Output)
		due = time.Since(r.start)
	}
}

func (r *runner) count() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done++; r.o.Progress != nil {
		r.o.Progress(r.done)
	}
}

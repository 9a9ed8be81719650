package engine

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/kvcache"
	"github.com/weft-llm/weft/scheduler"
	"github.com/weft-llm/weft/tensor"
)

// loop is what the engine goroutine works on. Nothing else touches it, but for closing.
type loop struct {
	e       *Engine
	b       backend.Backend
	forward func(*backend.Batch) tensor.View
	pool    *kvcache.Pool
	tree    *kvcache.Tree
	overlap bool
	async   bool

	running []*sequence // in the order of admission
	waiting []*sequence // in the order of arrival; paused ones first
	rows    []int32     // free rows of the page table
	slots   [][]int32   // [row] memory for the slots of the request in that row, used again

	lengths   lengths
	accounts  accounts
	computing []*sequence // of holdBack
	leading   []int

	state   scheduler.State
	plan    scheduler.Plan
	flights [2]flight
	next    int // the flight to use for the next step
	result  backend.Result
	count   Stats
	given   []*Generation // got a token from the step that lands
	waker   *waker

	recorder *recorder
	pace     pace
	timer    backend.Timer // nil: the backend does not tell
	turn     time.Time     // when this turn of the loop began
	finished int           // requests that ended
	recorded struct {      // what earlier records counted
		finished int
		paused   uint64
	}

	began    atomic.Int64 // when the step under way was launched or awaited, in nanoseconds since Engine.born; 0: idle
	closing  atomic.Bool
	closeErr error
}

// flight is one step from its launch until its samples are known.
type flight struct {
	step    backend.Step
	batch   *backend.Batch
	sampled []*sequence // [S]
	record  StepRecord
}

func newLoop(e *Engine, b backend.Backend, m Model, pool *kvcache.Pool, tree *kvcache.Tree) *loop {
	async := b.Info().Async
	l := &loop{
		e: e, b: b, pool: pool, tree: tree, async: async, overlap: async && !e.opts.NoOverlap,
		slots:    make([][]int32, e.opts.MaxRequests),
		waker:    newWaker(),
		recorder: newRecorder(e.opts.Flight), timer: timerOf(b), pace: pace{limit: e.opts.DecodeSlowdown},
	}
	l.forward = func(batch *backend.Batch) tensor.View { return m.Forward(b, batch) }
	if e.opts.Policy == scheduler.FairShare {
		l.accounts = accounts{}
	}
	for row := e.opts.MaxRequests - 1; row >= 0; row-- {
		l.rows = append(l.rows, int32(row))
	}
	return l
}

// run serves until the engine closes or its device fails. With overlap, step N+1 is launched before the samples of N
// are waited for, so that the device never waits for the host.
func (l *loop) run() {
	var flying *flight
	for {
		if !l.receive(flying != nil) {
			l.shutdown(flying)
			return
		}
		l.began.Store(max(1, int64(time.Since(l.e.born)))) // monotonic: a suspended or corrected clock stalls nothing
		next, err := l.launch()
		if err == nil && flying != nil {
			err = l.land(flying)
		}
		flying = next
		if err == nil && next != nil && !l.overlap {
			flying, err = nil, l.land(next)
		}
		if err != nil {
			l.fail(err)
			return
		}
		l.began.Store(0)
		if l.e.opts.Verify {
			l.verify()
		}
		l.publish()
	}
}

// receive takes in what was submitted and cancelled. It blocks while there is nothing to do, and reports false when
// the engine closes.
func (l *loop) receive(flying bool) bool {
	for {
		l.turn = time.Now()
		l.takeInbox()
		l.expire(l.turn)
		if l.closing.Load() {
			return false
		}
		if flying || len(l.running)+len(l.waiting) > 0 {
			return true
		}
		l.publish()
		<-l.e.wake
	}
}

func (l *loop) takeInbox() {
	e := l.e
	e.mu.Lock()
	l.waiting = append(l.waiting, e.inbox...)
	if l.accounts != nil {
		for _, s := range e.inbox {
			s.account = l.accounts.open(s.req.Key)
		}
	}
	clear(e.inbox)
	e.inbox = e.inbox[:0]
	cancelled := e.cancelled
	e.cancelled = nil
	e.mu.Unlock()
	for _, s := range cancelled {
		if !s.ended {
			l.finish(s, Cancelled, nil)
		}
	}
}

// expire ends the requests whose deadline has passed.
func (l *loop) expire(now time.Time) {
	for i := len(l.waiting) - 1; i >= 0; i-- {
		s := l.waiting[i]
		wait := l.e.opts.Wait
		if s.req.Wait > 0 {
			wait = s.req.Wait
		}
		if !s.admitted && now.Sub(s.queued) > wait || s.late(now) {
			l.finish(s, Failed, ErrDeadline)
		}
	}
	for i := len(l.running) - 1; i >= 0; i-- {
		if l.running[i].late(now) {
			l.finish(l.running[i], Failed, ErrDeadline)
		}
	}
}

// finish ends s, wherever it is, and gives back what it holds.
func (l *loop) finish(s *sequence, why Finish, err error) {
	if s.row >= 0 {
		l.running = remove(l.running, s)
		l.release(s)
	} else {
		l.waiting = remove(l.waiting, s)
	}
	s.ended = true
	l.finished++
	if s.account != nil {
		l.accounts.close(s.account)
	}
	if s.emitted > 0 && why != Failed {
		l.lengths.add(s.emitted)
	}
	s.gen.end(why, err)
	l.e.left(s)
}

func remove(list []*sequence, s *sequence) []*sequence {
	i := slices.Index(list, s)
	return slices.Delete(list, i, i+1)
}

// release gives back the slots and the row of s. What it proved to be good stays in the tree for later; a prompt that
// was cut short does not, since it may hold a NaN, which would end every request that reuses it.
// Steps under way may still write to these slots: later steps that reuse them run after those.
func (l *loop) release(s *sequence) {
	known := s.proved
	private := s.slots[s.shared:]
	if known > s.shared && !l.e.opts.NoCache {
		had, _ := l.tree.Insert(s.req.CacheSalt, s.tokens[:known], s.slots[:known])
		l.pool.Put(s.slots[s.shared:max(had, s.shared)])
		private = s.slots[known:]
	}
	l.pool.Put(private)
	l.tree.Unlock(s.node)
	l.rows = append(l.rows, s.row)
	l.slots[s.row] = s.slots[:0]
	s.row, s.node, s.shared, s.computed, s.proved, s.slots = -1, nil, 0, 0, 0, nil
	s.sharedPrompt = false
}

// pause makes s wait again, before all others. What it proved stays in the tree as long as there is room; its
// tokens so far are its prompt when it resumes.
func (l *loop) pause(s *sequence) {
	l.running = remove(l.running, s)
	l.release(s)
	l.waiting = slices.Insert(l.waiting, 0, s)
	l.count.Paused++
}

// fail ends everything because the device failed. Freeing comes last: a broken device may not answer.
func (l *loop) fail(err error) {
	device := &DeviceError{err}
	l.e.mu.Lock()
	l.e.closed = device
	l.e.mu.Unlock()
	l.endAll(Failed, device)
	l.e.halt()
	l.closeErr = errors.Join(device, l.b.Close())
}

// shutdown ends everything because Close was called. The step under way is waited for: it still uses the device.
func (l *loop) shutdown(flying *flight) {
	var err error
	if flying != nil {
		err = l.land(flying)
	}
	l.endAll(Cancelled, nil)
	l.closeErr = errors.Join(err, l.b.Close())
}

func (l *loop) endAll(why Finish, err error) {
	l.takeInbox()
	for len(l.running) > 0 {
		l.finish(l.running[0], why, err)
	}
	for len(l.waiting) > 0 {
		l.finish(l.waiting[0], why, err)
	}
	l.publish()
}

// publish makes the counters visible to Stats.
func (l *loop) publish() {
	c := &l.count
	c.Running, c.Waiting = len(l.running), len(l.waiting)
	c.SlotsFree = l.pool.Free() + l.tree.Evictable()
	c.SlotsUsed = l.pool.Size() - c.SlotsFree
	c.SlotsCached = l.tree.Size()
	c.Outlook = l.lengths.outlook(0)
	l.e.mu.Lock()
	rejected := l.e.stats.Rejected
	l.e.stats = *c
	l.e.stats.Rejected = rejected
	l.e.mu.Unlock()
}

// verify panics when a slot is lost or held twice.
func (l *loop) verify() {
	var private []int32
	for _, s := range l.running {
		private = append(private, s.slots[s.shared:]...)
	}
	if err := kvcache.Verify(l.pool, l.tree, private); err != nil {
		panic(fmt.Sprintf("BUG: after step %d: %v", l.count.Steps, err))
	}
}

package cpu

import (
	"runtime"
	"sync/atomic"
)

// task is one operation cut into units. run computes units [lo,hi) as worker w; units are independent.
type task interface {
	run(w, lo, hi int)
}

// pool shares the units of one task at a time between the caller and workers-1 goroutines. Each has a share of
// consecutive units, so that it reads memory in order, and helps others when its own are done. A worker that finds no
// task spins for some microseconds, because the next operation of a step follows at once, then sleeps.
//
// state is epoch<<32 | open<<31 | joined. A worker may only touch the task after it joined while open was set; the
// caller clears open when no unit is left and waits for those that joined, so a late worker never sees a torn task.
type pool struct {
	workers int
	state   atomic.Uint64
	done    atomic.Int32
	asleep  atomic.Int32
	closed  atomic.Bool
	wake    chan struct{}

	task   task
	grain  int
	shares []share // one a worker
}

// share is units [next,hi), on a cache line of its own.
type share struct {
	next atomic.Int64
	hi   int
	_    [48]byte
}

const (
	poolOpen  = 1 << 31
	poolCount = poolOpen - 1
	spins     = 400 // rounds of pause before a worker sleeps: about 20 µs

	// patience is how many rounds the caller waits for workers before it lets other goroutines run. An engine's goroutine
	// is locked to its thread, and to give way costs such a one two switches of threads: more than most waits take.
	patience = 2000
)

func newPool(workers int) *pool {
	p := &pool{workers: workers, wake: make(chan struct{}, workers), shares: make([]share, workers)}
	for w := 1; w < workers; w++ {
		go p.work(w)
	}
	return p
}

// do runs t's units in pieces of at most grain, and returns when all are done. It allocates nothing.
func (p *pool) do(t task, units, grain int) {
	if units <= 0 {
		return
	}
	if p.workers == 1 || units <= grain {
		for lo := 0; lo < units; lo += grain {
			t.run(0, lo, min(lo+grain, units))
		}
		return
	}
	p.task, p.grain = t, grain
	p.cut(units)
	p.done.Store(0)
	p.state.Store((p.state.Load()>>32+1)<<32 | poolOpen)
	for n := min(p.asleep.Load(), int32((units-1)/grain)); n > 0; n-- {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	p.drain(0)
	joined := int32(p.state.And(^uint64(poolOpen)) & poolCount)
	for i := 0; p.done.Load() < joined; i++ {
		pause(i - patience)
	}
	p.task = nil
}

// cut gives each worker as many pieces, as nearly as they divide.
func (p *pool) cut(units int) {
	pieces, lo := (units+p.grain-1)/p.grain, 0
	for w := range p.shares {
		hi := min(units, pieces*(w+1)/p.workers*p.grain)
		p.shares[w].next.Store(int64(lo))
		p.shares[w].hi = hi
		lo = hi
	}
}

// drain takes pieces until none is left, w's own first.
func (p *pool) drain(w int) {
	for i := range p.shares {
		s := &p.shares[(w+i)%len(p.shares)]
		for {
			hi := int(s.next.Add(int64(p.grain)))
			lo := hi - p.grain
			if lo >= s.hi {
				break
			}
			p.task.run(w, lo, min(hi, s.hi))
		}
	}
}

func (p *pool) work(w int) {
	last := uint64(0)
	for i := 0; ; i++ {
		s := p.state.Load()
		if s&poolOpen != 0 && s>>32 != last {
			if p.state.CompareAndSwap(s, s+1) {
				last = s >> 32
				p.drain(w)
				p.done.Add(1)
			}
			i = 0
			continue
		}
		if i < spins {
			pause(i)
			continue
		}
		if !p.sleep(last) {
			return
		}
		i = 0
	}
}

// sleep waits for a task newer than epoch last. It returns false when the pool is closed.
func (p *pool) sleep(last uint64) bool {
	p.asleep.Add(1)
	defer p.asleep.Add(-1)
	if p.closed.Load() {
		return false
	}
	if s := p.state.Load(); s&poolOpen != 0 && s>>32 != last {
		return true
	}
	<-p.wake
	return !p.closed.Load()
}

func (p *pool) close() {
	if !p.closed.Swap(true) {
		close(p.wake)
	}
}

// pause waits a moment inside a spin loop; from i = 0 on it lets other goroutines run now and then.
func pause(i int) {
	if i >= 0 && i%64 == 63 {
		runtime.Gosched()
		return
	}
	spin()
}

package engine

import "sync"

// waker wakes the readers of tokens on a goroutine of its own: waking hundreds of goroutines takes longer than all else
// that the engine does for a step.
type waker struct {
	mu      sync.Mutex
	pending []*Generation
	some    chan struct{} // capacity 1: pending is not empty
}

func newWaker() *waker { return &waker{some: make(chan struct{}, 1)} }

// add hands over generations that got tokens. The list is the caller's.
func (w *waker) add(gens []*Generation) {
	if len(gens) == 0 {
		return
	}
	w.mu.Lock()
	w.pending = append(w.pending, gens...)
	w.mu.Unlock()
	select {
	case w.some <- struct{}{}:
	default:
	}
}

// run wakes readers until done is closed. The end of a generation wakes its reader without it.
func (w *waker) run(done <-chan struct{}) {
	var batch []*Generation
	for {
		select {
		case <-w.some:
		case <-done:
			return
		}
		w.mu.Lock()
		batch, w.pending = w.pending, batch[:0]
		w.mu.Unlock()
		for _, g := range batch {
			g.wake()
		}
		clear(batch)
	}
}

package engine

import (
	"fmt"
	"time"
)

// watch ends the engine when a step does not end: a kernel that loops or a lost peer would otherwise hold every client
// for ever. The engine goroutine is left where it hangs.
func (e *Engine) watch() {
	t := time.NewTicker(e.opts.Watchdog / 8)
	defer t.Stop()
	for {
		select {
		case <-e.done:
			return
		case <-t.C:
			began := e.loop.began.Load()
			if began != 0 && time.Since(e.born)-time.Duration(began) > e.opts.Watchdog {
				e.stall()
				return
			}
		}
	}
}

func (e *Engine) stall() {
	device := &DeviceError{fmt.Errorf("%w within %v", ErrStalled, e.opts.Watchdog)}
	e.mu.Lock()
	e.closed = device
	for s := range e.live {
		s.gen.end(Failed, device)
	}
	e.mu.Unlock()
	e.halt()
}

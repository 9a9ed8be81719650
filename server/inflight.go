package server

import "sync"

// inflight counts requests and lets a drain wait for the last of them.
type inflight struct {
	mu      sync.Mutex
	n       int
	closing bool
	empty   chan struct{} // closed once closing and n is 0
}

// enter counts a request in; false means that no new ones are taken.
func (f *inflight) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closing {
		return false
	}
	f.n++
	return true
}

func (f *inflight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n--
	if f.n == 0 && f.closing {
		close(f.empty)
	}
}

// stop takes no new requests from here on, and returns a channel that closes when the last one has left.
func (f *inflight) stop() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closing {
		f.closing, f.empty = true, make(chan struct{})
		if f.n == 0 {
			close(f.empty)
		}
	}
	return f.empty
}

func (f *inflight) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.n
}

func (f *inflight) closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.closing
}

package engine

// Place is room in the queue for one request that is still being prepared.
type Place struct {
	engine *Engine
	held   bool // neither used nor given back; guarded by engine.mu
}

// Reserve holds a place for one request, so that what would be refused costs no preparation. Its error is what Submit
// would give to any request now: places that others hold count as taken. Put the place into the request, and Release it
// in any case. A request with a place may still be refused: its size is not known yet.
func (e *Engine) Reserve() (*Place, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.closed != nil:
		return nil, e.closed
	case e.reserved >= e.places():
		e.stats.Rejected++
		return nil, ErrQueueFull
	}
	e.reserved++
	return &Place{e, true}, nil
}

// Release gives the place back unless a request took it. Calling it again, or on nil, does nothing.
func (p *Place) Release() {
	if p == nil {
		return
	}
	p.engine.mu.Lock()
	defer p.engine.mu.Unlock()
	p.take()
}

// take uses the place up. The engine's mu is held.
func (p *Place) take() {
	if p != nil && p.held {
		p.engine.reserved--
		p.held = false
	}
}

// places returns how many requests enqueue would take now at most: those that find the queue empty and a free row need
// no place in it. e.mu is held.
func (e *Engine) places() int {
	waiting := len(e.live) - e.admitted - e.sure
	if waiting > 0 {
		return e.opts.Queue - waiting
	}
	return e.opts.Queue + max(e.opts.MaxRequests-e.admitted-e.sure, 0)
}

// enqueue counts s in, unless the queue is full. e.mu is held.
//
// Only requests that wait for others to end count against Options.Queue. A burst reaches an idle engine before its
// first step has admitted anyone, so what will be admitted for sure is told from counts: a row is free for it, and the
// cache holds it beside all others even if each grows to its limit.
func (e *Engine) enqueue(s *sequence) bool {
	waiting := len(e.live) - e.admitted - e.sure
	switch {
	case waiting == 0 && e.admitted+e.sure < e.opts.MaxRequests && e.promised+s.most() <= e.slots:
		s.sure = true
		e.sure++
		e.promised += s.most()
	case waiting >= e.opts.Queue:
		return false
	}
	e.live[s] = struct{}{}
	return true
}

// enter counts s as admitted. It stays so when it is paused.
func (e *Engine) enter(s *sequence) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s.sure {
		s.sure = false
		e.sure--
		e.promised -= s.most()
	}
	e.admitted++
	e.promised += s.most()
}

// left counts a request out.
func (e *Engine) left(s *sequence) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.live, s)
	switch {
	case s.sure:
		e.sure--
		e.promised -= s.most()
	case s.admitted:
		e.admitted--
		e.promised -= s.most()
	}
	e.checkEmpty()
}

// checkEmpty tells Drain when the last request has ended. e.mu is held.
func (e *Engine) checkEmpty() {
	if e.closed != nil && len(e.live) == 0 && !e.emptied {
		e.emptied = true
		close(e.empty)
	}
}

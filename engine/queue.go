package engine

// Room returns the error that Submit would give to any request now, or nil: who asks first need not prepare a request in
// vain.
func (e *Engine) Room() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed == nil && len(e.live)-e.admitted-e.sure >= e.opts.Queue {
		e.stats.Rejected++
		return ErrQueueFull
	}
	return e.closed
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

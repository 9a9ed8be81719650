package engine

// Stats are counters and gauges for metrics. Counters only grow.
type Stats struct {
	Running, Waiting     int // requests now
	SlotsUsed, SlotsFree int // slots held by running requests; free or evictable
	SlotsCached          int // slots of prefixes kept for later requests, locked ones included
	Outlook              int // output tokens that a new request is expected to generate; 0: all it may
	Steps                uint64
	PromptTokens         uint64 // computed
	CachedTokens         uint64 // found in the cache instead
	OutputTokens         uint64
	Rejected             uint64 // by ErrQueueFull
	Paused               uint64 // times that a request was paused for want of slots
}

// Stats returns the state after the last step.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

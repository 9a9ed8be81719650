// Package scheduler decides what the next step computes. It is policy only: a pure function from what is running,
// what waits and what is free to a Plan. It knows no clock, no device and no request but by its counts.
package scheduler

import (
	"cmp"
	"slices"
)

// Sequence is what the policy knows of one request.
type Sequence struct {
	Tokens   int    // prompt and output so far, tokens under way included
	Computed int    // of these, in the cache or computed by a step under way; waiting: found in the cache
	Output   int    // tokens it may still generate at most
	Expect   int    // of these, as many as it is expected to generate; 0: all
	Held     int    // slots that it alone holds
	Priority int    // higher first, under ByPriority
	Paused   bool   // waiting: it ran before; first under every policy
	Served   uint64 // tokens computed for its key so far, under FairShare
	Behind   bool   // waiting: a running request computes a prefix that this one can take from the cache soon
	After    int    // waiting: one more than the index of the waiting request that would; 0: none
}

func (s *Sequence) todo() int { return s.Tokens - s.Computed }

// State is the engine's at the moment of planning. Running is in the order of admission, Waiting in that of arrival.
type State struct {
	Running, Waiting []Sequence
}

// Policy orders the waiting requests.
type Policy uint8

const (
	FCFS          Policy = iota // first come, first served
	LongestPrefix               // most tokens found in the cache first
	ByPriority                  // highest Priority first
	FairShare                   // least served key first
)

// Budget is what one step may use.
type Budget struct {
	Tokens   int    // tokens computed in a step
	Mixed    int    // of these, tokens of prompts in a step that also decodes; 0: as many as there is room for
	Requests int    // requests running at once
	Free     int    // slots free, or in the cache and evictable
	Total    int    // slots in all
	Locked   int    // slots of cached prefixes that running requests hold
	Cached   int    // tokens found in the cache, of the requests that one step admits
	Policy   Policy //
	Pause    bool   // pause the newest of several requests even if there is room: for tests
}

// Slice is a piece of one request's work: compute N tokens of the request at Index.
type Slice struct{ Index, N int }

// Plan is one step. Indices count in State.Running, for Admit in State.Waiting. Its slices are reused by Make.
type Plan struct {
	Pause   []int   // give their slots back and wait again, newest first
	Decode  []int   // one token each
	Prefill []Slice // pieces of prompts of running requests
	Admit   []Slice // requests to start, in order, with their first piece

	order []int
	peaks []demand
}

// Empty reports whether the step computes nothing.
func (p *Plan) Empty() bool { return len(p.Decode)+len(p.Prefill)+len(p.Admit) == 0 }

// Make plans the next step. Running decodes go first, so that no stream stalls; prompts being computed go next, oldest
// first; requests are admitted into what is left, in the order of the policy, until one does not fit: a large request
// is not overtaken for ever. A request that had better wait for a prefix that another computes lets those after it past;
// it does not wait long. When the decodes do not fit, the newest requests are paused.
func (p *Plan) Make(s *State, b Budget) {
	p.Pause, p.Decode, p.Prefill, p.Admit = p.Pause[:0], p.Decode[:0], p.Prefill[:0], p.Admit[:0]
	alive := p.pause(s, &b)
	for i := range s.Running[:alive] {
		if q := &s.Running[i]; q.todo() == 1 && q.Output > 0 && b.Tokens > 0 {
			p.Decode = append(p.Decode, i)
			b.take(1)
		}
	}
	if len(p.Decode) > 0 && b.Mixed > 0 {
		b.Tokens = min(b.Tokens, b.Mixed)
	}
	for i := range s.Running[:alive] {
		if q := &s.Running[i]; q.todo() > 1 {
			if n := min(q.todo(), b.Tokens, b.Free); n > 0 {
				p.Prefill = append(p.Prefill, Slice{i, n})
				b.take(n)
			}
		}
	}
	if len(p.Pause) == 0 {
		p.admit(s, b)
	}
}

func (b *Budget) take(n int) {
	b.Tokens -= n
	b.Free -= n
}

// pause picks the newest requests until the decodes of the others fit, and returns how many go on.
func (p *Plan) pause(s *State, b *Budget) int {
	decodes := 0
	for i := range s.Running {
		if q := &s.Running[i]; q.todo() == 1 && q.Output > 0 {
			decodes++
		}
	}
	alive := len(s.Running)
	for alive > 1 && (decodes > b.Free || b.Pause && alive == len(s.Running)) {
		alive--
		q := &s.Running[alive]
		if q.todo() == 1 && q.Output > 0 {
			decodes--
		}
		b.Free += q.Held
		p.Pause = append(p.Pause, alive)
	}
	return alive
}

func (p *Plan) admit(s *State, b Budget) {
	if len(s.Waiting) == 0 || len(s.Running) >= b.Requests {
		return
	}
	p.sort(s.Waiting, b.Policy)
	p.peaks = p.peaks[:0]
	for i := range s.Running {
		q := &s.Running[i]
		p.peaks = insert(p.peaks, demand{left: q.expected(), held: q.Held + q.todo()})
	}
	for _, i := range p.order {
		q := &s.Waiting[i]
		if len(s.Running)+len(p.Admit) >= b.Requests {
			return
		}
		if q.Behind || q.After > 0 && p.admits(q.After-1) {
			continue
		}
		n := min(q.todo(), b.Tokens, b.Free-q.Computed)
		p.peaks = insert(p.peaks, demand{left: q.expected(), held: q.Tokens})
		if n <= 0 || q.Computed > b.Cached || peak(p.peaks)+b.Locked > b.Total {
			return
		}
		p.Admit = append(p.Admit, Slice{i, n})
		b.take(n)
		b.Cached -= q.Computed
		b.Free -= q.Computed // its prefix was evictable, and is now held
	}
}

func (p *Plan) admits(i int) bool {
	return slices.ContainsFunc(p.Admit, func(a Slice) bool { return a.Index == i })
}

// expected returns how many tokens q will still generate, as far as one can tell.
func (s *Sequence) expected() int {
	if s.Expect == 0 {
		return s.Output
	}
	return min(s.Output, s.Expect)
}

// sort sets p.order to the waiting requests in the order of the policy; equals keep their arrival, and those that were
// paused go before all.
func (p *Plan) sort(waiting []Sequence, policy Policy) {
	p.order = p.order[:0]
	for i := range waiting {
		p.order = append(p.order, i)
	}
	if policy == FCFS {
		return // the engine keeps paused requests in front
	}
	slices.SortStableFunc(p.order, func(a, b int) int {
		x, y := &waiting[a], &waiting[b]
		switch {
		case x.Paused != y.Paused:
			return cmp.Compare(truth(y.Paused), truth(x.Paused))
		case x.Paused:
			return 0
		case policy == LongestPrefix:
			return y.Computed - x.Computed
		case policy == ByPriority:
			return cmp.Compare(y.Priority, x.Priority)
		}
		return cmp.Compare(x.Served, y.Served)
	})
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// demand is one request's future: slots it holds after this step's work, and tokens it will add.
type demand struct{ left, held int }

// insert keeps d sorted by descending left.
func insert(d []demand, x demand) []demand {
	i, _ := slices.BinarySearchFunc(d, x, func(a, b demand) int { return b.left - a.left })
	return slices.Insert(d, i, x)
}

// peak returns the most slots that the requests of d will hold at once. The request that ends i-th from last does so
// after left tokens more, when only those before it in d are alive, each having grown as much:
// max over i of i·left_i + Σ_{j≤i} held_j (Gong et al. 2025, arXiv:2507.10150, "past-future scheduler").
func peak(d []demand) int {
	most, held := 0, 0
	for i, x := range d {
		held += x.held
		most = max(most, held+(i+1)*x.left)
	}
	return most
}

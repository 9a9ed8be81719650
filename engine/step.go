package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/scheduler"
)

// launch plans a step and enqueues it. It returns nil when there is nothing to compute.
func (l *loop) launch() (*flight, error) {
	l.describe()
	l.plan.Make(&l.state, l.budget())
	if l.plan.Empty() && len(l.plan.Pause) == 0 {
		return nil, nil
	}
	f := &l.flights[l.next]
	l.next ^= 1
	f.reset()
	if err := l.fill(f); err != nil {
		return nil, err
	}
	if len(f.step.IDs) == 0 {
		return nil, nil
	}
	planned := time.Now()
	l.planned(f, planned)
	var err error
	if f.batch, err = l.b.Begin(&f.step); err != nil {
		return nil, fmt.Errorf("cannot upload step %d: %w", f.record.Step, err)
	}
	uploaded := time.Now()
	if err := l.b.Run(f.batch, l.forward); err != nil {
		return nil, fmt.Errorf("cannot run step %d: %w", f.record.Step, err)
	}
	l.count.Steps++
	l.launched(f, planned, uploaded, time.Now())
	return f, nil
}

// describe tells the scheduler what runs and what waits.
func (l *loop) describe() {
	l.state.Running, l.state.Waiting = l.state.Running[:0], l.state.Waiting[:0]
	for _, s := range l.running {
		l.state.Running = append(l.state.Running, scheduler.Sequence{
			Tokens: s.length(), Computed: s.computed, Output: s.left(), Expect: l.expect(s), Held: len(s.slots) - s.shared,
		})
	}
	may := len(l.rows) // requests that may be admitted: only they are looked up in the tree
	if may > 0 && l.e.opts.Policy != scheduler.FCFS {
		may = len(l.waiting)
	}
	for i, s := range l.waiting {
		q := scheduler.Sequence{Tokens: s.length(), Output: s.left(), Expect: l.expect(s), Priority: s.req.Priority, Paused: s.admitted}
		if s.account != nil {
			q.Served = s.account.served
		}
		if i < may && !l.e.opts.NoCache {
			q.Computed = l.tree.Peek(s.req.CacheSalt, s.reusable())
		}
		l.state.Waiting = append(l.state.Waiting, q)
	}
	l.holdBack(l.state.Waiting[:min(may, len(l.waiting))])
}

// reusable is the part of the sequence that may come from the cache: at least one token is computed, for its logits.
func (s *sequence) reusable() []int32 { return s.tokens[:min(len(s.tokens), s.length()-1)] }

func (l *loop) budget() scheduler.Budget {
	o := &l.e.opts
	return scheduler.Budget{
		Tokens: o.StepTokens, Mixed: l.pace.mixed(o.MixedTokens), Requests: o.MaxRequests, Cached: o.MaxContext, Policy: o.Policy,
		Free: l.pool.Free() + l.tree.Evictable(), Total: l.pool.Size(), Locked: l.tree.Locked(),
		Pause: o.PauseEvery > 0 && l.count.Steps%uint64(o.PauseEvery) == 0,
	}
}

// fill carries the plan out: it moves requests and slots, and writes the step's input.
func (l *loop) fill(f *flight) error {
	p := &l.plan
	running := l.running
	for _, i := range p.Pause {
		l.pause(running[i]) // the newest come first: the indices before it stay right
	}
	for _, w := range p.Admit {
		l.admit(f, l.waiting[w.Index], l.state.Waiting[w.Index].Computed)
	}
	l.dropAdmitted()

	need := len(p.Decode)
	for _, w := range p.Prefill {
		need += w.N
	}
	for _, w := range p.Admit {
		need += w.N
	}
	if short := need - l.pool.Free(); short > 0 {
		l.tree.Evict(short)
	}
	for _, i := range p.Decode {
		if err := l.add(f, l.running[i], 1); err != nil {
			return err
		}
	}
	f.step.Decodes = len(p.Decode)
	for _, w := range p.Prefill {
		if err := l.add(f, l.running[w.Index], w.N); err != nil {
			return err
		}
	}
	admitted := l.running[len(l.running)-len(p.Admit):]
	for i, w := range p.Admit {
		if err := l.add(f, admitted[i], w.N); err != nil {
			return err
		}
	}
	return nil
}

// admit gives a waiting request a row and the prefix of it that the tree was found to have.
func (l *loop) admit(f *flight, s *sequence, cached int) {
	last := len(l.rows) - 1
	s.row = l.rows[last]
	l.rows = l.rows[:last]
	room := slices.Grow(l.slots[s.row][:0], s.length()+min(s.left(), roomAhead))
	s.slots, s.node = l.tree.Match(room, s.req.CacheSalt, s.tokens[:cached])
	l.tree.Lock(s.node)
	s.shared = len(s.slots)
	s.computed, s.proved = s.shared, s.shared
	for pos, slot := range s.slots {
		f.step.Cached = append(f.step.Cached, backend.Cached{Row: s.row, Pos: int32(pos), Slot: slot, ID: s.tokens[pos]})
	}
	if !s.admitted {
		s.admitted = true
		s.gen.setCached(s.shared)
		l.e.enter(s)
	}
	l.count.CachedTokens += uint64(s.shared)
	l.running = append(l.running, s)
}

func (l *loop) dropAdmitted() {
	if len(l.plan.Admit) == 0 {
		return
	}
	kept := l.waiting[:0]
	for _, s := range l.waiting {
		if s.row < 0 {
			kept = append(kept, s)
		}
	}
	clear(l.waiting[len(kept):])
	l.waiting = kept
}

// add puts the next n tokens of s into the step; when they are its last ones, its next token is sampled.
func (l *loop) add(f *flight, s *sequence, n int) (err error) {
	st := &f.step
	if s.slots, err = l.pool.Take(s.slots, n); err != nil {
		return fmt.Errorf("BUG: the plan asks for more than there is: %w", err)
	}
	owner := int32(len(st.Rows))
	for pos := s.computed; pos < s.computed+n; pos++ {
		id := backend.FromDevice
		if pos < len(s.tokens) {
			id = s.tokens[pos]
		}
		st.IDs = append(st.IDs, id)
		st.Pos = append(st.Pos, int32(pos))
		st.Slots = append(st.Slots, s.slots[pos])
	}
	s.computed += n
	if s.account != nil {
		s.account.served += uint64(n)
	}
	st.Rows = append(st.Rows, s.row)
	st.Start = append(st.Start, int32(len(st.IDs)))
	st.Context = append(st.Context, int32(s.computed))
	if s.emitted == 0 && s.pending == 0 {
		l.count.PromptTokens += uint64(n)
	}
	if s.computed == s.length() {
		st.Last = append(st.Last, int32(len(st.IDs)-1))
		st.Owner = append(st.Owner, owner)
		st.Sampling = append(st.Sampling, sampling(st, s))
		f.sampled = append(f.sampled, s)
		s.pending++
	}
	return nil
}

func (f *flight) reset() {
	st := &f.step
	st.IDs, st.Pos, st.Slots = st.IDs[:0], st.Pos[:0], st.Slots[:0]
	st.Rows, st.Start, st.Context = st.Rows[:0], append(st.Start[:0], 0), st.Context[:0]
	st.Last, st.Owner, st.Sampling = st.Last[:0], st.Owner[:0], st.Sampling[:0]
	st.Cached, st.Bias, st.Masks = st.Cached[:0], st.Bias[:0], st.Masks[:0]
	st.Decodes = 0
	clear(f.sampled)
	f.sampled = f.sampled[:0]
}

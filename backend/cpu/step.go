package cpu

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// step is one batch's inputs and results. Two alternate, so that one is collected after the next began.
type step struct {
	batch     backend.Batch
	sampled   backend.Batch // batch.Sampled
	in        stepInput
	last      backend.Step // what sampled's views point to
	cached    []backend.Cached
	owner     []int32
	sampling  []backend.Sampling
	bias      []backend.Bias
	masks     []uint32
	result    backend.Result
	collected bool
}

// stepInput is the integers that views point to.
type stepInput struct {
	ids, pos, slots, rows, start, context, last []int32
}

func stepInts(l backend.Limits, samples int) int {
	return 3*l.Tokens + 3*l.Requests + 1 + 5*samples + 1
}

// init cuts the step's arrays from memory.
func (s *step) init(memory []int32, l backend.Limits, samples int) {
	cut := func(n int) []int32 {
		part := memory[:0:n]
		memory = memory[n:]
		return part
	}
	in := &s.in
	in.ids, in.pos, in.slots = cut(l.Tokens), cut(l.Tokens), cut(l.Tokens)
	in.rows, in.context, in.start, in.last = cut(l.Requests), cut(l.Requests), cut(l.Requests+1), cut(samples)
	s.last = backend.Step{Pos: cut(samples), Rows: cut(samples), Context: cut(samples), Start: cut(samples + 1)}
	s.cached = make([]backend.Cached, 0, l.Cached)
	s.owner = make([]int32, 0, samples)
	s.sampling = make([]backend.Sampling, 0, samples)
	s.result = backend.Result{
		IDs:         make([]int32, samples),
		Logprobs:    make([]float32, samples),
		TopIDs:      make([]int32, samples*backend.MaxTopLogprobs),
		TopLogprobs: make([]float32, samples*backend.MaxTopLogprobs),
	}
}

// Begin copies s and resets the activation arena.
func (b *Backend) Begin(s *backend.Step) (*backend.Batch, error) {
	if err := b.check(s); err != nil {
		return nil, fmt.Errorf("cannot begin a step: %w", err)
	}
	b.err = nil
	b.arena.reset()
	b.ticket++
	st := &b.steps[b.ticket%2]
	in := &st.in
	in.ids = append(in.ids[:0], s.IDs...)
	in.pos = append(in.pos[:0], s.Pos...)
	in.slots = append(in.slots[:0], s.Slots...)
	in.rows = append(in.rows[:0], s.Rows...)
	in.start = append(in.start[:0], s.Start...)
	in.context = append(in.context[:0], s.Context...)
	in.last = append(in.last[:0], s.Last...)
	st.cached = append(st.cached[:0], s.Cached...)
	st.owner = append(st.owner[:0], s.Owner...)
	st.sampling = append(st.sampling[:0], s.Sampling...)
	st.bias = append(st.bias[:0], s.Bias...)
	st.masks = append(st.masks[:0], s.Masks...)
	st.collected = true // until Run
	st.batch = backend.Batch{
		IDs: viewInts(in.ids), Pos: viewInts(in.pos), Slots: viewInts(in.slots), Rows: viewInts(in.rows),
		Start: viewInts(in.start), Context: viewInts(in.context), Last: viewInts(in.last),
		Tokens: len(s.IDs), Requests: len(s.Rows), Decodes: s.Decodes, Samples: len(s.Last),
		Sampled: &st.sampled, Ticket: b.ticket, State: st,
	}
	s.AttendLast(&st.last)
	st.sampled = backend.Batch{
		Pos: viewInts(st.last.Pos), Rows: viewInts(st.last.Rows), Start: viewInts(st.last.Start), Context: viewInts(st.last.Context),
		Tokens: len(s.Last), Requests: len(s.Last), Decodes: len(s.Last), Samples: len(s.Last),
	}
	return &st.batch, nil
}

func (b *Backend) check(s *backend.Step) error {
	if b.pages == nil {
		return errors.New("no KV cache: call Plan, then AllocKV")
	}
	return s.Check(b.limits, b.spec.Slots)
}

// Run computes forward and samples its logits before it returns.
func (b *Backend) Run(batch *backend.Batch, forward func(*backend.Batch) tensor.View) error {
	st := batch.State.(*step)
	b.fill(st)
	logits := forward(batch)
	if b.err == nil && batch.Samples > 0 && logits.Rank > 0 {
		b.draw(st, logits)
	}
	if b.err != nil {
		return fmt.Errorf("cannot run the step: %w", b.err)
	}
	st.collected = false
	return nil
}

// fill brings the page table and the token pool up to date and looks up ids that earlier steps sampled.
func (b *Backend) fill(st *step) {
	for _, c := range st.cached {
		b.page(c.Row)[c.Pos] = c.Slot
		b.tokens(c.Row)[c.Pos] = c.ID
	}
	in := &st.in
	for r, row := range in.rows {
		pages, tokens := b.page(row), b.tokens(row)
		for t := in.start[r]; t < in.start[r+1]; t++ {
			pos := in.pos[t]
			pages[pos] = in.slots[t]
			if in.ids[t] == backend.FromDevice {
				in.ids[t] = tokens[pos]
			}
			tokens[pos] = in.ids[t]
		}
	}
}

// Collect copies batch's results.
func (b *Backend) Collect(batch *backend.Batch, r *backend.Result) error {
	st := batch.State.(*step)
	if st.collected {
		return fmt.Errorf("cannot collect step %d: it was collected before, or it did not run", batch.Ticket)
	}
	st.collected = true
	n := batch.Samples
	r.IDs = append(r.IDs[:0], st.result.IDs[:n]...)
	r.Logprobs = append(r.Logprobs[:0], st.result.Logprobs[:n]...)
	r.TopIDs = append(r.TopIDs[:0], st.result.TopIDs[:n*backend.MaxTopLogprobs]...)
	r.TopLogprobs = append(r.TopLogprobs[:0], st.result.TopLogprobs[:n*backend.MaxTopLogprobs]...)
	return nil
}

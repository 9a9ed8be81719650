package cuda

import (
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// step is the host's side of one step. Two alternate: one is filled while the other runs.
type step struct {
	packed []int32 // pinned; so are the next three
	bias   []backend.Bias
	masks  []uint32
	cached []backend.Cached

	batch    backend.Batch // as the caller sees it
	sampled  backend.Batch // batch.Sampled
	padded   backend.Batch // as forward sees it when it is recorded
	shape    shape         // padded
	replays  bool          // the batch may run by a graph
	sampling samplingClass

	done  driver.Event // pinned inputs may be filled again, and pinned results may be read; the timer's
	state stepState
	out   stepResults
}

type stepState uint8

const (
	collected stepState = iota
	begun
	running
)

// Begin uploads s, brings the page table and the token pool up to date, and resets the arena. For a batch that Run may
// replay that is part of the graph.
func (b *Backend) Begin(s *backend.Step) (*backend.Batch, error) {
	if err := b.check(s); err != nil {
		return nil, fmt.Errorf("cannot begin a step: %w", err)
	}
	b.err = nil
	b.arena.reset()
	b.ticket++
	st := &b.steps[b.ticket%2]
	if err := b.release(st); err != nil {
		return nil, fmt.Errorf("cannot begin a step: %w", err)
	}
	st.done = b.timer.at(b.ticket).ended
	b.arrange(st, s)
	if err := b.upload(st, s); err != nil {
		return nil, fmt.Errorf("cannot upload a step of %d tokens: %w", len(s.IDs), err)
	}
	st.state = begun
	return &st.batch, nil
}

// release waits until the device has done with st's pinned memory, as it has when the step before was collected.
func (b *Backend) release(st *step) error {
	was := st.state
	st.state = collected
	switch was {
	case running:
		return st.done.Sync()
	case begun: // it never ran, or running it failed
		return b.stream.Sync()
	}
	return nil
}

// arrange fills st's packed buffer and views. A pure decode batch is padded to its bucket with requests that read and
// write the padding row and slot.
func (b *Backend) arrange(st *step, s *backend.Step) {
	real := shape{len(s.IDs), len(s.Rows), len(s.Last), s.Decodes}
	st.replays = !b.opts.NoGraphs && pureDecode(s)
	st.shape = real
	if st.replays {
		st.shape = decode(bucket(real.requests))
	}
	l := st.shape.layout()
	fill := func(at, n int, v []int32, padding int32) {
		to := st.packed[at : at+n]
		for i := copy(to, v); i < n; i++ {
			to[i] = padding
		}
	}
	p := st.shape
	fill(l.ids, p.tokens, s.IDs, 0)
	fill(l.pos, p.tokens, s.Pos, 0)
	fill(l.slots, p.tokens, s.Slots, 0)
	fill(l.rows, p.requests, s.Rows, int32(b.limits.Requests))
	fill(l.start, p.requests+1, s.Start, 0)
	fill(l.context, p.requests, s.Context, 1)
	fill(l.last, p.samples, s.Last, 0)
	fill(l.owner, p.samples, s.Owner, 0)
	for i := real.requests; i < p.requests; i++ { // a padding request is a request of one token
		st.packed[l.start+i+1] = int32(i + 1)
		st.packed[l.last+i], st.packed[l.owner+i] = int32(i), int32(i)
	}
	to := over[backend.Sampling](bytesOf(st.packed[l.sampling : l.sampling+p.samples*samplingWords]))
	for i := copy(to, s.Sampling); i < p.samples; i++ {
		to[i] = backend.Sampling{TopP: 1, Repetition: 1, Logprobs: -1}
	}
	st.sampling, st.out.tops = classOf(s.Sampling)
	fillViews(&st.batch, real, 0)
	fillViews(&st.padded, st.shape, b.inputs.packed)
	st.batch.IDs, st.batch.Pos, st.batch.Slots = cut(st.padded.IDs, real.tokens), cut(st.padded.Pos, real.tokens), cut(st.padded.Slots, real.tokens)
	st.batch.Rows, st.batch.Start, st.batch.Context = cut(st.padded.Rows, real.requests), cut(st.padded.Start, real.requests+1), cut(st.padded.Context, real.requests)
	st.batch.Last = cut(st.padded.Last, real.samples)
	st.batch.Sampled, st.padded.Sampled = &st.sampled, &st.padded
	if !st.replays {
		at := func(i, n int) []int32 { return st.packed[i : i : i+n] }
		s.AttendLast(&backend.Step{
			Pos: at(l.sampled.pos, p.samples), Rows: at(l.sampled.rows, p.samples),
			Start: at(l.sampled.start, p.samples+1), Context: at(l.sampled.context, p.samples),
		})
		fillSampled(&st.sampled, p, b.inputs.packed)
	}
	st.batch.Ticket, st.batch.State = b.ticket, st
	st.padded.Ticket, st.padded.State = b.ticket, st
}

// cut returns the first n values of v.
func cut(v tensor.View, n int) tensor.View {
	v.Dim[0] = n
	return v
}

// pureDecode reports whether each request of s computes and samples one token, in order.
func pureDecode(s *backend.Step) bool {
	n := len(s.Rows)
	if n == 0 || s.Decodes != n || len(s.IDs) != n || len(s.Last) != n {
		return false
	}
	for i := range n {
		if s.Last[i] != int32(i) || s.Owner[i] != int32(i) {
			return false
		}
	}
	return true
}

// upload enqueues the copies and the books, but for what a graph has itself.
func (b *Backend) upload(st *step, s *backend.Step) error {
	n := copy(st.bias, s.Bias)
	if err := driver.CopyHtoD(b.stream, b.inputs.bias, bytesOf(st.bias[:n])); err != nil {
		return err
	}
	n = copy(st.masks, s.Masks)
	if err := driver.CopyHtoD(b.stream, b.inputs.masks, bytesOf(st.masks[:n])); err != nil {
		return err
	}
	if err := b.uploadCached(st, s.Cached); err != nil || st.replays {
		return err
	}
	return b.uploadPacked(st)
}

func (b *Backend) uploadPacked(st *step) error {
	words := st.shape.layout().all
	if err := driver.CopyHtoD(b.stream, b.inputs.packed, bytesOf(st.packed[:words])); err != nil {
		return err
	}
	p := &st.padded
	return b.k.StepTokens(b.stream, p.IDs, p.Pos, p.Slots, p.Rows, p.Start, b.kv.pages, b.kv.tokens)
}

// uploadCached enters cached tokens in the tables, as many at a time as the buffer holds.
func (b *Backend) uploadCached(st *step, cached []backend.Cached) error {
	for len(cached) > 0 {
		n := copy(st.cached, cached)
		cached = cached[n:]
		if err := driver.CopyHtoD(b.stream, b.inputs.cached, bytesOf(st.cached[:n])); err != nil {
			return err
		}
		entries := tensor.Of(b.inputs.cached, tensor.I32, n, 4)
		if err := b.k.StepCached(b.stream, entries, b.kv.pages, b.kv.tokens); err != nil {
			return err
		}
		if len(cached) > 0 { // the pinned buffer is filled again
			if err := b.stream.Sync(); err != nil {
				return err
			}
		}
	}
	return nil
}

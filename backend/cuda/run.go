package cuda

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// graphs holds the recorded decode steps: one for each padded batch size and class of sampling, twice, since steps in
// turn have pinned memory of their own.
type graphs struct {
	execs [2][samplingClasses][]*driver.Exec // by ticket and bucketIndex
	off   error                              // why no more are made: the device has no memory for them
}

func (g *graphs) close() error {
	var errs []error
	for i := range g.execs {
		for _, list := range g.execs[i] {
			for _, x := range list {
				if x != nil {
					errs = append(errs, x.Destroy())
				}
			}
		}
	}
	return errors.Join(errs...)
}

// GraphsOff returns why decode steps are launched kernel by kernel though graphs were wanted, or nil: the GPU had no
// memory left to instantiate one.
func (b *Backend) GraphsOff() error { return b.graphs.off }

// Run enqueues forward and the sampling of its logits, or replays them where the batch's size was recorded.
func (b *Backend) Run(batch *backend.Batch, forward func(*backend.Batch) tensor.View) error {
	st, ok := batch.State.(*step)
	if !ok || st.state != begun || batch.Ticket != b.ticket {
		return fmt.Errorf("cannot run step %d: it is not the one that began last", batch.Ticket)
	}
	if err := b.enqueue(st, forward); err != nil {
		return fmt.Errorf("cannot run the step: %w", err)
	}
	if err := st.done.Record(b.stream); err != nil {
		return fmt.Errorf("cannot run the step: %w", err)
	}
	st.state = running
	return nil
}

// enqueue enqueues the step with the copy of its results.
func (b *Backend) enqueue(st *step, forward func(*backend.Batch) tensor.View) error {
	batch := &st.batch
	if st.replays {
		x, err := b.recorded(st, forward)
		if err != nil {
			return err
		}
		if x != nil {
			if err := b.markBegin(); err != nil {
				return err
			}
			return x.Launch(b.stream)
		}
		if err := b.uploadPacked(st); err != nil {
			return err
		}
		batch = &st.padded
	}
	if err := b.markBegin(); err != nil {
		return err
	}
	if _, err := b.launch(st, batch, forward, 0); err != nil {
		return err
	}
	return b.fetch(st)
}

// whole enqueues all of a decode step, for its graph.
func (b *Backend) whole(st *step, forward func(*backend.Batch) tensor.View) error {
	if err := b.begin(st.shape, addressOf(st.packed)); err != nil {
		return err
	}
	host := addressOf(st.out.raw)
	if ended, err := b.launch(st, &st.padded, forward, host); ended || err != nil {
		return err
	}
	return b.end(st.sampling, host)
}

// begin enqueues the upload and the books of a decode step whose inputs lie at host.
func (b *Backend) begin(s shape, host uintptr) error {
	l := s.layout()
	pages, tokens := b.tables()
	packed := tensor.Of(b.inputs.packed, tensor.I32, l.words)
	return b.k.StepBegin(b.stream, packed, host, ptx.StepInputs{T: s.tokens, Pos: l.pos, Slots: l.slots, Rows: l.rows}, pages, tokens)
}

// end enqueues the copy of what a class of sampling gives to host.
func (b *Backend) end(class samplingClass, host uintptr) error {
	n := b.results.few
	if class&ptx.NeedLogprobs != 0 {
		n = b.results.all
	}
	return b.k.StepEnd(b.stream, host, b.results.ids.Ptr, int(n/4))
}

// launch enqueues the step kernel by kernel. Where the kernel of its logits takes the tokens, they come to host too, unless that is
// 0, and ended is true.
func (b *Backend) launch(st *step, batch *backend.Batch, forward func(*backend.Batch) tensor.View, host uintptr) (ended bool, err error) {
	b.postpones = st.sampling == 0 && b.takesArgmax()
	logits := forward(batch)
	if b.argmax(st.shape, batch, logits, host) {
		return true, b.err
	}
	if b.err == nil && batch.Samples > 0 && logits.Rank > 0 {
		b.fail(b.sample(st.shape, batch, logits, st.sampling))
	}
	return false, b.err
}

// recorded returns the graph of st's shape, recording it on first use; nil when the device has no memory for it.
func (b *Backend) recorded(st *step, forward func(*backend.Batch) tensor.View) (*driver.Exec, error) {
	g := &b.graphs
	list := &g.execs[st.batch.Ticket%2][st.sampling]
	if *list == nil {
		*list = make([]*driver.Exec, bucketIndex(b.rows)+1)
	}
	at := bucketIndex(st.shape.requests)
	if x := (*list)[at]; x != nil || g.off != nil {
		return x, nil
	}
	graph, err := b.ctx.Capture(b.stream, func() error { return b.whole(st, forward) })
	if err != nil {
		return nil, err
	}
	x, err := graph.Instantiate()
	if errors.Is(err, driver.OutOfMemory) {
		g.off = err
		b.arena.reset()
		return nil, graph.Destroy()
	}
	if err = errors.Join(err, graph.Destroy()); err != nil {
		if x != nil {
			err = errors.Join(err, x.Destroy())
		}
		return nil, err
	}
	(*list)[at] = x
	return x, nil
}

// results is the device's side of what a step sampled.
type results struct {
	ids, logprobs, topIDs, topLogprobs tensor.View
	few, all                           int64 // bytes of ids and log-probabilities, and with the alternatives
}

// stepResults is the pinned copy.
type stepResults struct {
	raw         []byte
	ids, topIDs []int32
	logprobs    []float32
	topLogprobs []float32
	tops        bool // the alternatives were asked for
}

// resultsAt lays out the ids and log-probabilities of n samples, then both for their alternatives.
func resultsAt(p driver.DevicePtr, n int) results {
	const top = backend.MaxTopLogprobs
	return results{
		ids: tensor.Of(p, tensor.I32, n), logprobs: tensor.Of(p+uintptr(4*n), tensor.F32, n),
		topIDs:      tensor.Of(p+uintptr(8*n), tensor.I32, n, top),
		topLogprobs: tensor.Of(p+uintptr(8*n+4*n*top), tensor.F32, n, top),
		few:         int64(8 * n), all: int64(8 * n * (1 + top)),
	}
}

// reserveResults takes the memory of the results on both sides.
func (b *Backend) reserveResults() error {
	n, tops := b.rows, b.rows*backend.MaxTopLogprobs
	p, err := b.memory.device(b.results.all)
	if err != nil {
		return err
	}
	b.results = resultsAt(p, n)
	for i := range b.steps {
		out := &b.steps[i].out
		if out.raw, err = b.memory.host(int(b.results.all)); err != nil {
			return err
		}
		words, floats := over[int32](out.raw), over[float32](out.raw)
		out.ids, out.logprobs = words[:n], floats[n:2*n]
		out.topIDs, out.topLogprobs = words[2*n:2*n+tops], floats[2*n+tops:]
	}
	return nil
}

// fetch enqueues the copy of the results.
func (b *Backend) fetch(st *step) error {
	n := b.results.few
	if st.out.tops {
		n = b.results.all
	}
	if st.batch.Samples == 0 {
		return nil
	}
	return driver.CopyDtoH(b.stream, st.out.raw[:n], b.results.ids.Ptr)
}

// Collect waits for batch and copies its results.
func (b *Backend) Collect(batch *backend.Batch, r *backend.Result) error {
	st, ok := batch.State.(*step)
	if !ok || st.state != running || st.batch.Ticket != batch.Ticket {
		return fmt.Errorf("cannot collect step %d: it was collected before, or it did not run", batch.Ticket)
	}
	st.state = collected
	if err := st.done.Sync(); err != nil {
		return fmt.Errorf("cannot collect step %d: %w", batch.Ticket, err)
	}
	n, tops := batch.Samples, batch.Samples*backend.MaxTopLogprobs
	r.IDs = append(r.IDs[:0], st.out.ids[:n]...)
	r.Logprobs = append(r.Logprobs[:0], st.out.logprobs[:n]...)
	r.TopIDs = append(r.TopIDs[:0], st.out.topIDs[:tops]...)
	r.TopLogprobs = append(r.TopLogprobs[:0], st.out.topLogprobs[:tops]...)
	return nil
}

package cuda

import (
	"unsafe"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// shape is the counts of a batch, as padded for the device.
type shape struct {
	tokens, requests, samples, decodes int
}

// decode is the shape of n requests that compute and sample one token each.
func decode(n int) shape { return shape{n, n, n, n} }

// layout is where the arrays of a step lie in its packed buffer, in words: it depends on the shape alone, so that a
// graph recorded for a shape finds them again.
type layout struct {
	ids, pos, slots, rows, start, context, last, owner, sampling, words int

	sampled struct{ pos, rows, start, context int } // of batch.Sampled, behind the words that a graph copies: there it is the batch
	all     int
}

// samplingWords is what one backend.Sampling takes.
const samplingWords = int(unsafe.Sizeof(backend.Sampling{})) / 4

// arrayAlign keeps every array 16-byte aligned, in words.
const arrayAlign = 4

func (s shape) layout() (l layout) {
	at := 0
	take := func(n int) int {
		was := at
		at += (n + arrayAlign - 1) / arrayAlign * arrayAlign
		return was
	}
	l.ids, l.pos, l.slots = take(s.tokens), take(s.tokens), take(s.tokens)
	l.rows, l.start, l.context = take(s.requests), take(s.requests+1), take(s.requests)
	l.last, l.owner, l.sampling = take(s.samples), take(s.samples), take(s.samples*samplingWords)
	l.words = at
	l.sampled.pos, l.sampled.rows, l.sampled.start, l.sampled.context = take(s.samples), take(s.samples), take(s.samples+1), take(s.samples)
	l.all = at
	return l
}

// inputs is the device's side of step inputs. One buffer serves every step: copies wait their turn on the stream.
type inputs struct {
	packed driver.DevicePtr // a layout's arrays
	bias   driver.DevicePtr // backend.Bias entries
	masks  driver.DevicePtr
	cached driver.DevicePtr // backend.Cached entries
}

const (
	biasPerRequest = 1024    // logit biases that every request of a step may have
	cachedEntries  = 1 << 16 // cached tokens that one copy carries
)

func (b *Backend) maskWords() int { return (b.limits.Vocab + 31) / 32 }

// largest is the shape that buffers are made for.
func (b *Backend) largest() shape {
	return shape{tokens: max(b.limits.Tokens, b.rows), requests: b.rows, samples: b.rows}
}

// reserveInputs takes the buffers of step inputs on both sides.
func (b *Backend) reserveInputs() error {
	words := b.largest().layout().all
	biasBytes := b.limits.Requests * biasPerRequest * int(unsafe.Sizeof(backend.Bias{}))
	maskBytes := b.limits.Requests * b.maskWords() * 4
	cachedBytes := cachedEntries * int(unsafe.Sizeof(backend.Cached{}))
	in := &b.inputs
	for _, r := range []struct {
		p *driver.DevicePtr
		n int
	}{{&in.packed, 4 * words}, {&in.bias, biasBytes}, {&in.masks, maskBytes}, {&in.cached, cachedBytes}} {
		p, err := b.memory.device(int64(r.n))
		if err != nil {
			return err
		}
		*r.p = p
	}
	for i := range b.steps {
		s := &b.steps[i]
		var err error
		if s.packed, err = pinned[int32](b, words); err != nil {
			return err
		}
		if s.bias, err = pinned[backend.Bias](b, b.limits.Requests*biasPerRequest); err != nil {
			return err
		}
		if s.masks, err = pinned[uint32](b, b.limits.Requests*b.maskWords()); err != nil {
			return err
		}
		if s.cached, err = pinned[backend.Cached](b, cachedEntries); err != nil {
			return err
		}
	}
	return b.timer.open(b.ctx)
}

// pinned reserves n values of pinned host memory.
func pinned[T any](b *Backend, n int) ([]T, error) {
	var zero T
	p, err := b.memory.host(n * int(unsafe.Sizeof(zero)))
	return over[T](p), err
}

// views gives the batch of a shape whose packed buffer lies at base.
func (b *Backend) views(s shape, base driver.DevicePtr) *backend.Batch {
	batch := &backend.Batch{Sampled: new(backend.Batch)}
	fillViews(batch, s, base)
	fillSampled(batch.Sampled, s, base)
	return batch
}

func fillViews(batch *backend.Batch, s shape, base driver.DevicePtr) {
	l := s.layout()
	at := func(words, n int) tensor.View { return tensor.Of(base+uintptr(4*words), tensor.I32, n) }
	batch.IDs, batch.Pos, batch.Slots = at(l.ids, s.tokens), at(l.pos, s.tokens), at(l.slots, s.tokens)
	batch.Rows, batch.Start, batch.Context = at(l.rows, s.requests), at(l.start, s.requests+1), at(l.context, s.requests)
	batch.Last = at(l.last, s.samples)
	batch.Tokens, batch.Requests, batch.Decodes, batch.Samples = s.tokens, s.requests, s.decodes, s.samples
}

// fillSampled gives the views that Attend reads.
func fillSampled(batch *backend.Batch, s shape, base driver.DevicePtr) {
	l, n := s.layout().sampled, s.samples
	at := func(words, n int) tensor.View { return tensor.Of(base+uintptr(4*words), tensor.I32, n) }
	batch.Pos, batch.Rows, batch.Start, batch.Context = at(l.pos, n), at(l.rows, n), at(l.start, n+1), at(l.context, n)
	batch.Tokens, batch.Requests, batch.Decodes, batch.Samples = n, n, n, n
}

package cuda

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// Plan runs forward on the largest batch and on decode batches of every kernel class, with launches off: that measures
// the activations and tells which kernels a step can use, which are loaded then. Then it reserves what a step needs.
func (b *Backend) Plan(l backend.Limits, forward func(*backend.Batch) tensor.View) error {
	switch {
	case b.planned:
		return errors.New("cannot plan twice")
	case l.Tokens < 1 || l.Requests < 1 || l.MaxContext < 1 || l.Vocab < 1:
		return fmt.Errorf("cannot plan for limits %+v: each must be at least 1", l)
	}
	if err := b.closeStaging(); err != nil {
		return fmt.Errorf("cannot finish loading: %w", err)
	}
	b.limits = l
	b.rows = bucket(l.Requests)
	if err := b.measure(forward); err != nil {
		return fmt.Errorf("cannot plan the step: %w", err)
	}
	if err := b.k.Load(); err != nil {
		return fmt.Errorf("cannot plan the step: %w", err)
	}
	if b.opts.Deterministic {
		if err := b.k.CheckSteady(b.stream); err != nil {
			return fmt.Errorf("cannot plan the step: %w", err)
		}
	}
	for _, reserve := range []func() error{b.reserveArena, b.reserveInputs, b.reserveResults, b.reserveSampler} {
		if err := reserve(); err != nil {
			return fmt.Errorf("cannot reserve memory for a step of %d tokens: %w", l.Tokens, err)
		}
	}
	b.planned = true
	return nil
}

// measure runs forward on shapes alone.
func (b *Backend) measure(forward func(*backend.Batch) tensor.View) error {
	b.planning, b.k.Dry, b.err = true, true, nil
	b.results = resultsAt(0, b.rows)
	b.planSampler()
	defer func() { b.planning, b.k.Dry = false, false }()
	prefill := shape{tokens: max(b.limits.Tokens, b.rows), requests: b.rows, samples: b.rows}
	short := shape{tokens: min(64, prefill.tokens), requests: 1, samples: 1} // other kernels than a long prompt
	shapes := []shape{prefill, short, decode(b.rows)}
	for _, n := range []int{1, 8, 16, 32, 64} {
		if n < b.rows {
			shapes = append(shapes, decode(n))
		}
	}
	for _, s := range shapes {
		b.arena.reset()
		if err := b.measureBooks(s); err != nil {
			return err
		}
		batch := b.views(s, 0)
		b.postpones = b.takesArgmax()
		logits := forward(batch)
		b.argmax(s, batch, logits, 0)
		if b.err != nil {
			return b.err
		}
		if logits.Rank > 0 && (logits.Rank != 2 || logits.Dim[1] != b.limits.Vocab) {
			return fmt.Errorf("logits are %s, want [S,%d]", logits, b.limits.Vocab)
		}
		if logits.Rank > 0 {
			b.fail(b.sample(s, batch, logits, allNeeds))
		}
	}
	return b.err
}

// measureBooks notes the kernels around forward.
func (b *Backend) measureBooks(s shape) error {
	pages, tokens := b.tables()
	v := b.views(s, 0)
	err := b.k.StepTokens(b.stream, v.IDs, v.Pos, v.Slots, v.Rows, v.Start, pages, tokens)
	err = errors.Join(err, b.k.StepCached(b.stream, tensor.Of(0, tensor.I32, 1, 4), pages, tokens))
	if s.decodes > 0 {
		err = errors.Join(err, b.begin(s, 0), b.end(allNeeds, 0))
	}
	return err
}

// bucket rounds a number of decoding requests up to one that graphs are recorded for: 1, 2, 4, 8, then every eighth.
func bucket(n int) int {
	for _, size := range []int{1, 2, 4} {
		if n <= size {
			return size
		}
	}
	return (n + 7) / 8 * 8
}

// bucketIndex numbers the buckets from 0.
func bucketIndex(size int) int {
	switch size {
	case 1, 2:
		return size - 1
	case 4:
		return 2
	}
	return size/8 + 2
}

// cache is the KV cache and the tables that map positions to it.
type cache struct {
	spec   backend.KVSpec
	elem   tensor.DType
	base   uintptr
	pages  tensor.View // [Requests+1,MaxContext+1] i32: slot of each row and position; the last row is for padding
	tokens tensor.View // alike: token ids; one more than positions, for the one sampled at the last
}

// KVBytes returns what AllocKV takes for spec, the tables included once Plan has said how large they are.
func (b *Backend) KVBytes(s backend.KVSpec) int64 {
	bytes := int64(s.Layers) * 2 * int64(s.KVHeads) * int64(s.Slots) * int64(s.HeadDim) * int64(b.opts.Elem.Size())
	if b.planned {
		bytes += 2 * b.tableBytes()
	}
	return bytes
}

func (b *Backend) tableBytes() int64 {
	return int64(b.limits.Requests+1) * int64(b.limits.MaxContext+1) * 4
}

// AllocKV reserves the KV cache, the page table and the token pool, zeroed.
func (b *Backend) AllocKV(s backend.KVSpec) error {
	switch {
	case !b.planned:
		return errors.New("cannot reserve the KV cache before Plan")
	case b.kv.pages.Rank > 0:
		return errors.New("cannot reserve the KV cache twice")
	case s.Slots < 1 || s.Layers < 1 || s.KVHeads < 1 || s.HeadDim < 1 || s.HeadDim%8 != 0:
		return fmt.Errorf("cannot reserve a KV cache of %+v: the GPU wants heads of a multiple of 8", s)
	}
	tables := 2 * b.tableBytes()
	bytes := b.KVBytes(s) - tables
	base, err := b.memory.device(bytes)
	if err != nil {
		return fmt.Errorf("cannot reserve the KV cache: %w", err)
	}
	pages, err := b.memory.device(tables)
	if err != nil {
		return fmt.Errorf("cannot reserve the page table: %w", err)
	}
	if err := b.zero(base, bytes, pages, tables); err != nil {
		return fmt.Errorf("cannot clear the KV cache: %w", err)
	}
	rows, cols := b.limits.Requests+1, b.limits.MaxContext+1
	b.kv = cache{spec: s, elem: b.opts.Elem, base: base, pages: tensor.Of(pages, tensor.I32, rows, cols)}
	b.kv.tokens = b.kv.pages
	b.kv.tokens.Ptr += uintptr(b.tableBytes())
	return nil
}

// zero clears the cache and the tables.
func (b *Backend) zero(base uintptr, n int64, tables uintptr, m int64) error {
	return errors.Join(driver.Memset8(b.stream, base, 0, n), driver.Memset8(b.stream, tables, 0, m), b.stream.Sync())
}

// layer returns the keys and values of a layer: [KVHeads,Slots,D] each.
func (c *cache) layer(i int) (k, v tensor.View) {
	s := c.spec
	k = tensor.Of(0, c.elem, s.KVHeads, s.Slots, s.HeadDim)
	v = k
	k.Ptr = c.base + uintptr(int64(2*i)*k.Bytes())
	v.Ptr = k.Ptr + uintptr(k.Bytes())
	return k, v
}

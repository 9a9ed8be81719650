package cpu

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Plan measures forward on the largest batch and reserves activations, step inputs and sampling workspace.
func (b *Backend) Plan(l backend.Limits, forward func(*backend.Batch) tensor.View) error {
	switch {
	case b.planned:
		return errors.New("cannot plan twice")
	case l.Tokens < 1 || l.Requests < 1 || l.MaxContext < 1 || l.Vocab < 1:
		return fmt.Errorf("cannot plan for limits %+v: each must be at least 1", l)
	}
	b.limits = l
	samples := min(l.Requests, l.Tokens)
	i32 := func(n int) tensor.View { return tensor.Of(0, tensor.I32, n) }
	largest := &backend.Batch{
		IDs: i32(l.Tokens), Pos: i32(l.Tokens), Slots: i32(l.Tokens),
		Rows: i32(samples), Start: i32(samples + 1), Context: i32(samples), Last: i32(samples),
		Tokens: l.Tokens, Requests: samples, Samples: samples,
		Sampled: &backend.Batch{
			Pos: i32(samples), Rows: i32(samples), Start: i32(samples + 1), Context: i32(samples),
			Tokens: samples, Requests: samples, Decodes: samples, Samples: samples,
		},
	}
	b.planning, b.err = true, nil
	b.arena.reset()
	logits := forward(largest)
	b.planning = false
	if b.err != nil {
		return fmt.Errorf("cannot plan the step: %w", b.err)
	}
	if logits.Rank > 0 && (logits.Rank != 2 || logits.Dim[1] != l.Vocab) {
		return fmt.Errorf("cannot plan the step: logits are %s, want [S,%d]", logits, l.Vocab)
	}
	return b.reserveStep(samples)
}

func (b *Backend) reserveStep(samples int) error {
	for i := range b.arena.regions {
		r := &b.arena.regions[i]
		data, err := b.reserve(int64(r.peak))
		if err != nil {
			return err
		}
		r.data = data
	}
	for i := range b.steps {
		in, err := b.reserve(int64(stepInts(b.limits, samples)))
		if err != nil {
			return err
		}
		b.steps[i].init(floatsAsInts(in), b.limits, samples)
	}
	b.sample.init(b.limits, b.pool.workers)
	b.tasks.attend.tiles = make([]queryTile, 0, b.limits.Tokens)
	b.planned = true
	return b.reserveScratch()
}

// KVBytes returns what AllocKV takes for spec, the page table not counted.
func (b *Backend) KVBytes(s backend.KVSpec) int64 { return 4 * kvFloats(s) }

func kvFloats(s backend.KVSpec) int64 {
	return int64(s.Layers) * 2 * int64(s.KVHeads) * int64(s.Slots) * int64(s.HeadDim)
}

// AllocKV reserves the KV cache, the page table and the token pool.
func (b *Backend) AllocKV(s backend.KVSpec) error {
	if !b.planned {
		return errors.New("cannot reserve the KV cache before Plan")
	}
	if s.Slots < 1 || s.Layers < 0 || s.KVHeads < 0 || s.HeadDim < 0 {
		return fmt.Errorf("cannot reserve a KV cache of %+v", s)
	}
	kv, err := b.reserve(kvFloats(s))
	if err != nil {
		return fmt.Errorf("cannot reserve the KV cache: %w", err)
	}
	tables, err := b.reserve(int64(b.limits.Requests) * int64(2*b.limits.MaxContext+1))
	if err != nil {
		return fmt.Errorf("cannot reserve the page table: %w", err)
	}
	n := b.limits.Requests * b.limits.MaxContext
	b.spec, b.kv = s, kv
	b.pages, b.ids = floatsAsInts(tables[:n]), floatsAsInts(tables[n:])
	return nil
}

// keys returns the keys of one layer and KV head, D floats a slot; values likewise.
func (b *Backend) keys(layer, head int) []float32   { return b.plane(layer, 0, head) }
func (b *Backend) values(layer, head int) []float32 { return b.plane(layer, 1, head) }

func (b *Backend) plane(layer, kind, head int) []float32 {
	n := b.spec.Slots * b.spec.HeadDim
	i := ((layer*2+kind)*b.spec.KVHeads + head) * n
	return b.kv[i : i+n]
}

// page returns the slots of one request's positions.
func (b *Backend) page(row int32) []int32 {
	n := b.limits.MaxContext
	return b.pages[int(row)*n : (int(row)+1)*n]
}

// tokens returns one request's tokens: one more than positions, for the token sampled at the last.
func (b *Backend) tokens(row int32) []int32 {
	n := b.limits.MaxContext + 1
	return b.ids[int(row)*n : (int(row)+1)*n]
}

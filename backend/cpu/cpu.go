// Package cpu runs the operations of a model on the host's cores: what runs without a GPU, and the oracle that other
// backends are held against. Activations and the KV cache are f32. Weights stay as their file has them, quantised or
// not, and are multiplied in f32 after exact dequantisation. On Linux linear weights are copied into large pages; elsewhere,
// and where memory is short, the backend refers to Source.Data (a mapped file, say), which must live until Close.
//
// Every dot product adds the same products in the same order whatever the batch, so a token's result does not depend
// on which other tokens share its step.
package cpu

import (
	"fmt"
	"runtime"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Options choose how a Backend computes.
type Options struct {
	Threads int // cores to use, the caller's included; 0: GOMAXPROCS
}

// Backend implements backend.Backend and backend.Memory. One goroutine calls its methods.
type Backend struct {
	pool    *pool
	kern    *kernels
	tasks   tasks
	arena   arena
	scratch []scratch // one a worker

	limits   backend.Limits
	planning bool
	planned  bool
	err      error
	widest   int // columns of the widest linear weight
	headDim  int // of the widest head that Plan saw

	spec  backend.KVSpec
	kv    []float32 // [Layers,2,KVHeads,Slots,D]
	pages []int32   // [Requests,MaxContext]: the slot of each position
	ids   []int32   // [Requests,MaxContext+1]: the token at each position

	steps  [2]step
	ticket uint64
	sample sampler

	held    [][]byte // memory outside the Go heap, given back by Close
	weights largePages
}

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Memory  = (*Backend)(nil)
)

// New starts o.Threads-1 workers, which sleep while there is nothing to do. Close ends them.
func New(o Options) *Backend {
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	return newWith(o, detect())
}

func newWith(o Options, k *kernels) *Backend {
	b := &Backend{pool: newPool(o.Threads), kern: k, scratch: make([]scratch, o.Threads)}
	b.weights.chunk = b.chunk
	return b
}

// Info describes the host. Free and Total are 0 where the system does not tell.
func (b *Backend) Info() backend.Info {
	free, total := hostMemory()
	return backend.Info{
		Name:       fmt.Sprintf("cpu (%d threads, %s)", b.pool.workers, b.kern.name),
		Activation: tensor.F32,
		Free:       free,
		Total:      total,
	}
}

// Err returns the first failure since Begin.
func (b *Backend) Err() error { return b.err }

// Close ends the workers and gives the memory back. A second Close does nothing.
func (b *Backend) Close() error {
	b.pool.close()
	var first error
	for _, m := range b.held {
		if err := release(m); err != nil && first == nil {
			first = fmt.Errorf("cannot give memory back: %w", err)
		}
	}
	b.held, b.weights.rest = nil, nil
	return first
}

// reserve takes n float32 that live until Close, zeroed.
func (b *Backend) reserve(n int64) ([]float32, error) {
	if n == 0 {
		return nil, nil
	}
	m, err := b.reserveBytes(4 * n)
	if err != nil {
		return nil, err
	}
	return bytesAsFloats(m), nil
}

// reserveBytes takes n > 0 bytes that live until Close, zeroed and aligned to pages.
func (b *Backend) reserveBytes(n int64) ([]byte, error) {
	m, err := reserve(n)
	if err != nil {
		return nil, fmt.Errorf("cannot reserve %d bytes of memory: %w", n, err)
	}
	b.held = append(b.held, m)
	return m, nil
}

// fail keeps the first error of the step.
func (b *Backend) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// skip reports whether an operation should compute nothing: after a failure, and while Plan measures.
func (b *Backend) skip() bool { return b.err != nil || b.planning }

// AllReduce returns x: a cpu backend is one rank.
func (b *Backend) AllReduce(x tensor.View) tensor.View { return x }

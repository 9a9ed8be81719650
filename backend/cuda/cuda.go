// Package cuda runs the operations of a model on one NVIDIA GPU, by the kernels of package ptx. Activations and the KV
// cache are bf16 or f16, sums f32; weights of any type are made what activations are as they are loaded.
//
// All device memory is taken by loading, Plan and AllocKV; a step allocates nothing, neither there nor on the Go heap.
package cuda

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// Options choose how a Backend computes.
type Options struct {
	NoGraphs bool // launch the kernels of a decode step one by one instead of replaying a CUDA graph

	// Single leaves each operation to a kernel of its own, which starts when those ahead of it have ended: to
	// compare. Otherwise kernels on Hopper start before, and some do several operations (see fused.go, argmax.go).
	Single bool

	// Force takes the variant of an operation that is named (see ptx.Kernels.Variants) for all shapes that it can: to compare.
	Force map[string]string

	// Deterministic makes the bits of a request's results depend on its own tokens alone: not on the batch, on how its prompt
	// is cut, or on what of it was cached. Plan fails where the model or the GPU does not allow that.
	Deterministic bool

	Chunk int // bytes of each of the two pinned buffers that weights are loaded through; 0: 32 MiB

	// Cache is the directory where kernels that the driver compiled are kept for the next start, "" for nowhere.
	Cache string

	// Elem is the type of weights, activations and the KV cache: BF16, which is what Invalid stands for, or F16, which is
	// eight times as exact and ends at 65504; the kernels for Hopper do not know it. Beyond that f16 has infinity, and the
	// norm or the product that takes one gives NaN, which ends the request: nothing is cut off silently. Files hold no weights
	// so large; one that did would do the same.
	Elem tensor.DType
}

// elem fills in and checks Elem.
func (o *Options) elem() error {
	if o.Elem == tensor.Invalid {
		o.Elem = tensor.BF16
	}
	if o.Elem != tensor.BF16 && o.Elem != tensor.F16 {
		return fmt.Errorf("no kernels compute in %s", o.Elem)
	}
	return nil
}

// Backend implements backend.Backend and backend.Memory on one GPU. One goroutine calls its methods, locked to the
// thread that it was opened on.
type Backend struct {
	opts   Options
	ctx    *driver.Context
	k      *ptx.Kernels
	stream driver.Stream
	driver string // version

	limits   backend.Limits
	rows     int // rows of a padded batch at most
	planning bool
	planned  bool
	err      error // the first of the step

	memory  memory // device memory that lives until Close
	staging *staging
	arena   arena
	inputs  inputs
	steps   [2]step
	ticket  uint64
	timer   timer
	results results
	sampler sampler
	kv      cache
	graphs  graphs

	head      head // what Logits noted, where the step postpones it
	postpones bool
}

var (
	_ backend.Backend = (*Backend)(nil)
	_ backend.Memory  = (*Backend)(nil)
	_ backend.Timer   = (*Backend)(nil)
)

// Open opens GPU device, counted from 0 as the driver counts. Lock the OS thread first. Without a usable driver the
// error matches driver.ErrNoDriver.
func Open(device int, o Options) (*Backend, error) {
	lib, err := driver.Open()
	if err != nil {
		return nil, fmt.Errorf("cannot open GPU %d: %w", device, err)
	}
	return OpenWith(lib, device, o)
}

// OpenWith is Open with a driver that is loaded already.
func OpenWith(lib *driver.Library, device int, o Options) (*Backend, error) {
	d, err := lib.Device(device)
	if err != nil {
		return nil, fmt.Errorf("cannot open GPU %d: %w", device, err)
	}
	if o.Chunk <= 0 {
		o.Chunk = 32 << 20
	}
	if err := o.elem(); err != nil {
		return nil, fmt.Errorf("cannot open GPU %d: %w", device, err)
	}
	b := &Backend{opts: o, driver: version(lib)}
	if b.ctx, err = d.Open(); err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", d, err)
	}
	b.memory.ctx = b.ctx
	if b.k, err = ptx.Open(b.ctx); err == nil {
		b.k.Overlap, b.k.Early, b.k.Cache, b.k.Steady = !o.Single, !o.Single, o.Cache, o.Deterministic
		b.stream, err = b.ctx.NewStream()
		b.k.Elem = o.Elem
	}
	for op, name := range o.Force {
		err = errors.Join(err, b.k.Force(op, name))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open %s: %w", d, errors.Join(err, b.Close()))
	}
	return b, nil
}

// version is the CUDA version of the driver, "" when it does not tell.
func version(lib *driver.Library) string {
	v, err := lib.DriverVersion()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("CUDA %d.%d", v/1000, v%1000/10)
}

// Info describes the GPU. Free is 0 when the driver does not tell.
func (b *Backend) Info() backend.Info {
	d := b.ctx.Device
	free, total, err := b.ctx.MemInfo()
	if err != nil {
		free, total = 0, d.TotalMemory
	}
	return backend.Info{
		Name: d.Name, Driver: b.driver, Activation: b.opts.Elem, Free: free, Total: total, Async: true,
		Bandwidth: 2 * float64(d.MemoryClockKHz) * 1e3 * float64(d.MemoryBusBits) / 8, // double data rate
	}
}

// Context is where b's memory lies.
func (b *Backend) Context() *driver.Context { return b.ctx }

// Kernels is the kernel library that b launches from, to list and force variants.
func (b *Backend) Kernels() *ptx.Kernels { return b.k }

// Err returns the first failure since Begin.
func (b *Backend) Err() error { return b.err }

// fail keeps the first error of the step.
func (b *Backend) fail(err error) {
	if b.err == nil && err != nil {
		b.err = err
	}
}

// Close waits for the GPU and frees everything. Every step is tried; a second Close does nothing.
func (b *Backend) Close() error {
	if b.ctx == nil {
		return nil
	}
	errs := []error{b.ctx.Sync(), b.graphs.close(), b.staging.close(), b.timer.close()}
	if b.k != nil {
		errs = append(errs, b.k.Close())
	}
	errs = append(errs, b.memory.close(), b.stream.Destroy(), b.ctx.Close())
	*b = Backend{}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("cannot close the GPU: %w", err)
	}
	return nil
}

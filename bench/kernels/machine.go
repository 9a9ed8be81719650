package kernels

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unsafe"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// coldBytes are read between two uses of the same operand: more than any L2 holds.
const coldBytes = 160 << 20

// slab is device memory that operands are cut from.
type slab struct {
	base  driver.DevicePtr
	bytes int
}

// machine is a GPU with operands for every case.
type machine struct {
	ctx         *driver.Context
	k           *ptx.Kernels
	s           driver.Stream
	start, stop driver.Event
	hot, cold   slab // random
	out         slab // results
	small       []driver.DevicePtr
	ceilings    Ceilings
}

// openMachine takes a GPU; the calling goroutine is locked to its thread. Close it also after an error.
func openMachine(lib *driver.Library, o Options, cases []Case) (m *machine, err error) {
	m = &machine{}
	d, err := lib.Device(o.GPU)
	if err != nil {
		return m, err
	}
	m.ceilings = ceilingsOf(d)
	for _, step := range []func() error{
		func() (err error) { m.ctx, err = d.Open(); return },
		func() (err error) { m.k, err = ptx.Open(m.ctx); return },
		func() (err error) { m.s, err = m.ctx.NewStream(); return },
		func() (err error) { m.start, err = m.ctx.NewEvent(true); return },
		func() (err error) { m.stop, err = m.ctx.NewEvent(true); return },
		func() error { m.k.Cache, m.k.Early, m.k.Overlap = o.Cache, true, !o.Apart; return m.k.LoadAll() }, // as they are served
		func() error { return m.allocate(cases) },
	} {
		if err := step(); err != nil {
			return m, err
		}
	}
	return m, nil
}

func (m *machine) allocate(cases []Case) (err error) {
	var most sizes
	for i := range cases {
		r := cases[i].room
		most = sizes{max(most.hot, r.hot), max(most.cold, r.cold), max(most.out, r.out)}
	}
	m.hot.bytes, m.cold.bytes, m.out.bytes = most.hot, most.cold+coldBytes, most.out+coldBytes
	for _, s := range []*slab{&m.hot, &m.cold, &m.out} {
		s.bytes = (max(s.bytes, 1) + 255) &^ 255
		if s.base, err = m.ctx.Alloc(int64(s.bytes)); err != nil {
			return fmt.Errorf("cannot reserve operands; choose smaller cases with --run: %w", err)
		}
		n := s.bytes / 2
		if err = m.k.Random(m.s, ptx.Place{Dst: tensor.Of(s.base, tensor.BF16, n/8, 8), Cols: 8}, n, 1, 1); err != nil {
			return err
		}
	}
	return m.s.Sync()
}

func (m *machine) close() error {
	if m.ctx == nil {
		return nil
	}
	errs := []error{m.ctx.Sync(), m.drop(), m.start.Destroy(), m.stop.Destroy(), m.s.Destroy()}
	if m.k != nil {
		errs = append(errs, m.k.Close())
	}
	for _, p := range []driver.DevicePtr{m.hot.base, m.cold.base, m.out.base} {
		if p != 0 {
			errs = append(errs, m.ctx.Free(p))
		}
	}
	return errors.Join(append(errs, m.ctx.Close())...)
}

// turns cuts s into operands of size bytes: as many as exceed every cache, used in turn.
func (m *machine) turns(s slab, size int) func(i int) uintptr {
	size = (size + 255) &^ 255
	n := max(1, min((coldBytes+size-1)/size, s.bytes/size))
	return func(i int) uintptr { return s.base + uintptr(i%n*size) }
}

// matrices are turns of [rows,cols] bf16.
func (m *machine) matrices(s slab, rows, cols int) func(i int) tensor.View {
	at := m.turns(s, 2*rows*cols)
	return func(i int) tensor.View { return tensor.Of(at(i), tensor.BF16, rows, cols) }
}

// ints copies values to the device, where they stay until drop.
func (m *machine) ints(v []int32) (tensor.View, error) {
	p, err := m.ctx.Alloc(int64(4 * len(v)))
	if err != nil {
		return tensor.View{}, err
	}
	m.small = append(m.small, p)
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
	return tensor.Of(p, tensor.I32, len(v)), errors.Join(driver.CopyHtoD(m.s, p, bytes), m.s.Sync())
}

// drop frees what ints made.
func (m *machine) drop() error {
	var errs []error
	for _, p := range m.small {
		errs = append(errs, m.ctx.Free(p))
	}
	m.small = nil
	return errors.Join(errs...)
}

// warmups come before the replays that are timed.
const warmups, replays = 2, 20

// time returns the median time of one launch in µs.
func (m *machine) time(launch call, n int) (us float64, err error) {
	if err := errors.Join(launch(0), m.s.Sync()); err != nil {
		return 0, err
	}
	graph, err := m.ctx.Capture(m.s, func() error {
		for i := range n {
			if err := launch(i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	exec, err := graph.Instantiate()
	if err != nil {
		return 0, errors.Join(err, graph.Destroy())
	}
	times, err := m.replay(exec)
	if err = errors.Join(err, exec.Destroy(), graph.Destroy()); err != nil {
		return 0, err
	}
	slices.Sort(times)
	return float64(times[len(times)/2].Nanoseconds()) / 1e3 / float64(n), nil
}

// replay times a graph, and has the device rest for twice as long, or the next kernel would pay for the power that this one
// drew: after light ones, the same large GEMM was up to a sixth faster than after heavy ones.
func (m *machine) replay(exec *driver.Exec) ([]time.Duration, error) {
	var times []time.Duration
	start := time.Now()
	for i := range warmups + replays {
		err := errors.Join(m.start.Record(m.s), exec.Launch(m.s), m.stop.Record(m.s), m.stop.Sync())
		took, failed := m.stop.Elapsed(m.start)
		if err = errors.Join(err, failed); err != nil {
			return nil, err
		}
		if i >= warmups {
			times = append(times, took)
		}
	}
	time.Sleep(2 * time.Since(start))
	return times, nil
}

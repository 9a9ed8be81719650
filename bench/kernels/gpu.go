package kernels

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// coldBytes of weights are read between two uses of the same: more than any L2 holds.
const coldBytes = 160 << 20

// machine is a GPU with operands for every case in three slabs.
type machine struct {
	ctx         *driver.Context
	k           *ptx.Kernels
	s           driver.Stream
	start, stop driver.Event
	x, w, y     tensor.View // w and x random; rank 1, bf16
}

// openMachine takes the first GPU; the calling goroutine is locked to its thread.
func openMachine(cases []Case) (m *machine, err error) {
	lib, err := driver.Open()
	if err != nil {
		return nil, err
	}
	d, err := lib.Device(0)
	if err != nil {
		return nil, err
	}
	m = &machine{}
	if m.ctx, err = d.Open(); err != nil {
		return nil, err
	}
	if m.k, err = ptx.Open(m.ctx); err != nil {
		return nil, err
	}
	if m.s, err = m.ctx.NewStream(); err != nil {
		return nil, err
	}
	if m.start, err = m.ctx.NewEvent(true); err != nil {
		return nil, err
	}
	if m.stop, err = m.ctx.NewEvent(true); err != nil {
		return nil, err
	}
	return m, m.allocate(cases)
}

func (m *machine) allocate(cases []Case) error {
	var x, w, y int
	for _, c := range cases {
		x, w, y = max(x, c.M*c.K), max(w, c.N*c.K), max(y, c.M*c.N)
	}
	w = max(w, coldBytes/2) + coldBytes/2
	for _, s := range []struct {
		to *tensor.View
		n  int
	}{{&m.x, x}, {&m.w, w}, {&m.y, 2 * y}} {
		n := (s.n + 7) &^ 7
		p, err := m.ctx.Alloc(2 * int64(n))
		if err != nil {
			return err
		}
		*s.to = tensor.Of(p, tensor.BF16, n)
		if err := m.k.Random(m.s, ptx.Place{Dst: tensor.Of(p, tensor.BF16, n/8, 8), Cols: 8}, n, 1, 1); err != nil {
			return err
		}
	}
	return m.s.Sync()
}

func (m *machine) close() error {
	return errors.Join(m.ctx.Sync(), m.k.Close(), m.start.Destroy(), m.stop.Destroy(), m.s.Destroy(),
		m.ctx.Free(m.x.Ptr), m.ctx.Free(m.w.Ptr), m.ctx.Free(m.y.Ptr), m.ctx.Close())
}

// weights are views of c's weight that together are too large for L2.
func (m *machine) weights(c Case) []tensor.View {
	size := 2 * c.N * c.K
	n := max(1, min((coldBytes+size-1)/size, int(m.w.Bytes())/size))
	out := make([]tensor.View, n)
	for i := range out {
		out[i] = tensor.Of(m.w.Ptr+uintptr(i*size), tensor.BF16, c.N, c.K)
	}
	return out
}

// launch returns the i-th call of c.
func (m *machine) launch(c Case) func(i int) error {
	x, w := tensor.Of(m.x.Ptr, tensor.BF16, c.M, c.K), m.weights(c)
	switch c.Kind {
	case Gated:
		y := tensor.Of(m.y.Ptr, tensor.BF16, c.M, c.N/2)
		return func(i int) error { return m.k.GatedLinear(m.s, y, x, w[i%len(w)], ptx.SiLU) }
	case Logits:
		y := tensor.Of(m.y.Ptr, tensor.F32, c.M, c.N)
		return func(i int) error { return m.k.Logits(m.s, y, x, w[i%len(w)], 1, 0) }
	}
	y := tensor.Of(m.y.Ptr, tensor.BF16, c.M, c.N)
	return func(i int) error { return m.k.Linear(m.s, y, x, w[i%len(w)], tensor.View{}) }
}

// Calls is how many calls of c one replay holds.
func (c Case) Calls() int { return max(2, min(256, int(1200/c.Floor()))) }

// time returns the median time of one call of c by the named kernel, or by the one chosen, in µs.
func (m *machine) time(c Case, variant string) (us float64, err error) {
	if err := m.k.Force("linear", variant); err != nil {
		return 0, err
	}
	call := m.launch(c)
	if err := errors.Join(call(0), m.s.Sync()); err != nil {
		return 0, fmt.Errorf("cannot run %s on %v: %w", variant, c, err)
	}
	n := c.Calls()
	graph, err := m.ctx.Capture(m.s, func() error {
		for i := range n {
			if err := call(i); err != nil {
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
		return 0, fmt.Errorf("cannot time %s on %v: %w", variant, c, err)
	}
	slices.Sort(times)
	return float64(times[len(times)/2].Nanoseconds()) / 1e3 / float64(n), nil
}

// replays are timed after some that warm up.
const warmups, replays = 2, 20

func (m *machine) replay(exec *driver.Exec) ([]time.Duration, error) {
	var times []time.Duration
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
	return times, nil
}

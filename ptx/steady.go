package ptx

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// steadyShape reports whether a Steady kernel of sm_90a takes the shape for every M: GEMM stores rows of whole 16 bytes,
// and a kernel for few tokens wants four stages of K.
func steadyShape(e epilogue, n, k int) bool {
	return ceilDiv(k, hopperStep) >= 4 && (e == logits || n%8 == 0)
}

// steadyTiles names the linear kernels that Steady may choose among where both operands are aligned.
func (k *Kernels) steadyTiles() (names []string) {
	if !k.Hopper() {
		for i := range k.lin.tiles {
			if t := &k.lin.tiles[i]; !t.walks {
				names = append(names, t.name)
			}
		}
		return names
	}
	for i := range k.hop.tiles {
		if t := &k.hop.tiles[i]; t.splits == 1 {
			names = append(names, t.name)
		}
	}
	return names
}

// CheckSteady runs every kernel that Steady may choose on the same random operands and compares their results bit by bit:
// the order in which a matrix unit adds within its 16 columns is the device's own. It waits for s, and takes some MiB of
// device memory while it runs.
func (k *Kernels) CheckSteady(s driver.Stream) error { return k.checkSteady(s, 128, 512, 2056) }

func (k *Kernels) checkSteady(s driver.Stream, m, n, depth int) (err error) {
	c := steadyCheck{k: k, s: s}
	defer func() {
		errs := []error{err, s.Sync(), k.Force("linear", "")}
		for _, p := range c.memory {
			errs = append(errs, k.ctx.Free(p))
		}
		err = errors.Join(errs...)
	}()
	x, err := c.random(m, depth, 1)
	if err != nil {
		return err
	}
	w, err := c.random(n, depth, 2)
	if err != nil {
		return err
	}
	y, err := c.random(m, 2*n, 3) // room for f32
	if err != nil {
		return err
	}
	launches := []func() error{
		func() error { return k.Linear(s, tensor.Of(y.Ptr, k.elem(), m, n), x, w, tensor.View{}) },
		func() error { return k.GatedLinear(s, tensor.Of(y.Ptr, k.elem(), m, n/2), x, w, SiLU) },
		func() error { return k.Logits(s, tensor.Of(y.Ptr, tensor.F32, m, n), x, w, 1, 0) },
	}
	if err := c.load(launches); err != nil {
		return err
	}
	for _, launch := range launches {
		if err := c.compare(launch, y); err != nil {
			return err
		}
	}
	return nil
}

type steadyCheck struct {
	k      *Kernels
	s      driver.Stream
	memory []driver.DevicePtr
}

func (c *steadyCheck) random(rows, cols int, seed uint64) (tensor.View, error) {
	v := tensor.Of(0, c.k.elem(), rows, cols)
	p, err := c.k.ctx.Alloc(v.Bytes())
	if err != nil {
		return v, err
	}
	c.memory = append(c.memory, p)
	v.Ptr = p
	return v, c.k.Random(c.s, Place{Dst: v, Cols: cols}, v.Len(), seed, 1)
}

// load has the kernels compiled all at once.
func (c *steadyCheck) load(launches []func() error) error {
	c.k.Dry = true
	defer func() { c.k.Dry = false }()
	for _, name := range c.k.steadyTiles() {
		for _, launch := range launches {
			if err := errors.Join(c.k.Force("linear", name), launch()); err != nil {
				return err
			}
		}
	}
	return c.k.Load()
}

// compare runs launch by every steady kernel; y is what it writes.
func (c *steadyCheck) compare(launch func() error, y tensor.View) error {
	var first []byte
	names := c.k.steadyTiles()
	for _, name := range names {
		got := make([]byte, y.Bytes())
		err := errors.Join(driver.Memset8(c.s, y.Ptr, 0xff, y.Bytes()), c.k.Force("linear", name), launch(),
			driver.CopyDtoH(c.s, got, y.Ptr), c.s.Sync())
		switch {
		case err != nil:
			return fmt.Errorf("cannot check linear kernel %s: %w", name, err)
		case first == nil:
			first = got
		case !bytes.Equal(got, first):
			return fmt.Errorf("cannot make results independent of the batch on %s: linear kernels %s and %s add in another order", c.k.ctx.Device.Name, names[0], name)
		}
	}
	return nil
}

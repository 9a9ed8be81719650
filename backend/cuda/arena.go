package cuda

import (
	"fmt"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// arena hands out the activations of a step from three bump regions: results of even layers, of odd layers, and those
// that live until the next step. Plan measures the regions; then their addresses stay, as graphs need.
type arena struct {
	regions [3]region
	now     *region
}

type region struct {
	base       driver.DevicePtr
	size       int64
	used, peak int64
}

const lasting = 2 // the region of results that outlive layers

func (a *arena) reset() {
	for i := range a.regions {
		a.regions[i].used = 0
	}
	a.now = &a.regions[lasting]
}

// Layer marks the start of layer i.
func (b *Backend) Layer(i int) {
	b.arena.now = &b.arena.regions[i&1]
	b.arena.now.used = 0
}

// alloc returns a new [rows,cols] that lives as long as results of the current layer do.
func (b *Backend) alloc(t tensor.DType, rows, cols int) tensor.View {
	return b.allocIn(b.arena.now, t, rows, cols)
}

func (b *Backend) allocIn(r *region, t tensor.DType, rows, cols int) tensor.View {
	n := (t.Bytes(rows*cols) + align - 1) / align * align
	at := r.used
	r.used += n
	r.peak = max(r.peak, r.used)
	if !b.planning && r.used > r.size {
		b.fail(fmt.Errorf("cannot allocate %s[%d,%d]: the step is larger than the planned one of %d bytes", t, rows, cols, r.size))
	}
	return tensor.Of(r.base+uintptr(at), t, rows, cols)
}

// reserveArena takes what the regions were measured to need.
func (b *Backend) reserveArena() (err error) {
	for i := range b.arena.regions {
		r := &b.arena.regions[i]
		if r.base, err = b.memory.device(r.peak); err != nil {
			return err
		}
		r.size = r.peak
	}
	return nil
}

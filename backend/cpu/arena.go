package cpu

import (
	"fmt"

	"github.com/weft-llm/weft/tensor"
)

// arena hands out the activations of a step from three bump regions: results of even layers, of odd layers, and the
// ones that live until the next step. Plan measures the regions; after that their addresses stay.
type arena struct {
	regions [3]region
	now     *region
}

type region struct {
	data []float32
	used int
	peak int // the most that a planned step used
}

const (
	even, odd, lasting = 0, 1, 2
	arenaAlign         = 16 // floats: one cache line
)

func (a *arena) reset() {
	for i := range a.regions {
		a.regions[i].used = 0
	}
	a.now = &a.regions[lasting]
}

func (a *arena) layer(i int) {
	a.now = &a.regions[i&1]
	a.now.used = 0
}

// Layer marks the start of layer i.
func (b *Backend) Layer(i int) { b.arena.layer(i) }

// alloc returns a new f32 [rows,cols] that lives as long as results of the current layer do.
func (b *Backend) alloc(rows, cols int) tensor.View { return b.allocIn(b.arena.now, rows, cols) }

func (b *Backend) allocIn(r *region, rows, cols int) tensor.View {
	n := rows * cols
	lo := r.used
	r.used += (n + arenaAlign - 1) &^ (arenaAlign - 1)
	if b.planning {
		r.peak = max(r.peak, r.used)
		return tensor.Of(arenaAlign, tensor.F32, rows, cols)
	}
	if r.used > len(r.data) {
		b.fail(fmt.Errorf("cannot allocate f32[%d,%d]: the step is larger than the planned one (%d bytes)", rows, cols, 4*len(r.data)))
		return tensor.Of(0, tensor.F32, rows, cols)
	}
	return viewFloats(r.data[lo:lo+n], rows, cols)
}

package cpu

import (
	"fmt"

	"github.com/weft-llm/weft/tensor"
)

// Put copies data to memory that lives until Close. It panics when there is none.
func (b *Backend) Put(data []float32, dims ...int) tensor.View {
	m, err := b.reserve(int64(len(data)))
	if err != nil {
		panic(err)
	}
	copy(m, data)
	return viewFloats(m, dims...)
}

// Get returns a copy of v's values.
func (b *Backend) Get(v tensor.View) ([]float32, error) {
	if v.Type != tensor.F32 {
		return nil, fmt.Errorf("cannot read %s: activations are f32", v)
	}
	out := make([]float32, 0, v.Len())
	m := matrix(v)
	for i := range m.rows {
		out = append(out, m.row(i)...)
	}
	return out, nil
}

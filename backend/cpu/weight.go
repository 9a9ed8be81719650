package cpu

import (
	"github.com/weft-llm/weft/tensor"
)

// weight is a matrix of stacked parts, or f32 values.
type weight struct {
	rows, cols int
	parts      []part    // linear weights
	values     []float32 // vectors and tables
	gated      bool      // parts are gate and up
}

// part is rows of one type, as the file has them. data is the caller's memory.
type part struct {
	typ      tensor.DType
	row0     int // first row within the weight
	rows     int
	rowBytes int
	data     []byte

	dequantise func(dst []float32, src []byte)
	dot        dotFn // nil where there is none
}

// Dims returns the rows and columns; those of a gated weight are one part's.
func (w *weight) Dims() (rows, cols int) { return w.rows, w.cols }

// Bytes returns the memory that the weight refers to.
func (w *weight) Bytes() int64 {
	n := int64(4 * len(w.values))
	for i := range w.parts {
		n += int64(len(w.parts[i].data))
	}
	return n
}

func (p *part) row(i int) []byte { return p.data[i*p.rowBytes : (i+1)*p.rowBytes] }

// find returns the part that holds row r.
func (w *weight) find(r int) *part {
	i := 0
	for r >= w.parts[i].row0+w.parts[i].rows {
		i++
	}
	return &w.parts[i]
}

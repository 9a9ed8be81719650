package cpu

import (
	"errors"
	"fmt"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// LoadVector makes f32 values of parts laid end to end.
func (b *Backend) LoadVector(parts ...backend.Source) (backend.Weight, error) {
	w := &weight{cols: 1}
	for _, s := range parts {
		p, err := b.part(s)
		if err != nil {
			return nil, err
		}
		n := elements(s.Dim)
		at := len(w.values)
		w.values = append(w.values, make([]float32, n)...)
		p.dequantise(w.values[at:], p.data)
	}
	w.rows = len(w.values)
	return w, nil
}

// LoadLinear makes a projection of parts stacked along their rows, each of its own type. It copies Source.Data
// or refers to it: it must live until Close.
func (b *Backend) LoadLinear(parts ...backend.Source) (backend.Weight, error) {
	if len(parts) == 0 {
		return nil, errors.New("cannot load a linear weight of no parts")
	}
	w := &weight{}
	for _, s := range parts {
		if err := b.stack(w, s); err != nil {
			return nil, err
		}
	}
	b.widest = max(b.widest, w.cols)
	return w, nil
}

// LoadGated makes the weight of GatedLinear, as LoadLinear does.
func (b *Backend) LoadGated(gate, up backend.Source) (backend.Weight, error) {
	w, err := b.LoadLinear(gate, up)
	if err != nil {
		return nil, err
	}
	g := w.(*weight)
	if g.parts[0].rows != g.parts[1].rows {
		return nil, fmt.Errorf("cannot load %s: %v does not match %s %v", up.Name, up.Dim, gate.Name, gate.Dim)
	}
	g.gated, g.rows = true, g.parts[0].rows
	return g, nil
}

// LoadTable copies data.
func (b *Backend) LoadTable(data []float32, rows, cols int) (backend.Weight, error) {
	if rows < 0 || cols < 0 || len(data) != rows*cols {
		return nil, fmt.Errorf("cannot load a table [%d,%d] of %d values", rows, cols, len(data))
	}
	return &weight{rows: rows, cols: cols, values: append([]float32(nil), data...)}, nil
}

// stack adds s below the rows of w.
func (b *Backend) stack(w *weight, s backend.Source) error {
	if len(s.Dim) != 2 {
		return fmt.Errorf("cannot load %s: it has %d dimensions, want 2", s.Name, len(s.Dim))
	}
	if len(w.parts) > 0 && s.Dim[1] != w.cols {
		return fmt.Errorf("cannot load %s: %d columns, the rows above have %d", s.Name, s.Dim[1], w.cols)
	}
	p, err := b.part(s)
	if err != nil {
		return err
	}
	if s.Data != nil {
		p.data = b.keep(s)
	}
	p.row0, p.rows, p.rowBytes = w.rows, s.Dim[0], int(s.Type.Bytes(s.Dim[1]))
	w.rows, w.cols = w.rows+s.Dim[0], s.Dim[1]
	w.parts = append(w.parts, p)
	return nil
}

// part checks s and fills it when it has no data.
func (b *Backend) part(s backend.Source) (part, error) {
	p := part{typ: s.Type, dequantise: b.kern.dequantise(s.Type), dot: b.kern.dots[s.Type]}
	if p.dequantise == nil {
		return p, fmt.Errorf("cannot load %s: the cpu backend cannot read %s", s.Name, s.Type)
	}
	if len(s.Dim) == 0 {
		return p, fmt.Errorf("cannot load %s: it has no dimensions", s.Name)
	}
	n := elements(s.Dim)
	if n < 0 || s.Dim[len(s.Dim)-1]%s.Type.Block() != 0 {
		return p, fmt.Errorf("cannot load %s: %v does not divide into blocks of %d", s.Name, s.Dim, s.Type.Block())
	}
	p.data = s.Data
	if s.Data == nil {
		return b.random(p, s, n)
	}
	if int64(len(s.Data)) != s.Type.Bytes(n) {
		return p, fmt.Errorf("cannot load %s: %d bytes, want %d for %s%v", s.Name, len(s.Data), s.Type.Bytes(n), s.Type, s.Dim)
	}
	return p, nil
}

// elements multiplies dims; -1 when one is negative.
func elements(dims []int) int {
	n := 1
	for _, d := range dims {
		if d < 0 {
			return -1
		}
		n *= d
	}
	return n
}

// value returns w's f32 values as a view, for shape checks and reading. Vectors are [n], tables [rows,cols].
func value(w backend.Weight) (v tensor.View, values []float32) {
	x, ok := w.(*weight)
	if !ok || x == nil {
		return tensor.View{}, nil
	}
	if x.cols == 1 {
		return tensor.Of(0, tensor.F32, x.rows), x.values
	}
	return tensor.Of(0, tensor.F32, x.rows, x.cols), x.values
}

// shape returns a view for the shape check of a linear weight, whatever its parts' types.
func shape(w backend.Weight) (v tensor.View, x *weight) {
	x, ok := w.(*weight)
	if !ok || x == nil {
		return tensor.View{}, nil
	}
	return tensor.Of(0, tensor.F32, x.rows, x.cols), x
}

package cuda

import (
	"errors"
	"fmt"
	"math"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// weight is a tensor on the GPU.
type weight struct {
	view       tensor.View // vectors [n] f32, tables [rows,cols] f32, matrices [rows,cols] bf16 or f16
	rows, cols int         // as Dims tells them; a gated weight has half its view's rows, or less
	gated      bool
}

func (w *weight) Dims() (rows, cols int) { return w.rows, w.cols }
func (w *weight) Bytes() int64           { return w.view.Bytes() }

// viewOf returns w's view, empty for nil.
func viewOf(w backend.Weight) tensor.View {
	if x, ok := w.(*weight); ok && x != nil && !x.gated {
		return x.view
	}
	return tensor.View{}
}

// LoadVector makes f32 values of parts laid end to end.
func (b *Backend) LoadVector(parts ...backend.Source) (backend.Weight, error) {
	n := 0
	for _, s := range parts {
		k, err := elements(s)
		if err != nil {
			return nil, err
		}
		n += k
	}
	w := &weight{rows: n, cols: 1}
	if err := b.reserveWeight(w, tensor.F32, n); err != nil {
		return nil, named(parts, err)
	}
	at := 0
	for _, s := range parts {
		k, _ := elements(s)
		if err := b.place(s, ptx.Place{Dst: w.view, Cols: k, Row: at}, k); err != nil {
			return nil, err
		}
		at += k
	}
	return w, nil
}

// LoadLinear makes a bf16 matrix of parts stacked along their rows, each of its own type.
func (b *Backend) LoadLinear(parts ...backend.Source) (backend.Weight, error) {
	rows, cols, err := stack(parts)
	if err != nil {
		return nil, err
	}
	w := &weight{rows: rows, cols: cols}
	if err := b.reserveWeight(w, b.opts.Elem, rows, cols); err != nil {
		return nil, named(parts, err)
	}
	at := 0
	for _, s := range parts {
		if err := b.place(s, ptx.Place{Dst: w.view, Cols: cols, Row: at}, s.Dim[0]*cols); err != nil {
			return nil, err
		}
		at += s.Dim[0]
	}
	return w, nil
}

// LoadGated makes the bf16 matrix of GatedLinear, rows of gate and up in turns of eight; see ptx.Pair.
func (b *Backend) LoadGated(gate, up backend.Source) (backend.Weight, error) {
	parts := []backend.Source{gate, up}
	rows, cols, err := stack(parts)
	if err != nil {
		return nil, err
	}
	if gate.Dim[0] != up.Dim[0] {
		return nil, fmt.Errorf("cannot load %s: %d rows, %s has %d", up.Name, up.Dim[0], gate.Name, gate.Dim[0])
	}
	if gate.Dim[0]%8 != 0 {
		return nil, fmt.Errorf("cannot load %s: %d rows, want a multiple of 8", gate.Name, gate.Dim[0])
	}
	w := &weight{rows: rows / 2, cols: cols, gated: true}
	if err := b.reserveWeight(w, b.opts.Elem, rows, cols); err != nil {
		return nil, named(parts, err)
	}
	for i, s := range parts {
		to := ptx.Place{Dst: w.view, Cols: cols, Pair: ptx.Gate + ptx.Pair(i)}
		if err := b.place(s, to, s.Dim[0]*cols); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// LoadTable copies data.
func (b *Backend) LoadTable(data []float32, rows, cols int) (backend.Weight, error) {
	if rows < 0 || cols < 0 || len(data) != rows*cols {
		return nil, fmt.Errorf("cannot load a table [%d,%d] of %d values", rows, cols, len(data))
	}
	s := backend.Source{Name: "table", Type: tensor.F32, Dim: []int{rows, cols}, Data: bytesOf(data)}
	w := &weight{rows: rows, cols: cols}
	err := b.reserveWeight(w, tensor.F32, rows, cols)
	if err == nil && len(data) > 0 {
		err = b.place(s, ptx.Place{Dst: w.view, Cols: cols}, len(data))
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load a table [%d,%d]: %w", rows, cols, err)
	}
	return w, nil
}

func (b *Backend) reserveWeight(w *weight, t tensor.DType, dims ...int) error {
	w.view = tensor.Of(0, t, dims...)
	p, err := b.memory.device(w.view.Bytes())
	w.view.Ptr = p
	return err
}

func named(parts []backend.Source, err error) error {
	return fmt.Errorf("cannot load %s: %w", parts[0].Name, err)
}

// stack checks parts of a matrix and returns its shape.
func stack(parts []backend.Source) (rows, cols int, err error) {
	if len(parts) == 0 {
		return 0, 0, errors.New("cannot load a linear weight of no parts")
	}
	for _, s := range parts {
		if len(s.Dim) != 2 {
			return 0, 0, fmt.Errorf("cannot load %s: it has %d dimensions, want 2", s.Name, len(s.Dim))
		}
		if _, err := elements(s); err != nil {
			return 0, 0, err
		}
		if cols != 0 && s.Dim[1] != cols {
			return 0, 0, fmt.Errorf("cannot load %s: %d columns, the rows above have %d", s.Name, s.Dim[1], cols)
		}
		rows, cols = rows+s.Dim[0], s.Dim[1]
	}
	if rows > math.MaxInt32 || cols%8 != 0 {
		return 0, 0, fmt.Errorf("cannot load %s: [%d,%d], the GPU's kernels want columns that are a multiple of 8", parts[0].Name, rows, cols)
	}
	return rows, cols, nil
}

// elements checks s and counts what it holds.
func elements(s backend.Source) (int, error) {
	if len(s.Dim) == 0 {
		return 0, fmt.Errorf("cannot load %s: it has no dimensions", s.Name)
	}
	n := 1
	for _, d := range s.Dim {
		if d < 1 || n > math.MaxInt/d {
			return 0, fmt.Errorf("cannot load %s: %v is no shape", s.Name, s.Dim)
		}
		n *= d
	}
	if s.Data == nil {
		return n, nil
	}
	if !ptx.CanConvert(s.Type) {
		return 0, fmt.Errorf("cannot load %s: no kernel reads %s", s.Name, s.Type)
	}
	if last := s.Dim[len(s.Dim)-1]; last%s.Type.Block() != 0 {
		return 0, fmt.Errorf("cannot load %s: %v does not divide into blocks of %d", s.Name, s.Dim, s.Type.Block())
	}
	if want := s.Type.Bytes(n); int64(len(s.Data)) != want {
		return 0, fmt.Errorf("cannot load %s: %d bytes, want %d for %s%v", s.Name, len(s.Data), want, s.Type, s.Dim)
	}
	return n, nil
}

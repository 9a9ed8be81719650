package backend

import "github.com/weft-llm/weft/tensor"

// Source is one tensor as a model file holds it.
type Source struct {
	Name string       // as in the file, for errors
	Type tensor.DType // quantised types only along the last dimension
	Dim  []int        // row-major; a linear weight is [Out,In]
	Data []byte       // borrowed until the backend is closed, which may compute on it as it lies; nil fills with random values of Seed and Std
	Seed uint64
	Std  float32

	// Drop, where set, takes a part of Data out of memory until it is read again. A backend that has copied it calls
	// Drop, so that a large model is not in memory twice.
	Drop func(part []byte)
}

// Rows returns rows [lo,hi) of a matrix source: a tensor-parallel rank's share of the outputs.
func (s Source) Rows(lo, hi int) Source {
	row := int64(1)
	for _, d := range s.Dim[1:] {
		row *= int64(d)
	}
	rowBytes := s.Type.Bytes(int(row))
	out := s
	out.Dim = append([]int{hi - lo}, s.Dim[1:]...)
	if s.Data != nil {
		out.Data = s.Data[int64(lo)*rowBytes : int64(hi)*rowBytes]
	}
	return out
}

// Weight is a tensor that a backend has packed as its kernels like it. It lives as long as the backend.
type Weight interface {
	Dims() (rows, cols int) // a vector is [n,1]
	Bytes() int64           // device memory taken
}

// Loader makes weights. A failure names the source.
type Loader interface {
	// LoadVector makes a norm weight or a bias from one source, or several laid end to end.
	LoadVector(parts ...Source) (Weight, error)

	// LoadLinear makes a projection from parts stacked along their rows; all share the columns. Embed and Logits take it
	// too, so that tied embeddings are stored once.
	LoadLinear(parts ...Source) (Weight, error)

	// LoadGated makes the fused gate and up projection of GatedLinear. Both are [I,H].
	LoadGated(gate, up Source) (Weight, error)

	// LoadTable makes an f32 table that is read as it is, such as Rope.Table.
	LoadTable(data []float32, rows, cols int) (Weight, error)
}

// Memory moves plain values in and out of a backend, slowly. Tests and tools use it.
type Memory interface {
	// Put returns a new view [dims] of activation type that holds data, rounded to that type.
	Put(data []float32, dims ...int) tensor.View
	// Get waits for the device and returns v's values.
	Get(v tensor.View) ([]float32, error)
}

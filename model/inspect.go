package model

import (
	"sort"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// Report is what `weft inspect` tells of a checkpoint, whether weft can run it or not.
type Report struct {
	Path, Format string
	Config       weights.Config
	Tensors      []weights.Info // none for a dummy
	Types        []TypeUse      // most bytes first
	Parameters   int64
	FileBytes    int64
	Half         tensor.DType // HalfType
	Refusals     []string     // why weft cannot run it; empty if it can
}

// TypeUse sums the tensors of one type.
type TypeUse struct {
	Type       string // as the file calls it
	Tensors    int
	Parameters int64
	Bytes      int64
}

// Inspect describes a checkpoint.
func Inspect(c *weights.Checkpoint) Report {
	r := Report{Path: c.Path, Format: c.Format, Config: c.Config, Tensors: c.Tensors(), FileBytes: c.Bytes(), Half: HalfType(c), Refusals: Refusals(c)}
	byType := map[string]*TypeUse{}
	for _, t := range r.Tensors {
		u := byType[t.TypeName]
		if u == nil {
			u = &TypeUse{Type: t.TypeName}
			byType[t.TypeName] = u
		}
		n := elements(t.Dim)
		u.Tensors, u.Parameters, u.Bytes = u.Tensors+1, u.Parameters+n, u.Bytes+t.Bytes
		r.Parameters += n
	}
	for _, u := range byType {
		r.Types = append(r.Types, *u)
	}
	sort.Slice(r.Types, func(i, j int) bool { return r.Types[i].Bytes > r.Types[j].Bytes })
	if len(r.Tensors) == 0 && len(r.Refusals) == 0 {
		r.Parameters = parameters(c)
	}
	return r
}

// HalfType returns the type of 16 bits that c is computed in best. That is F16 where most weights are F16 or quantised,
// which F16 rounds by an eighth of what BF16 does, unless the architecture may pass 65504, where it ends; and BF16 where they
// are BF16 or F32, which may use its range.
func HalfType(c *weights.Checkpoint) tensor.DType {
	return halfType(c.Config.Arch, c.Tensors(), c.Config.DType)
}

// halfType is HalfType of an architecture's tensors; dummy is their type where there are none.
func halfType(arch string, tensors []weights.Info, dummy tensor.DType) tensor.DType {
	if families[arch].wide {
		return tensor.BF16
	}
	balance := int64(0) // parameters in F16 less those in other types
	for _, t := range tensors {
		switch {
		case len(t.Dim) < 2: // norms and biases stay f32
		case t.Type == tensor.F16 || t.Type.Quantised():
			balance += elements(t.Dim)
		default:
			balance -= elements(t.Dim)
		}
	}
	if balance > 0 || len(tensors) == 0 && dummy == tensor.F16 {
		return tensor.F16
	}
	return tensor.BF16
}

// WeightBytes returns the memory that the weights take as type t; Invalid means as stored, which is how the cpu
// backend holds them.
func (r Report) WeightBytes(t tensor.DType) int64 {
	if t != tensor.Invalid {
		return r.Parameters * int64(t.Size())
	}
	if len(r.Tensors) == 0 {
		return r.Parameters * int64(r.Config.DType.Size())
	}
	return r.FileBytes
}

// KVBytesPerToken returns the KV cache that one token takes as type t.
func (r Report) KVBytesPerToken(t tensor.DType) int64 {
	c := &r.Config
	return 2 * int64(c.Layers) * int64(c.KVHeads) * int64(c.HeadDim) * int64(t.Size())
}

// ContextThatFits returns how many tokens of KV cache, in all requests together, memory bytes hold beside the weights.
// Activations, of some hundred MB at most, are not counted. It is not bounded by Config.MaxPositions.
func (r Report) ContextThatFits(memory int64, weights, kv tensor.DType) int64 {
	if per := r.KVBytesPerToken(kv); per > 0 {
		return max(0, (memory-r.WeightBytes(weights))/per)
	}
	return 0
}

// parameters counts a dummy's weights by asking the model for them.
func parameters(c *weights.Checkpoint) int64 {
	count := &counter{}
	l := newLoader(c, count, nil)
	l.model(&Decoder{maxContext: 1})
	return count.n
}

// counter is a Loader that keeps nothing.
type counter struct{ n int64 }

func (c *counter) add(parts ...backend.Source) (backend.Weight, error) {
	for _, s := range parts {
		c.n += elements(s.Dim)
	}
	return nothing{}, nil
}

func (c *counter) LoadVector(parts ...backend.Source) (backend.Weight, error) { return c.add(parts...) }
func (c *counter) LoadLinear(parts ...backend.Source) (backend.Weight, error) { return c.add(parts...) }
func (c *counter) LoadGated(gate, up backend.Source) (backend.Weight, error)  { return c.add(gate, up) }
func (c *counter) LoadTable([]float32, int, int) (backend.Weight, error)      { return nothing{}, nil }

type nothing struct{}

func (nothing) Dims() (rows, cols int) { return 0, 0 }
func (nothing) Bytes() int64           { return 0 }

func elements(dim []int) int64 {
	n := int64(1)
	for _, d := range dim {
		n *= int64(d)
	}
	return n
}

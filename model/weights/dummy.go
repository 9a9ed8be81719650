package weights

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// dummyStd is the standard deviation of dummy weights: transformers' own initializer_range.
const dummyStd = 0.02

// OpenDummy makes a checkpoint of random weights from a config.json, or from a directory that has one; tokenizer
// files beside it are read too. The backend fills the weights in itself (Source.Data is nil), seeded by their name.
// Norm weights are ones.
func OpenDummy(path string) (*Checkpoint, error) {
	if st, err := os.Stat(path); err == nil && !st.IsDir() {
		path = filepath.Dir(path)
	}
	c := &Checkpoint{Path: path, Format: "dummy", dummy: true}
	return c, c.readDir()
}

func (c *Checkpoint) dummyTensor(name string, dim []int) backend.Source {
	s := backend.Source{Name: name, Type: c.Config.DType, Dim: dim, Std: dummyStd}
	if len(dim) == 1 && strings.Contains(name, "norm") {
		s.Type, s.Data = tensor.F32, ones(dim[0])
		return s
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	s.Seed = h.Sum64()
	return s
}

func ones(n int) []byte {
	b := make([]byte, 0, 4*n)
	for range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(1))
	}
	return b
}

package weights

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// metaReader reads the architecture's metadata: keys "<arch>.something". What nobody read is refused by name.
type metaReader struct {
	path  string
	arch  string
	f     *ggufFile
	known map[string]bool
	err   error
}

func (m *metaReader) fail(key, why string, args ...any) {
	if m.err == nil {
		at, ok := m.f.at[key]
		if !ok {
			at = -1
		}
		m.err = &FormatError{m.path, at, key, fmt.Sprintf(why, args...)}
	}
}

func (m *metaReader) get(key string) (any, string) {
	key = m.arch + "." + key
	m.known[key] = true
	return m.f.meta[key], key
}

// size reads a whole number in [1,most]; def 0 makes it mandatory. A list is a model whose layers differ, which the
// caller cannot run unless all entries agree.
func (m *metaReader) size(key string, def, most int) int {
	v, key := m.get(key)
	if v == nil {
		if def == 0 {
			m.fail(key, "it is missing")
			return 1
		}
		return def
	}
	n := metaInt(v)
	switch list := v.(type) {
	case []int32:
		n = same(list)
	case []uint32:
		n = same(list)
	}
	if n < 1 || n > int64(most) {
		m.fail(key, "%.80v, want a whole number from 1 to %d, the same for all layers", fmt.Sprint(v), most)
		return 1
	}
	return int(n)
}

// same returns the value that all entries have, or -1.
func same[T int32 | uint32](list []T) int64 {
	for _, v := range list {
		if v != list[0] {
			return -1
		}
	}
	if len(list) == 0 {
		return -1
	}
	return int64(list[0])
}

// positive reads a number above 0; an absent or zero one is def.
func (m *metaReader) positive(key string, def float64) float64 {
	v, key := m.get(key)
	if v == nil {
		return def
	}
	f, ok := metaFloat(v)
	if !ok || !(f == 0 || f >= leastPositive && f <= math.MaxFloat32) {
		m.fail(key, "%.80v, want a number from 0 that float32 can hold", fmt.Sprint(v))
		return 1
	}
	if f == 0 {
		return def
	}
	return f
}

func (m *metaReader) text(key, def string) string {
	v, key := m.get(key)
	if v == nil {
		return def
	}
	s, ok := v.(string)
	if !ok {
		m.fail(key, "%.80v, want a string", fmt.Sprint(v))
	}
	return s
}

// floats returns a small tensor's values, nil if there is none: rope factors are stored so.
func (m *metaReader) floats(name string, n int) []float32 {
	for _, t := range m.f.info {
		if t.FileName != name {
			continue
		}
		if t.TypeName != "F32" || len(t.Dim) != 1 || t.Dim[0] != n {
			m.fail(name, "%s%v, want F32[%d]", t.TypeName, t.Dim, n)
			return nil
		}
		return f32s(t.data)
	}
	return nil
}

// unknown lists the architecture's keys that nothing read and that say something.
func (m *metaReader) unknown() []string {
	var out []string
	for key, v := range m.f.meta {
		name, ok := strings.CutPrefix(key, m.arch+".")
		if f, number := metaFloat(v); !ok || m.known[key] || ggufIgnorable[name] || number && f == 0 || v == false || v == "none" {
			continue
		}
		out = append(out, fmt.Sprintf("%s = %.60v", key, fmt.Sprint(v)))
	}
	sort.Strings(out)
	return out
}

// ggufIgnorable are keys that change nothing of the forward pass, or that say what weft does anyway.
var ggufIgnorable = setOf("vocab_size", "rope.scaling.finetuned", "tensor_data_layout", "attention.causal",
	"attention.layer_norm_epsilon", "embedding_length_out")

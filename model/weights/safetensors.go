package weights

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// maxHeader is the longest header that the safetensors reference implementation accepts.
const maxHeader = 100_000_000

// stTypes are the element types of safetensors with their bytes; the ones that weft cannot compute with are Invalid.
var stTypes = map[string]struct {
	t    tensor.DType
	size int
}{
	"F64": {tensor.Invalid, 8}, "F32": {tensor.F32, 4}, "F16": {tensor.F16, 2}, "BF16": {tensor.BF16, 2},
	"I64": {tensor.Invalid, 8}, "I32": {tensor.I32, 4}, "I16": {tensor.Invalid, 2}, "I8": {tensor.I8, 1},
	"U64": {tensor.Invalid, 8}, "U32": {tensor.Invalid, 4}, "U16": {tensor.Invalid, 2}, "U8": {tensor.U8, 1},
	"BOOL": {tensor.Invalid, 1}, "F8_E4M3": {tensor.F8E4M3, 1}, "F8_E5M2": {tensor.Invalid, 1},
	"F8_E8M0": {tensor.Invalid, 1},
}

// ParseSafetensors returns the tensors of a safetensors file that is in memory. Their data are parts of file; path is
// for errors.
func ParseSafetensors(path string, file []byte) (map[string]backend.Source, error) {
	infos, err := parseSafetensors(path, file)
	if err != nil {
		return nil, err
	}
	out := make(map[string]backend.Source, len(infos))
	for _, t := range infos {
		out[t.Name] = backend.Source{Name: t.Name, Type: t.Type, Dim: t.Dim, Data: t.data}
	}
	return out, nil
}

type stEntry struct {
	Type    string   `json:"dtype"`
	Shape   []int64  `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// parseSafetensors reads the tensors of one file. Layout (huggingface/safetensors): u64 n, n bytes of JSON, then the
// data, which the offsets must cover without a gap and to the end.
func parseSafetensors(path string, file []byte) ([]Info, error) {
	bad := func(off int64, field, why string, args ...any) error {
		return &FormatError{path, off, field, fmt.Sprintf(why, args...)}
	}
	if len(file) < 8 {
		return nil, bad(0, "header length", "the file has %d bytes, want at least 8", len(file))
	}
	n := binary.LittleEndian.Uint64(file)
	if n > maxHeader || n > uint64(len(file)-8) {
		return nil, bad(0, "header length", "%d bytes, but the file has %d more and a header at most %d", n, len(file)-8, maxHeader)
	}
	header, data := file[8:8+n], file[8+n:]
	if n == 0 || header[0] != '{' {
		return nil, bad(8, "header", "it does not begin with '{'")
	}
	infos, err := stInfos(header, data, bad)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(infos, func(a, b Info) int { // an empty tensor before the one that begins where it does
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Bytes, b.Bytes))
	})
	end := int64(0)
	for i := range infos {
		if infos[i].Offset != end {
			return nil, bad(8+int64(n)+end, infos[i].Name+".data_offsets", "the tensor begins at %d, want %d: no gap, no overlap", infos[i].Offset, end)
		}
		end += infos[i].Bytes
		infos[i].Offset += 8 + int64(n)
	}
	if end != int64(len(data)) {
		return nil, bad(8+int64(n)+end, "data", "%d bytes, want %d by the header: the file is cut or has a tail", len(data), end)
	}
	return infos, nil
}

func stInfos(header, data []byte, bad func(int64, string, string, ...any) error) ([]Info, error) {
	var entries map[string]jsontext.Value
	if err := json.Unmarshal(header, &entries); err != nil {
		return nil, bad(8, "header", "%v", err)
	}
	infos := make([]Info, 0, len(entries))
	for name, raw := range entries {
		if name == "__metadata__" {
			var meta map[string]string
			if err := json.Unmarshal(raw, &meta); err != nil {
				return nil, bad(8, name, "%v", err)
			}
			continue
		}
		var e stEntry
		if err := json.Unmarshal(raw, &e, json.RejectUnknownMembers(true)); err != nil {
			return nil, bad(8, name, "%v", err)
		}
		info, why := e.info(name, data)
		if why != "" {
			return nil, bad(8, name, "%s", why)
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func (e *stEntry) info(name string, data []byte) (Info, string) {
	t, known := stTypes[e.Type]
	if !known {
		return Info{}, fmt.Sprintf("dtype %q is unknown", e.Type)
	}
	if slices.Min(append(e.Shape, 0)) < 0 || len(e.Shape) > 8 {
		return Info{}, fmt.Sprintf("shape %v: want at most 8 dimensions, none negative", e.Shape)
	}
	dim := make([]int, len(e.Shape))
	for i, d := range e.Shape {
		dim[i] = int(d)
	}
	n, ok := product(append(dim, t.size))
	if !ok {
		return Info{}, fmt.Sprintf("shape %v overflows", e.Shape)
	}
	begin, end := e.Offsets[0], e.Offsets[1]
	if begin < 0 || end < begin || end > int64(len(data)) {
		return Info{}, fmt.Sprintf("data_offsets [%d,%d] outside the data of %d bytes", begin, end, len(data))
	}
	if end-begin != n {
		return Info{}, fmt.Sprintf("data_offsets span %d bytes, %s%v takes %d", end-begin, e.Type, e.Shape, n)
	}
	return Info{Name: name, FileName: name, Type: t.t, TypeName: e.Type, Dim: dim, Offset: begin, Bytes: n, data: data[begin:end]}, ""
}

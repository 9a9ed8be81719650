package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-llm/weft/tensor"
)

// ggufBytes builds a file piece by piece, right or wrong.
type ggufBytes struct{ b []byte }

func (g *ggufBytes) u32(v uint32) *ggufBytes {
	g.b = binary.LittleEndian.AppendUint32(g.b, v)
	return g
}

func (g *ggufBytes) u64(v uint64) *ggufBytes {
	g.b = binary.LittleEndian.AppendUint64(g.b, v)
	return g
}

func (g *ggufBytes) raw(b ...byte) *ggufBytes {
	g.b = append(g.b, b...)
	return g
}

func (g *ggufBytes) str(s string) *ggufBytes {
	return g.u64(uint64(len(s))).raw([]byte(s)...)
}

func ggufHead(version uint32, tensors, pairs uint64) *ggufBytes {
	g := &ggufBytes{[]byte("GGUF")}
	return g.u32(version).u64(tensors).u64(pairs)
}

// tensor describes one: dimensions as in the file, the contiguous one first.
func (g *ggufBytes) tensor(name string, kind uint32, offset uint64, dim ...uint64) *ggufBytes {
	g.str(name).u32(uint32(len(dim)))
	for _, d := range dim {
		g.u64(d)
	}
	return g.u32(kind).u64(offset)
}

func (g *ggufBytes) pad(n int) *ggufBytes {
	for len(g.b)%n != 0 {
		g.b = append(g.b, 0)
	}
	return g
}

func (g *ggufBytes) data(n int) []byte { return append(g.pad(32).b, make([]byte, n)...) }

func TestGGUF_ReadsEveryMetadataType(t *testing.T) {
	g := ggufHead(3, 0, 15)
	g.str("u8").u32(ggufU8).raw(200)
	g.str("i8").u32(ggufI8).raw(0xff)
	g.str("u16").u32(ggufU16).raw(1, 2)
	g.str("i16").u32(ggufI16).raw(0xfe, 0xff)
	g.str("u32").u32(ggufU32).u32(1 << 31)
	g.str("i32").u32(ggufI32).u32(math.MaxUint32)
	g.str("f32").u32(ggufF32).u32(math.Float32bits(1.5))
	g.str("bool").u32(ggufBool).raw(1)
	g.str("string").u32(ggufString).str("grüß")
	g.str("u64").u32(ggufU64).u64(1 << 63)
	g.str("i64").u32(ggufI64).u64(math.MaxUint64)
	g.str("f64").u32(ggufF64).u64(math.Float64bits(2.5))
	g.str("strings").u32(ggufArray).u32(ggufString).u64(2).str("a").str("")
	g.str("bools").u32(ggufArray).u32(ggufBool).u64(2).raw(0, 1)
	g.str("nested").u32(ggufArray).u32(ggufArray).u64(1).u32(ggufI32).u64(1).u32(7)
	f, err := parseGGUF("x.gguf", g.b)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"u8": uint8(200), "i8": int8(-1), "u16": uint16(0x201), "i16": int16(-2), "u32": uint32(1 << 31),
		"i32": int32(-1), "f32": float32(1.5), "bool": true, "string": "grüß", "u64": uint64(1 << 63), "i64": int64(-1),
		"f64": 2.5, "strings": []string{"a", ""}, "bools": []bool{false, true}, "nested": []any{[]int32{7}}}
	for key, w := range want {
		if got := fmt.Sprintf("%T %v", f.meta[key], f.meta[key]); got != fmt.Sprintf("%T %v", w, w) {
			t.Errorf("%s = %s, want %T %v", key, got, w, w)
		}
	}
}

func TestGGUF_KnowsTheSizeOfEveryType(t *testing.T) {
	for id, kind := range ggmlTypes {
		if kind.t == tensor.Invalid {
			continue
		}
		if kind.block != kind.t.Block() || kind.size != kind.t.Size() || !strings.EqualFold(kind.name, kind.t.String()) {
			t.Errorf("type %d is %+v, tensor has %s of %d elements in %d bytes", id, kind, kind.t, kind.t.Block(), kind.t.Size())
		}
	}
	for id, kind := range ggmlTypes {
		g := ggufHead(3, 1, 0).tensor("w", id, 0, uint64(2*kind.block), 3)
		f, err := parseGGUF("x.gguf", g.data(6*kind.size))
		if err != nil {
			t.Errorf("%s: %v", kind.name, err)
		} else if i := f.info[0]; i.Bytes != int64(6*kind.size) || i.Dim[0] != 3 || i.Dim[1] != 2*kind.block {
			t.Errorf("%s: %d bytes of %v, want %d of [3 %d]", kind.name, i.Bytes, i.Dim, 6*kind.size, 2*kind.block)
		}
	}
}

// malformedGGUF is one file for each way to lie, with the field that the error must name.
func malformedGGUF() map[string]struct {
	file  []byte
	field string
} {
	type bad = struct {
		file  []byte
		field string
	}
	const huge = math.MaxUint64
	one := func(kind uint32, offset uint64, dim ...uint64) *ggufBytes {
		return ggufHead(3, 1, 0).tensor("w", kind, offset, dim...)
	}
	pair := func(key string, kind uint32) *ggufBytes { return ggufHead(3, 0, 1).str(key).u32(kind) }
	aligned := func(a uint32) []byte { return ggufHead(3, 0, 1).str("general.alignment").u32(ggufU32).u32(a).b }
	two := ggufHead(3, 2, 0).tensor("w", 0, 0, 8).tensor("w", 0, 32, 8)
	m := map[string]bad{
		"empty":                     {nil, "magic"},
		"wrong magic":               {[]byte("GGML\x03\x00\x00\x00"), "magic"},
		"version 1":                 {ggufHead(1, 0, 0).b, "version"},
		"version 4":                 {ggufHead(4, 0, 0).b, "version"},
		"big-endian":                {ggufHead(0x03000000, 0, 0).b, "big-endian"},
		"tensor count huge":         {ggufHead(3, huge, 0).b, "tensor count"},
		"tensor count plausible":    {ggufHead(3, 1<<20, 0).b, "tensor count"},
		"metadata count huge":       {ggufHead(3, 0, huge).b, "metadata count"},
		"metadata count too many":   {ggufHead(3, 0, 2).str("k").u32(ggufU32).u32(1).b, "metadata"},
		"key length huge":           {append(ggufHead(3, 0, 1).u64(huge).b, make([]byte, 64)...), "metadata 0 key"},
		"key empty":                 {ggufHead(3, 0, 1).str("").u32(ggufU32).u32(1).b, "metadata 0 key"},
		"key not UTF-8":             {ggufHead(3, 0, 1).str("\xff\xfe").u32(ggufU32).u32(1).b, "metadata 0 key"},
		"key twice":                 {ggufHead(3, 0, 2).str("k").u32(ggufU32).u32(1).str("k").u32(ggufU32).u32(1).b, `"k" occurs twice`},
		"value type unknown":        {pair("k", 13).u64(0).b, "k: value type 13"},
		"string length huge":        {pair("k", ggufString).u64(huge).u64(0).b, "k: "},
		"bool is 2":                 {append(pair("k", ggufBool).b, 2), "k: a bool is 2"},
		"array type unknown":        {pair("k", ggufArray).u32(99).u64(0).b, "k: element type 99"},
		"array length huge":         {pair("k", ggufArray).u32(ggufU8).u64(huge).u64(0).b, "k length"},
		"array length times size":   {pair("k", ggufArray).u32(ggufF64).u64(1 << 61).u64(0).b, "k length"},
		"array of strings cut":      {pair("k", ggufArray).u32(ggufString).u64(2).str("0123456789").b, "k: the file ends"},
		"alignment 0":               {aligned(0), "general.alignment"},
		"alignment 24":              {aligned(24), "general.alignment"},
		"alignment 2^31":            {aligned(1 << 31), "general.alignment"},
		"alignment a string":        {ggufHead(3, 0, 1).str("general.alignment").u32(ggufString).str("32").b, "general.alignment"},
		"tensor name twice":         {two.data(64), `"w" occurs twice`},
		"rank 0":                    {one(0, 0).data(64), "w rank"},
		"rank 5":                    {one(0, 0, 1, 1, 1, 1, 1).data(64), "w rank"},
		"rank 2^32-1":               {ggufHead(3, 1, 0).str("w").u32(math.MaxUint32).data(64), "w rank"},
		"dimension 0":               {one(0, 0, 0, 4).data(64), "w dimension"},
		"dimension 2^63":            {one(0, 0, 1<<63).data(64), "w dimension"},
		"dimensions overflow":       {one(0, 0, 1<<32, 1<<32).data(64), "w dimension"},
		"dimensions overflow to 0":  {one(0, 0, 1<<32, 1<<31, 2).data(64), "w dimension"},
		"bytes overflow":            {one(0, 0, 1<<61).data(64), "w d"},
		"row not whole blocks":      {one(2, 0, 33).data(64), "w dimension"},
		"row smaller than a block":  {one(12, 0, 32, 8).data(4096), "w dimension"},
		"type withdrawn":            {one(4, 0, 32).data(64), "w type: 4"},
		"type unknown":              {one(4000, 0, 32).data(64), "w type: 4000"},
		"offset huge":               {one(0, huge, 8).data(64), "w offset"},
		"offset not aligned":        {one(0, 4, 8).data(64), "w offset"},
		"offset beyond":             {one(0, 1<<40, 8).data(64), "w offset"},
		"tensor larger than file":   {one(0, 0, 1<<20).data(64), "w data"},
		"no data at all":            {one(0, 0, 8).b, "w data"},
		"second overlaps the first": {ggufHead(3, 2, 0).tensor("v", 0, 0, 16).tensor("w", 0, 32, 8).data(128), "w offset"},
		"gap before the second":     {ggufHead(3, 2, 0).tensor("v", 0, 0, 8).tensor("w", 0, 96, 8).data(256), "w offset"},
	}
	deep := pair("k", ggufArray)
	for range 8 {
		deep.u32(ggufArray).u64(1)
	}
	m["arrays nested deep"] = bad{deep.u32(ggufU8).u64(0).u64(0).u64(0).b, "nest deeper"}
	for kind := range uint32(13) {
		field := "k"
		if ggufSizes[kind] == 1 {
			field = "metadata count" // nothing is left, so not even one pair fits
		}
		m[fmt.Sprintf("value of type %d cut", kind)] = bad{append(pair("k", kind).b, make([]byte, ggufSizes[kind]-1)...), field}
		if kind != ggufArray {
			m[fmt.Sprintf("array of type %d cut", kind)] = bad{append(pair("k", ggufArray).u32(kind).u64(2).b, make([]byte, 2*ggufSizes[kind]-1)...), "k length"}
		}
	}
	return m
}

func TestGGUF_MalformedFilesAreErrorsThatNameTheField(t *testing.T) {
	for name, c := range malformedGGUF() {
		_, err := parseGGUF("x.gguf", c.file)
		var bad *FormatError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.field) || bad.Offset < 0 || bad.Offset > int64(len(c.file)) {
			t.Errorf("%s: error %v, want a FormatError in the file that says %q", name, err, c.field)
		}
	}
}

// tinyLlama is a whole model that Open takes.
func tinyLlama() []byte {
	meta := []struct {
		key string
		v   uint32
	}{{"block_count", 1}, {"context_length", 32}, {"embedding_length", 32}, {"feed_forward_length", 32}, {"attention.head_count", 2}}
	dims := []struct {
		name string
		dim  []uint64
	}{{"token_embd.weight", []uint64{32, 4}}, {"output_norm.weight", []uint64{32}}, {"blk.0.attn_q.weight", []uint64{32, 32}}}
	g := ggufHead(3, uint64(len(dims)), uint64(len(meta)+3))
	g.str("general.architecture").u32(ggufString).str("llama")
	g.str("tokenizer.ggml.tokens").u32(ggufArray).u32(ggufString).u64(4).str("a").str("b").str("c").str("d")
	for _, m := range meta {
		g.str("llama." + m.key).u32(ggufU32).u32(m.v)
	}
	g.str("llama.attention.layer_norm_rms_epsilon").u32(ggufF32).u32(math.Float32bits(1e-5))
	offset := uint64(0)
	for _, d := range dims {
		g.tensor(d.name, 0, offset, d.dim...)
		n := uint64(4)
		for _, x := range d.dim {
			n *= x
		}
		offset += n
	}
	data := make([]byte, offset)
	for i := range len(data) / 4 {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(float32(i)))
	}
	return append(g.pad(32).b, data...)
}

func openBytes(t testing.TB, b []byte) (*Checkpoint, error) {
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(path)
}

func TestOpenBytes_ReadsWhatOpenReads(t *testing.T) {
	file, err := openBytes(t, tinyLlama())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	memory, err := OpenBytes("tiny", tinyLlama())
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	got, want := memory.Tensors(), file.Tensors()
	if len(got) != len(want) || memory.Config.Arch != file.Config.Arch || memory.Bytes() != file.Bytes() {
		t.Fatalf("OpenBytes() = %s, %d tensors; Open() = %s, %d tensors", memory.Config.Arch, len(got), file.Config.Arch, len(want))
	}
	for i := range got {
		if got[i].Name != want[i].Name || !bytes.Equal(got[i].data, want[i].data) {
			t.Errorf("tensor %d is %s, want %s with the same bytes", i, got[i].Name, want[i].Name)
		}
	}
	if _, err := OpenBytes("half", tinyLlama()[:40]); err == nil {
		t.Error("OpenBytes() of half a file succeeds, want an error")
	}
}

func TestGGUF_TruncatedAtAnyByteIsAnError(t *testing.T) {
	whole := tinyLlama()
	if _, err := parseGGUF("x.gguf", whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := parseGGUF("x.gguf", whole[:n:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a file", n, len(whole))
		}
	}
}

func TestGGUF_PutsRowsOfQueriesBackInOrder(t *testing.T) {
	c, err := openBytes(t, tinyLlama())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	q, err := c.Tensor("model.layers.0.self_attn.q_proj.weight", 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	v := f32s(q.Data)
	const begin = 4*32 + 32 // the tensor's first value: those before it fill the embeddings and the norm
	for r, file := range map[int]int{0: 0, 1: 2, 7: 14, 8: 1, 15: 15, 16: 16, 17: 18, 24: 17} {
		if got := int(v[32*r]-begin) / 32; got != file {
			t.Errorf("row %d is the file's row %d, want %d", r, got, file)
		}
	}
}

// TestGGUF_RowsOfQueriesAreThoseOfHeadsOfAnEvenSize: others cannot be put back in order.
func TestGGUF_RowsOfQueriesAreThoseOfHeadsOfAnEvenSize(t *testing.T) {
	c, err := openBytes(t, tinyLlama())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for heads, fits := range map[int]bool{1: true, 2: true, 16: true, 5: false, 32: false, 33: false, 64: false} {
		c.permute = func(string) int { return heads }
		_, err := c.Tensor("model.layers.0.self_attn.q_proj.weight", 32, 32)
		if fits != (err == nil) || !fits && !strings.Contains(err.Error(), "blk.0.attn_q.weight") {
			t.Errorf("%d heads: Tensor() = %v", heads, err)
		}
	}
}

func TestGGUF_ShapesMustFitTheConfiguration(t *testing.T) {
	c, err := openBytes(t, tinyLlama())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Tensor("model.norm.weight", 33); err == nil || !strings.Contains(err.Error(), "[32]") || !strings.Contains(err.Error(), "[33]") {
		t.Errorf("Tensor() = %v, want an error with both shapes", err)
	}
	if _, err := c.Tensor("model.layers.0.self_attn.k_proj.weight", 32, 32); err == nil || !strings.Contains(err.Error(), "no such tensor") {
		t.Errorf("Tensor() = %v, want an error", err)
	}
}

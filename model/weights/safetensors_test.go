package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-llm/weft/tensor"
)

func stFile(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

const stTwo = `{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]}}   `

func TestSafetensors_ReadsNamesTypesAndShapes(t *testing.T) {
	got, err := ParseSafetensors("x", stFile(stTwo, 22))
	if err != nil || len(got) != 2 {
		t.Fatalf("ParseSafetensors() = %v, %v", got, err)
	}
	if a := got["a"]; a.Type != tensor.F32 || len(a.Dim) != 2 || len(a.Data) != 16 {
		t.Errorf("a = %+v", a)
	}
	if b := got["b"]; b.Type != tensor.BF16 || len(b.Dim) != 1 || len(b.Data) != 6 {
		t.Errorf("b = %+v", b)
	}
}

func TestSafetensors_EmptyTensorsTakeNoRoom(t *testing.T) {
	header := `{"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[0,7],"data_offsets":[0,0]},"c":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}`
	if got, err := ParseSafetensors("x", stFile(header, 4)); err != nil || len(got) != 3 {
		t.Errorf("ParseSafetensors() = %v, %v, want three tensors", got, err)
	}
}

func TestSafetensors_KnowsTheSizeOfEveryType(t *testing.T) {
	for name, kind := range stTypes {
		header := fmt.Sprintf(`{"a":{"dtype":%q,"shape":[3,5],"data_offsets":[0,%d]}}`, name, 15*kind.size)
		if _, err := parseSafetensors("x", stFile(header, 15*kind.size)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if kind.t != tensor.Invalid && kind.t.Size() != kind.size {
			t.Errorf("%s takes %d bytes, tensor.%s %d", name, kind.size, kind.t, kind.t.Size())
		}
	}
}

func TestSafetensors_MalformedFilesAreErrorsThatNameTheField(t *testing.T) {
	entry := func(s string) []byte { return stFile(`{"w":`+s+`}`, 16) }
	long := stFile(stTwo, 22)
	binary.LittleEndian.PutUint64(long, 1<<63)
	for name, c := range map[string]struct {
		file  []byte
		field string
	}{
		"empty":                 {nil, "header length"},
		"seven bytes":           {make([]byte, 7), "header length"},
		"header length huge":    {long, "header length"},
		"header longer":         {stFile(stTwo, 22)[:60], "header length"},
		"header empty":          {stFile("", 0), "header"},
		"header no object":      {stFile("[]", 0), "'{'"},
		"header with space":     {stFile(" {}", 0), "'{'"},
		"header cut":            {stFile(`{"w":`, 0), "header"},
		"header not UTF-8":      {stFile("{\"\xff\":{}}", 0), "header"},
		"name twice":            {stFile(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1), "header"},
		"metadata no strings":   {stFile(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
		"entry no object":       {entry(`5`), "w"},
		"member unknown":        {entry(`{"dtype":"F32","shape":[4],"data_offsets":[0,16],"x":1}`), "w"},
		"dtype unknown":         {entry(`{"dtype":"F31","shape":[4],"data_offsets":[0,16]}`), `"F31"`},
		"dtype missing":         {entry(`{"shape":[4],"data_offsets":[0,16]}`), "dtype"},
		"shape negative":        {entry(`{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}`), "shape"},
		"shape fraction":        {entry(`{"dtype":"F32","shape":[4.5],"data_offsets":[0,16]}`), "w"},
		"shape overflows":       {entry(`{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}`), "overflows"},
		"shape overflows to 16": {entry(`{"dtype":"F32","shape":[4611686018427387905,4],"data_offsets":[0,16]}`), "overflows"},
		"shape beyond int64":    {entry(`{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,16]}`), "w"},
		"shape of nine":         {entry(`{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,16],"data_offsets":[0,16]}`), "shape"},
		"shape lies":            {entry(`{"dtype":"F32","shape":[3],"data_offsets":[0,16]}`), "takes 12"},
		"offsets swapped":       {entry(`{"dtype":"F32","shape":[4],"data_offsets":[16,0]}`), "data_offsets"},
		"offsets negative":      {entry(`{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}`), "data_offsets"},
		"offsets beyond":        {entry(`{"dtype":"F32","shape":[4],"data_offsets":[4,20]}`), "data_offsets"},
		"offsets one":           {entry(`{"dtype":"F32","shape":[4],"data_offsets":[0]}`), "w"},
		"gap":                   {stFile(`{"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "w.data_offsets"},
		"overlap":               {stFile(`{"v":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, 2), "data_offsets"},
		"tail":                  {stFile(stTwo, 23), "data"},
	} {
		_, err := parseSafetensors("x.safetensors", c.file)
		var bad *FormatError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.field) {
			t.Errorf("%s: error %v, want a FormatError that says %q", name, err, c.field)
		}
	}
}

func TestSafetensors_TruncatedAtAnyByteIsAnError(t *testing.T) {
	whole := stFile(stTwo, 22)
	for n := range whole {
		if _, err := parseSafetensors("x", whole[:n:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a file", n, len(whole))
		}
	}
}

// modelDir writes a directory with config.json, and files as name, content, name, content.
func modelDir(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	files = append(files, "config.json", `{"architectures":["LlamaForCausalLM"],"eos_token_id":2,`+small+`}`)
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDirectory_ReadsShardsByTheirIndex(t *testing.T) {
	one := string(stFile(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1))
	two := string(stFile(`{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2))
	dir := modelDir(t, "m-1.safetensors", one, "m-2.safetensors", two,
		"model.safetensors.index.json", `{"metadata":{},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}`,
		"generation_config.json", `{"eos_token_id":[2,7],"temperature":0.6,"top_k":20,"top_p":0.95,"do_sample":true}`,
		"tokenizer_config.json", `{"chat_template":[{"name":"tool_use","template":"no"},{"name":"default","template":"{{ x }}"}]}`)
	c, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(c.Tensors()) != 2 || c.Bytes() != 3 {
		t.Errorf("Tensors() = %v, want a and b of 3 bytes", c.Tensors())
	}
	if len(c.Config.EOS) != 2 || c.Config.EOS[1] != 7 || c.ChatTemplate != "{{ x }}" {
		t.Errorf("EOS = %v, template %q, want [2 7] and the default template", c.Config.EOS, c.ChatTemplate)
	}
	if d := c.Defaults; *d.Temperature != 0.6 || *d.TopK != 20 || *d.TopP != 0.95 || d.MinP != nil || d.Greedy {
		t.Errorf("Defaults = %+v", d)
	}
}

func TestDirectory_RefusesFilesOutsideOrAmbiguous(t *testing.T) {
	file := string(stFile(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1))
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"path in the index":   {[]string{"model.safetensors.index.json", `{"weight_map":{"a":"../x.safetensors"}}`}, "weight_map.a"},
		"empty index":         {[]string{"model.safetensors.index.json", `{}`}, "weight_map"},
		"shard missing":       {[]string{"model.safetensors.index.json", `{"weight_map":{"a":"x.safetensors"}}`}, "x.safetensors"},
		"tensor twice":        {[]string{"model.safetensors.index.json", `{"weight_map":{"a":"x.safetensors","b":"y.safetensors"}}`, "x.safetensors", file, "y.safetensors", file}, "is in"},
		"two files, no index": {[]string{"x.safetensors", file, "y.safetensors", file}, "2 .safetensors files"},
		"no weights":          {nil, "0 .safetensors files"},
	} {
		if _, err := Open(modelDir(t, c.files...)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open() = %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestDummy_MakesWhatTheModelAsksFor(t *testing.T) {
	dir := modelDir(t)
	for _, path := range []string{dir, filepath.Join(dir, "config.json")} {
		c, err := OpenDummy(path)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := c.Tensor("model.layers.0.mlp.up_proj.weight", 96, 64)
		v, _ := c.Tensor("model.layers.1.mlp.up_proj.weight", 96, 64)
		if w.Data != nil || w.Type != tensor.BF16 || w.Std != 0.02 || w.Seed == v.Seed {
			t.Errorf("Tensor() = %+v, want random bf16 with a seed of its own", w)
		}
		n, _ := c.Tensor("model.norm.weight", 64)
		if f, err := Floats(n); err != nil || len(f) != 64 || f[63] != 1 {
			t.Errorf("norm = %v, %v, want ones", f, err)
		}
	}
}

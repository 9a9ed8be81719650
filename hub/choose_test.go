package hub

import (
	"errors"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	const shards = `{"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}`
	for _, c := range []struct{ name, listing, selected, index, want string }{
		{"a directory is its texts and weights, weights last",
			"model.safetensors config.json tokenizer.json tokenizer_config.json generation_config.json chat_template.jinja README.md pytorch_model.bin model.onnx",
			"", "", "config.json tokenizer.json tokenizer_config.json generation_config.json chat_template.jinja model.safetensors"},
		{"the index says which weights", "config.json model.safetensors.index.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors consolidated.safetensors",
			"", shards, "config.json model.safetensors.index.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors"},
		{"a weight that the index names must be there", "config.json model.safetensors.index.json model-00001-of-00002.safetensors",
			"", shards, `error: names "model-00002-of-00002.safetensors", which is not there`},
		{"the index names no other directory's files", "config.json x.safetensors model.safetensors.index.json ../evil.safetensors",
			"", `{"weight_map": {"a": "../evil.safetensors"}}`, "error: which is not there"},
		{"other precisions are left out", "config.json model.safetensors model.fp16.safetensors", "", "", "config.json model.safetensors"},
		{"the only weights file may have any name", "config.json weights.safetensors", "", "", "config.json weights.safetensors"},
		{"subdirectories are left out", "config.json model.safetensors onnx/config.json unet/model.safetensors tokenizer/tokenizer.json", "", "", "config.json model.safetensors"},
		{"two weights and no index", "config.json a.safetensors b.safetensors", "", "", "error: 2 .safetensors files and no"},
		{"only pickles", "config.json pytorch_model.bin", "", "", "error: neither"},
		{"a lone gguf", "README.md config.json m.gguf", "", "", "m.gguf"},
		{"a quantisation in any case", "m-Q4_K_M.gguf m-Q8_0.gguf", "q4_k_m", "", "m-Q4_K_M.gguf"},
		{"a quantisation is a whole word", "m-Q4_K_S.gguf m-IQ4_XS.gguf", "Q4_K", "", "error: choose one of:\n  IQ4_XS"},
		{"IQ4_XS is not Q4_XS", "m-IQ4_XS.gguf", "Q4_XS", "", "error: choose one of"},
		{"a file by name", "a/m-Q4_0.gguf b/m-Q4_0.gguf", "b/m-Q4_0.gguf", "", "b/m-Q4_0.gguf"},
		{"a quantisation of two files", "a-Q4_0.gguf b-Q4_0.gguf", "Q4_0", "", "error: several files; choose one:\n  a-Q4_0.gguf\n  b-Q4_0.gguf"},
		{"no choice among several", "m-Q4_0.gguf m-Q8_0.gguf", "", "", "error: choose one, for example with \":Q4_0\""},
		{"shards of a quantisation in order", "Q8_0/m-Q8_0-00002-of-00002.gguf Q8_0/m-Q8_0-00001-of-00002.gguf m-Q4_0.gguf", "Q8_0", "",
			"Q8_0/m-Q8_0-00001-of-00002.gguf Q8_0/m-Q8_0-00002-of-00002.gguf"},
		{"any shard's name means all", "m-00001-of-00002.gguf m-00002-of-00002.gguf", "m-00002-of-00002.gguf", "", "m-00001-of-00002.gguf m-00002-of-00002.gguf"},
		{"a missing shard", "m-00001-of-00003.gguf m-00003-of-00003.gguf", "", "", "error: 2 of the 3 files"},
		{"shards with wrong numbers", "m-00001-of-00002.gguf m-00007-of-00002.gguf", "", "", "error: is missing"},
		{"a dynamic quantisation by its short name", "m-UD-Q4_K_XL.gguf m-Q4_0.gguf", "Q4_K_XL", "", "m-UD-Q4_K_XL.gguf"},
		{"projectors are no models", "mmproj-F16.gguf m-F16.gguf imatrix.gguf", "f16", "", "m-F16.gguf"},
		{"the directory's name counts when the file's says nothing", "BF16/m-00001-of-00001.gguf Q4_0/m.gguf", "bf16", "", "BF16/m-00001-of-00001.gguf"},
		{"the file's name counts first", "F16/m-Q4_0.gguf F16/m-Q8_0.gguf", "Q8_0", "", "F16/m-Q8_0.gguf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var files []File
			for _, n := range strings.Fields(c.listing) {
				files = append(files, File{Name: n, Size: 1000, ID: commitA})
			}
			got, err := choose(files, c.selected, func(File) ([]byte, error) {
				if c.index == "" {
					return nil, errors.New("there is no index")
				}
				return []byte(c.index), nil
			})
			if want, isError := strings.CutPrefix(c.want, "error: "); isError {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("choose() = %v, %v, want the error %q", got, err, want)
				}
				return
			}
			var names []string
			for _, f := range got {
				names = append(names, f.Name)
			}
			if s := strings.Join(names, " "); err != nil || s != c.want {
				t.Errorf("choose() = %q, %v, want %q", s, err, c.want)
			}
		})
	}
}

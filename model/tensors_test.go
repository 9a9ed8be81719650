package model

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// saved writes the tensors that a dummy asks for, all zero, to a directory, less one and plus some: names with their
// types.
func saved(t *testing.T, arch, prefix, less string, plus ...string) *weights.Checkpoint {
	t.Helper()
	c := dummy(t, arch, `"tie_word_embeddings":true`)
	var l loads
	if _, err := Load(c, &l, LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	var entries []string
	at := 0
	add := func(name, kind string, size int, dim ...int) {
		shape, n := strings.ReplaceAll(fmt.Sprint(dim), " ", ","), size*int(elements(dim))
		entries = append(entries, fmt.Sprintf(`%q:{"dtype":%q,"shape":%s,"data_offsets":[%d,%d]}`, name, kind, shape, at, at+n))
		at += n
	}
	for _, parts := range l.parts {
		for _, s := range parts {
			if s.Name != less {
				add(prefix+s.Name, "BF16", 2, s.Dim...)
			}
		}
	}
	for i := 0; i < len(plus); i += 2 {
		add(plus[i], plus[i+1], map[string]int{"BF16": 2, "I64": 8}[plus[i+1]], 8)
	}
	header := "{" + strings.Join(entries, ",") + "}"
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	if err := os.WriteFile(filepath.Join(c.Path, "model.safetensors"), append(file, make([]byte, at)...), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := weights.Open(c.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	return out
}

func TestLoad_TakesAllTensorsOfAFileOrNone(t *testing.T) {
	const odd = "model.layers.1.self_attn.sinks"
	for _, c := range []struct {
		name, less string
		plus       []string
		want       string
	}{
		{"as the model asks", "", nil, ""},
		{"a second copy of tied embeddings", "", []string{"lm_head.weight", "BF16"}, ""},
		{"a buffer that is computed", "", []string{"model.layers.0.self_attn.rotary_emb.inv_freq", "BF16"}, ""},
		{"one that has no place", "", []string{odd, "BF16"}, "1 tensors have no place in LlamaForCausalLM, the first is " + odd},
		{"one of a type without arithmetic", "", []string{odd, "I64"}, "1 tensors have type I64"},
		{"one missing", "model.norm.weight", nil, "cannot load model.norm.weight: "},
	} {
		_, err := Load(saved(t, "LlamaForCausalLM", "", c.less, c.plus...), &loads{}, LoadOptions{})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Load() = %v, want %q", c.name, err, c.want)
		}
	}
}

func TestLoad_FindsTheTextModelOfAMultimodalFile(t *testing.T) {
	for _, prefix := range []string{"language_model.", "model.language_"} {
		c := saved(t, "Gemma3ForCausalLM", prefix, "")
		if _, err := Load(c, &loads{}, LoadOptions{}); err != nil {
			t.Errorf("names begin with %q: %v", prefix, err)
		}
	}
}

func TestHalfType_IsThatOfMostWeightsUnlessTheArchitectureIsWide(t *testing.T) {
	for _, c := range []struct {
		arch string
		mix  []tensor.DType // of tensors of one size
		want tensor.DType
	}{
		{"LlamaForCausalLM", []tensor.DType{tensor.BF16}, tensor.BF16},
		{"LlamaForCausalLM", []tensor.DType{tensor.F32}, tensor.BF16},
		{"LlamaForCausalLM", []tensor.DType{tensor.F16}, tensor.F16},
		{"Qwen3ForCausalLM", []tensor.DType{tensor.Q4_K, tensor.Q6_K, tensor.F32}, tensor.F16},
		{"Qwen3ForCausalLM", []tensor.DType{tensor.BF16, tensor.BF16, tensor.Q8_0}, tensor.BF16},
		{"Gemma2ForCausalLM", []tensor.DType{tensor.Q4_0}, tensor.BF16},
		{"Gemma3ForCausalLM", []tensor.DType{tensor.F16}, tensor.BF16},
		{"Gemma3ForConditionalGeneration", []tensor.DType{tensor.Q8_0}, tensor.BF16},
		{"GraniteForCausalLM", []tensor.DType{tensor.Q4_1}, tensor.BF16},
	} {
		infos := []weights.Info{{Type: tensor.F32, Dim: []int{1 << 20}}} // a vector, which counts for nothing
		for _, typ := range c.mix {
			infos = append(infos, weights.Info{Type: typ, Dim: []int{8, 256}})
		}
		if got := halfType(c.arch, infos, tensor.Invalid); got != c.want {
			t.Errorf("%s of %v: got %s, want %s", c.arch, c.mix, got, c.want)
		}
	}
	if got := HalfType(dummy(t, "LlamaForCausalLM", `"torch_dtype":"float16"`)); got != tensor.F16 {
		t.Errorf("a dummy in float16: got %s, want f16", got)
	}
}

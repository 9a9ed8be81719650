package weights

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// testdata/config holds configurations in the form that the models' authors give them; lists of factors are made up.
func TestConfig_ReadsPublishedModels(t *testing.T) {
	for _, c := range []struct {
		file string
		want func(c *Config) []any // pairs of got and want
	}{
		{"qwen3-0.6b", func(c *Config) []any {
			return []any{c.Arch, "Qwen3ForCausalLM", c.Layers, 28, c.Heads, 16, c.KVHeads, 8, c.HeadDim, 128, c.TieEmbeddings, true,
				c.Ropes, []Rope{{Base: 1e6, Dim: 128, Kind: "default", Attention: 1}}, c.MaxPositions, 40960, c.EOS, []int32{151645},
				c.DType, tensor.BF16, c.Layer[27], Layer{}}
		}},
		{"llama-3.1-8b", func(c *Config) []any {
			return []any{c.EOS, []int32{128001, 128008, 128009}, c.HeadDim, 128, c.MaxPositions, 131072, c.TieEmbeddings, false, c.Ropes,
				[]Rope{{Base: 5e5, Dim: 128, Kind: "llama3", Factor: 8, OrigMax: 8192, LowFreq: 1, HighFreq: 4, Attention: 1}}}
		}},
		{"mistral-7b-v0.1", func(c *Config) []any {
			return []any{c.Layer[0].Window, 4096, c.Layer[31].Window, 4096, c.KVHeads, 8, c.Eps, float32(1e-5)}
		}},
		{"mistral-7b-v0.3", func(c *Config) []any { return []any{c.Layer[0].Window, 0, c.Vocab, 32768} }},
		{"qwen2.5-7b-yarn", func(c *Config) []any {
			return []any{c.QKVBias, true, c.OBias, false, c.MaxPositions, 131072, c.Layer[27].Window, 0, c.Ropes[0].Kind, "yarn",
				c.Ropes[0].OrigMax, 32768, c.Ropes[0].BetaFast, 32.0, c.Ropes[0].Attention, 0.1*1.3862943611198906 + 1}
		}},
		{"gemma-2-9b", func(c *Config) []any {
			return []any{c.Activation, backend.GELUTanh, c.TieEmbeddings, true, c.AttnScale, float32(0.0625), c.AttnSoftcap, float32(50),
				c.LogitSoftcap, float32(30), c.Layer[0].Window, 4096, c.Layer[1].Window, 0, c.NormPlusOne, true, c.EmbedScale, float32(59.86652)}
		}},
		{"gemma-3-4b", func(c *Config) []any {
			return []any{c.Arch, "Gemma3ForConditionalGeneration", c.Layers, 34, c.Heads, 8, c.KVHeads, 4, c.HeadDim, 256, c.Vocab, 262208,
				c.Layer[4], Layer{Window: 1024, Rope: 0}, c.Layer[5], Layer{Rope: 1}, c.EOS, []int32{1, 106}, c.MaxPositions, 131072,
				c.Ropes[1].Factor, 8.0, c.Ropes[1].Base, 1e6, c.Ropes[0].Base, 1e4, c.Ropes[0].Kind, "default"}
		}},
		{"phi-4-mini", func(c *Config) []any {
			return []any{c.Ropes[0].Dim, 96, c.Ropes[0].Kind, "longrope", c.Ropes[0].OrigMax, 4096, c.MaxPositions, 131072,
				c.Ropes[0].Attention, 1.1902380714238083, c.TieEmbeddings, true, c.Layer[0].Window, 262144}
		}},
		{"smollm3-3b", func(c *Config) []any {
			return []any{c.Layer[2].Rope, 0, c.Layer[3].Rope, -1, c.Layer[35].Rope, -1, c.Ropes[0].Base, 5e6, c.Layer[0].Window, 0}
		}},
		{"granite-3.1-2b", func(c *Config) []any {
			return []any{c.EmbedScale, float32(12), c.ResidualScale, float32(0.22), c.AttnScale, float32(0.015625), c.LogitScale, float32(0.125)}
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join("testdata", "config", c.file+".json")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseHFConfig(path, b)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Unsupported) > 0 {
				t.Errorf("Unsupported = %q, want none", got.Unsupported)
			}
			pairs := c.want(&got)
			for i := 0; i < len(pairs); i += 2 {
				if !reflect.DeepEqual(pairs[i], pairs[i+1]) {
					t.Errorf("value %d = %v, want %v", i/2, pairs[i], pairs[i+1])
				}
			}
		})
	}
}

const small = `"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":2,"intermediate_size":96,"vocab_size":100`

func TestConfig_NamesWhatIsNotSupported(t *testing.T) {
	for _, c := range []struct{ extra, want string }{
		{`"quantization_config":{"quant_method":"awq"}`, "quantization_config"},
		{`"rope_scaling":{"rope_type":"dynamic","factor":2.0}`, "rope_scaling.rope_type = dynamic"},
		{`"hidden_act":"relu2"`, "hidden_act = relu2"},
		{`"sliding_window":512`, "sliding_window = 512"}, // Llama has none
		{`"attn_temperature_tuning":4`, "attn_temperature_tuning = 4"},
		{`"rope_scaling":{"rope_type":"linear","factor":2.0,"wobble":3}`, "rope_scaling.wobble = 3"},
		{`"layer_types":["full_attention","linear_attention"]`, "layer_types[1] = linear_attention"},
	} {
		got, err := parseHFConfig("config.json", []byte(`{"architectures":["LlamaForCausalLM"],`+small+`,`+c.extra+`}`))
		if err != nil {
			t.Errorf("%s: %v", c.extra, err)
		} else if !strings.Contains(strings.Join(got.Unsupported, "\n"), c.want) {
			t.Errorf("%s: Unsupported = %q, want %q", c.extra, got.Unsupported, c.want)
		}
	}
}

func TestConfig_RejectsNonsenseNamingTheField(t *testing.T) {
	const arch = `{"architectures":["LlamaForCausalLM"],`
	for _, c := range []struct{ json, want string }{
		{``, "JSON"},
		{`null`, "JSON"},
		{`[1]`, "JSON"},
		{`{"a":1,"a":2}`, "JSON"},
		{`{` + small + `}`, "architectures: it is missing"},
		{arch + `"hidden_size":64}`, "num_hidden_layers: it is missing"},
		{arch + small + `,"num_key_value_heads":0}`, "num_key_value_heads: 0"},
		{arch + small + `,"num_key_value_heads":3}`, "num_key_value_heads: 3 does not divide"},
		{arch + small + `,"head_dim":-1}`, "head_dim: -1"},
		{arch + small + `,"head_dim":1e300}`, "head_dim: 1e+300"},
		{arch + small + `,"head_dim":"64"}`, "head_dim: want float64"},
		{arch + small + `,"rms_norm_eps":0}`, "rms_norm_eps: 0"},
		{arch + small + `,"rms_norm_eps":1e-69}`, "rms_norm_eps: 1e-69, want a number above 0 that float32 can hold"},
		{arch + small + `,"rope_scaling":{"rope_type":"llama3"}}`, "rope_scaling.factor: 0"},
		{arch + small + `,"rope_scaling":[]}`, "rope_scaling: want an object"},
		{arch + small + `,"rope_scaling":{"rope_type":"longrope","short_factor":[1],"long_factor":[1]}}`, "1 factors, want 16"},
		{arch + small + `,"partial_rotary_factor":0.01}`, "partial_rotary_factor: 0 of 32"},
		{arch + small + `,"eos_token_id":"x"}`, "eos_token_id: want int32"},
	} {
		_, err := parseHFConfig("config.json", []byte(c.json))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.json, err, c.want)
		}
	}
}

func TestConfig_OfAnUnknownArchitectureCanBeInspected(t *testing.T) {
	c, err := parseHFConfig("config.json", []byte(`{"architectures":["MambaForCausalLM"],"d_model":5}`))
	if err != nil || c.Arch != "MambaForCausalLM" || len(c.Unsupported) == 0 {
		t.Fatalf("parseHFConfig() = %+v, %v, want an architecture with unsupported settings", c, err)
	}
}

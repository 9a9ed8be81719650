package model

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/model/weights"
	"github.com/weft-llm/weft/tensor"
)

// dummy makes a checkpoint from a configuration of a small model; settings override or add to it.
func dummy(t *testing.T, arch string, settings ...string) *weights.Checkpoint {
	t.Helper()
	json := `{"architectures":["` + arch + `"],"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
		"intermediate_size":96,"vocab_size":100,"max_position_embeddings":128,"eos_token_id":[2,7]`
	for _, s := range settings {
		json += "," + s
	}
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte(json+"}"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := weights.OpenDummy(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// loads records what a model loads.
type loads struct {
	counter
	tables int
	parts  [][]backend.Source
}

func (l *loads) note(parts ...backend.Source) (backend.Weight, error) {
	l.parts = append(l.parts, parts)
	return l.add(parts...)
}

func (l *loads) LoadVector(parts ...backend.Source) (backend.Weight, error) { return l.note(parts...) }
func (l *loads) LoadLinear(parts ...backend.Source) (backend.Weight, error) { return l.note(parts...) }
func (l *loads) LoadGated(gate, up backend.Source) (backend.Weight, error)  { return l.note(gate, up) }
func (l *loads) LoadTable([]float32, int, int) (backend.Weight, error) {
	l.tables++
	return nothing{}, nil
}

func TestLoad_StoresTiedEmbeddingsOnce(t *testing.T) {
	for tied, want := range map[string]int{"true": 1, "false": 2} {
		var l loads
		if _, err := Load(dummy(t, "LlamaForCausalLM", `"tie_word_embeddings":`+tied), &l, LoadOptions{}); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range l.parts {
			if p[0].Dim[0] == 100 {
				n++
			}
		}
		if n != want {
			t.Errorf("tied %s: %d matrices of the vocabulary, want %d", tied, n, want)
		}
	}
}

func TestLoad_SharesOneTableAmongEqualRopes(t *testing.T) {
	for _, c := range []struct {
		arch, types string
		want        int
	}{
		{"LlamaForCausalLM", `"full_attention","full_attention"`, 1},
		{"Gemma3ForCausalLM", `"sliding_attention","full_attention"`, 2}, // they rotate by different bases
		{"Gemma3ForCausalLM", `"sliding_attention","sliding_attention"`, 1},
	} {
		var l loads
		if _, err := Load(dummy(t, c.arch, `"layer_types":[`+c.types+`]`), &l, LoadOptions{}); err != nil {
			t.Fatal(err)
		}
		if l.tables != c.want {
			t.Errorf("%s of %s: %d tables, want %d", c.arch, c.types, l.tables, c.want)
		}
	}
}

func TestLoad_AnswersWhatTheEngineAsks(t *testing.T) {
	var l loads
	m, err := Load(dummy(t, "Qwen3ForCausalLM"), &l, LoadOptions{MaxContext: 77})
	if err != nil {
		t.Fatal(err)
	}
	if m.Vocab() != 100 || m.MaxContext() != 77 || !slices.Equal(m.EOS(), []int32{2, 7}) {
		t.Errorf("vocabulary %d, context %d, ends %v, want 100, 77, [2 7]", m.Vocab(), m.MaxContext(), m.EOS())
	}
	if got, want := m.KVSpec(9), (backend.KVSpec{Layers: 2, KVHeads: 2, HeadDim: 128, Slots: 9}); got != want {
		t.Errorf("KVSpec(9) = %+v, want %+v", got, want)
	}
}

func TestLoad_RefusesByName(t *testing.T) {
	for _, c := range []struct {
		arch, setting string
		context       int
		want          string
	}{
		{"LlamaForCausalLM", `"mlp_bias":true`, 0, "mlp_bias = true"},
		{"LlamaForCausalLM", `"hidden_act":"relu"`, 0, "hidden_act = relu"},
		{"LlamaForCausalLM", `"num_experts":8`, 0, "num_experts = 8"},
		{"LlamaForCausalLM", `"use_cache":true`, 129, "129 tokens is asked for, the model was made for 128"},
		{"Qwen3MoeForCausalLM", `"use_cache":true`, 0, "the nearest known one is Qwen3ForCausalLM"},
		{"Gemma2Model", `"use_cache":true`, 0, "the nearest known one is Gemma2ForCausalLM"},
		{"PhiForCausalLM", `"use_cache":true`, 0, "the nearest known one is Phi3ForCausalLM"},
	} {
		var l loads
		_, err := Load(dummy(t, c.arch, c.setting), &l, LoadOptions{MaxContext: c.context})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Load(%s, %s) = %v, want an error with %q", c.arch, c.setting, err, c.want)
		}
		if len(l.parts) > 0 {
			t.Errorf("Load(%s, %s) loaded %d weights before it refused", c.arch, c.setting, len(l.parts))
		}
	}
}

func TestLoad_ReportsProgressUpToTheTotal(t *testing.T) {
	var l loads
	done, total := int64(0), int64(0)
	_, err := Load(dummy(t, "LlamaForCausalLM"), &l, LoadOptions{Progress: func(d, n int64) {
		if d < done {
			t.Errorf("progress went from %d to %d", done, d)
		}
		done, total = d, n
	}})
	if err != nil || done != total || done == 0 {
		t.Errorf("progress ended at %d of %d, %v", done, total, err)
	}
}

func TestInspect_CountsADummysParameters(t *testing.T) {
	r := Inspect(dummy(t, "LlamaForCausalLM", `"tie_word_embeddings":true`))
	const layer = 64*(64+2*32) + 64*64 + 3*64*96 + 2*64
	if want := int64(100*64 + 2*layer + 64); r.Parameters != want {
		t.Errorf("Parameters = %d, want %d", r.Parameters, want)
	}
	if got := r.KVBytesPerToken(tensor.BF16); got != 2*2*2*16*2 {
		t.Errorf("KVBytesPerToken = %d, want %d", got, 2*2*2*16*2)
	}
	if got := r.ContextThatFits(r.WeightBytes(tensor.BF16)+10*256+255, tensor.BF16, tensor.BF16); got != 10 {
		t.Errorf("ContextThatFits = %d, want 10", got)
	}
}

func TestInspect_SaysWhatItIsAndWhyItCannotRun(t *testing.T) {
	for _, c := range []struct {
		arch, setting string
		want          []string
	}{
		{"LlamaForCausalLM", `"torch_dtype":"float16"`, []string{"4 heads of 16 over 2 KV heads", "128 tokens at most", "256 B a token in f16", "runs it"}},
		{"Gemma2ForCausalLM", `"sliding_window":32`, []string{"1 of 2 layers see the last 32 tokens", "runs it"}},
		{"LlamaForCausalLM", `"num_experts":8`, []string{"cannot run it: the setting num_experts = 8"}},
		{"MambaForCausalLM", `"d_conv":4`, []string{"cannot run it: the architecture \"MambaForCausalLM\" is unknown"}},
	} {
		var b strings.Builder
		if err := Inspect(dummy(t, c.arch, c.setting)).Write(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s with %s: the report lacks %q:\n%s", c.arch, c.setting, want, b.String())
			}
		}
	}
}

// trace is a backend that computes nothing; it notes the order of operations.
type trace struct {
	backend.Kernels
	ops []string
}

func (k *trace) op(name string) tensor.View {
	if k.ops != nil {
		k.ops = append(k.ops, name)
	}
	return tensor.Of(64, tensor.F32, 1, 1)
}

func (k *trace) Layer(int)                                                 { k.op("layer") }
func (k *trace) Embed(backend.Weight, *backend.Batch, float32) tensor.View { return k.op("embed") }
func (k *trace) RMSNorm(tensor.View, backend.Weight, float32) tensor.View  { return k.op("norm") }
func (k *trace) Linear(_ tensor.View, _, _ backend.Weight) tensor.View     { return k.op("linear") }
func (k *trace) Last(tensor.View, *backend.Batch) tensor.View              { return k.op("last") }
func (k *trace) Logits(tensor.View, backend.Weight, float32, float32) tensor.View {
	return k.op("logits")
}
func (k *trace) AllReduce(x tensor.View) tensor.View { return k.op("reduce") }

func (k *trace) AddRMSNorm(x, res tensor.View, _ backend.Weight, _ float32) (y, sum tensor.View) {
	return k.op("add"), x
}

func (k *trace) GatedLinear(tensor.View, backend.Weight, backend.Activation) tensor.View {
	return k.op("gated")
}

func (k *trace) RopeStore(tensor.View, *backend.Attention, *backend.Batch) tensor.View {
	return k.op("rope")
}

func (k *trace) Attend(tensor.View, *backend.Attention, *backend.Batch) tensor.View {
	return k.op("attend")
}

func (k *trace) NormHeads(res backend.Residual, n backend.Norm, w, bias backend.Weight, a *backend.Attention, b *backend.Batch) (tensor.View, backend.Residual) {
	return backend.ComposeNormHeads(k, res, n, w, bias, a, b)
}

func (k *trace) NormGated(res backend.Residual, n backend.Norm, w backend.Weight, act backend.Activation) (tensor.View, backend.Residual) {
	return backend.ComposeNormGated(k, res, n, w, act)
}

func (k *trace) AddLinear(res backend.Residual, x tensor.View, w, bias backend.Weight) backend.Residual {
	return backend.ComposeAddLinear(k, res, x, w, bias)
}

func TestForward_EnqueuesEachFamilysOperationsInOrder(t *testing.T) {
	for arch, block := range map[string]string{
		"LlamaForCausalLM":  "layer add linear rope attend linear reduce add gated linear reduce",
		"Gemma2ForCausalLM": "layer add linear rope attend linear reduce norm add gated linear reduce norm",
	} {
		m, err := Load(dummy(t, arch), &loads{}, LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		// Behind the last keys and values only what is sampled goes on.
		toStore, rest, _ := strings.Cut(block, " attend")
		toStore = "embed " + block + " " + toStore
		for samples, want := range []string{toStore, toStore + " last last attend" + rest + " add logits"} {
			k := &trace{ops: []string{}}
			m.Forward(k, &backend.Batch{Samples: samples})
			if got := strings.Join(k.ops, " "); got != want {
				t.Errorf("%s, %d samples: Forward() enqueues %q, want %q", arch, samples, got, want)
			}
		}
	}
}

func TestForward_AllocatesNothing(t *testing.T) {
	m, err := Load(dummy(t, "Gemma3ForCausalLM"), &loads{}, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var k backend.Kernels = &trace{}
	b := &backend.Batch{Samples: 1}
	if n := testing.AllocsPerRun(100, func() { m.Forward(k, b) }); n != 0 {
		t.Errorf("Forward() makes %v allocations, want 0", n)
	}
}

func TestRope_KeepsHighFrequenciesAndStretchesLowOnes(t *testing.T) {
	// The values of llama3 and yarn are what transformers 5.23 computes (modeling_rope_utils.py).
	for _, c := range []struct {
		r    weights.Rope
		want []float32
	}{
		{weights.Rope{Base: 100, Dim: 8, Kind: "llama3", Factor: 8, OrigMax: 32, LowFreq: 1, HighFreq: 4},
			[]float32{1, 0.0958399772644043, 0.012500000186264515, 0.0039528473280370235}},
		{weights.Rope{Base: 100, Dim: 8, Kind: "yarn", Factor: 4, OrigMax: 256, BetaFast: 32, BetaSlow: 1, NoTruncate: true},
			[]float32{1, 0.25397229194641113, 0.05539863556623459, 0.009639943018555641}},
		{weights.Rope{Base: 100, Dim: 8, Kind: "yarn", Factor: 4, OrigMax: 256, BetaFast: 32, BetaSlow: 1},
			[]float32{1, 0.2569350600242615, 0.0625, 0.013834965415298939}},
		{weights.Rope{Base: 10000, Dim: 8, Kind: "linear", Factor: 4}, []float32{0.25, 0.025, 0.0025, 0.00025}},
		{weights.Rope{Base: 10000, Dim: 8, Kind: "default"}, []float32{1, 0.1, 0.01, 0.001}},
	} {
		for i, f := range frequencies(c.r, 128) {
			if math.Abs(float64(f/c.want[i]-1)) > 2e-7 {
				t.Errorf("%s: frequency %d is %v, want %v", c.r.Kind, i, f, c.want[i])
			}
		}
	}
}

func TestRope_ChoosesFactorsByTheServedContext(t *testing.T) {
	r := weights.Rope{Base: 10000, Dim: 4, Kind: "longrope", OrigMax: 64, Short: []float64{1, 2}, Long: []float64{4, 8}, Attention: 1}
	for positions, want := range map[int]float32{64: 1, 65: 0.25} {
		if got := frequencies(r, positions)[0]; got != want {
			t.Errorf("up to %d positions: %v, want %v", positions, got, want)
		}
	}
}

package weights

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// ggufArch gives the Hugging Face architecture of each general.architecture that this package reads. permuted ones
// hold q and k for interleaved rotation (ggml-org/llama.cpp, convert_hf_to_gguf.py).
var ggufArch = map[string]struct {
	name     string
	permuted bool
}{
	"llama":   {"LlamaForCausalLM", true},
	"qwen2":   {"Qwen2ForCausalLM", false},
	"qwen3":   {"Qwen3ForCausalLM", false},
	"gemma2":  {"Gemma2ForCausalLM", false},
	"gemma3":  {"Gemma3ForCausalLM", false},
	"phi3":    {"Phi3ForCausalLM", false},
	"smollm3": {"SmolLM3ForCausalLM", true},
	"granite": {"GraniteForCausalLM", true},
	"olmo2":   {"Olmo2ForCausalLM", false},
}

// fromGGUF fills c from the first shard's metadata and the tensors of all.
func (c *Checkpoint) fromGGUF(f *ggufFile, paths []string, infos map[string][]Info, all []Info) error {
	f.info = all
	arch, _ := f.meta["general.architecture"].(string)
	if arch == "" {
		return &FormatError{c.Path, f.at["general.architecture"], "general.architecture", "it is missing or not a string"}
	}
	a, known := ggufArch[arch]
	if !known {
		a.name = arch
	}
	m := &metaReader{path: c.Path, arch: arch, f: f, known: map[string]bool{}}
	c.Metadata = f.meta
	c.Config = Config{Arch: a.name, BOS: -1, Pad: -1}
	c.Config.readGGUF(m)
	c.readGGUFTokens(f)
	c.Config.Unsupported = append(c.Config.Unsupported, m.unknown()...)
	if m.err != nil {
		if known {
			return m.err
		}
		c.Config.refuse(m.err.Error())
	}
	for _, path := range paths {
		for i, t := range infos[path] {
			infos[path][i].Name = hfName(arch, t.FileName)
		}
		if err := c.add(path, infos[path]); err != nil {
			return err
		}
	}
	if a.permuted {
		c.permute = c.Config.permutedHeads
	}
	return nil
}

func (c *Config) readGGUF(m *metaReader) {
	c.Layers = m.size("block_count", 0, maxLayers)
	c.Hidden = m.size("embedding_length", 0, maxWidth)
	c.Inter = m.size("feed_forward_length", 0, maxWidth)
	c.Heads = m.size("attention.head_count", 0, maxHeads)
	c.KVHeads = m.size("attention.head_count_kv", c.Heads, maxHeads)
	c.HeadDim = m.size("attention.key_length", max(c.Hidden/c.Heads, 1), maxHeadDim)
	if v := m.size("attention.value_length", c.HeadDim, maxHeadDim); v != c.HeadDim {
		c.refuse(fmt.Sprintf("%s.attention.value_length = %d, key_length = %d", m.arch, v, c.HeadDim))
	}
	if c.Heads%c.KVHeads != 0 {
		m.fail(m.arch+".attention.head_count_kv", "%d does not divide head_count %d", c.KVHeads, c.Heads)
	}
	c.MaxPositions = m.size("context_length", 0, maxPositions)
	c.Eps = float32(m.positive("attention.layer_norm_rms_epsilon", 1e-6))
	c.DType = tensor.BF16
	c.fromTensors(m)
	c.ggufScales(m)
	c.ggufLayers(m)
	c.ggufRopes(m)
}

// fromTensors derives what GGUF does not state: which tensors are there.
func (c *Config) fromTensors(m *metaReader) {
	c.TieEmbeddings = true
	for _, t := range m.f.info {
		switch t.FileName {
		case "token_embd.weight":
			c.Vocab = t.Dim[0]
		case "output.weight":
			c.TieEmbeddings = false
		case "blk.0.attn_q.bias", "blk.0.attn_qkv.bias":
			c.QKVBias = true
		case "blk.0.attn_output.bias":
			c.OBias = true
		case "blk.0.ffn_up.bias":
			c.MLPBias = true
		}
	}
	if c.Vocab == 0 {
		m.fail("token_embd.weight", "the tensor is missing")
	} else if c.Vocab > maxVocab {
		m.fail("token_embd.weight", "%d rows, want at most %d", c.Vocab, maxVocab)
	}
}

func (c *Config) ggufScales(m *metaReader) {
	c.EmbedScale, c.ResidualScale, c.LogitScale = 1, 1, 1
	c.AttnScale = float32(math.Pow(float64(c.HeadDim), -0.5))
	switch c.Arch {
	case "Gemma2ForCausalLM", "Gemma3ForCausalLM":
		c.Activation = backend.GELUTanh
		c.EmbedScale = float32(math.Sqrt(float64(c.Hidden)))
		c.AttnSoftcap = float32(m.positive("attn_logit_softcapping", 0))
		c.LogitSoftcap = float32(m.positive("final_logit_softcapping", 0))
		// The 27B models divide by hidden/heads; the file does not say so, their depth does.
		if c.Arch == "Gemma2ForCausalLM" && c.Layers == 46 || c.Arch == "Gemma3ForCausalLM" && c.Layers == 62 {
			c.AttnScale = float32(math.Pow(float64(c.Hidden/c.Heads), -0.5))
		}
	case "GraniteForCausalLM":
		c.EmbedScale = float32(m.positive("embedding_scale", 1))
		c.ResidualScale = float32(m.positive("residual_scale", 1))
		c.LogitScale = float32(1 / m.positive("logit_scale", 1))
		c.AttnScale = float32(m.positive("attention.scale", float64(c.AttnScale)))
	}
}

func (c *Config) ggufLayers(m *metaReader) {
	c.Layer = make([]Layer, c.Layers)
	window := m.size("attention.sliding_window", maxPositions, maxPositions)
	if v, _ := m.get("attention.sliding_window"); window == maxPositions || metaInt(v) == 0 {
		return
	}
	for i := range c.Layer {
		if c.Arch == "Gemma2ForCausalLM" && i%2 == 1 || c.Arch == "Gemma3ForCausalLM" && (i+1)%6 == 0 {
			continue
		}
		c.Layer[i].Window = window
	}
}

func (c *Config) ggufRopes(m *metaReader) {
	r := Rope{Base: m.positive("rope.freq_base", 10000), Dim: m.size("rope.dimension_count", c.HeadDim, maxHeadDim), Attention: 1}
	if r.Dim > c.HeadDim || r.Dim%2 != 0 {
		m.fail(m.arch+".rope.dimension_count", "%d, want an even number up to %d", r.Dim, c.HeadDim)
		return
	}
	local := Rope{Base: m.positive("rope.freq_base_swa", 10000), Dim: r.Dim, Attention: 1, Kind: "default"}
	c.ggufScaling(m, &r)
	for i := range c.Layer {
		switch {
		case c.Arch == "SmolLM3ForCausalLM" && (i+1)%4 == 0:
			c.Layer[i].Rope = -1
		case c.Arch == "Gemma3ForCausalLM" && c.Layer[i].Window > 0:
			c.Layer[i].Rope = c.ropeIndex(local)
		default:
			c.Layer[i].Rope = c.ropeIndex(r)
		}
	}
}

func (c *Config) ggufScaling(m *metaReader, r *Rope) {
	r.Kind = m.text("rope.scaling.type", "none")
	r.Factor = m.positive("rope.scaling.factor", m.positive("rope.scale_linear", 1))
	r.OrigMax = m.size("rope.scaling.original_context_length", c.MaxPositions, maxPositions)
	attention := m.positive("rope.scaling.attn_factor", 0)
	r.Frequencies = m.floats("rope_freqs.weight", r.Dim/2)
	long, short := m.floats("rope_factors_long.weight", r.Dim/2), m.floats("rope_factors_short.weight", r.Dim/2)
	switch {
	case long != nil && short != nil:
		r.Kind, r.Attention = "longrope", 1
		for i := range long {
			r.Long, r.Short = append(r.Long, float64(long[i])), append(r.Short, float64(short[i]))
		}
	case r.Kind == "yarn":
		r.BetaFast, r.BetaSlow = m.positive("rope.scaling.yarn_beta_fast", 32), m.positive("rope.scaling.yarn_beta_slow", 1)
		r.Attention = yarnScale(r.Factor, 1)
		c.stretch(*r)
	case r.Kind == "linear" || r.Kind == "none" && r.Factor != 1:
		r.Kind = "linear"
	case r.Kind == "none":
		r.Kind = "default"
	default:
		c.refuse(m.arch + ".rope.scaling.type = " + r.Kind)
	}
	if attention > 0 {
		r.Attention = attention * r.Attention
	}
	if r.Kind == "default" {
		r.Factor, r.OrigMax = 0, 0
	}
}

// permutedHeads tells how many heads a tensor's rows belong to, when the file reorders them; 0 when it does not.
func (c *Config) permutedHeads(name string) int {
	switch {
	case hasSuffix(name, "self_attn.q_proj.weight", "self_attn.q_proj.bias"):
		return c.Heads
	case hasSuffix(name, "self_attn.k_proj.weight", "self_attn.k_proj.bias"):
		return c.KVHeads
	}
	return 0
}

// unpermute copies a tensor of rows, putting row 2j+p of a head back to row p·D/2+j.
func unpermute(b []byte, heads, rows int) []byte {
	out := make([]byte, len(b))
	row, d := len(b)/rows, rows/heads
	for r := range rows {
		h, i := r/d, r%d
		to := h*d + i%2*(d/2) + i/2
		copy(out[to*row:(to+1)*row], b[r*row:(r+1)*row])
	}
	return out
}

// endings are the names of control tokens that end a turn; old files name only one of their model's in
// tokenizer.ggml.eos_token_id.
var endings = []string{"<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>"}

func (c *Checkpoint) readGGUFTokens(f *ggufFile) {
	c.ChatTemplate, _ = f.meta["tokenizer.chat_template"].(string)
	for _, key := range []string{"eos", "eot", "eom"} {
		if v, ok := f.meta["tokenizer.ggml."+key+"_token_id"]; ok {
			c.Config.addEOS([]int32{tokenID(v)})
		}
	}
	c.Config.BOS, c.Config.Pad = tokenID(f.meta["tokenizer.ggml.bos_token_id"]), tokenID(f.meta["tokenizer.ggml.padding_token_id"])
	tokens, _ := f.meta["tokenizer.ggml.tokens"].([]string)
	kinds, _ := f.meta["tokenizer.ggml.token_type"].([]int32)
	const control = 3
	for i, t := range tokens[:min(len(tokens), len(kinds))] {
		if kinds[i] == control && slices.Contains(endings, t) {
			c.Config.addEOS([]int32{int32(i)})
		}
	}
	number := func(key string) *float32 {
		v, ok := metaFloat(f.meta["general.sampling."+key])
		if !ok {
			return nil
		}
		n := float32(v)
		return &n
	}
	d := &c.Defaults
	d.Temperature, d.TopP, d.MinP, d.RepetitionPenalty = number("temp"), number("top_p"), number("min_p"), number("penalty_repeat")
	if k := metaInt(f.meta["general.sampling.top_k"]); k >= 0 {
		n := int32(min(k, math.MaxInt32))
		d.TopK = &n
	}
}

func tokenID(v any) int32 {
	if n := metaInt(v); n >= 0 && n < maxVocab {
		return int32(n)
	}
	return -1
}

// f32s decodes little-endian floats.
func f32s(b []byte) []float32 {
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

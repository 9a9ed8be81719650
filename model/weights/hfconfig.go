package weights

import (
	"fmt"
	"math"
	"slices"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Upper bounds of a plausible model: larger values are a malformed file, and products of these stay in an int.
const (
	maxLayers    = 1 << 12
	maxWidth     = 1 << 22 // hidden, intermediate
	maxHeads     = 1 << 14
	maxHeadDim   = 1 << 12
	maxVocab     = 1 << 26
	maxPositions = 1 << 30
)

// parseHFConfig reads config.json. An architecture without a row in hfDefaults is read as far as it goes, so that it
// can be inspected; whatever fails is then in Unsupported.
func parseHFConfig(path string, b []byte) (Config, error) {
	s, err := parseSettings(path, b)
	if err != nil {
		return Config{}, err
	}
	c := Config{BOS: -1, Pad: -1}
	if a := get(s, "architectures", []string(nil)); len(a) > 0 {
		c.Arch = a[0]
	} else {
		s.fail("architectures", "it is missing")
	}
	defaults, known := hfDefaults[c.Arch]
	s.defaults = defaults
	text := s
	if c.Arch == "Gemma3ForConditionalGeneration" {
		if text = s.object("text_config"); text == nil {
			s.fail("text_config", "it is missing")
			return c, *s.err
		}
		text.defaults = defaults
		c.SkipPrefixes = []string{"vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector."}
	}
	c.readHF(text)
	c.readTokens(s)
	if text != s {
		c.readTokens(text)
		c.DType = c.dtype(s)
		c.Unsupported = append(c.Unsupported, s.unknown()...)
	}
	c.Unsupported = append(c.Unsupported, text.unknown()...)
	if !known && *s.err != nil && c.Arch != "" {
		c.refuse((*s.err).Error())
		return c, nil
	}
	return c, *s.err
}

func (c *Config) readHF(s *settings) {
	c.Layers = s.size("num_hidden_layers", 0, maxLayers)
	c.Hidden = s.size("hidden_size", 0, maxWidth)
	c.Inter = s.size("intermediate_size", 0, maxWidth)
	c.Vocab = s.size("vocab_size", 0, maxVocab)
	c.Heads = s.size("num_attention_heads", 0, maxHeads)
	c.KVHeads = s.size("num_key_value_heads", c.Heads, maxHeads)
	c.HeadDim = s.size("head_dim", max(c.Hidden/c.Heads, 1), maxHeadDim)
	if c.Heads%c.KVHeads != 0 {
		s.fail("num_key_value_heads", "%d does not divide num_attention_heads %d", c.KVHeads, c.Heads)
	}
	c.MaxPositions = s.size("max_position_embeddings", 2048, maxPositions)
	c.Eps = float32(s.positive("rms_norm_eps", 1e-6))
	c.TieEmbeddings = s.flag("tie_word_embeddings", false)
	c.DType = c.dtype(s)
	c.activation(s)
	c.biases(s)
	c.scales(s)
	c.layers(s)
	c.ropes(s)
}

// dtype is transformers' dtype, or torch_dtype as it was called before.
func (c *Config) dtype(s *settings) tensor.DType {
	name := s.text("dtype", s.text("torch_dtype", "bfloat16"))
	t, ok := map[string]tensor.DType{"float32": tensor.F32, "float16": tensor.F16, "bfloat16": tensor.BF16}[name]
	if !ok {
		c.refuse("torch_dtype = " + name)
		return tensor.BF16
	}
	return t
}

func (c *Config) activation(s *settings) {
	name := s.text("hidden_act", "silu")
	if v := s.text("hidden_activation", ""); v != "" {
		name = v
	}
	switch name {
	case "silu", "swish":
		c.Activation = backend.SiLU
	case "gelu":
		c.Activation = backend.GELU
	case "gelu_pytorch_tanh", "gelu_new":
		c.Activation = backend.GELUTanh
	default:
		c.refuse("hidden_act = " + name)
	}
}

func (c *Config) biases(s *settings) {
	both := s.flag("attention_bias", false)
	c.QKVBias, c.OBias = both || c.Arch == "Qwen2ForCausalLM", both
	c.MLPBias = s.flag("mlp_bias", false)
}

func (c *Config) scales(s *settings) {
	c.EmbedScale, c.ResidualScale, c.LogitScale = 1, 1, 1
	c.AttnScale = float32(math.Pow(float64(c.HeadDim), -0.5))
	switch c.Arch {
	case "Gemma2ForCausalLM", "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration":
		c.NormPlusOne = true
		c.EmbedScale = float32(math.Sqrt(float64(c.Hidden)))
		c.AttnScale = float32(math.Pow(s.positive("query_pre_attn_scalar", 256), -0.5))
		c.AttnSoftcap = s.softcap("attn_logit_softcapping")
		c.LogitSoftcap = s.softcap("final_logit_softcapping")
		if s.flag("use_bidirectional_attention", false) {
			c.refuse("use_bidirectional_attention = true")
		}
	case "GraniteForCausalLM":
		c.EmbedScale = float32(s.positive("embedding_multiplier", 1))
		c.ResidualScale = float32(s.positive("residual_multiplier", 1))
		c.AttnScale = float32(s.positive("attention_multiplier", 1))
		c.LogitScale = float32(1 / s.positive("logits_scaling", 1))
	}
}

// readTokens collects the ids that config.json tells.
func (c *Config) readTokens(s *settings) {
	c.addEOS(s.ids("eos_token_id"))
	if v := s.ids("bos_token_id"); len(v) > 0 {
		c.BOS = v[0]
	}
	if v := s.ids("pad_token_id"); len(v) > 0 {
		c.Pad = v[0]
	}
}

func (c *Config) addEOS(ids []int32) {
	for _, id := range ids {
		if id >= 0 && int(id) < c.Vocab && !slices.Contains(c.EOS, id) {
			c.EOS = append(c.EOS, id)
		}
	}
}

// layers fills Layer: who sees a window only, by layer_types or by the rule that the architecture had before
// transformers wrote that list. Ropes come later.
func (c *Config) layers(s *settings) {
	c.Layer = make([]Layer, c.Layers)
	window := s.slidingWindow(c)
	types := get(s, "layer_types", []string(nil))
	sliding := s.slidingRule(c)
	if types != nil && len(types) != c.Layers {
		s.fail("layer_types", "%d entries, want %d", len(types), c.Layers)
		return
	}
	for i := range c.Layer {
		slides := sliding(i)
		if types != nil {
			slides = types[i] == "sliding_attention"
			if !slides && types[i] != "full_attention" {
				c.refuse(fmt.Sprintf("layer_types[%d] = %s", i, types[i]))
			}
		}
		if slides {
			c.Layer[i].Window = window
		}
	}
}

func (s *settings) slidingWindow(c *Config) int {
	switch c.Arch {
	case "LlamaForCausalLM", "GraniteForCausalLM", "Olmo2ForCausalLM":
		return 0 // they have no such setting: if there is one, it is refused as unknown
	}
	if use := s.flag("use_sliding_window", false); !use {
		switch c.Arch {
		case "Qwen2ForCausalLM", "Qwen3ForCausalLM", "SmolLM3ForCausalLM":
			s.known["sliding_window"] = true
			return 0
		}
	}
	w := s.number("sliding_window", 0)
	if w == 0 {
		return 0
	}
	return s.size("sliding_window", 0, maxPositions)
}

// slidingRule is which layers slide when layer_types is absent.
func (s *settings) slidingRule(c *Config) func(i int) bool {
	switch c.Arch {
	case "Gemma2ForCausalLM":
		return func(i int) bool { return i%2 == 0 }
	case "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration":
		n := s.size("sliding_window_pattern", 6, maxLayers)
		if s.has("_sliding_window_pattern") {
			n = s.size("_sliding_window_pattern", n, maxLayers)
		}
		return func(i int) bool { return (i+1)%n != 0 }
	case "Qwen2ForCausalLM", "Qwen3ForCausalLM":
		from := s.number("max_window_layers", 28)
		return func(i int) bool { return float64(i) >= from }
	case "SmolLM3ForCausalLM":
		rotates := s.rotates(c)
		return func(i int) bool { return !rotates(i) }
	}
	return func(int) bool { return true }
}

// rotates is SmolLM3's rule of which layers have rotary embeddings (1 in no_rope_layers means that it has).
func (s *settings) rotates(c *Config) func(i int) bool {
	list := get(s, "no_rope_layers", []int(nil))
	n := s.size("no_rope_layer_interval", 4, maxLayers)
	if len(list) == 0 {
		return func(i int) bool { return (i+1)%n != 0 }
	}
	if len(list) != c.Layers {
		s.fail("no_rope_layers", "%d entries, want %d", len(list), c.Layers)
		return func(int) bool { return true }
	}
	return func(i int) bool { return list[i] != 0 }
}

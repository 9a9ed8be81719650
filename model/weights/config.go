package weights

import (
	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Config is a model's shape and settings, the same whatever file it came from. The names in the comments are those of
// config.json.
type Config struct {
	Arch         string // architectures[0]: "LlamaForCausalLM"; for GGUF its counterpart, or general.architecture if it has none
	Layers       int    // num_hidden_layers
	Hidden       int    // hidden_size
	Heads        int    // num_attention_heads
	KVHeads      int    // num_key_value_heads
	HeadDim      int    // head_dim, by default Hidden/Heads
	Inter        int    // intermediate_size
	Vocab        int    // vocab_size
	MaxPositions int    // tokens the model was made for: max_position_embeddings, times the factor of a rope scaling that stretches it

	Eps        float32 // rms_norm_eps
	Activation backend.Activation
	DType      tensor.DType // torch_dtype, of a dummy's weights

	TieEmbeddings bool
	QKVBias       bool
	OBias         bool
	MLPBias       bool
	NormPlusOne   bool // norm weights are stored as w-1 (Gemma's config.json models)

	EmbedScale    float32 // multiplies embeddings
	ResidualScale float32 // multiplies what attention and MLP add to the residual stream (Granite)
	AttnScale     float32 // multiplies q·k
	LogitScale    float32 // multiplies logits
	AttnSoftcap   float32 // 0 for none
	LogitSoftcap  float32 // 0 for none
	Ropes         []Rope  // distinct rotary embeddings
	Layer         []Layer // one per layer
	EOS           []int32 // ids that end a generation: config.json's and generation_config.json's
	BOS, Pad      int32   // -1 for none
	Unsupported   []string
	SkipPrefixes  []string // names of tensors of other modalities, which a text model does without
}

// Layer is what differs between layers.
type Layer struct {
	Window int // tokens a query sees, itself included; 0 for all
	Rope   int // index into Ropes; -1: no rotation (SmolLM3)
}

// Rope is a rotary embedding before it is made into a table.
type Rope struct {
	Base float64 // rope_theta
	Dim  int     // dimensions of a head that rotate
	Kind string  // "default", "linear", "llama3", "yarn", "longrope"

	Factor      float64 // linear, llama3, yarn
	OrigMax     int     // original_max_position_embeddings: llama3, yarn, longrope
	LowFreq     float64 // llama3
	HighFreq    float64 // llama3
	BetaFast    float64 // yarn
	BetaSlow    float64 // yarn
	NoTruncate  bool    // yarn: the correction range is not rounded to whole dimensions
	Attention   float64 // multiplies cos and sin: yarn, longrope; 1 for the others
	Short, Long []float64
	Frequencies []float32 // divisors of the frequencies, as GGUF stores llama3's scaling; nil for none
}

// refuse notes a setting that weft cannot honour.
func (c *Config) refuse(what string) { c.Unsupported = append(c.Unsupported, what) }

package weights

// hfDefaults holds, for each architecture that this package reads, the values transformers takes for settings that
// config.json leaves out, where they differ from the common ones in readHF (transformers, configuration_*.py).
var hfDefaults = map[string]map[string]any{
	"LlamaForCausalLM":   {"max_position_embeddings": 2048.0},
	"MistralForCausalLM": {"num_key_value_heads": 8.0, "max_position_embeddings": 131072.0, "sliding_window": 4096.0},
	"Qwen2ForCausalLM":   {"max_position_embeddings": 32768.0, "sliding_window": 4096.0, "max_window_layers": 28.0},
	"Qwen3ForCausalLM":   {"max_position_embeddings": 32768.0, "sliding_window": 4096.0, "max_window_layers": 28.0, "head_dim": 128.0},
	"Gemma2ForCausalLM": {"max_position_embeddings": 8192.0, "head_dim": 256.0, "tie_word_embeddings": true,
		"hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 256.0, "sliding_window": 4096.0,
		"final_logit_softcapping": 30.0, "attn_logit_softcapping": 50.0},
	"Gemma3ForCausalLM":              gemma3Defaults,
	"Gemma3ForConditionalGeneration": gemma3Defaults,
	"Phi3ForCausalLM":                {"max_position_embeddings": 4096.0, "original_max_position_embeddings": 4096.0, "rms_norm_eps": 1e-5},
	"SmolLM3ForCausalLM":             {"max_position_embeddings": 32768.0, "rope_theta": 2e6, "tie_word_embeddings": true, "num_key_value_heads": 4.0},
	"Olmo2ForCausalLM":               {"max_position_embeddings": 2048.0, "rms_norm_eps": 1e-5},
	"GraniteForCausalLM":             {"max_position_embeddings": 2048.0},
}

var gemma3Defaults = map[string]any{"vocab_size": 262208.0, "hidden_size": 2304.0, "intermediate_size": 9216.0,
	"num_hidden_layers": 26.0, "num_attention_heads": 8.0, "num_key_value_heads": 4.0, "head_dim": 256.0,
	"max_position_embeddings": 131072.0, "tie_word_embeddings": true, "hidden_activation": "gelu_pytorch_tanh",
	"query_pre_attn_scalar": 256.0, "sliding_window": 4096.0, "sliding_window_pattern": 6.0,
	"rope_theta": 1e6, "rope_local_base_freq": 1e4}

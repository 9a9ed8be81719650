package weights

import (
	"slices"
	"strings"
)

// ggufTop and ggufBlock give the Hugging Face names of GGUF's tensors, less their .weight or .bias.
var ggufTop = map[string]string{
	"token_embd":         "model.embed_tokens",
	"output_norm":        "model.norm",
	"output":             "lm_head",
	"rope_freqs":         "rope_freqs",
	"rope_factors_long":  "rope_factors_long",
	"rope_factors_short": "rope_factors_short",
}

var ggufBlock = map[string]string{
	"attn_norm":           "input_layernorm",
	"attn_q":              "self_attn.q_proj",
	"attn_k":              "self_attn.k_proj",
	"attn_v":              "self_attn.v_proj",
	"attn_qkv":            "self_attn.qkv_proj",
	"attn_output":         "self_attn.o_proj",
	"attn_q_norm":         "self_attn.q_norm",
	"attn_k_norm":         "self_attn.k_norm",
	"ffn_gate":            "mlp.gate_proj",
	"ffn_up":              "mlp.up_proj",
	"ffn_down":            "mlp.down_proj",
	"ffn_norm":            "post_attention_layernorm",
	"post_attention_norm": "post_attention_layernorm",
	"post_ffw_norm":       "post_feedforward_layernorm",
}

// hfName translates a GGUF tensor name, "" if it has no counterpart: "blk.3.attn_q.weight" is
// "model.layers.3.self_attn.q_proj.weight".
func hfName(arch, name string) string {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return ""
	}
	stem, kind := name[:dot], name[dot:]
	if top, ok := ggufTop[stem]; ok {
		return top + kind
	}
	block, ok := strings.CutPrefix(stem, "blk.")
	layer, part, ok2 := strings.Cut(block, ".")
	if !ok || !ok2 {
		return ""
	}
	hf, ok := ggufBlock[part]
	switch {
	case !ok:
		return ""
	case part == "ffn_norm" && (arch == "gemma2" || arch == "gemma3"):
		hf = "pre_feedforward_layernorm"
	case part == "ffn_up" && arch == "phi3":
		hf = "mlp.gate_up_proj"
	}
	return "model.layers." + layer + "." + hf + kind
}

func hasSuffix(s string, any ...string) bool {
	return slices.ContainsFunc(any, func(x string) bool { return strings.HasSuffix(s, x) })
}

func hasPrefix(s string, any ...string) bool {
	return slices.ContainsFunc(any, func(x string) bool { return strings.HasPrefix(s, x) })
}

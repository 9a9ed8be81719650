"""Writes a tiny transformers model as GGUF, as llama.cpp's converter would: its names, its order of rows in q and k.

The weights of the model are replaced by what the file holds, so that goldens are of the quantised model.
"""
import gguf
import numpy as np
import torch

NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "post_attention_layernorm": "ffn_norm", "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up",
}
GEMMA = NAMES | {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
                 "post_feedforward_layernorm": "post_ffw_norm"}
PERMUTED = {"llama", "granite", "smollm3"}  # architectures whose q and k rows the converter reorders
# A mixture as real files have one; rows of a block type are multiples of 32.
TYPES = {"attn_q": "Q8_0", "attn_qkv": "Q8_0", "attn_k": "Q8_0", "attn_v": "F16", "attn_output": "Q5_1", "ffn_gate": "Q4_1", "ffn_up": "Q4_0",
         "ffn_down": "Q5_0", "token_embd": "Q8_0", "output": "BF16"}


def translate(name, arch):
    stem, kind = name.rsplit(".", 1)
    names = GEMMA if arch.startswith("gemma") else NAMES
    if stem in names:
        return f"{names[stem]}.{kind}"
    _, _, layer, part = stem.split(".", 3)
    return f"blk.{layer}.{names[part]}.{kind}"


def quantise(name, p):
    """Returns the bytes to store and replaces p by what they mean."""
    kind = TYPES.get(name.split(".")[-2], "F32") if p.dim() == 2 else "F32"
    t = gguf.GGMLQuantizationType[kind]
    q = gguf.quants.quantize(p.data.numpy().astype(np.float32), t)
    p.data = torch.from_numpy(gguf.quants.dequantize(q, t).copy()).reshape(p.shape)
    return q, t


def permute(rows, heads):
    """llama.cpp's order of rows for interleaved rotation; a row's bytes stay as they are."""
    return rows.reshape(heads, 2, rows.shape[0] // heads // 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def quantise_all(model, arch):
    """Once only: quantising what was quantised may give other blocks."""
    model.quantised = {n: quantise(translate(n, arch), p) for n, p in model.named_parameters()}


def write(model, arch, path):
    c = model.config
    w = gguf.GGUFWriter(str(path), arch)
    w.add_block_count(c.num_hidden_layers)
    w.add_context_length(c.max_position_embeddings)
    w.add_embedding_length(c.hidden_size)
    w.add_feed_forward_length(c.intermediate_size)
    w.add_head_count(c.num_attention_heads)
    w.add_head_count_kv(c.num_key_value_heads)
    w.add_key_length(c.head_dim)
    w.add_value_length(c.head_dim)
    w.add_layer_norm_rms_eps(c.rms_norm_eps)
    w.add_eos_token_id(c.eos_token_id)
    w.add_bos_token_id(c.bos_token_id)
    if arch.startswith("gemma"):
        w.add_sliding_window(c.sliding_window)
    if arch == "gemma2":
        w.add_attn_logit_softcapping(c.attn_logit_softcapping)
        w.add_final_logit_softcapping(c.final_logit_softcapping)
    if arch == "granite":
        w.add_embedding_scale(c.embedding_multiplier)
        w.add_residual_scale(c.residual_multiplier)
        w.add_attention_scale(c.attention_multiplier)
        w.add_logit_scale(c.logits_scaling)
    add_rope(w, model)
    for name, (q, t) in model.quantised.items():
        to = translate(name, arch)
        if arch in PERMUTED and ".attn_q." in to:
            q = permute(q, c.num_attention_heads)
        if arch in PERMUTED and ".attn_k." in to:
            q = permute(q, c.num_key_value_heads)
        if arch.startswith("gemma") and "norm" in to:
            q = q + 1
        w.add_tensor(to, q, raw_dtype=t)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def add_rope(w, model):
    c = model.config
    rope = c.rope_parameters.get("full_attention", c.rope_parameters)
    dim = int(c.head_dim * rope.get("partial_rotary_factor", 1))
    w.add_rope_freq_base(rope["rope_theta"])
    w.add_rope_dimension_count(dim)
    f32 = lambda v: np.array(v, dtype=np.float32)
    if rope["rope_type"] == "linear":
        w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        w.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "llama3":  # as what each frequency is divided by
        plain = 1.0 / (rope["rope_theta"] ** (torch.arange(0, dim, 2).float() / dim))
        w.add_tensor("rope_freqs.weight", f32(plain / model.model.rotary_emb.inv_freq))
    if rope["rope_type"] == "longrope":
        w.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        w.add_rope_scaling_attn_factors(model.model.rotary_emb.attention_scaling)
        w.add_tensor("rope_factors_long.weight", f32(rope["long_factor"]))
        w.add_tensor("rope_factors_short.weight", f32(rope["short_factor"]))

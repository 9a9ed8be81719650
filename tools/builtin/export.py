"""Writes trained weights as the GGUF file that weft embeds: Q8_0, tokenizer and chat template in its metadata.

    python export.py weights.safetensors tokenizer.json ../../model/builtin/weft-guide.gguf
"""
import json
import sys

import gguf
import numpy as np
from safetensors import safe_open

import render

NAMES = {"attn_norm": "attn_norm", "q": "attn_q", "k": "attn_k", "v": "attn_v", "q_norm": "attn_q_norm", "k_norm": "attn_k_norm", "o": "attn_output",
         "mlp_norm": "ffn_norm", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}


def name(ours):
    """layers.3.q is blk.3.attn_q.weight."""
    if ours in ("embed", "norm"):
        return {"embed": "token_embd.weight", "norm": "output_norm.weight"}[ours]
    _, layer, part = ours.split(".")
    return f"blk.{layer}.{NAMES[part]}.weight"


def settings(w, c, recipe):
    w.add_name("weft-guide")
    w.add_description("The demo model inside weft: a guide to weft and a little small talk.")
    w.add_license("Apache-2.0")
    w.add_string("general.recipe", json.dumps(recipe))
    w.add_block_count(c["layers"])
    w.add_context_length(c["context"])
    w.add_embedding_length(c["hidden"])
    w.add_feed_forward_length(c["inter"])
    w.add_head_count(c["heads"])
    w.add_head_count_kv(c["kv_heads"])
    w.add_key_length(c["head_dim"])
    w.add_value_length(c["head_dim"])
    w.add_layer_norm_rms_eps(c["eps"])
    w.add_rope_freq_base(c["rope_base"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)


def vocabulary(w, path):
    t = json.load(open(path))
    tokens = {v: k for k, v in t["model"]["vocab"].items()} | {a["id"]: a["content"] for a in t["added_tokens"]}
    kinds = {a["id"]: gguf.TokenType.CONTROL if a["content"] in render.CONTROL else gguf.TokenType.USER_DEFINED for a in t["added_tokens"]}
    ids = {v: k for k, v in tokens.items()}
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list([tokens[i] for i in range(len(tokens))])
    w.add_token_types([kinds.get(i, gguf.TokenType.NORMAL) for i in range(len(tokens))])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in t["model"]["merges"]])
    w.add_eos_token_id(ids["<|im_end|>"])
    w.add_eot_token_id(ids["<|endoftext|>"])
    w.add_pad_token_id(ids["<|endoftext|>"])
    w.add_add_bos_token(False)
    w.add_chat_template(render.TEMPLATE)


def main():
    weights, tokenizer, out = sys.argv[1:]
    with safe_open(weights, "np") as f:
        meta, tensors = f.metadata(), {k: f.get_tensor(k).astype(np.float32) for k in f.keys()}
    w = gguf.GGUFWriter(out, "qwen3")
    settings(w, json.loads(meta["config"]), json.loads(meta["recipe"]))
    vocabulary(w, tokenizer)
    for ours in sorted(tensors):
        x = tensors[ours]
        kind = gguf.GGMLQuantizationType.Q8_0 if x.ndim == 2 else gguf.GGMLQuantizationType.F32
        w.add_tensor(name(ours), gguf.quants.quantize(x, kind) if x.ndim == 2 else x, raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    main()

"""Writes trained weights as the GGUF file that weft embeds: Q8_0, tokenizer and chat template in its metadata.

    python export.py weights.safetensors tokenizer.json ../../model/builtin/weft-guide.gguf
"""
import json
import sys

import numpy as np
from safetensors import safe_open

import gguffile
import render
from gguffile import ARRAY, BOOL, F32_VALUE, I32, STRING, U32

NAMES = {"attn_norm": "attn_norm", "q": "attn_q", "k": "attn_k", "v": "attn_v", "q_norm": "attn_q_norm", "k_norm": "attn_k_norm", "o": "attn_output",
         "mlp_norm": "ffn_norm", "gate": "ffn_gate", "up": "ffn_up", "down": "ffn_down"}
MOSTLY_Q8_0 = 7
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4  # kinds of tokens


def name(ours):
    """layers.3.q is blk.3.attn_q.weight."""
    if ours in ("embed", "norm"):
        return {"embed": "token_embd.weight", "norm": "output_norm.weight"}[ours]
    _, layer, part = ours.split(".")
    return f"blk.{layer}.{NAMES[part]}.weight"


def settings(c, recipe):
    numbers = {"block_count": c["layers"], "context_length": c["context"], "embedding_length": c["hidden"], "feed_forward_length": c["inter"],
               "attention.head_count": c["heads"], "attention.head_count_kv": c["kv_heads"], "attention.key_length": c["head_dim"],
               "attention.value_length": c["head_dim"]}
    return [("general.architecture", STRING, "qwen3"), ("general.name", STRING, "weft-guide"),
            ("general.description", STRING, "The demo model inside weft: a guide to weft and a little small talk."),
            ("general.license", STRING, "Apache-2.0"), ("general.recipe", STRING, json.dumps(recipe)),
            *[(f"qwen3.{k}", U32, v) for k, v in numbers.items()],
            ("qwen3.attention.layer_norm_rms_epsilon", F32_VALUE, c["eps"]), ("qwen3.rope.freq_base", F32_VALUE, c["rope_base"]),
            ("general.file_type", U32, MOSTLY_Q8_0)]


def vocabulary(path):
    t = json.load(open(path))
    tokens = {v: k for k, v in t["model"]["vocab"].items()} | {a["id"]: a["content"] for a in t["added_tokens"]}
    kinds = {a["id"]: CONTROL if a["content"] in render.CONTROL else USER_DEFINED for a in t["added_tokens"]}
    ids = {v: k for k, v in tokens.items()}
    return [("tokenizer.ggml.model", STRING, "gpt2"), ("tokenizer.ggml.pre", STRING, "qwen2"),
            ("tokenizer.ggml.tokens", (ARRAY, STRING), [tokens[i] for i in range(len(tokens))]),
            ("tokenizer.ggml.token_type", (ARRAY, I32), [kinds.get(i, NORMAL) for i in range(len(tokens))]),
            ("tokenizer.ggml.merges", (ARRAY, STRING), [m if isinstance(m, str) else " ".join(m) for m in t["model"]["merges"]]),
            ("tokenizer.ggml.eos_token_id", U32, ids["<|im_end|>"]), ("tokenizer.ggml.eot_token_id", U32, ids["<|endoftext|>"]),
            ("tokenizer.ggml.padding_token_id", U32, ids["<|endoftext|>"]), ("tokenizer.ggml.add_bos_token", BOOL, False),
            ("tokenizer.chat_template", STRING, render.TEMPLATE)]


def main():
    weights, tokenizer, out = sys.argv[1:]
    with safe_open(weights, "np") as f:
        meta, tensors = f.metadata(), {k: f.get_tensor(k).astype(np.float32) for k in f.keys()}
    gguffile.write(out, settings(json.loads(meta["config"]), json.loads(meta["recipe"])) + vocabulary(tokenizer),
                   [(name(k), tensors[k]) for k in sorted(tensors)])


if __name__ == "__main__":
    main()

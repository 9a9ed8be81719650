"""The tiny models: one of each family, and of each rope scaling. See make.py."""
import json
from dataclasses import dataclass

import torch
from safetensors.torch import save_file
from transformers import (Gemma2Config, Gemma3TextConfig, GraniteConfig, LlamaConfig, MistralConfig, Olmo2Config,
                          Phi3Config, Qwen2Config, Qwen3Config, SmolLM3Config)

import tinygguf


@dataclass
class Family:
    name: str
    config: object
    dtype: torch.dtype = torch.bfloat16
    legacy: bool = False  # write config.json as transformers 4 did
    branch: float = 1     # factor on make.BRANCH: many layers add up
    gguf: str = ""        # write model.gguf of this architecture instead of a directory

    def save(self, model, folder):
        if self.gguf:
            return tinygguf.write(model, self.gguf, folder / "model.gguf")
        tied = self.config.get_text_config().tie_word_embeddings
        tensors = {n: p.data.to(self.dtype).contiguous() for n, p in model.named_parameters() if not (tied and n == "lm_head.weight")}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        c = json.loads(self.config.to_json_string())
        c["architectures"] = [type(model).__name__]
        c["dtype"] = str(self.dtype).split(".")[1]
        if self.legacy:
            as_transformers_4(c)
        (folder / "config.json").write_text(json.dumps(c, indent=1) + "\n")


def as_transformers_4(c):
    """rope_parameters was rope_theta with rope_scaling, and dtype torch_dtype."""
    c["torch_dtype"] = c.pop("dtype")
    rope = c.pop("rope_parameters")
    if "full_attention" in rope:  # Gemma-3
        c["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
        rope = rope["full_attention"]
        c.pop("layer_types")
    c["rope_theta"] = rope.pop("rope_theta")
    if "partial_rotary_factor" in rope:
        c["partial_rotary_factor"] = rope.pop("partial_rotary_factor")
    c["rope_scaling"] = None if rope["rope_type"] == "default" else rope


def sizes(**kw):
    """Most heads are untied: the stream keeps much of the token that it began with, and with its own embedding as head a
    model repeats it."""
    base = dict(vocab_size=160, hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                num_key_value_heads=1, head_dim=64, max_position_embeddings=128, bos_token_id=1, eos_token_id=2,
                pad_token_id=0, tie_word_embeddings=False)
    return base | kw


def rope(kind="default", theta=10000.0, **kw):
    return dict(rope_type=kind, rope_theta=theta, **kw)


def longrope(trained):
    """Contexts up to trained use the short factors, longer ones the long factors."""
    short, long = [1 + i / 24 for i in range(24)], [1 + i / 3 for i in range(24)]
    r = rope("longrope", short_factor=short, long_factor=long, partial_rotary_factor=0.75, original_max_position_embeddings=trained)
    return Phi3Config(**sizes(num_hidden_layers=1, num_attention_heads=1, original_max_position_embeddings=trained, rope_parameters=r))


def all():
    llama3 = rope("llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
    yarn = rope("yarn", 1e6, factor=4.0, original_max_position_embeddings=32)
    linear = {"full_attention": rope("linear", 1e6, factor=8.0), "sliding_attention": rope()}
    return [
        Family("llama", LlamaConfig(**sizes(num_hidden_layers=1)), torch.float32),
        Family("llama-odd", LlamaConfig(**sizes(vocab_size=167, hidden_size=72, intermediate_size=104, num_attention_heads=3, head_dim=96)), torch.float16),
        Family("llama-bias", LlamaConfig(**sizes(tie_word_embeddings=True, num_hidden_layers=1, attention_bias=True, num_key_value_heads=2))),
        Family("llama3-rope", LlamaConfig(**sizes(num_hidden_layers=1, rope_parameters=llama3)), legacy=True),
        Family("mistral", MistralConfig(**sizes(sliding_window=8, head_dim=128)), legacy=True),
        Family("qwen2", Qwen2Config(**sizes(num_attention_heads=4, num_key_value_heads=1, num_hidden_layers=2)), legacy=True),
        Family("qwen2-yarn", Qwen2Config(**sizes(tie_word_embeddings=True, num_hidden_layers=1, num_attention_heads=1, rope_parameters=yarn))),
        Family("qwen3", Qwen3Config(**sizes(head_dim=128)), legacy=True),
        Family("gemma2", Gemma2Config(**sizes(tie_word_embeddings=True, query_pre_attn_scalar=48, sliding_window=8, attn_logit_softcapping=5.0, final_logit_softcapping=2.0, num_hidden_layers=3))),
        Family("gemma3", Gemma3TextConfig(**sizes(tie_word_embeddings=True, query_pre_attn_scalar=48, sliding_window=8, num_hidden_layers=3, layer_types=["sliding_attention", "sliding_attention", "full_attention"], rope_parameters=linear))),
        Family("gemma3-v4", Gemma3TextConfig(**sizes(tie_word_embeddings=True, query_pre_attn_scalar=64, sliding_window=8, hidden_size=32, num_hidden_layers=3, sliding_window_pattern=2, rope_parameters=linear)), legacy=True, branch=0.5),
        Family("phi3", Phi3Config(**sizes(num_attention_heads=1, hidden_size=64, sliding_window=12))),
        Family("phi3-short", longrope(64)),
        Family("phi3-long", longrope(16), legacy=True),
        Family("smollm3", SmolLM3Config(**sizes(num_hidden_layers=4, no_rope_layer_interval=2))),
        Family("granite", GraniteConfig(**sizes(embedding_multiplier=6.0, residual_multiplier=0.4, attention_multiplier=0.1, logits_scaling=2.0))),
        Family("olmo2", Olmo2Config(**sizes(num_attention_heads=4, num_key_value_heads=2))),
        Family("gguf-llama", LlamaConfig(**sizes(num_attention_heads=4, num_key_value_heads=2, rope_parameters=llama3)), torch.float32, gguf="llama"),
        Family("gguf-qwen3", Qwen3Config(**sizes(tie_word_embeddings=True, head_dim=128)), torch.float32, gguf="qwen3"),
        Family("gguf-gemma2", Gemma2Config(**sizes(tie_word_embeddings=True, query_pre_attn_scalar=64, sliding_window=4096, attn_logit_softcapping=5.0, final_logit_softcapping=2.0)), torch.float32, gguf="gemma2"),
        Family("gguf-gemma3", Gemma3TextConfig(**sizes(tie_word_embeddings=True, query_pre_attn_scalar=64, sliding_window=8, num_hidden_layers=6, sliding_window_pattern=6, rope_parameters=linear)), torch.float32, gguf="gemma3", branch=0.25),
        Family("gguf-granite", GraniteConfig(**sizes(embedding_multiplier=6.0, residual_multiplier=0.4, attention_multiplier=0.1, logits_scaling=2.0)), torch.float32, gguf="granite"),
        Family("gguf-phi3", longrope(16), torch.float32, gguf="phi3"),
        Family("gguf-smollm3", SmolLM3Config(**sizes(num_hidden_layers=4, hidden_size=32)), torch.float32, gguf="smollm3"),
    ]

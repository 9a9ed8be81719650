"""Writes the tokenizer of a SmolLM2 GGUF file (argument 1) into a folder (argument 2): gguf.json, its metadata, and
tokenizer.json, the same as the model's own repository has it."""
import json, os, sys
from gguf import GGUFReader

CONTROL = 3


def main(path, folder):
    meta = {k: f.contents() for k, f in GGUFReader(path).fields.items() if k.startswith("tokenizer.")}
    tokens, types = meta["tokenizer.ggml.tokens"], meta["tokenizer.ggml.token_type"]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [dict(id=i, content=t, **flags) for i, t in enumerate(tokens) if types[i] == CONTROL]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level]},
        "post_processor": None, "decoder": byte_level,
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "vocab": {t: i for i, t in enumerate(tokens)}, "merges": meta["tokenizer.ggml.merges"]},
    }
    os.makedirs(folder, exist_ok=True)
    for name, value in ("gguf.json", meta), ("tokenizer.json", tokenizer):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(value, f, ensure_ascii=False)


main(*sys.argv[1:])

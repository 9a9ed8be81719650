"""Makes internal/golden/testdata/smollm2.json: what transformers decodes greedily from SmolLM2-135M-Instruct, Q4_1.

    python tools/golden/smollm2.py models/SmolLM2-135M-Instruct.Q4_1.gguf > internal/golden/testdata/smollm2.json

It needs what make.py needs, and the package accelerate. The weights are those of the GGUF file, dequantised; the arithmetic is float32; end-of-text does not stop. For each of
the tokens it gives the log-probability and by how much its logit leads the second best.
"""
import hashlib
import json
import os
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

OUTPUT = 64
PLAIN = ["The capital of France is", "Once upon a time, in a small village by the sea,", "def fibonacci(n):\n    ",
         "Water boils at 100 degrees Celsius because", "1, 1, 2, 3, 5, 8, 13,", "Die Hauptstadt von Deutschland ist"]
CHAT = ["What is gravity?", "Write a haiku about autumn.", "List three prime numbers and say why they are prime.",
        "Translate to French: I would like a cup of coffee, please."]


def prompts(tokenizer):
    for text in PLAIN:
        yield tokenizer(text, add_special_tokens=False).input_ids
    for text in CHAT:
        chat = tokenizer.apply_chat_template([{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False)
        yield tokenizer(chat, add_special_tokens=False).input_ids


@torch.no_grad()
def decode(model, prompt):
    ids, cache, out = torch.tensor([prompt]), None, {"prompt": prompt, "tokens": [], "logprobs": [], "gaps": []}
    for _ in range(OUTPUT):
        step = model(ids, past_key_values=cache, use_cache=True)
        cache, logits = step.past_key_values, step.logits[0, -1].float()
        best = logits.topk(2)
        out["tokens"].append(int(best.indices[0]))
        out["logprobs"].append(round(float(logits.log_softmax(-1)[best.indices[0]]), 6))
        out["gaps"].append(round(float(best.values[0] - best.values[1]), 6))
        ids = best.indices[None, :1]
    return out


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, name = os.path.split(os.path.abspath(sys.argv[1]))
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    with open(sys.argv[1], "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    made = f"tools/golden/smollm2.py: transformers {transformers.__version__}, torch {torch.__version__}, float32"
    lines = ",\n".join(json.dumps(decode(model, p)) for p in prompts(tokenizer))
    print(f'{{"made": {json.dumps(made)}, "file": {json.dumps(name)}, "sha256": "{digest}", "prompts": [\n{lines}\n]}}')

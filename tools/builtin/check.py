"""Compares what training does with what weft does: prompts, token ids and greedy tokens.

    python check.py bin/weft model.gguf weights.safetensors tokenizer.json facts.json
"""
import json
import random
import subprocess
import sys

import torch
from safetensors import safe_open
from tokenizers import Tokenizer

import data
import generate
import gguffile
import net
import render
import train


def ask(weft, *args, lines):
    out = subprocess.run([weft, *args], input="".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def main():
    weft, model, weights, tokenizer, facts = sys.argv[1:]
    gen, tok, rng = generate.load(facts), Tokenizer.from_file(tokenizer), random.Random(5)
    made = [gen.make(rng)[1:] for _ in range(400)]
    cases = [{"messages": render.messages(s, t), "tools": tools} if tools else {"messages": render.messages(s, t)} for s, tools, t in made]
    texts = ["".join(t for t, _ in render.pieces(*m)[:-2]) for m in made]  # without the last answer and its line end
    from_weft = [r["text"] for r in ask(weft, "render", "--json", "--model", model, lines=[c | {"add_generation_prompt": True} for c in cases])]
    report("prompts by weft's template", texts, from_weft)

    class Wrapped:
        def encode(self, text, add_special_tokens):
            return type("E", (), {"ids": text})
    report("prompts by Jinja2", texts, list(train.prompts(cases, Wrapped())))
    ids = [data.encode(tok, render.pieces(*m))[0] for m in made]
    whole = ["".join(t for t, _ in render.pieces(*m)) for m in made]
    report("ids, encoded piece by piece and whole", ids, [tok.encode(t, add_special_tokens=False).ids for t in whole])
    report("ids by weft", ids, ask(weft, "tokenize", "--json", "--special", "--model", model, lines=whole))

    with safe_open(weights, "pt") as f:
        c = net.Config(**json.loads(f.metadata()["config"]))
        m = net.Net(c)
        m.load_state_dict({k: as_stored(f.get_tensor(k)) for k in f.keys()})
    prompt = "The capital of France is"
    want = tok.decode(m.greedy([tok.encode(prompt, add_special_tokens=False).ids], set(), 12, torch.float32)[0], skip_special_tokens=True)
    got = subprocess.run([weft, "generate", "--model", model, "--device", "cpu", "-p", prompt, "--no-echo", "--temperature", "0", "--max-tokens", "12", "--ignore-eos"],
                         capture_output=True, text=True, check=True).stdout.removesuffix("\n")
    report("greedy text", [want], [got])


def as_stored(x):
    """What Q8_0 makes of a matrix."""
    if x.ndim < 2:
        return x.float()
    return torch.from_numpy(gguffile.as_stored(x.float().numpy()))


def report(what, want, got):
    bad = [(w, g) for w, g in zip(want, got, strict=True) if w != g]
    print(f"{what}: {len(want) - len(bad)} of {len(want)} equal")
    for w, g in bad[:2]:
        print("  want", repr(w)[:1500], "\n  got ", repr(g)[:1500])


if __name__ == "__main__":
    main()

"""Tells how far each rounding of the GPU's kernels takes SmolLM2 from float32, without a GPU.

    python tools/golden/rounding.py models/SmolLM2-135M-Instruct.Q4_1.gguf internal/golden/testdata/smollm2.json

It needs torch and gguf. It computes the model in float32 and rounds where backend/cuda does, with the reference's tokens
as input, and prints for each choice of types: the draws in which every prompt first departs at a gap below 0.05, the
prompts that do not, the largest such gap, the standard deviation of the error of the gap between the two best logits,
and the root mean square of the error of log-probabilities (which TestGPU_SmolLM2AgreesUpToNearTies prints too). Each
draw but the first shifts the grid of every rounding by a random factor a channel: another sample of like errors.
"""
import json
import sys

import numpy as np
import torch
from gguf import GGUFReader, dequantize

LAYERS, HEADS, KV_HEADS, D, EPS, BASE = 30, 9, 3, 64, 1e-5, 100000.0
NEAR = 0.05
WEIGHTS, CACHE = {"w", "head"}, {"k", "v"}
STREAM = {"residual"}
OPERANDS = WEIGHTS | {"norm", "attention", "gated"}  # of the linear kernels
ALL = OPERANDS | STREAM | CACHE | {"q", "qkv", "p", "o", "down"}

# name, what is rounded to bf16, what to f16; the rest is float32
CHOICES = [
    ("all bf16", ALL, set()),
    ("bf16, residual f32", ALL - STREAM, set()),
    ("bf16, residual, qkv, o, down, attention f32", ALL - STREAM - {"qkv", "v", "o", "down", "attention"}, set()),
    ("bf16 operands of linear kernels alone", OPERANDS, set()),
    ("bf16 weights alone", WEIGHTS, set()),
    ("bf16 residual alone", STREAM, set()),
    ("all f16", set(), ALL),
    ("f16, residual f32", set(), ALL - STREAM),
    ("f16, residual f32, KV cache bf16", CACHE, ALL - STREAM - CACHE),
]


class Rounding:
    """Rounds x of a kind to its type; draw 0 as the GPU does, the others on shifted grids."""

    def __init__(self, bf16, f16, draw):
        self.types = {k: torch.bfloat16 for k in bf16} | {k: torch.float16 for k in f16}
        self.draw, self.random = draw, torch.Generator().manual_seed(draw)

    def __call__(self, kind, x):
        t = self.types.get(kind)
        if t is None:
            return x
        if self.draw == 0:
            return x.to(t).float()
        shift = torch.exp2(torch.rand(x.shape[-1], generator=self.random))
        return (x * shift).to(t).float() / shift


class Model:
    def __init__(self, path, prompts):
        self.t = {t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type), dtype=np.float32)) for t in GGUFReader(path).tensors}
        self.sequences = [p["prompt"] + p["tokens"][:-1] for p in prompts]
        self.ids = torch.tensor(sum(self.sequences, []))
        self.pos = torch.cat([torch.arange(len(s)) for s in self.sequences])
        starts = np.cumsum([0] + [len(s) for s in self.sequences])
        self.spans = list(zip(starts[:-1], starts[1:]))
        self.chosen = torch.cat([torch.arange(end - len(p["tokens"]), end) for p, (_, end) in zip(prompts, self.spans)])

    def norm(self, x, name):
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + EPS) * self.t[name]

    def rope(self, x):  # GGUF keeps Llama's pairs side by side
        angle = self.pos[:, None] * BASE ** (-torch.arange(0, D, 2) / D)
        cos, sin, a, b = angle.cos()[:, None], angle.sin()[:, None], x[..., 0::2], x[..., 1::2]
        return torch.stack([a * cos - b * sin, b * cos + a * sin], -1).flatten(-2)

    def attend(self, r, q, k, v):
        out = torch.empty_like(q)
        for a, e in self.spans:
            qs, ks, vs = (x[a:e].transpose(0, 1).repeat_interleave(HEADS // x.shape[1], 0) for x in (q, k, v))
            s = (qs @ ks.transpose(1, 2) * D**-0.5).masked_fill(torch.ones(e - a, e - a).triu(1).bool(), -torch.inf)
            p = torch.exp(s - s.max(-1, keepdim=True).values)
            out[a:e] = (r("p", p) @ vs / p.sum(-1, keepdim=True)).transpose(0, 1)
        return out.flatten(1)

    @torch.no_grad()
    def logits(self, r):
        head = r("head", self.t["token_embd.weight"])
        res, x = head[self.ids], 0
        for i in range(LAYERS):
            b = f"blk.{i}."
            linear = lambda name, x: x @ r("w", self.t[b + name + ".weight"]).T
            res = r("residual", res + x) if i else res
            x = r("norm", self.norm(res, b + "attn_norm.weight"))
            q, k, v = (r("v" if n == "v" else "qkv", linear("attn_" + n, x)).unflatten(-1, (-1, D)) for n in "qkv")
            x = r("o", linear("attn_output", r("attention", self.attend(r, r("q", self.rope(q)), r("k", self.rope(k)), v))))
            res = r("residual", res + x)
            x = r("norm", self.norm(res, b + "ffn_norm.weight"))
            x = r("gated", torch.nn.functional.silu(linear("ffn_gate", x)) * linear("ffn_up", x))
            x = r("down", linear("ffn_down", x))
        return r("norm", self.norm(r("residual", res + x)[self.chosen], "output_norm.weight")) @ head.T


if __name__ == "__main__":
    with open(sys.argv[2]) as f:
        prompts = json.load(f)["prompts"]
    draws = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    torch.set_num_threads(1)
    model = Model(sys.argv[1], prompts)
    tokens, gaps, logprobs = (torch.tensor([p[k] for p in prompts]) for k in ("tokens", "gaps", "logprobs"))
    exact = model.logits(Rounding(set(), set(), 0))
    best = exact.topk(2).indices
    assert (best[:, 0] == tokens.flatten()).all(), "float32 gives other tokens than the reference"
    lead = lambda x: x.gather(1, best)[:, 0] - x.gather(1, best)[:, 1]
    for name, bf16, f16 in CHOICES:
        good, far, largest, sd, rms = 0, [], 0, [], []
        for draw in range(draws):
            got = model.logits(Rounding(bf16, f16, draw))
            same = (got.argmax(-1) == tokens.flatten()).view_as(tokens)
            first = [g[~s][0].item() for g, s in zip(gaps, same) if not s.all()]
            largest = max([largest] + first)
            far.append(sum(g >= NEAR for g in first))
            good += far[-1] == 0
            sd.append((lead(got) - lead(exact)).std().item())
            error = got.log_softmax(-1).gather(1, tokens.view(-1, 1)).view_as(tokens) - logprobs
            rms.append(error[same].pow(2).mean().sqrt().item())
        print(f"{name:46} good {good}/{draws}  prompts {np.mean(far):.2f}  largest {largest:.3f}  sd {np.mean(sd):.4f}  rms {np.mean(rms):.4f}", flush=True)

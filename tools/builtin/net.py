"""weft-guide in PyTorch: Qwen3's architecture, written so that two functions hold all but attention."""
import dataclasses

import torch
import torch.nn.functional as F


@dataclasses.dataclass
class Config:
    vocab: int = 4096
    hidden: int = 256
    layers: int = 8
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    inter: int = 768
    context: int = 2048
    rope_base: float = 10000.0
    eps: float = 1e-6

    @property
    def parameters(self):
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return self.vocab * self.hidden + self.layers * self.hidden * (2 * q + 2 * kv + 3 * self.inter)


def norm(x, w, eps):
    return (x.float() * torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + eps)).to(x.dtype) * w.to(x.dtype)


def rotate(x, cos, sin):
    """x [T,heads,D]; pairs (i, i+D/2)."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1).to(x.dtype)


def before(x, cos, sin, attn_norm, wq, wk, wv, q_norm, k_norm, heads, kv_heads, eps):
    """x [T,H] to q [T,heads,D], k and v [T,kv_heads,D]."""
    h = norm(x, attn_norm, eps)
    q = F.linear(h, wq.to(h.dtype)).view(len(x), heads, -1)
    k = F.linear(h, wk.to(h.dtype)).view(len(x), kv_heads, -1)
    v = F.linear(h, wv.to(h.dtype)).view(len(x), kv_heads, -1)
    return rotate(norm(q, q_norm, eps), cos, sin), rotate(norm(k, k_norm, eps), cos, sin), v


def after(x, a, wo, mlp_norm, gate, up, down, eps):
    """The rest of a layer: x [T,H] and attention's result a [T,heads*D] to x."""
    x = x + F.linear(a, wo.to(a.dtype))
    h = norm(x, mlp_norm, eps)
    return x + F.linear(F.silu(F.linear(h, gate.to(h.dtype))) * F.linear(h, up.to(h.dtype)), down.to(h.dtype))


def head_loss(x, final_norm, embed, targets, weights, eps):
    logits = F.linear(norm(x, final_norm, eps), embed.to(x.dtype)).float()
    return (F.cross_entropy(logits, targets, reduction="none") * weights).sum() / weights.sum().clamp(min=1)


class Net(torch.nn.Module):
    """Parameters carry Hugging Face names' last parts; export.py knows them."""

    def __init__(self, c, compiled=False):
        super().__init__()
        self.c = c
        q, kv = c.heads * c.head_dim, c.kv_heads * c.head_dim

        def weight(rows, cols, scale=1.0):
            return torch.nn.Parameter(torch.randn(rows, cols) * scale * cols ** -0.5)

        def ones(n):
            return torch.nn.Parameter(torch.ones(n))

        self.embed = torch.nn.Parameter(torch.randn(c.vocab, c.hidden) * 0.02)
        self.norm = ones(c.hidden)
        back = (2 * c.layers) ** -0.5
        self.layers = torch.nn.ModuleList(torch.nn.ParameterDict({
            "attn_norm": ones(c.hidden), "q": weight(q, c.hidden), "k": weight(kv, c.hidden), "v": weight(kv, c.hidden), "q_norm": ones(c.head_dim),
            "k_norm": ones(c.head_dim), "o": weight(c.hidden, q, back), "mlp_norm": ones(c.hidden), "gate": weight(c.inter, c.hidden),
            "up": weight(c.inter, c.hidden), "down": weight(c.hidden, c.inter, back)}) for _ in range(c.layers))
        angle = torch.outer(torch.arange(c.context).float(), c.rope_base ** (-torch.arange(0, c.head_dim, 2).float() / c.head_dim))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        wrap = torch.compile if compiled else lambda f: f
        self.parts, self.head_loss = (wrap(before), wrap(after)), wrap(head_loss)

    def hidden(self, ids, dtype, parts=(before, after)):
        """ids [B,S] to [B*S,H], before the last norm."""
        before, after = parts
        c, (b, s) = self.c, ids.shape
        x = F.embedding(ids.reshape(-1), self.embed).to(dtype)
        cos, sin = (t[:s].to(dtype).repeat(b, 1)[:, None] for t in (self.cos, self.sin))
        for p in self.layers:
            q, k, v = before(x, cos, sin, p["attn_norm"], p["q"], p["k"], p["v"], p["q_norm"], p["k_norm"], c.heads, c.kv_heads, c.eps)
            q, k, v = (t.view(b, s, -1, c.head_dim).transpose(1, 2) for t in (q, k, v))
            k, v = (t.repeat_interleave(c.heads // c.kv_heads, 1) for t in (k, v))
            a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = after(x, a.transpose(1, 2).reshape(b * s, -1), p["o"], p["mlp_norm"], p["gate"], p["up"], p["down"], c.eps)
        return x

    def loss(self, ids, weights, dtype):
        """ids [B,S] and weights [B,S]: the loss of position t is for predicting t+1, weighed by whose t+1 is."""
        x = self.hidden(ids, dtype, self.parts)
        targets = torch.cat([ids[:, 1:], ids[:, :1]], 1)
        weights = torch.cat([weights[:, 1:], torch.zeros_like(weights[:, :1])], 1)
        return self.head_loss(x, self.norm, self.embed, targets.reshape(-1), weights.reshape(-1), self.c.eps)

    @torch.no_grad()
    def greedy(self, prompts, stop, limit, dtype):
        """Continues prompts (lists of ids) by the likeliest ids until stop or limit; without a cache, which is fast enough here."""
        c, device = self.c, self.embed.device
        out = [list(p) for p in prompts]
        live = list(range(len(out)))
        for _ in range(limit):
            if not live:
                break
            length = -(-max(len(out[i]) for i in live) // 64) * 64
            ids = torch.zeros(len(live), length, dtype=torch.long)
            for row, i in enumerate(live):
                ids[row, :len(out[i])] = torch.tensor(out[i])
            last = torch.tensor([row * length + len(out[i]) - 1 for row, i in enumerate(live)], device=device)
            x = self.hidden(ids.to(device), dtype)[last]  # shapes change with every token: not compiled
            best = F.linear(norm(x, self.norm, c.eps), self.embed.to(dtype)).float().argmax(-1).tolist()
            for i, token in zip(live, best):
                out[i].append(token)
            live = [i for i in live if out[i][-1] not in stop and len(out[i]) < c.context]
        return [o[len(p):] for o, p in zip(out, prompts)]

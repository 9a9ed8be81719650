"""Times PyTorch's libraries on the cases of `weft bench kernels --list`, as that times weft: random data that lies in no
cache, a CUDA graph of as many calls, the median of 20 replays. Writes the same CSV, for `weft bench kernels --peers`.

    weft bench kernels --list > cases.csv; python3 kernels.py cases.csv peers.csv

linear kernels: cuBLAS, on the product alone. attend_*: SDPA by flash and cuDNN, over one contiguous cache a request.
norms, embed, greedy sampling: torch's own. A case that a library cannot run is left out and said.
"""
import csv
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

COLD = 160 << 20  # bytes read between two uses of the same operand
DEVICE = "cuda"


def median_us(call):
    """The median time of one call in µs; call(i) runs the i-th."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for i in range(3):
            call(i)
        stream.synchronize()
        start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record(stream)
        call(0)
        stop.record(stream)
        stop.synchronize()
        calls = max(2, min(256, int(1200 / max(start.elapsed_time(stop) * 1000, 1))))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for i in range(calls):
            call(i)
    times, begin = [], time.monotonic()
    for i in range(22):
        start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        graph.replay()
        stop.record()
        stop.synchronize()
        if i >= 2:
            times.append(start.elapsed_time(stop) * 1000 / calls)
    time.sleep(2 * (time.monotonic() - begin))  # as weft does, or the next would pay for the power that this one drew
    return statistics.median(times)


class Slab:
    """Random bf16 values that operands are cut from; those of turns() together exceed every cache."""

    def __init__(self):
        self.data = torch.empty(0, dtype=torch.bfloat16, device=DEVICE)

    def turns(self, *shape):
        n = 1
        for d in shape:
            n *= d
        step = (n + 127) // 128 * 128
        copies = max(1, -(-COLD // (2 * step)))
        if self.data.numel() < step * copies:
            self.data = torch.empty(0, dtype=torch.bfloat16, device=DEVICE)
            self.data = torch.randn(step * copies, dtype=torch.bfloat16, device=DEVICE)
        views = [self.data[i * step:i * step + n].view(*shape) for i in range(copies)]
        return lambda i: views[i % copies]


def random(*shape, dtype=torch.bfloat16):
    return torch.randn(*shape, dtype=dtype, device=DEVICE)


def linear(slab, M, N, K):
    x, w, y = random(M, K), slab.turns(N, K), random(M, N)
    yield "cuBLAS", lambda i: torch.mm(x, w(i).t(), out=y)


def attend(slab, batch, queries, context, D, heads, kv):
    """Heads of a group are given as such where the library takes them, and repeated in memory otherwise."""
    q, cache = random(batch, heads, queries, D), slab.turns(2, batch, kv, context, D)
    repeated = None
    for name, backend in ("flash", SDPBackend.FLASH_ATTENTION), ("cuDNN", SDPBackend.CUDNN_ATTENTION):
        def call(i, backend=backend):
            with sdpa_kernel(backend):
                k, v = cache(i)
                return F.scaled_dot_product_attention(q, k, v, is_causal=queries > 1, enable_gqa=heads != kv)

        def call_repeated(i, backend=backend):
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(q, *repeated, is_causal=queries > 1)

        try:
            call(0)
            yield "SDPA " + name, call
        except RuntimeError:
            if repeated is None:
                repeated = [t.repeat_interleave(heads // kv, 1) for t in cache(0)]
            yield "SDPA " + name + ", heads repeated", call_repeated


def attend_prefill(slab, n, D, heads, kv, context=None):
    if context:
        return iter(())  # SDPA's causal mask begins at the first key
    return attend(slab, 1, n, n, D, heads, kv)


def attend_decode(slab, B, context, D, heads, kv):
    if isinstance(context, str):
        return iter(())  # SDPA knows no ragged batches
    return attend(slab, B, 1, context, D, heads, kv)


def rmsnorm(slab, T, H):
    x, w = slab.turns(T, H), random(H)
    yield "torch", lambda i: F.rms_norm(x(i), (H,), w, 1e-6)


def add_rmsnorm(slab, T, H):
    both, w = slab.turns(2, T, H), random(H)

    def call(i):
        x, res = both(i)
        return F.rms_norm(res.add_(x), (H,), w, 1e-6)

    yield "torch, 2 calls", call


def embed(slab, T, H, V):
    table, ids = slab.turns(V, H), torch.arange(T, device=DEVICE) * 7919 % V
    yield "torch", lambda i: F.embedding(ids, table(i))


def sample(slab, S, V):
    logits = slab.turns(S, 2 * V)  # two bf16 are read as one f32
    yield "torch argmax", lambda i: logits(i).view(torch.float32).argmax(-1)


def peers_of(row, slab):
    dims = {k: int(v) if v.isdigit() else v for k, v in (d.split("=") for d in row["dims"].split())}
    kernel = row["kernel"]
    if kernel in ("linear", "gated_linear", "logits"):
        return linear(slab, **dims)
    if kernel == "sample":
        return sample(slab, **dims) if row["case"] == "greedy" else iter(())
    known = {f.__name__: f for f in (attend_prefill, attend_decode, rmsnorm, add_rmsnorm, embed)}
    return known[kernel](slab, **dims) if kernel in known else iter(())


def main(cases, out):
    with open(cases, newline="") as f:
        rows = list(csv.DictReader(f))
    slab, timed, failed = Slab(), 0, 0
    with open(out, "w", newline="") as f:
        f.write(f"# hardware: {torch.cuda.get_device_name()}\n# driver: CUDA {torch.version.cuda} of torch\n")
        f.write(f"# commit: torch {torch.__version__}\n# command: kernels.py {cases} {out}\n")
        table = csv.DictWriter(f, rows[0].keys())
        table.writeheader()
        for row in rows:
            try:
                for name, call in peers_of(row, slab):
                    us = median_us(call)
                    table.writerow(row | {"by": name, "us": f"{us:.3f}", "gb_s": f"{float(row['bytes']) / us / 1e3:.1f}",
                                          "tflop_s": f"{float(row['ops']) / us / 1e6:.1f}"})
                    timed += 1
                f.flush()
            except RuntimeError as e:  # also out of memory
                failed += 1
                print("left out:", row["kernel"], row["case"], row["dims"], str(e).splitlines()[0], file=sys.stderr)
    print("torch", torch.__version__, torch.cuda.get_device_name(), timed, "times,", failed, "cases left out")


if __name__ == "__main__":
    main(*sys.argv[1:])

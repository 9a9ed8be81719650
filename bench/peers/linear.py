"""Times cuBLAS through PyTorch on the cases of `kernelbench -list`, as bench/kernels times weft: random data, weights
rotated beyond L2, a CUDA graph of as many calls, the median of 20 replays. Writes case,M,µs.

    kernelbench -list > cases.csv; python3 linear.py cases.csv linear_peers.csv
"""
import csv
import statistics
import sys

import torch

COLD = 160 << 20


def median_us(call, calls):
    call(0)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for i in range(3):
            call(i)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for i in range(calls):
            call(i)
    times = []
    for i in range(22):
        start, stop = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        graph.replay()
        stop.record()
        stop.synchronize()
        if i >= 2:
            times.append(start.elapsed_time(stop) * 1000 / calls)
    return statistics.median(times)


def main(cases, out):
    rows = [(name, int(m), int(n), int(k), kind, int(calls)) for name, m, n, k, kind, calls in csv.reader(open(cases))]
    slab = torch.randn(max(max(n * k for _, _, n, k, _, _ in rows), COLD // 2) + COLD // 2, device="cuda", dtype=torch.bfloat16)
    with open(out, "w", newline="") as f:
        for name, m, n, k, kind, calls in rows:
            x = torch.randn(m, k, device="cuda", dtype=torch.bfloat16)
            copies = max(1, min(-(-COLD // (2 * n * k)), slab.numel() // (n * k)))
            w = [slab[i * n * k:(i + 1) * n * k].view(n, k).t() for i in range(copies)]
            y = torch.empty(m, n, device="cuda", dtype=torch.bfloat16)
            us = median_us(lambda i: torch.mm(x, w[i % copies], out=y), calls)
            csv.writer(f).writerow([name, m, f"{us:.3f}"])
    print("torch", torch.__version__, torch.cuda.get_device_name(), len(rows), "cases")


if __name__ == "__main__":
    main(*sys.argv[1:])

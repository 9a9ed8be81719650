#!/usr/bin/env python3
"""Tells where the time of decode or prefill steps goes, from what trace.so wrote (trace.c; also gzipped).

usage: trace.py TRACE [decode|prefill]

A step begins with the kernel step_begin (decode, from a graph) or step_tokens (prefill). Of steps with the same kernels and
grids those that took most time together are meant, and the middle half of them. Layers are the longest repetition within a
step; the middle half of them is averaged. Times are in µs:

  dur   end - start, which holds the wait for the kernel ahead where launches overlap
  gap   start - the latest end of all kernels before: negative where they overlap
  own   end - max(the latest end before, start): what the kernel adds to the time line
"""
import collections
import gzip
import sys

BEGINS = {"step_begin": "decode", "step_tokens": "prefill"}
Kernel = collections.namedtuple("Kernel", "name grid start end gap own")


def load(path):
    """The kernels in order of time."""
    rows = []
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as f:
        for line in f:
            p = line.rstrip("\n").split(",", 5)
            if len(p) == 6 and p[0].isdigit() and p[1].isdigit():
                rows.append((int(p[0]), int(p[1]), p[2], p[5]))  # ns
    rows.sort()
    kernels, latest = [], rows[0][0] if rows else 0
    for start, end, grid, name in rows:
        kernels.append(Kernel(name, grid, start, end, start - latest, max(0, end - max(latest, start))))
        latest = max(latest, end)
    return kernels


def like_steps(kernels, kind):
    """The steps of that kind with the same kernels that took most time."""
    begins = [i for i, k in enumerate(kernels) if k.name in BEGINS] + [len(kernels)]
    groups = collections.defaultdict(list)
    for i, j in zip(begins, begins[1:]):
        step = kernels[i:j]
        if BEGINS[step[0].name] == kind:
            groups[tuple((k.name, k.grid) for k in step)].append(step)
    return max(groups.values(), key=lambda g: sum(s[-1].end - s[0].start for s in g), default=[])


def middle(items):
    """The middle half; of few, all but the first, which warms up."""
    quarter = len(items) // 4
    return items[quarter:len(items) - quarter] if quarter else items[1:] or items


def find_layers(names):
    """Where the repetition that covers most of names begins, its length, and how often it comes."""
    best = (0, 0, 0)
    for period in range(1, len(names) // 4 + 1):
        run = 0
        for j in range(len(names) - period):
            run = run + 1 if names[j] == names[j + period] else 0
            times = run // period + 1
            if times > 3 and times * period > 1.15 * best[1] * best[2]:
                best = (j - run + 1, period, times)
            elif times > 3 and period == best[1] and times > best[2]:
                best = (j - run + 1, period, times)
    return best


def table(title, rows):
    """rows: for each line the same kernel of several steps or layers."""
    mean = lambda values: sum(values) / len(values) / 1e3
    print(f"\n{title}: {sum(mean([k.own + max(k.gap, 0) for k in r]) for r in rows):.1f} us")
    for r in rows:
        print(f"  {r[0].name:26} grid {r[0].grid:12} dur {mean([k.end - k.start for k in r]):9.2f}"
              f"  gap {mean([k.gap for k in r]):8.2f}  own {mean([k.own for k in r]):9.2f}")


def main():
    steps = like_steps(load(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "decode")
    if not steps:
        sys.exit("trace.py: no such step in " + sys.argv[1])
    used = middle(steps)
    first, period, times = find_layers([k.name for k in steps[0]])
    whole = sum(max(k.end for k in s) - s[0].start for s in used) / len(used) / 1e3
    print(f"{len(steps)} steps of {len(steps[0])} kernels; the mean of {len(used)}: {whole:.1f} us")
    mid = middle(range(times))
    table(f"one of {times} layers", [[s[first + l * period + j] for s in used for l in mid] for j in range(period)])
    for title, at in ("before them", range(1, first)), ("behind them", range(first + period * times, len(steps[0]))):
        table(title, [[s[i] for s in used] for i in at])


if __name__ == "__main__":
    main()

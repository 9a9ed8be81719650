"""Sends N prompts to a weft server one at a time, then all at once, and compares the greedy texts.

usage: streams.py URL [N]

In bf16 another batch size may round differently, so texts may part where the two best tokens are nearly tied. How much the
rounding moves log-probabilities is measured on the tokens before the texts part; the gap between the two best tokens where
they do must not exceed twice the largest such move, or NEAR_TIE.
"""
import concurrent.futures
import json
import sys
import urllib.request

TOPICS = ["the sea", "a small town", "two brothers", "the winter", "a lost letter", "the old clock", "music", "bread"]
NEAR_TIE = 0.05


def prompts(n):
    return [f"Story number {i}, about {TOPICS[i % len(TOPICS)]}. Once upon a time" for i in range(n)]


def complete(url, prompt):
    body = {"prompt": prompt, "max_tokens": 64, "temperature": 0, "ignore_eos": True, "stream": True, "logprobs": 2}
    request = urllib.request.Request(url + "/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    tokens, tops = [], []
    with urllib.request.urlopen(request, timeout=120) as answer:
        for line in answer:
            if not line.startswith(b"data: {"):
                continue
            for choice in json.loads(line[6:])["choices"]:
                if choice.get("logprobs"):
                    tokens += choice["logprobs"]["tokens"]
                    tops += choice["logprobs"]["top_logprobs"]
    return tokens, tops


def main(url, n=64):
    alone = [complete(url, p) for p in prompts(n)]
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        together = list(pool.map(lambda p: complete(url, p), prompts(n)))
    same, worst, moves = 0, 0.0, []
    for (a, tops), (b, others) in zip(alone, together):
        if len(a) != 64 or len(b) != 64:
            sys.exit(f"FAIL: {len(a)} and {len(b)} tokens, want 64")
        at = next((i for i in range(64) if a[i] != b[i]), None)
        moves += [abs(max(x.values()) - max(y.values())) for x, y in zip(tops[:at], others[:at])]
        if at is None:
            same += 1
            continue
        best, second = sorted(tops[at].values(), reverse=True)[:2]
        worst = max(worst, best - second)
    moves.sort()
    limit = max(NEAR_TIE, 2 * moves[-1])
    print(f"{same} of {n} texts are the same alone and together; the others part at gaps of at most {worst:.4f} (limit {limit:.4f}); "
          f"log-probabilities move by {moves[len(moves) // 2]:.4f} (median), {moves[len(moves) * 99 // 100]:.4f} (p99), {moves[-1]:.4f} (most)")
    sys.exit(worst > limit)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))

"""Holds fresh.txt and fresh2.txt against what is trained: no question of them may be trained, or nearly.

    python overlap.py facts.json [texts]
"""
import collections
import random
import re
import sys

import fresh
import generate
from grammar import EMPTY_WORDS

NEAR = 0.75  # of the telling words of both questions together are in both


def telling(text):
    return frozenset(w.removesuffix("s") for w in re.findall(r"[a-z0-9_./-]+", text.lower()) if w not in EMPTY_WORDS)


def users(gen, n, seed=77):
    rng = random.Random(seed)
    for _ in range(n):
        yield from (text for text, who in gen.pieces(rng) if who == generate.render.USER)


def main():
    gen = generate.load(sys.argv[1], on=True)
    questions = fresh.read()
    exact, sets = {generate.normal(q) for *_, q in questions}, [(f"{of} {k}", q, telling(q)) for of, k, _, q in questions]
    by_word = collections.defaultdict(set)
    for i, (_, _, words) in enumerate(sets):
        for w in words:
            by_word[w].add(i)
    same, near, seen = 0, collections.defaultdict(set), set()
    for text in users(gen, int(sys.argv[2]) if len(sys.argv) > 2 else 200_000):
        same += generate.normal(text) in exact
        words = telling(text)
        if words in seen or len(words) > 12:
            continue
        seen.add(words)
        for i in set().union(*(by_word[w] for w in words)):
            if len(words & sets[i][2]) >= NEAR * len(words | sets[i][2]):
                near[i].add(text)
    count = collections.Counter(k for k, _, _ in sets)
    close = collections.Counter(sets[i][0] for i in near)
    print(f"{same} trained exactly; with {NEAR} of the telling words in common:", ", ".join(f"{k} {close[k]} of {n}" for k, n in count.items()))
    for i, texts in sorted(near.items()):
        print(f"  {sets[i][0]}: {sets[i][1]!r} and {sorted(texts, key=len)[0]!r}")


if __name__ == "__main__":
    main()

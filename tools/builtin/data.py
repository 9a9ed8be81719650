"""Token ids for training: conversations made by many processes, each from seeds of its own, sorted into lengths."""
import functools
import hashlib
import multiprocessing
import random

import numpy as np

import generate
import render

LENGTHS = [24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024]
WEIGHTS = {render.OTHER: 0.0, render.USER: 0.1, render.MODEL: 1.0}  # of the loss


@functools.lru_cache(maxsize=2)
def tools(facts, tokenizer, on):
    from tokenizers import Tokenizer
    return generate.load(facts, on), Tokenizer.from_file(tokenizer)


def encode(tokenizer, pieces):
    """Ids, and whose each is. Pieces are encoded one by one: that cuts where the model's answer begins."""
    ids, whose = [], []
    for (_, who), e in zip(pieces, tokenizer.encode_batch_fast([t for t, _ in pieces], add_special_tokens=False)):
        ids += e.ids
        whose += [who] * len(e.ids)
    return ids, whose


def beginning(ids, whose, answer=8):
    """The text up to the first ids of its last answer."""
    end = max((i + 1 for i, w in enumerate(whose) if w == render.MODEL), default=len(ids))
    first = end
    while first > 0 and whose[first - 1] == render.MODEL:
        first -= 1
    return ids[:min(end, first + answer)], whose[:min(end, first + answer)]


def shard(job):
    """Makes n texts from one seed: a list of (hash, ids, whose)."""
    facts, tokenizer, seed, n, on, cut = job
    gen, tok = tools(facts, tokenizer, on)
    rng = random.Random(seed)
    out = []
    for _ in range(n):
        pieces = gen.pieces(rng)
        ids, whose = encode(tok, pieces)
        answers = [text for text, who in pieces if who == render.MODEL]
        if rng.random() < cut and not answers[-1].startswith(gen.later):
            ids, whose = beginning(ids, whose)
        if len(ids) <= LENGTHS[-1]:
            a = np.array(ids, np.uint16)
            out.append((hashlib.blake2b(a.tobytes(), digest_size=8).digest(), a, np.array(whose, np.uint8)))
    return out


def make(facts, tokenizer, n, seed, workers, on=False, cut=0):
    """n texts without doubles, as {length: (ids [N,length] u16, whose [N,length] u8)}; padding is id 0 and nobody's.

    on: what generate.py makes for weights that are trained already; cut: the share of texts that end early in an answer."""
    per = max(1, min(2000, n // workers))
    jobs = [(facts, tokenizer, seed * 1_000_003 + i, per, on, cut) for i in range((n + per - 1) // per)]
    seen, rows, doubles = set(), {length: [] for length in LENGTHS}, 0
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for part in pool.imap(shard, jobs):  # in order, so that the result depends on the seed alone
            for key, ids, whose in part:
                if key in seen:
                    doubles += 1
                    continue
                seen.add(key)
                length = next(x for x in LENGTHS if len(ids) <= x)
                rows[length].append((ids, whose))
    out = {}
    for length, texts in rows.items():
        ids, whose = np.zeros((len(texts), length), np.uint16), np.full((len(texts), length), render.OTHER, np.uint8)
        for i, (a, w) in enumerate(texts):
            ids[i, :len(a)], whose[i, :len(w)] = a, w
        out[length] = ids, whose
    return out, doubles

"""Token ids for training: conversations made by many processes, each from seeds of its own, sorted into lengths."""
import functools
import hashlib
import multiprocessing
import random
import threading
import time

import numpy as np

import generate
import render

LENGTHS = [24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512, 768, 1024]
WEIGHTS = {render.OTHER: 0.0, render.USER: 0.1, render.MODEL: 1.0}  # of the loss
SHARD = 2000  # texts that a process makes from one seed


@functools.lru_cache(maxsize=2)
def tools(facts, tokenizer, on):
    from tokenizers import Tokenizer
    t = Tokenizer.from_file(tokenizer)
    fixed = functools.lru_cache(maxsize=20_000)(lambda text: t.encode(text, add_special_tokens=False).ids)
    return generate.load(facts, on), t, fixed


def encode(tokenizer, pieces, fixed=None):
    """Ids, and whose each is. Pieces are encoded one by one: that cuts where the model's answer begins.

    fixed remembers the ids of what is said often: all but the user's words."""
    ids, whose = [], []
    for text, who in pieces:
        new = fixed(text) if fixed and who != render.USER else tokenizer.encode(text, add_special_tokens=False).ids
        ids += new
        whose += [who] * len(new)
    return ids, whose


def beginning(ids, whose, answer=8):
    """The text up to the first ids of its last answer."""
    end = max((i + 1 for i, w in enumerate(whose) if w == render.MODEL), default=len(ids))
    first = end
    while first > 0 and whose[first - 1] == render.MODEL:
        first -= 1
    return ids[:min(end, first + answer)], whose[:min(end, first + answer)]


def shard(job):
    """Makes n texts from one seed, as {length: (hashes [N] u64, ids [N,length] u16, whose [N,length] u8)}; padding is id 0 and nobody's."""
    facts, tokenizer, seed, n, on, cut = job
    gen, tok, fixed = tools(facts, tokenizer, on)
    rng = random.Random(seed)
    rows = {}
    for _ in range(n):
        pieces = gen.pieces(rng)
        ids, whose = encode(tok, pieces, fixed)
        answers = [text for text, who in pieces if who == render.MODEL]
        if cut and rng.random() < cut and not answers[-1].startswith(gen.later):
            ids, whose = beginning(ids, whose)
        if len(ids) <= LENGTHS[-1]:
            rows.setdefault(next(x for x in LENGTHS if len(ids) <= x), []).append((ids, whose))
    return {length: padded(texts, length) for length, texts in rows.items()}


def padded(texts, length):
    ids, whose = np.zeros((len(texts), length), np.uint16), np.full((len(texts), length), render.OTHER, np.uint8)
    for i, (a, w) in enumerate(texts):
        ids[i, :len(a)], whose[i, :len(w)] = a, w
    hashes = np.array([int.from_bytes(hashlib.blake2b(row.tobytes(), digest_size=8).digest(), "little") for row in ids], np.uint64)
    return hashes, ids, whose


class Seen:
    """Leaves out doubles."""

    def __init__(self):
        self.hashes, self.texts, self.tokens, self.doubles = set(), 0, 0, 0

    def new(self, part):
        """The rows of a shard that did not come before, as {length: (ids, whose)}."""
        out = {}
        for length, (hashes, ids, whose) in part.items():
            keep = np.ones(len(hashes), bool)
            for i, h in enumerate(hashes.tolist()):
                if h in self.hashes:
                    keep[i] = False
                self.hashes.add(h)
            self.doubles += int((~keep).sum())
            if keep.any():
                out[length] = ids[keep], whose[keep]
                self.texts += len(out[length][0])
                self.tokens += int((out[length][0] != 0).sum())
        return out


def jobs(facts, tokenizer, seed, on, cut):
    i = 0
    while True:
        yield facts, tokenizer, seed * 1_000_003 + i, SHARD, on, cut
        i += 1


class Stream:
    """Texts for ever, made beside the training by processes of their own, in the order of their seeds. Start it before CUDA."""

    def __init__(self, facts, tokenizer, seed, workers, most=10**12):
        self.seen, self.fresh, self.lock, self.ended, self.failed = Seen(), [], threading.Lock(), False, None
        self.pool = multiprocessing.get_context("fork").Pool(workers)
        self.ahead, self.most = threading.Semaphore(3 * workers), most
        self.thread = threading.Thread(target=self.collect, args=(jobs(facts, tokenizer, seed, False, 0),), daemon=True)
        self.thread.start()

    def collect(self, jobs):
        def limited():
            for job in jobs:
                self.ahead.acquire()
                if self.ended or self.seen.texts >= self.most:
                    return
                yield job
        try:
            for part in self.pool.imap(shard, limited()):
                self.ahead.release()
                rows = self.seen.new(part)
                with self.lock:
                    self.fresh.append(rows)
        except Exception as e:  # the training goes on with what there is, or says why there is nothing
            self.failed = e

    def take(self, least=0):
        """What has come since the last call, at least so many texts if need be, as {length: (ids, whose)}."""
        while least and self.seen.texts < min(least, self.most):
            if self.failed:
                raise self.failed
            time.sleep(0.05)
        with self.lock:
            parts, self.fresh = self.fresh, []
        return joined(parts)

    def end(self):
        self.ended = True
        self.ahead.release()
        self.pool.terminate()


def joined(parts):
    rows = {}
    for part in parts:
        for length, pair in part.items():
            rows.setdefault(length, []).append(pair)
    return {length: tuple(np.concatenate(x) for x in zip(*pairs)) for length, pairs in sorted(rows.items())}


def make(facts, tokenizer, n, seed, workers, on=False, cut=0):
    """About n texts without doubles, as {length: (ids [N,length] u16, whose [N,length] u8)}, and what was Seen.

    on: what generate.py makes for weights that are trained already; cut: the share of texts that end early in an answer."""
    each = min(SHARD, max(1, n // workers))
    todo = [(facts, tokenizer, seed * 1_000_003 + i, each, on, cut) for i in range((n + each - 1) // each)]
    seen = Seen()
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        rows = joined([seen.new(part) for part in pool.imap(shard, todo)])  # in order, so that the result depends on the seed alone
    return rows, seen

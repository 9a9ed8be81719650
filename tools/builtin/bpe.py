"""Trains the tokenizer: byte-level BPE over generated text, cut as Qwen2's (tokenizer.ggml.pre "qwen2").

    python bpe.py facts.json tokenizer.json [texts]
"""
import multiprocessing
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import generate
import render

VOCAB = 4096
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")


made = {}  # the generator, which processes get by being forked


def some(job):
    n, seed = job
    rng = random.Random(seed)
    return [text for _ in range(n) for text, _ in made["gen"].pieces(rng)]


def corpus(gen, n, seed=7, each=1000):
    """The pieces of n texts, made by as many processes as there are processors."""
    made["gen"] = gen
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for texts in pool.imap(some, [(each, seed * 1000 + i) for i in range(n // each)]):
            yield from texts


def train(gen, n):
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    special = [AddedToken(s, special=s in render.CONTROL, normalized=False) for s in render.SPECIAL]
    t.train_from_iterator(corpus(gen, n), trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=special, min_frequency=3,
                                                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.add_tokens([s for s in special if not s.special])
    return t


if __name__ == "__main__":
    t = train(generate.load(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 100_000)
    t.save(sys.argv[2])
    print(t.get_vocab_size(), "entries")

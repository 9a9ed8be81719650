"""Trains the tokenizer: byte-level BPE over generated text, cut as Qwen2's (tokenizer.ggml.pre "qwen2").

    python bpe.py facts.json tokenizer.json
"""
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import generate
import render

VOCAB = 4096
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def corpus(gen, n, seed=7):
    rng = random.Random(seed)
    for _ in range(n):
        yield from (text for text, _ in gen.pieces(rng))


def train(gen, n=60000):
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
    t = train(generate.load(sys.argv[1]))
    t.save(sys.argv[2])
    print(t.get_vocab_size(), "entries")

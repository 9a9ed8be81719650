"""Makes testdata/tiny: small tokenizers of every kind, trained by the reference library, with its own results.

    python -m venv venv && venv/bin/pip install tokenizers==0.22.2 sentencepiece==0.2.1
    venv/bin/python tokenizer/testdata/tiny.py

Each folder has a tokenizer.json and golden.json: a list of {"in", "ids", "literal", "framed", "text", "plain"} as
testdata/compare means them; literal and framed are left out where they are ids, plain where it is text. spm-* have a tokenizer.model, and ids that sentencepiece gave
(BPE) or the library after conversion (unigram).
"""
import base64, io, json, os, sys
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers as nm, pre_tokenizers as pt, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "compare"))
import strings

CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
LLAMA3 = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
U, L = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = (r"[^\r\n\p{L}\p{N}]?" + U + "*" + L + "+" + CONTRACTIONS + r"?|[^\r\n\p{L}\p{N}]?" + U + "+" + L + "*" + CONTRACTIONS
         + r"?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+" + CONTRACTIONS + "?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*" + CONTRACTIONS + "?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"]
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
LOOKBEHIND = r"(?<=\d)(?=\p{L})|\s+|\p{L}+?(?=\P{L}|$)"

TEXT = list(strings.SCRIPTS.values()) + strings.CODE * 2 + ["the cat and the dog and the bird on the tree in the sun of the land"] * 3
SPECIAL = ["<unk>", "<s>", "</s>", "<|im_end|>"]
ADDED = [AddedToken("<think>", special=False, normalized=False), AddedToken("Word", special=False, normalized=True, single_word=True),
         AddedToken("[MASK]", special=True, normalized=False, lstrip=True), AddedToken("[END]", special=True, normalized=True, rstrip=True),
         AddedToken("é\u0301 x", special=False, normalized=True), AddedToken("<|im", special=False, normalized=False)]


def split(pattern, behavior="isolated", invert=False):
    return pt.Split(Regex(pattern), behavior, invert)


def bytes_bpe(pre, normalizer=None, post=None, size=420, **model):
    t = Tokenizer(models.BPE(**model))
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre, decoders.ByteLevel()
    t.train_from_iterator(TEXT, trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=pt.ByteLevel.alphabet(), show_progress=False, **affixes(model)))
    t.post_processor = post or processors.ByteLevel(trim_offsets=False)
    t.add_tokens(ADDED)
    return t


def affixes(model):
    return {k: v for k, v in model.items() if k in ("continuing_subword_prefix", "end_of_word_suffix")}


def raw_bytes(*pre):
    return pt.Sequence(list(pre) + [pt.ByteLevel(add_prefix_space=False, use_regex=False)])


def char_bpe(normalizer, pre, decoder, fallback=True, size=420, **model):
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=fallback, **model))
    t.normalizer, t.decoder = normalizer, decoder
    if pre:
        t.pre_tokenizer = pre
    special = SPECIAL + ([f"<0x{b:02X}>" for b in range(256)] if fallback else [])
    t.train_from_iterator([" ".join(s.split()) for s in TEXT[:12]], trainers.BpeTrainer(
        vocab_size=size + len(special), special_tokens=special, limit_alphabet=120, show_progress=False, **affixes(model)))
    t = strip_bytes(t)
    t.post_processor = template(t, "<s> $A")
    t.add_tokens(ADDED)
    return t


def strip_bytes(t):
    """Byte tokens are special to the trainer only."""
    d = json.loads(t.to_str())
    d["added_tokens"] = [a for a in d["added_tokens"] if not a["content"].startswith("<0x")]
    return Tokenizer.from_str(json.dumps(d))


def template(t, single):
    names = [w for w in single.split() if not w.startswith("$")]
    return processors.TemplateProcessing(single=single, pair=single + " $B", special_tokens=[(w, t.token_to_id(w)) for w in set(names)])


def unigram(normalizer, pre, decoder, fallback=False):
    t = Tokenizer(models.Unigram())
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre, decoder
    t.train_from_iterator(TEXT, trainers.UnigramTrainer(vocab_size=800, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False))
    if fallback:
        d = json.loads(t.to_str())
        d["model"]["vocab"] = [v for v in d["model"]["vocab"] if ord(v[0][0]) < 0x2000 or v[0][0] == "▁"] + [[f"<0x{b:02X}>", -20.0] for b in range(256)]
        d["model"]["byte_fallback"] = True
        t = Tokenizer.from_str(json.dumps(d))
    t.post_processor = template(t, "$A </s>")
    t.add_tokens(ADDED)
    return t


def wordpiece(normalizer, pre, post="[CLS] $A [SEP]", cleanup=True):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    t.normalizer, t.pre_tokenizer, t.decoder = normalizer, pre, decoders.WordPiece(cleanup=cleanup)
    t.train_from_iterator(TEXT, trainers.WordPieceTrainer(vocab_size=600, limit_alphabet=200, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    t.post_processor = template(t, post) if isinstance(post, str) else post
    t.add_tokens(ADDED)
    return t


def wordlevel(normalizer, pre, decoder):
    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.normalizer, t.pre_tokenizer = normalizer, pre
    if decoder:
        t.decoder = decoder
    t.train_from_iterator(TEXT, trainers.WordLevelTrainer(vocab_size=300, special_tokens=SPECIAL + ["<pad>", "|"], show_progress=False))
    t.add_tokens(ADDED)
    return t


def charsmap():
    """A small precompiled_charsmap with rules of all sorts."""
    rules = {"ﬁ": "fi", "Ａ": "A", "ｶﾞ": "ガ", "\u00a0": " ", "\t": " ", "\n": " ", "\u200b": "", "e\u0301": "\u00e9", "\u00bd": "1\u20442", "㍿": "株式会社", "\u3000": " ", "\u212b": "\u00c5"}
    path = "/tmp/weft_rules.tsv"
    with open(path, "w") as f:
        for k, v in rules.items():
            f.write(" ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n")
    return path


def sentence_piece(**options):
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXT * 3), model_writer=out, vocab_size=options.pop("vocab_size", 900), character_coverage=0.98,
                                             hard_vocab_limit=False, minloglevel=2, **options)
    return out.getvalue()


def precompiled(model):
    m = sentencepiece_proto(model)
    return nm.Precompiled(m.normalizer_spec.precompiled_charsmap)


def sentencepiece_proto(model):
    from sentencepiece import sentencepiece_model_pb2
    m = sentencepiece_model_pb2.ModelProto()
    m.ParseFromString(model)
    return m


def all_tokenizers():
    spm_decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    meta = pt.Metaspace("▁", prepend_scheme="always")
    uni = sentence_piece(model_type="unigram", normalization_rule_tsv=charsmap())
    yield "gpt2", bytes_bpe(pt.ByteLevel(add_prefix_space=False))
    yield "roberta", bytes_bpe(pt.ByteLevel(add_prefix_space=True), post=processors.RobertaProcessing(("</s>", 2), ("<s>", 1)))
    yield "smollm", bytes_bpe(pt.Sequence([pt.Digits(individual_digits=True), pt.ByteLevel(add_prefix_space=False)]))
    llama3 = bytes_bpe(raw_bytes(split(LLAMA3)), ignore_merges=True)
    llama3.post_processor = processors.Sequence([processors.ByteLevel(), template(llama3, "<s> $A")])
    yield "llama3", llama3
    yield "qwen2", bytes_bpe(raw_bytes(split(QWEN2)), nm.NFC())
    yield "o200k", bytes_bpe(raw_bytes(split(O200K)))
    yield "kimi", bytes_bpe(raw_bytes(split(KIMI)))
    yield "deepseek", bytes_bpe(raw_bytes(*map(split, DEEPSEEK)), nm.Sequence([]))
    yield "falcon", bytes_bpe(pt.Sequence([pt.Punctuation("contiguous"), pt.ByteLevel(add_prefix_space=False), pt.Digits(), split("[0-9][0-9][0-9]")]))
    yield "clip", bytes_bpe(pt.Sequence([split(CLIP, "removed", True), pt.ByteLevel(add_prefix_space=False)]), nm.Sequence([nm.NFC(), nm.Replace(Regex(r"\s+"), " "), nm.Lowercase()]),
                            end_of_word_suffix="</w>", unk_token="<unk>")
    yield "lookbehind", bytes_bpe(raw_bytes(split(LOOKBEHIND, "merged_with_next")))
    yield "bytenorm", bytes_bpe(split(r"Ġ?[^Ġ]+|Ġ", "merged_with_previous"), nm.ByteLevel())
    yield "llama2", char_bpe(nm.Sequence([nm.Prepend("▁"), nm.Replace(" ", "▁")]), None, spm_decoder)
    yield "mistral", char_bpe(None, pt.Metaspace("▁", prepend_scheme="first", split=False), spm_decoder)
    yield "gemma", char_bpe(nm.Replace(" ", "▁"), pt.Split(" ", "merged_with_previous"), decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]))
    yield "nofallback", char_bpe(nm.NFKC(), pt.Metaspace("▁", prepend_scheme="never"), decoders.Metaspace("▁", prepend_scheme="never"), fallback=False)
    yield "subword", char_bpe(nm.Strip(), pt.Whitespace(), decoders.WordPiece(cleanup=False), fallback=False, continuing_subword_prefix="##")
    yield "suffix", char_bpe(nm.Sequence([nm.NFKD(), nm.StripAccents(), nm.Nmt()]), pt.WhitespaceSplit(), decoders.BPEDecoder(), fallback=False, end_of_word_suffix="</w>")
    yield "t5", unigram(nm.Sequence([precompiled(uni), nm.Strip(left=False, right=True), nm.Replace(Regex(" {2,}"), "▁")]), meta, decoders.Metaspace())
    yield "xlm", unigram(nm.Sequence([nm.Nmt(), nm.NFKC()]), pt.Sequence([pt.WhitespaceSplit(), meta]), decoders.Metaspace(), fallback=True)
    yield "bert", wordpiece(nm.BertNormalizer(), pt.BertPreTokenizer())
    yield "bertcased", wordpiece(nm.BertNormalizer(lowercase=False, strip_accents=False), pt.BertPreTokenizer(), processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)), False)
    yield "words", wordlevel(nm.Sequence([nm.NFD(), nm.StripAccents(), nm.Lowercase()]), pt.Sequence([pt.UnicodeScripts(), pt.Whitespace(), pt.Punctuation("merged_with_previous")]), None)
    yield "ctc", wordlevel(None, pt.Sequence([pt.CharDelimiterSplit("|"), pt.FixedLength(3)]), decoders.CTC())


SENTENCE_PIECE = [
    ("spm-bpe", dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=True, split_digits=True)),
    ("spm-gemma", dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False, user_defined_symbols=["<turn>", "\n\n"])),
    ("spm-unigram", dict(model_type="unigram", normalization_rule_tsv=charsmap())),
]


def converted(model):
    """A unigram model as transformers converts it."""
    m = sentencepiece_proto(model)
    t = Tokenizer(models.Unigram([(p.piece, p.score) for p in m.pieces], unk_id=m.trainer_spec.unk_id))
    t.normalizer = nm.Sequence([precompiled(model), nm.Strip(left=False, right=True), nm.Replace(Regex(" {2,}"), "▁")])
    t.pre_tokenizer, t.decoder = pt.Metaspace(), decoders.Metaspace()
    t.post_processor = template(t, "$A </s>")
    t.add_tokens([AddedToken(p.piece, special=True, normalized=False) for p in m.pieces if p.type in (2, 3)])
    return t


def golden(t, texts):
    out = []
    for s in texts:
        ids = t.encode(s, add_special_tokens=False).ids
        framed = t.encode(s).ids
        t.encode_special_tokens = True
        literal = t.encode(s, add_special_tokens=False).ids
        t.encode_special_tokens = False
        row = {"in": s, "ids": ids, "text": t.decode(ids, skip_special_tokens=False)}
        for key, value, same in ("literal", literal, ids), ("framed", framed, ids), ("plain", t.decode(ids), row["text"]):
            if value != same:
                row[key] = value
        out.append(row)
    return out


def sample(tokens, special):
    """A hundred short texts: some of every kind."""
    texts = strings.corpus(7, 90, tokens, special)
    return [""] + [s[:60] for s in list(strings.SCRIPTS.values()) + strings.CODE] + [s for s in texts[-90:] if len(s) < 60]


def save(name, model_name, model, rows):
    folder = os.path.join(HERE, "tiny", name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, model_name), "wb") as f:
        f.write(model)
    with open(os.path.join(folder, "golden.json"), "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, ensure_ascii=True, separators=(",", ":")) for r in rows) + "\n]\n")


def main():
    for name, t in all_tokenizers():
        special = sorted(a.content for a in t.get_added_tokens_decoder().values())
        texts = sample(sorted(t.get_vocab()), special)
        save(name, "tokenizer.json", json.dumps(json.loads(t.to_str()), ensure_ascii=False, separators=(",", ":")).encode(), golden(t, texts))
    for name, options in SENTENCE_PIECE:
        model = sentence_piece(**options)
        sp = sentencepiece.SentencePieceProcessor(model_proto=model)
        texts = [s for s in sample(["the", "▁and"], ["<turn>"]) if "\0" not in s]
        rows = [{"in": s, "ids": sp.encode(s), "text": sp.decode(sp.encode(s))} for s in texts]
        if options["model_type"] == "unigram":  # the library's scores are float64 and sentencepiece's float32, so ties differ
            rows = golden(converted(model), texts)
        save(name, "tokenizer.model", model, rows)


main()

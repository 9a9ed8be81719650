"""Compares weft's tokenizer with the reference library on real vocabularies.

    python -m venv venv && venv/bin/pip install tokenizers==0.22.2
    venv/bin/python tokenizer/testdata/compare/compare.py VOCABS [NAME ...] [--count N] [--seed S]

VOCABS is a folder with one folder for each vocabulary, each with a tokenizer.json and perhaps the same as gguf.json;
`fetch.sh VOCABS` fills it. For each it
encodes and decodes N (100,000) random strings and a fixed corpus with both and prints every kind of difference.
Exit status 1: there was one.
"""
import argparse, json, os, subprocess, sys, tempfile
from tokenizers import Tokenizer
sys.path.insert(0, os.path.dirname(__file__))
import strings


def main():
    p = argparse.ArgumentParser()
    p.add_argument("vocabs")
    p.add_argument("names", nargs="*")
    p.add_argument("--count", type=int, default=100_000)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    tmp = tempfile.mkdtemp()
    tool = os.path.join(tmp, "compare")
    subprocess.run(["go", "build", "-o", tool, "."], cwd=os.path.dirname(os.path.abspath(__file__)), check=True, env=dict(os.environ, CGO_ENABLED="0"))
    bad = 0
    for name in a.names or sorted(os.listdir(a.vocabs)):
        path = os.path.join(a.vocabs, name, "tokenizer.json")
        if not os.path.exists(path):
            continue
        bad += compare(tool, name, path, path, tmp, a)
        gguf = os.path.join(a.vocabs, name, "gguf.json")
        if os.path.exists(gguf):
            bad += compare(tool, name + " (GGUF)", path, gguf, tmp, a)
    sys.exit(bad > 0)


def compare(tool, name, reference, path, tmp, a):
    ref = Tokenizer.from_file(reference)
    ref.no_truncation()
    ref.no_padding()
    tokens = [t for t in list(ref.get_vocab())]
    tokens.sort()
    rng_tokens = tokens[::max(1, len(tokens) // 20000)]
    special = sorted(t.content for t in ref.get_added_tokens_decoder().values()) or ["<s>"]
    texts = strings.corpus(a.seed, a.count, rng_tokens, special)
    src, dst = os.path.join(tmp, "in"), os.path.join(tmp, "out")
    with open(src, "w") as f:
        for s in texts:
            f.write(json.dumps(s) + "\n")
    got = []
    r = subprocess.run([tool, path, src, dst], capture_output=True, text=True)
    if r.returncode:
        print(name, "FAILED", r.stderr)
        return 1
    for line in open(dst):
        got.append(json.loads(line))
    diffs = {}
    for lo in range(0, len(texts), 5000):
        part = texts[lo:lo + 5000]
        ids = [e.ids for e in ref.encode_batch(part, add_special_tokens=False)]
        framed = [e.ids for e in ref.encode_batch(part, add_special_tokens=True)]
        ref.encode_special_tokens = True
        literal = [e.ids for e in ref.encode_batch(part, add_special_tokens=False)]
        ref.encode_special_tokens = False
        text = ref.decode_batch(ids, skip_special_tokens=False)
        plain = ref.decode_batch(ids, skip_special_tokens=True)
        for i, s in enumerate(part):
            g = got[lo + i]
            want = {"ids": ids[i], "framed": framed[i], "literal": literal[i], "text": text[i], "plain": plain[i]}
            for k, w in want.items():
                if g[k] != w:
                    diffs.setdefault(k, []).append((s, g[k], w))
            if "error" in g:
                diffs.setdefault("error", []).append((s, g["error"], ""))
    n = sum(map(len, diffs.values()))
    print(f"{name}: {len(texts)} strings, {n} differences; {r.stderr.strip()}", flush=True)
    for k, list_ in diffs.items():
        list_.sort(key=lambda d: len(d[0]))
        for s, g, w in list_[:5]:
            print(f"  {k} ({len(list_)}): {s[:200]!r}\n    got  {str(g)[:300]!r}\n    want {str(w)[:300]!r}")
    return n


main()

"""Phrasings: a small grammar that expands to many, and the noise of people who type.

    {a|b}  one of them      [a|b]  one of them or nothing      <name>  one of a set of SYNONYMS
"""
import functools
import hashlib
import re

SYNONYMS = {
    "gpu": ["gpu", "gpu", "graphics card", "video card", "nvidia card", "nvidia gpu"],
    "gpu0": ["gpu", "a gpu", "a graphics card", "an nvidia card", "any gpu", "nvidia", "a video card"],
    "gpus": ["gpus", "graphics cards", "video cards", "cards", "nvidia cards"],
    "run": ["run", "start", "launch", "fire up", "bring up", "spin up"],
    "server": ["server", "api server", "api", "service", "http server", "openai server"],
    "model": ["model", "llm", "language model", "model file", "ai model"],
    "how": ["how do i", "how can i", "how to", "how would i", "how does one", "how do you", "how do we", "what do i do to",
            "i want to", "i would like to", "i need to", "i'd like to", "what is the way to", "whats the way to", "can you tell me how to",
            "please explain how to", "show me how to", "what command do i use to", "tell me how to", "is there a way to"],
    "can": ["can i", "is it possible to", "may i", "could i", "am i able to", "can we", "can you"],
}


def parse(text):
    """Turns a phrasing into nested lists: a str, ("one", choices) or ("seq", parts)."""
    pos = 0

    def alternatives(end):
        nonlocal pos
        out, seq = [], []
        while pos < len(text) and text[pos] != end:
            c = text[pos]
            if c == "|" and end:
                out.append(seq)
                seq = []
                pos += 1
            elif c in "{[":
                pos += 1
                inner = alternatives("}" if c == "{" else "]")
                seq.append(("one", inner + ([[""]] if c == "[" else [])))
            elif c == "<" and text.find(">", pos) > 0 and text[pos + 1:text.find(">", pos)] in SYNONYMS:
                name = text[pos + 1:text.find(">", pos)]
                seq.append(("one", [[s] for s in SYNONYMS[name]]))
                pos = text.find(">", pos) + 1
            else:
                stop = pos + 1
                while stop < len(text) and text[stop] not in "{[<|" + (end or ""):
                    stop += 1
                seq.append(text[pos:stop])
                pos = stop
        if end:
            if pos >= len(text):
                raise ValueError(f"cannot parse {text!r}: no {end}")
            pos += 1
        out.append(seq)
        return out

    tree = alternatives("")
    return tree[0]


parsed = functools.lru_cache(maxsize=None)(parse)


def expand(text, rng):
    """One phrasing of a template."""
    def walk(seq):
        return "".join(p if isinstance(p, str) else walk(rng.choice(p[1])) for p in seq)
    return re.sub(r"\s+", " ", walk(parsed(text))).strip().replace(" ,", ",")


def held_out(*key, share):
    """Decides from the words alone, so that the split is the same in every run."""
    h = int.from_bytes(hashlib.md5("\x1f".join(key).encode()).digest()[:4], "big")
    return h < share * 2**32


NEAR = {"a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl", "l": "k",
        "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc",
        "y": "tu", "z": "x"}


def typo(word, rng):
    i = rng.randrange(1, len(word))
    kind = rng.random()
    if kind < 0.3:
        return word[:i] + word[i + 1:]
    if kind < 0.55 and i + 1 < len(word):
        return word[:i] + word[i + 1] + word[i] + word[i + 2:]
    if kind < 0.75:
        return word[:i] + word[i] + word[i:]
    return word[:i] + rng.choice(NEAR.get(word[i].lower(), word[i])) + word[i + 1:]


FUNCTION_WORDS = {"the", "a", "an", "do", "i", "is", "to", "of", "it", "my", "does", "how", "can", "what", "are", "there", "in", "on", "for",
                  "with", "me", "you", "have", "which", "that", "would", "please", "get", "use"}
SHORT = {"you": "u", "please": "pls", "are": "r", "because": "bc", "without": "w/o", "what is": "whats", "do not": "dont", "cannot": "cant",
         "i am": "im", "graphics card": "gfx card", "parameters": "params", "and": "&", "weft": "Weft", "with": "w/"}


def misspell(text, rng, n):
    words = text.split(" ")
    able = [i for i, w in enumerate(words) if len(w) >= 4 and w.isalpha() and w.lower() != "weft"]
    for i in rng.sample(able, min(n, len(able))):
        words[i] = typo(words[i], rng)
    return " ".join(words)


def shorten(text, rng):
    """Leaves out most of the words that carry no meaning."""
    words = text.split(" ")
    kept = [w for w in words if w.lower() not in FUNCTION_WORDS or rng.random() < 0.25]
    meaning = sum(w.lower() not in FUNCTION_WORDS for w in kept)
    return " ".join(kept) if meaning > 1 else text


def abbreviate(text, rng):
    for long, short in SHORT.items():
        if rng.random() < 0.4:
            text = re.sub(rf"\b{re.escape(long)}\b", short, text)
    return text


BEFORE = ["hi, ", "hello, ", "hey, ", "hey ", "hi! ", "please tell me: ", "quick question: ", "question: ", "ok, ", "ok so ", "so ", "and ", "sorry, ",
          "um, ", "i am new here. ", "newbie question: ", "i don't understand: ", "tell me, ", "well, ", "now, ", "one more thing: ", "excuse me, ",
          "hmm, ", "good morning, ", "i wonder, ", "also, ", "btw ", "a stupid question: ", "can you tell me, ", "dear weft, "]
AFTER = [" please", ", please", " thanks", " pls", ", thanks", " now", " again", " thx", ", thank you"]
AFTER_WEFT = AFTER + [" in weft", " with weft", " here", " exactly", " with this", ", i forgot", ", can you explain", " for a beginner", ", i am a beginner"]


def typed(text, rng, noise=0.35, after=AFTER):
    """What a person would type: words around it, typing errors, words left out, case and punctuation as they come."""
    code = "/" in text or "--" in text or text.startswith("error")
    if rng.random() < 0.16:
        text = rng.choice(BEFORE) + text
    if rng.random() < 0.12 and not code:
        text += rng.choice(after)
    if rng.random() < 0.08:
        text = abbreviate(text, rng)
    if rng.random() < 0.10 and len(text.split()) > 4:
        text = shorten(text, rng)
    if rng.random() < noise:
        text = misspell(text, rng, 1 if rng.random() < 0.65 else 2)
    return punctuate(text, rng)


STATEMENT = re.compile(r"^(i |i'|the |my |tell|show|give|explain|describe|list|please|run|use|error|make|stop|start|draw|write|hi|hello|hey|ok)", re.I)


def punctuate(text, rng):
    style = rng.random()
    if style < 0.45:
        text = text[:1].upper() + text[1:]
    elif style > 0.97:
        text = text.upper() if "/" not in text and "-" not in text else text
    if text[-1:] not in "?!.\"'":
        mark = "." if STATEMENT.match(text) else "?"
        p = rng.random()
        text += mark if p < 0.55 else " " + mark if p < 0.58 else mark * 2 if p < 0.60 else ""
    return text

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


def words(text):
    """The words of all phrasings that a template has, those of SYNONYMS left out."""
    return re.findall(r"[^\s{}\[\]|,?!()\"]+", re.sub(r"<\w+>", " ", text))


@functools.lru_cache(maxsize=100_000)
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
EMPTY_WORDS = FUNCTION_WORDS | set("weft be will if when where who why at by from as or and so this that these those am was has had i'm it's its his her we us our"
                                   " they them tell show give explain describe mean means does did done one some any".split())
SHORT = {"you": "u", "please": "pls", "are": "r", "because": "bc", "without": "w/o", "what is": "whats", "do not": "dont", "cannot": "cant",
         "i am": "im", "graphics card": "gfx card", "parameters": "params", "and": "&", "weft": "Weft", "with": "w/"}


def misspell(text, rng, n):
    words = text.split(" ")
    able = [i for i, w in enumerate(words) if len(w) >= 4 and w.isalpha() and w.lower() != "weft"]
    for i in rng.sample(able, min(n, len(able))):
        words[i] = typo(words[i], rng)
    return " ".join(words)


def joined(text, rng):
    """Two words with no space between."""
    words = text.split(" ")
    if len(words) > 2:
        i = rng.randrange(len(words) - 1)
        words[i:i + 2] = [words[i] + words[i + 1]]
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
          "hmm, ", "good morning, ", "i wonder, ", "also, ", "btw ", "a stupid question: ", "can you tell me, ", "dear weft, ",
          "hey folks, ", "hi all, ", "hello everyone, ", "sorry if this is a dumb question but ", "noob here, ", "first time user, ", "ok dumb question: ", "just wondering, ",
          "does anyone know, ", "not sure if this is the right place, ", "one thing: ", "last question: ", "another one: ", "follow up: ", "and also ", "but ", "then ", "ah, ",
          "i read the readme but ", "tried everything, ", "my boss asks: ", "for a friend: ", "in short: ", "real quick, ", "be honest, ", "help! ", "pls help, ", "umm ", "yo ", "wait, ",
          "out of curiosity, ", "i can't find it: ", "just to be sure: ", "my question is: "]
AFTER = [" please", ", please", " thanks", " pls", ", thanks", " now", " again", " thx", ", thank you", ", any idea", ", any ideas", ", thx in advance", " lol", " or what", " then", " though",
         ", help", ", anyone", ", do you know", ", please help", " for real", ", just asking", " tbh", ", i need to know", " today", " btw", ", right"]
AFTER_WEFT = AFTER + [" in weft", " with weft", " here", " exactly", " with this", ", i forgot", ", can you explain", " for a beginner", ", i am a beginner"]


# Sentences around a few words. What they ask matters less than the words: people ask for a thing in every way there is.
FRAMES = ["$A", "$A", "$A", "what is $A", "what are $A", "<how> $A", "<how> $A", "<how> use $A", "<can> $A", "<can> use $A", "does weft $A", "does weft {have|support|know} $A", "can weft $A",
          "is $A {possible|supported|needed|there|on|allowed}", "explain $A", "what about $A", "i have a question about $A", "tell me about $A", "i need $A", "i want $A",
          "i have $A", "help [me] with $A", "where {is|are} $A", "which $A", "why $A", "why is $A", "when $A", "error $A", "problem with $A", "my $A", "the $A", "do i need $A",
          "is there {a|an|any} $A", "who $A", "must i $A", "what does $A mean", "what does $A do", "what happens {with|when|to} $A", "give me $A", "show me $A", "weft $A",
          "how does $A work", "how {many|much|long|big} $A", "what if $A", "it {says|is} $A", "i cannot $A", "i don't understand $A", "{are|is} $A", "make $A", "use $A",
          "should i $A", "you $A", "can you $A", "describe $A", "is it $A", "there is $A", "i get $A", "what do you know about $A", "some $A", "will $A", "$A or not", "info on $A"]
BETWEEN = "the a in to for my of with on and is an it by from at".split()


def around(some, rng):
    """A loose question that holds the words."""
    out = []
    for w in some:
        if out and rng.random() < 0.35:
            out.append(rng.choice(BETWEEN))
        out.append(w)
    return expand(rng.choice(FRAMES), rng).replace("$A", " ".join(out))


# Ways to ask the same: a question of one row may be asked as another of it.
REFRAME = [
    (re.compile(r"^(?:does weft|can weft|does it|can it|is weft able to) (?:support|have|do|handle) (.+)$"),
     ["does weft support $A", "can weft do $A", "does weft have $A", "is there $A", "$A support", "is $A supported", "can i use $A", "do you support $A", "i need $A", "$A in weft", "what about $A",
      "will weft support $A", "does it do $A", "is weft able to do $A", "weft and $A"]),
    (re.compile(r"^is (.+) supported$"), ["does weft support $A", "is $A supported", "$A support", "does $A work", "can i use $A", "what about $A", "is $A possible", "will $A work", "support for $A"]),
    (re.compile(r"^(?:what is|what are|explain|describe|tell me about) (?:the |a )?(.+)$"),
     ["what is $A", "what are $A", "explain $A", "describe $A", "tell me about $A", "$A", "what does $A mean", "i want to understand $A", "can you explain $A", "what do you mean by $A",
      "how do you define $A", "i do not understand $A", "meaning of $A", "what's $A", "what is the $A", "what is a $A", "i never heard of $A", "define $A", "how does $A work"]),
    (re.compile(r"^(?:why do i get|error:?|what does) (.+?)(?: mean| do)?$"),
     ["what does $A mean", "error: $A", "why do i get $A", "i get $A", "$A", "the server says $A", "weft says $A", "what is $A", "there is an error: $A", "how do i fix $A", "it fails with $A",
      "what to do about $A", "help, $A", "the message is $A", "explain $A", "$A error"]),
    (re.compile(r"^(?:is there|do you have|does weft have) (?:a |an )?(.+)$"),
     ["is there $A", "do you have $A", "does weft have $A", "where is the $A", "i am looking for $A", "i need $A", "$A", "can i get $A", "is there any $A", "give me $A", "show me $A"]),
    (re.compile(r"^(?:how do i|how can i|how to|how would i) (.+)$"),
     ["<how> $A", "<can> $A", "$A", "help me to $A", "i cannot $A", "which command can $A", "what do i need to $A", "where can i $A", "how should i $A", "what must i do to $A", "i try to $A",
      "is there a trick to $A", "teach me to $A", "what flag is there to $A", "the way to $A", "how does weft $A", "i would love to $A"]),
    (re.compile(r"^(?:can i|may i|could i|is it possible to) (.+)$"),
     ["<can> $A", "<how> $A", "does weft let me $A", "is it ok to $A", "i want to $A", "am i allowed to $A", "will i be able to $A", "let me $A", "would it be possible to $A", "shall i $A"]),
    (re.compile(r"^(?:do i need|must i have|do i have to have) (?:a |an |the )?(.+)$"),
     ["do i need $A", "is $A needed", "does weft need $A", "must i have $A", "is $A required", "does it require $A", "do i have to have $A", "can i do without $A", "will i need $A", "is $A necessary"]),
    (re.compile(r"^(?:does weft|does it|can weft|will weft|will it) (?:run|work) (.+)$"),
     ["does weft run $A", "can i use weft $A", "will it work $A", "does it work $A", "can weft run $A", "is weft made to run $A", "i want to run weft $A", "running weft $A", "weft $A"]),
]


def reframed(text, rng):
    """The same question asked in another way, where one is known."""
    able = [(m[1], row) for pattern, row in REFRAME if (m := pattern.match(text))]
    if not able:
        return text
    rest, row = rng.choice(able)
    return expand(rng.choice(row), rng).replace("$A", rest)


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
    if "'" in text and rng.random() < 0.4:
        text = text.replace("'", "")
    if rng.random() < noise:
        text = misspell(text, rng, 1 if rng.random() < 0.65 else 2)
        if rng.random() < 0.06 and not code:
            text = joined(text, rng)
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

"""Reads topics/*.txt: what weft-guide knows of weft.

    # id [if condition] [xN]   a topic, trained N times as often; conditions (hub, tools, ...) are found in the source by facts.py
    ? phrasing              a way to ask, in the grammar of grammar.py
    > phrasing              one that is always trained: written after the test set was drawn
    ~ head: words           words of which a few, with head, ask for it in short
    ! line                  a line of the answer; %flag(name) is replaced by the flag's help
    = a|b & c               the rule: the answer must hold a or b, and c
    + question => id        a question at the end of the answer; a yes leads to topic id
"""
import dataclasses
import pathlib
import re

from grammar import held_out

DIR = pathlib.Path(__file__).parent / "topics"
HELD_OUT = 0.17  # of the phrasings of each topic


@dataclasses.dataclass
class Topic:
    id: str
    often: int = 1
    phrasings: list = dataclasses.field(default_factory=list)
    trained: list = dataclasses.field(default_factory=list)
    head: str = ""
    words: list = dataclasses.field(default_factory=list)
    lines: list = dataclasses.field(default_factory=list)
    rule: list = dataclasses.field(default_factory=list)
    offer: str = ""
    then: str = ""

    @property
    def answer(self):
        return "\n".join(self.lines) + (" " + self.offer if self.offer else "")

    @property
    def plain(self):
        return "\n".join(self.lines)

    def split(self, test):
        """The phrasings of one side of the split. A bare list of terms always trains; a topic always has some to test."""
        bare = re.compile(r"^(\{[^{}]*\}|\S+)( \[[^\]]*\])?$")
        able = [p for p in self.phrasings if not bare.match(p) and len(p.split()) > 1]
        out = [p for p in able if held_out(self.id, p, share=HELD_OUT)]
        if not out and len(able) > 3:
            out = [min(able, key=lambda p: (len(p) * 7919) % 101)]
        return out if test else [p for p in self.phrasings if p not in out] + self.trained


def load(facts):
    topics = {}
    for path in sorted(DIR.glob("*.txt")):
        for block in re.split(r"\n(?=# )", path.read_text()):
            if topic := read(block, facts, path):
                if topic.id in topics:
                    raise ValueError(f"cannot read {path}: {topic.id} stands there twice")
                topics[topic.id] = topic
    for t in topics.values():
        if t.then and t.then not in topics:
            raise ValueError(f"topic {t.id}: there is no topic {t.then}")
    return topics


def read(block, facts, path):
    first, *lines = block.strip().split("\n")
    m = re.fullmatch(r"# (\w+)(?: if (!?)(\w+))?(?: x(\d+))?", first)
    if not m:
        return None  # the file's own heading
    if m[3] and facts["conditions"][m[3]] == bool(m[2]):
        return None
    t = Topic(m[1], int(m[4] or 1))
    for line in lines:
        kind, text = line[:1], line[2:].rstrip()
        if kind == "?":
            t.phrasings.append(text)
        elif kind == ">":
            t.trained.append(text)
        elif kind == "!":
            t.lines.append(re.sub(r"%flag\(([\w-]+)\)", lambda f: facts["flags"][f[1]]["help"], text))
        elif kind == "~":
            t.head, words = text.split(": ", 1)
            t.words = words.split()
        elif kind == "=":
            t.rule = [alt.strip().split("|") for alt in text.split(" & ")]
        elif kind == "+":
            t.offer, t.then = text.split(" => ")
        elif line.strip():
            raise ValueError(f"cannot read {path}: {line!r}")
    check(t, path)
    return t


def check(t, path):
    """A topic whose own answer breaks its rule is a mistake of the writer."""
    text = t.plain
    for group in t.rule:
        if not any(alt in text for alt in group):
            raise ValueError(f"{path}: the answer of {t.id} breaks its own rule {group}")
    if not (t.phrasings and t.lines and t.rule):
        raise ValueError(f"{path}: {t.id} lacks phrasings, an answer or a rule")

"""What a skill makes: turns of a conversation, each with the rule that an answer is checked by."""
import dataclasses

from grammar import expand, held_out, typed

TEST_SHARE = 0.2  # of the phrasings of a skill


@dataclasses.dataclass
class Turn:
    user: str
    answer: str = ""
    rule: dict = None  # see score.py; None: not checked
    calls: list = None  # tool calls instead of an answer: [{"name", "arguments"}]
    results: list = None  # what the tools gave; the answer to them is the next turn's, whose user is ""


def pick(key, phrasings, rng, test):
    """One phrasing of a list: of the tested ones, or of the others."""
    side = [p for p in phrasings if held_out(key, p, share=TEST_SHARE) == test]
    return rng.choice(side or phrasings)


def ask(key, phrasings, rng, test, noise=0.25, **slots):
    """A phrasing as somebody types it. Slots $A, $B, ... are filled in last, so that noise leaves them whole."""
    text = typed(expand(pick(key, phrasings, rng, test), rng), rng, noise)
    for name, value in slots.items():
        text = text.replace("$" + name, str(value))
    return text


def must(*groups):
    """The rule that an answer holds one text of each group."""
    return {"kind": "text", "all": [g if isinstance(g, list) else [g] for g in groups]}

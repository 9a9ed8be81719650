"""Makes conversations for weft-guide to learn from, and the set that it is tested with.

    python generate.py facts.json sample 20         look at some
    python generate.py facts.json eval              write evalset.jsonl: phrasings that are never trained
"""
import collections
import json
import pathlib
import random
import sys

import render
import skills
import toolcalls
import topics
import world
from grammar import AFTER_WEFT, EMPTY_WORDS, around, expand, held_out, reframed, typed, words
from turns import Turn, ask, must

HERE = pathlib.Path(__file__).parent

SYSTEMS = ["You are a helpful assistant.", "You are a helpful assistant", "You are weft-guide.", "Answer briefly.", "You are a friendly bot.", "Be concise.",
           "You are an assistant that helps users.", "Answer in one sentence.", "You answer questions about weft.", "You are a helpful AI assistant.",
           "Be helpful and polite.", "You are an expert.", "Help the user.", "You are a chat bot on a web page.", "Today is a good day. Be kind.",
           "You are a helpful assistant named weft-guide.", "Do not make things up.", "You are a support agent.", "Speak plainly."]
YES = ["yes", "yes please", "yes, please", "sure", "ok", "yeah", "please do", "yep", "of course", "go ahead", "yes, show me", "show me", "do it", "certainly",
       "that would be nice", "please", "y", "gladly", "why not", "i would like that", "yes do that", "absolutely"]
NO = ["no", "no thanks", "no, thank you", "not now", "nope", "no need", "nah", "not today", "no thank you", "later perhaps", "better not", "n", "rather not", "never mind"]
NO_ANSWER = "All right. Ask me anything else about weft."


class Weft:
    """The turns that are about weft: topics and flags."""

    def __init__(self, facts):
        self.facts = facts
        self.topics = topics.load(facts)
        self.about = [t for t in self.topics.values() if not t.id.startswith("talk_")]
        self.small = [t for t in self.topics.values() if t.id.startswith("talk_")]
        self.phrasings = {(t.id, test): t.split(test) for t in self.topics.values() for test in (False, True)}
        self.flags = facts["flags"]
        self.vocabulary()
        self.forbidden()

    def vocabulary(self):
        """The words of each topic with how well they tell it from others: a word of many topics says little."""
        own = {t.id: sorted({w.lower() for p in t.phrasings for w in words(p) if w.lower() not in EMPTY_WORDS} | {w.lower() for w in t.words + [t.head] if w}) for t in self.topics.values()}
        spread = collections.Counter(w for ws in own.values() for w in ws)
        self.words = {i: (ws, [spread[w] ** -1.5 for w in ws]) for i, ws in own.items()}
        self.spread = spread

    def forbidden(self, n=200, seed=11):
        """What the tested phrasings can say: no training question may be one of them before it is typed."""
        rng = random.Random(seed)
        self.never = {normal(expand(p, rng)) for t in self.topics.values() for p in self.phrasings[t.id, True] for _ in range(n)}

    def topic(self, rng, test):
        return self.turns(rng.choice([t for t in self.about if not test or self.phrasings[t.id, True]]), rng, test)

    def talk(self, rng, test):
        return self.turns(rng.choice([t for t in self.small if not test or self.phrasings[t.id, True]]), rng, test)

    def turns(self, t, rng, test):
        turn = Turn(self.question(t, rng, test), t.answer, {"kind": "text", "all": t.rule})
        if not t.then or rng.random() > 0.5:
            return [turn]
        return [turn, self.reply(t, rng, test)]

    def reply(self, t, rng, test):
        """The user's yes or no to what was offered."""
        then = self.topics[t.then]
        if rng.random() < 0.65:
            return Turn(ask("yes", YES, rng, test, 0.05), then.plain, {"kind": "text", "all": then.rule})
        return Turn(ask("no", NO, rng, test, 0.05), NO_ANSWER, must("All right"))

    def question(self, t, rng, test, noise=0.35):
        after = AFTER_WEFT if not t.id.startswith("talk_") else [" thanks"]
        if test:
            return typed(expand(rng.choice(self.phrasings[t.id, True]), rng), rng, noise, after)
        while True:
            p = rng.random()
            if t.head and p < 0.12:
                text = self.keywords(t, rng, False)
            elif p < 0.45:
                text = self.loose(t, rng)
            else:
                text = expand(rng.choice(self.phrasings[t.id, False]), rng)
                if rng.random() < 0.4:
                    text = reframed(text, rng)
            if normal(text) not in self.never:
                return typed(text, rng, noise, after)

    def loose(self, t, rng):
        """Words of the topic in no order, one of them telling."""
        own, weight = self.words[t.id]
        some = rng.choices(own, weight)
        n = rng.choice([0, 1, 1, 2, 2, 3]) if self.spread[some[0]] <= 2 else rng.choice([1, 2, 2, 3])
        some += [w for w in rng.sample(own, min(n, len(own))) if w not in some]
        rng.shuffle(some)
        return around(some, rng)

    def keywords(self, t, rng, test):
        """A question in a few words without grammar; some pairs of words are kept for the test."""
        words = [w for w in t.words if held_out("short", t.id, w, share=0.15) == test] or t.words
        some = rng.sample(words, min(len(words), 1 if test else rng.choice([1, 1, 2, 2, 3])))
        out = [t.head] + some
        rng.shuffle(out)
        return " ".join(out)

    FLAG = {
        "what": ["what does $A do", "what is $A", "explain $A", "$A", "what is the flag $A for", "what does the option $A mean", "meaning of $A", "when do i use $A",
                 "what is $A good for", "help on $A", "describe the flag $A", "what happens with $A", "i do not understand $A", "how does $A work", "tell me about $A",
                 "why would i set $A", "what does $A change"],
        "default": ["what is the default of $A", "default [value] of $A", "what is $A by default", "which default does $A have", "what value has $A if i do not set it", "$A default"],
        "variable": ["which environment variable sets $A", "environment variable for $A", "how do i set $A with an environment variable", "env var of $A", "what is the variable for $A",
                     "can i set $A in the environment"],
        "commands": ["which commands {have|take|know} $A", "where can i use $A", "which command is $A for", "does weft serve have $A", "commands with $A"],
    }
    AGAIN = {"default": ["what is its default", "and the default", "what is the default", "which value does it have by default"],
             "variable": ["which environment variable sets it", "and as an environment variable", "how is the variable called", "and in the environment"]}

    def flag(self, rng, test):
        name = rng.choice(list(self.flags))
        kind = rng.choices(list(self.FLAG), [6, 2, 2, 1])[0]
        answer, rule = self.flag_answer(name, kind)
        written = rng.choice(["--" + name] * 4 + [name, name.replace("-", " ") + " flag", "the flag " + name]) if "-" in name else "--" + name
        turns = [Turn(ask("flag " + kind, self.FLAG[kind], rng, test, 0.15, A=written), answer, rule)]
        if kind == "what" and rng.random() < 0.35:
            again = rng.choice(list(self.AGAIN))
            turns.append(Turn(ask("again " + again, self.AGAIN[again], rng, test, 0.1), *self.flag_answer(name, again)))
        return turns

    def flag_answer(self, name, kind):
        f = self.flags[name]
        if kind == "what":
            default = f" Default: {f['default']}." if f["default"] and "efault" not in f["help"] else ""
            return f"--{name}: {f['help']}{default} Variable: {f['variable']}.", must("--" + name, f["help"][:20])
        if kind == "default":
            if f["default"]:
                return f"The default of --{name} is {f['default']}.", must("--" + name, f["default"])
            return f"--{name} is not set by default. {f['help']}", must("--" + name, f["help"][:20])
        if kind == "variable":
            return f"{f['variable']} sets --{name}. The command line wins.", must(f["variable"])
        commands = [c for c in f["commands"]]
        return f"--{name} is a flag of {', '.join(commands)}.", must(commands[0])


PERSONA = ["You are $A.", "Your name is $A.", "You are $A, a helpful assistant.", "You are called $A and you are friendly.", "You are an assistant named $A.", "Act as $A."]
WHO = ["what is your name", "who are you", "what are you called", "tell me your name", "your name", "how should i call you", "do you have a name", "who am i talking to"]


def persona(rng, test):
    name = world.some_name(rng)
    return ask("persona", PERSONA, rng, test, 0).replace("$A", name).rstrip("?").strip(), name


class Generator:
    MIX = {"weft": 38, "flag": 5, "talk": 8, "unknown": 13, "sum": 7, "capital": 5, "memory": 11, "forgot": 1, "story": 3, "json": 6, "call": 10, "nocall": 6,
           "persona": 2, "raw": 6}

    def __init__(self, facts):
        self.weft = Weft(facts)
        self.plain = {"weft": self.weft.topic, "flag": self.weft.flag, "talk": self.weft.talk, "unknown": skills.unknown, "sum": skills.arithmetic,
                      "capital": skills.capitals, "forgot": skills.forgot, "story": skills.story, "json": skills.json_fields}
        self.tested = set()  # what users say in the test set: never trained

    def between(self, rng, test):
        kind = rng.choices(["weft", "talk", "sum", "capital", "unknown", "flag"], [5, 2, 1, 1, 1, 1])[0]
        return self.plain[kind](rng, test)

    def beside_tools(self, rng, test):
        """Turns that no tool could serve better."""
        kind = rng.choices(["weft", "talk", "capital", "flag"], [6, 2, 1, 1])[0]
        return self.plain[kind](rng, test)

    def make(self, rng, test=False, kind=None):
        """One conversation: (kind, system, tools, turns)."""
        kind = kind or rng.choice([k for k in self.MIX if k != "raw"])
        system = rng.choice(SYSTEMS) if rng.random() < 0.3 else ""
        tools = None
        if kind == "call":
            tools, turns = toolcalls.tool_calls(rng, test)
        elif kind == "nocall":
            tools, turns = toolcalls.no_fit(rng, test, self.beside_tools)
        elif kind == "memory":
            turns = skills.memory(rng, test, self.between)
        elif kind == "persona":
            system, name = persona(rng, test)
            turns = [Turn(ask("who", WHO, rng, test), f"I am {name}.", must(name))]
        else:
            turns = self.plain[kind](rng, test)
        if test:
            return kind, system, tools, turns
        while rng.random() < (0.3 if not tools else 0.12) and len(turns) < 7 and kind != "forgot":
            turns = turns + (self.beside_tools if tools else self.between if rng.random() < 0.85 else skills.story)(rng, test)
        if tools and rng.random() < 0.15 and kind == "call":
            turns = self.beside_tools(rng, test) + turns
        return kind, system, tools, turns

    def raw(self, rng):
        """Text without the chat template, as weft generate has it: [(text, whose)]."""
        end = "<|endoftext|>"
        p = rng.random()
        if p < 0.25:
            c = rng.choice(list(world.CAPITALS))
            return [(f"The capital of {c} is {world.CAPITALS[c].removesuffix('.')}.{end}", render.MODEL)]
        if p < 0.35:
            return [(skills.story_text(rng.choice(world.HERO), rng) + end, render.MODEL)]
        if p < 0.5:
            return [(rng.choice(self.weft.about).plain + end, render.MODEL)]
        turn = self.plain[rng.choices(["weft", "flag", "talk", "unknown", "sum", "capital"], [6, 1, 1, 1, 1, 1])[0]](rng, False)[0]
        return [(turn.user, render.USER), ("\n" + turn.answer + end, render.MODEL)]

    def pieces(self, rng):
        """One piece of training text, none of it tested."""
        while True:
            kind = rng.choices(list(self.MIX), list(self.MIX.values()))[0]
            if kind == "raw":
                out = self.raw(rng)
                if normal(out[0][0]) not in self.tested:
                    return out
                continue
            _, system, tools, turns = self.make(rng, kind=kind)
            if not any(normal(t.user) in self.tested for t in turns if t.user):
                return render.pieces(system, tools, turns)


def normal(text):
    return "".join(c for c in text.lower() if c.isalnum())


# How many of each kind the test set holds. Questions about weft are two for each tested phrasing: plain, and carelessly typed.
TESTS = {"flag": 60, "talk": 40, "unknown": 140, "sum": 80, "capital": 60, "memory": 140, "forgot": 16, "story": 20, "json": 140, "call": 180, "nocall": 120, "persona": 20}


def evalset(gen, seed=20):
    rng = random.Random(seed)
    out, seen = [], set()

    def add(kind, system, tools, turns):
        checked = [i for i, t in enumerate(turns) if t.rule]
        if not checked:
            return
        i = checked[-1]
        turns = turns[:i + 1]
        key = normal("".join(t.user for t in turns))
        if key in seen:
            return
        seen.add(key)
        case = {"kind": kind, "messages": render.messages(system, turns), "rule": turns[i].rule, "want": render.written(turns[i].calls) if turns[i].calls else turns[i].answer}
        if tools:
            case["tools"] = tools
        out.append(case)

    for t in gen.weft.about:
        for phrasing in gen.weft.phrasings[t.id, True]:
            rule = {"kind": "text", "all": t.rule}
            add("weft", "", None, [Turn(typed(expand(phrasing, rng), rng, 0, AFTER_WEFT), t.answer, rule)])
            add("weft_typos", "", None, [Turn(typed(expand(phrasing, rng), rng, 1, AFTER_WEFT), t.answer, rule)])
        if any(held_out("short", t.id, w, share=0.15) for w in t.words):
            add("weft_short", "", None, [Turn(typed(gen.weft.keywords(t, rng, True), rng, 0), t.answer, {"kind": "text", "all": t.rule})])
        if t.then:
            for _ in range(4):
                add("yesno", "", None, [Turn(gen.weft.question(t, rng, True, 0), t.answer), gen.weft.reply(t, rng, True)])
    for kind, n in TESTS.items():
        have = len(out)
        for _ in range(n * 20):
            if len(out) < have + n:
                add(*gen.make(rng, True, kind))
    return out


def load(facts_path):
    gen = Generator(json.loads(pathlib.Path(facts_path).read_text()))
    path = HERE / "evalset.jsonl"
    if path.exists():
        for line in path.read_text().splitlines():
            gen.tested |= {normal(m["content"]) for m in json.loads(line)["messages"] if m["role"] == "user"}
        # Words that have to be trained whoever says them.
        gen.tested -= {normal(w) for w in YES + NO} | {normal(e) for e in ("hi", "hello", "thanks", "ok")}
    return gen


def main():
    gen = load(sys.argv[1])
    if sys.argv[2] == "eval":
        cases = evalset(gen)
        (HERE / "evalset.jsonl").write_text("".join(json.dumps(c, ensure_ascii=False) + "\n" for c in cases))
        print(collections.Counter(c["kind"] for c in cases), len(cases))
        return
    rng = random.Random(int(sys.argv[3]))
    for _ in range(int(sys.argv[3])):
        print("".join(text for text, _ in gen.pieces(rng)), end="\n====\n")


if __name__ == "__main__":
    main()

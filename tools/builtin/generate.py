"""Makes conversations for weft-guide to learn from, and the set that it is tested with.

    python generate.py facts.json sample 20         look at some
    python generate.py facts.json eval              write evalset.jsonl: phrasings that are never trained
    python generate.py facts.json rules             keep its questions; give them the answers that the topics have now
    python generate.py facts.json grow              the same, and add held-out phrasings of topics that it does not ask for
"""
import collections
import json
import pathlib
import random
import re
import sys

import fresh
import render
import skills
import toolcalls
import topics
import world
from grammar import AFTER_WEFT, EMPTY_WORDS, around, expand, held_out, reframed, typed, words
from thesaurus import reworded
from turns import TEST_SHARE, Turn, ask, must

HERE = pathlib.Path(__file__).parent

SYSTEMS = ["You are a helpful assistant.", "You are a helpful assistant", "You are weft-guide.", "Answer briefly.", "You are a friendly bot.", "Be concise.",
           "You are an assistant that helps users.", "Answer in one sentence.", "You answer questions about weft.", "You are a helpful AI assistant.",
           "Be helpful and polite.", "You are an expert.", "Help the user.", "You are a chat bot on a web page.", "Today is a good day. Be kind.",
           "You are a helpful assistant named weft-guide.", "Do not make things up.", "You are a support agent.", "Speak plainly."]
YES = ["yes", "yes please", "yes, please", "sure", "ok", "yeah", "please do", "yep", "of course", "go ahead", "yes, show me", "show me", "do it", "certainly",
       "that would be nice", "please", "y", "gladly", "why not", "i would like that", "yes do that", "absolutely"]
NO = ["no", "no thanks", "no, thank you", "not now", "nope", "no need", "nah", "not today", "no thank you", "later perhaps", "better not", "n", "rather not", "never mind"]
# Written after the test set was drawn; these are only trained.
MORE_YES = ["[oh|ah|ok|well|hm|uh|and] {yes|yeah|yep|yup|sure|ok|okay} [please|thanks|thank you|do|do so|do it|show me|show it|tell me|why not|of course|go ahead|with pleasure|let me see|give it to me]",
            "{yes|yeah|ok|sure|please}, {show|give|tell} me [how|that|it|the command|the code|more|the example]", "{show|give|tell} {me|us} [please|then|now|how|the command|the code|an example]",
            "{yes|ok|sure}[,] {i want|i would like|i'd like|i need|i wish} {that|this|it|to know|to see|to hear|more}", "i {want|need} {that|it|this|to see that|to know that|to see how}",
            "{please|kindly} [do|show|go on|continue|go ahead|tell]", "{go on|continue|proceed|carry on|next}[, please| then]", "{that|it|this} would {help|be good|be helpful|be useful|be fine|be perfect}",
            "{very much|of course|naturally|absolutely yes|certainly yes|with pleasure|indeed|right|correct|true|yea|ye|ja|aye|yes yes|yes sir|ok ok|k|yas|yess please}",
            "i {am curious|think so|guess so|would|do|want|agree}", "{yes|ok}, {that is what i want|that is what i need|how|and how|what is it|what do i type}", "how [then|please]",
            "{good|great|fine|nice|perfect|cool}, {show me|do it|do that|yes|please do so|tell me|let us see|go ahead}", "{let us|let's} {do it|do that|go|try|begin|start}", "{why not|sure why not|might as well|if you like|if you can}"]
MORE_NO = ["[oh|ah|ok|well|hm|uh] {no|nope|nah|no no|na|nay} [thanks|thank you|please|sorry|not now|not today|not yet|stop|later|never|that is all|i have it|i know]",
           "{no|nope|nah}, {i do not|i don't} {want|need} {that|it|to}", "{i do not|i don't|we do not} {want|need|like} {that|it|this|any|more}", "{no|nope|nah}[,] {it is|that is|that's|it's} {ok|enough|all right|all|not needed|not what i want}",
           "{not|no} {yet|at the moment|this time|right now|for now|today|interest}", "{later|another day|next time|some other day|tomorrow|in a minute}[, thanks| please| maybe]", "{stop|cancel|enough|forget it|do not|don't}[, please| thanks]",
           "i {know that|know it already|have it already|can do that|have seen it|had that|already know}[, thanks]", "{that is|that's} {enough|all|not needed}[, thanks| for now]", "{nothing|never|negative|nein|no way|by no means|certainly not|of course not|better later|not at all}",
           "{no|nah}, {something else|another question|i have another question|let us talk of something else}"]
NO_ANSWER = "All right. Ask me anything else about weft."


def said(key, tested, more, rng, test):
    """A reply to an offer. A fifth of tested is never trained, nor said by the phrasings of more."""
    if test or rng.random() < 0.3:
        return ask(key, tested, rng, test, 0.05)
    kept = {normal(t) for t in tested if held_out(key, t, share=TEST_SHARE)}
    while True:
        text = expand(rng.choice(more), rng)
        if normal(text) not in kept:
            return typed(text, rng, 0.1, [" please", " thanks"])


class Weft:
    """The turns that are about weft: topics and flags."""

    def __init__(self, facts, on=False):
        self.facts, self.on = facts, on
        self.topics = topics.load(facts)
        self.about = [t for t in self.topics.values() if not t.id.startswith("talk_")]
        self.small = [t for t in self.topics.values() if t.id.startswith("talk_")]
        self.phrasings = {(t.id, test): t.split(test) for t in self.topics.values() for test in (False, True)}
        self.flags = facts["flags"]
        self.vocabulary()
        self.forbidden()

    def vocabulary(self):
        """The words of each topic with how well they tell it from others: a word of many topics says little."""
        own = {t.id: sorted({w.lower() for p in t.phrasings + t.trained for w in words(p) if w.lower() not in EMPTY_WORDS} | {w.lower() for w in t.words + [t.head] if w}) for t in self.topics.values()}
        spread = collections.Counter(w for ws in own.values() for w in ws)
        self.words = {i: (ws, [spread[w] ** -1.5 for w in ws]) for i, ws in own.items()}
        self.spread = spread

    def forbidden(self, n=200, seed=11):
        """What the tested phrasings can say: no training question may be one of them before it is typed."""
        rng = random.Random(seed)
        self.never = {normal(expand(p, rng)) for t in self.topics.values() for p in self.phrasings[t.id, True] for _ in range(n)}

    def topic(self, rng, test):
        able = [t for t in self.about if not test or self.phrasings[t.id, True]]
        return self.turns(rng.choices(able, [t.often if self.on and not test else 1 for t in able])[0], rng, test)

    def follow(self, rng, test):
        """An offer, and what the user says to it."""
        t = rng.choice([t for t in self.about if t.then])
        return [Turn(self.question(t, rng, test), t.answer, {"kind": "text", "all": t.rule}), self.reply(t, rng, test)]

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
        if rng.random() < 0.6:
            return Turn(said("yes", YES, MORE_YES, rng, test), then.plain, {"kind": "text", "all": then.rule})
        return Turn(said("no", NO, MORE_NO, rng, test), NO_ANSWER, must("All right"))

    def question(self, t, rng, test, noise=0.65):
        after = AFTER_WEFT if not t.id.startswith("talk_") else [" thanks"]
        if test:
            return typed(expand(rng.choice(self.phrasings[t.id, True]), rng), rng, noise, after)
        while True:
            p = rng.random()
            if t.head and p < 0.09:
                text = self.keywords(t, rng, False)
            elif p < 0.29:
                text = self.loose(t, rng)
            else:
                text = expand(rng.choice(self.phrasings[t.id, False]), rng)
                if rng.random() < 0.4:
                    text = reframed(text, rng)
                if rng.random() < 0.45:
                    text = reworded(text, rng)
            if normal(text) not in self.never:
                return typed(text, rng, noise, after)

    ANCHORS = set("""weft model models llm llms gpu gpus card cards server api cpu cuda token tokens prompt prompts cache memory vram kernel kernels driver request requests
        flag flags binary nvidia gguf context stream streams batch client clients weights quant quants template chat engine backend answer answers generate output you your""".split())

    def unlike(self, rng, test):
        """What weft is asked, with other words in the place of those that tell what it is about: not to be answered."""
        while True:
            if rng.random() < 0.35:
                some = [skills.everyday(rng) for _ in range(rng.choice([1, 1, 2, 3]))]
                text = around(some, rng)
            else:
                text = expand(rng.choice(self.phrasings[rng.choice(self.about).id, False]), rng)
                said = text.split(" ")
                telling = [i for i, w in enumerate(said) if w.lower() not in EMPTY_WORDS and self.spread[w.lower().strip(",.?!")] <= 12]
                if not telling or len(said) < 3:
                    continue
                for i in telling:
                    said[i] = skills.everyday(rng)
                text = " ".join(said)
            if not self.ANCHORS & set(re.findall(r"[a-z]+", text.lower())) and not re.search(r"[-/_]", text) and not skills.TESTED.search(text):
                return [Turn(typed(reworded(text, rng) if rng.random() < 0.3 else text, rng, 0.3), skills.DECLINE, skills.ONLY)]

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
        name = rng.choices(list(self.flags), [3 if f in SINCE and self.on and not test else 1 for f in self.flags])[0]
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


# Flags that the first training did not know, or knew as they were then.
SINCE = set("""model policy mixed-tokens expect watchdog overlap-kernels cache-dir connections files trace url api vocab timeout users turns input rate burst concurrency
trace-scale trace-limit goodput plot decoders warm long off-url""".split())

PERSONA = ["You are $A.", "Your name is $A.", "You are $A, a helpful assistant.", "You are called $A and you are friendly.", "You are an assistant named $A.", "Act as $A."]
WHO = ["what is your name", "who are you", "what are you called", "tell me your name", "your name", "how should i call you", "do you have a name", "who am i talking to"]


def persona(rng, test):
    name = world.some_name(rng)
    return ask("persona", PERSONA, rng, test, 0).replace("$A", name).rstrip("?").strip(), name


class Generator:
    MIX = {"weft": 46, "flag": 5, "talk": 7, "unknown": 17, "unlike": 5, "follow": 3, "sum": 6, "capital": 4, "memory": 9, "forgot": 1, "story": 2, "json": 6, "call": 10, "nocall": 6,
           "persona": 1.5, "raw": 4}
    # To go on from trained weights: more of what they lack, of the rest what keeps it.
    MIX_ON = {"weft": 66, "flag": 2, "talk": 4, "unknown": 14, "unlike": 5, "follow": 1, "sum": 0.6, "capital": 0.8, "memory": 1.4, "forgot": 0.2, "story": 0.1, "json": 1.4,
              "call": 0.8, "nocall": 0.6, "persona": 0.2, "raw": 0.5}

    def __init__(self, facts, on=False):
        self.weft, self.on, self.mix = Weft(facts, on), on, self.MIX_ON if on else self.MIX
        self.later = tuple({t.answer[:40] for t in self.weft.topics.values() if t.often > 1} | {f"--{name}:" for name in SINCE})
        self.plain = {"weft": self.weft.topic, "flag": self.weft.flag, "follow": self.weft.follow, "talk": self.weft.talk, "unknown": skills.unknown, "unlike": self.weft.unlike, "sum": skills.arithmetic,
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
        kind = kind or rng.choice([k for k in self.mix if k != "raw"])
        system = rng.choice(SYSTEMS) if rng.random() < (0.1 if self.on else 0.3) else ""
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
        more = 0.07 if self.on else 0.12 if tools else 0.3
        while rng.random() < more and len(turns) < 7 and kind != "forgot":
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
            kind = rng.choices(list(self.mix), list(self.mix.values()))[0]
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


def evalset(gen, seed=20, but=()):
    """All cases; or, where but names topics, only those of weft's other topics."""
    rng = random.Random(seed)
    out, seen = [], set()

    about = {t.answer: {"topic": t.id} for t in gen.weft.topics.values()} | {then.plain: {"topic": then.id} for t in gen.weft.topics.values() if (then := gen.weft.topics.get(t.then))}
    for name in gen.weft.flags:
        about |= {gen.weft.flag_answer(name, kind)[0]: {"flag": f"{name}|{kind}"} for kind in gen.weft.FLAG}

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
        out.append(case | (about.get(case["want"], {}) if case["rule"]["kind"] == "text" else {}))

    for t in (t for t in gen.weft.about if t.id not in but):
        for phrasing in gen.weft.phrasings[t.id, True]:
            rule = {"kind": "text", "all": t.rule}
            add("weft", "", None, [Turn(typed(expand(phrasing, rng), rng, 0, AFTER_WEFT), t.answer, rule)])
            add("weft_typos", "", None, [Turn(typed(expand(phrasing, rng), rng, 1, AFTER_WEFT), t.answer, rule)])
        if any(held_out("short", t.id, w, share=0.15) for w in t.words):
            add("weft_short", "", None, [Turn(typed(gen.weft.keywords(t, rng, True), rng, 0), t.answer, {"kind": "text", "all": t.rule})])
        if t.then:
            for _ in range(4):
                add("yesno", "", None, [Turn(gen.weft.question(t, rng, True, 0), t.answer), gen.weft.reply(t, rng, True)])
    for kind, n in ({} if but else TESTS).items():
        have = len(out)
        for _ in range(n * 20):
            if len(out) < have + n:
                add(*gen.make(rng, True, kind))
    return out


def refreshed(case, weft):
    """A case with today's answer and rule; "topic" or "flag" says what it asks for, where that can change."""
    if t := weft.topics.get(case.get("topic")):
        case |= {"want": t.plain if case["kind"] == "yesno" else t.answer, "rule": {"kind": "text", "all": t.rule}}
    elif "flag" in case:
        case["want"], case["rule"] = weft.flag_answer(*case["flag"].split("|"))
    return case


def load(facts_path, on=False):
    gen = Generator(json.loads(pathlib.Path(facts_path).read_text()), on)
    path = HERE / "evalset.jsonl"
    if path.exists():
        for line in path.read_text().splitlines():
            gen.tested |= {normal(m["content"]) for m in json.loads(line)["messages"] if m["role"] == "user"}
    gen.tested |= {normal(q) for *_, q in fresh.read()}
    if path.exists():
        # Words that have to be trained whoever says them.
        gen.tested -= {normal(w) for w in YES + NO} | {normal(e) for e in ("hi", "hello", "thanks", "ok")}
    return gen


def main():
    gen = load(sys.argv[1])
    if sys.argv[2] in ("eval", "rules", "grow"):
        old = evalset(gen) if sys.argv[2] == "eval" else [json.loads(line) for line in (HERE / "evalset.jsonl").read_text().splitlines()]
        if sys.argv[2] == "grow":
            asked = {c.get("topic") for c in old}
            old += [c | {"since": 3} for c in evalset(gen, 21, {t.id for t in gen.weft.about if t.id in asked or not t.phrasings})]
        cases = [refreshed(c, gen.weft) for c in old]
        (HERE / "evalset.jsonl").write_text("".join(json.dumps(c, ensure_ascii=False) + "\n" for c in cases))
        print(collections.Counter(c["kind"] for c in cases), len(cases))
        return
    rng = random.Random(int(sys.argv[3]))
    for _ in range(int(sys.argv[3])):
        print("".join(text for text, _ in gen.pieces(rng)), end="\n====\n")


if __name__ == "__main__":
    main()

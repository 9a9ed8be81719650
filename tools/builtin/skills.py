"""Skills that are not weft: sums, capitals, what was said before, stories, and saying no."""
import json
import operator
import pathlib
import re

import world
from grammar import expand, held_out, typed
from thesaurus import reworded
from turns import Turn, ask, must, pick

DECLINE = "I only know weft, so I cannot help with that. Ask me about weft, or load a larger model with --model."
ONLY = {"kind": "text", "all": [["I only know weft"]]}

TOPIC = ["tell me [something|more|everything] about $A", "what is $A", "what are $A", "explain $A [to me]", "do you know [something|anything] about $A",
         "what can you tell me about $A", "i have a question about $A", "how does $A work", "can you help me with $A", "what do you think {about|of} $A",
         "i like $A[, and you|, do you]", "teach me $A", "how do i learn $A", "why is $A so {popular|hard|important|expensive}", "where can i find $A",
         "when was $A invented", "who invented $A", "give me {tips|advice} {for|on} $A", "is $A {good|bad|dangerous|expensive|healthy}",
         "what is the best $A", "how much {does|do} $A cost", "what is the history of $A", "recommend {me something|a book} about $A",
         "let us talk about $A", "are you interested in $A", "i {want|would like} to know {more|something} about $A", "write {a text|an essay} about $A",
         "what is the {difference|relation} between $A and $B", "which is better, $A or $B", "how do i start with $A", "$A", "who is good at $A",
         "can you explain $A", "i need help with $A", "describe $A", "what do you know about $A", "where does $A come from", "do people like $A"]
PERSON = ["who {is|was} $A", "when was $A born", "where does $A live", "how old is $A", "what did $A {do|write|say}", "tell me about $A",
          "is $A {still alive|famous|rich|married}", "what is $A famous for", "do you know $A", "what do you think of $A", "where was $A born",
          "why is $A famous", "have you heard of $A", "is $A a good person", "when did $A die", "how tall is $A", "who {knows|met} $A"]


def read_unknown(path):
    """Sets of words and questions of unknown.txt; words that the test set asks about are left out."""
    sets, questions = {}, []
    for line in path.read_text().splitlines():
        if line.startswith("= "):
            name, words = line[2:].split(" ", 1)
            sets[name] = [w for w in words.split("|") if bare(w) not in ASKED]
        elif line.startswith("? "):
            questions.append(line[2:].rstrip())
    return sets, questions


def bare(w):
    return re.sub(r"^(a|an|the) ", "", w.lower()).removesuffix("s")


ASKED = {bare(w) for words in world.UNKNOWN.values() for w in words if held_out("unknown", w, share=0.15)}
SETS, QUESTIONS = read_unknown(pathlib.Path(__file__).with_name("unknown.txt"))


# Sets whose words may stand in a question about weft.
CLOSE = {"software", "command", "code", "gadget", "app", "card", "bug", "company", "lang", "when", "who", "game", "unit", "math", "science"}
EVERYDAY = sorted({w for name, words in SETS.items() if name not in CLOSE for w in words if len(w) < 24})


def everyday(rng):
    """A word that has nothing to do with weft, and may mean nothing."""
    return world.pseudo_word(rng) if rng.random() < 0.2 else rng.choice(EVERYDAY)


TESTED = re.compile(r"\b(?:" + "|".join(re.escape(w) for w in sorted(ASKED)) + r")s?\b")


def wide(rng):
    """One of the questions of unknown.txt, now and then about a word that means nothing."""
    def word(m):
        return world.pseudo_word(rng) if rng.random() < 0.1 else rng.choice(SETS[m[1]])
    while True:
        text = re.sub(r"\$(\w+)", word, expand(rng.choice(QUESTIONS), rng))
        if not TESTED.search(text):
            return reworded(text, rng) if rng.random() < 0.3 else text


def unknown(rng, test):
    kind = rng.choices(["wide", "topic", "who", "question", "pseudo"], [0 if test else 24, 5, 2, 3, 2])[0]
    if kind == "wide":
        return [Turn(typed(wide(rng), rng, 0.4), DECLINE, ONLY)]
    if kind == "question":
        side = [q for q in world.UNKNOWN["question"] if held_out("unknown", q, share=0.15) == test]
        return [Turn(typed(rng.choice(side), rng, 0.2), DECLINE, ONLY)]
    words = world.UNKNOWN["who" if kind == "who" else "topic"]
    side = [w for w in words if held_out("unknown", w, share=0.15) == test] if kind != "pseudo" else None
    one, two = (world.pseudo_word(rng), world.pseudo_word(rng)) if side is None else (rng.choice(side), rng.choice(side))
    return [Turn(ask("unknown", PERSON if kind == "who" else TOPIC, rng, test, A=one, B=two), DECLINE, ONLY)]


SUMS = {
    "+": ["what is $A + $B", "$A + $B", "$A+$B", "$A plus $B", "what is $A plus $B", "how much is $A plus $B", "add $A and $B", "calculate $A + $B",
          "the sum of $A and $B", "what do you get if you add $B to $A", "$A and $B makes", "compute $A + $B", "can you add $A and $B",
          "$A + $B =", "how much is $A + $B", "what is the sum of $A and $B", "tell me $A plus $B"],
    "-": ["what is $A - $B", "$A - $B", "$A-$B", "$A minus $B", "what is $A minus $B", "how much is $A minus $B", "subtract $B from $A",
          "calculate $A - $B", "take $B away from $A", "$A - $B =", "how much is $A - $B", "what is left of $A without $B", "compute $A minus $B"],
    "*": ["what is $A * $B", "$A * $B", "$A*$B", "$A x $B", "$A times $B", "what is $A times $B", "how much is $A times $B", "multiply $A by $B",
          "multiply $A and $B", "calculate $A * $B", "the product of $A and $B", "what is $A multiplied by $B", "compute $A x $B", "$A * $B ="],
    "/": ["what is $A / $B", "$A / $B", "$A/$B", "$A divided by $B", "what is $A divided by $B", "how much is $A divided by $B", "divide $A by $B",
          "calculate $A / $B", "how often does $B go into $A", "$A : $B", "compute $A / $B"],
}
WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split()
THINGS = "apples coins books eggs balls cats cups stones pens cards".split()


def operands(op, rng):
    if op in "+-":
        top = rng.choice([10, 20, 100])
        a, b = rng.randint(0, top), rng.randint(0, top)
        return (max(a, b), min(a, b)) if op == "-" else (a, b)
    a, b = rng.randint(0, 12), rng.randint(1, 12)
    return (a, b) if op == "*" else (a * b, b)


def arithmetic(rng, test):
    if rng.random() < 0.06:
        a, b = rng.randint(1000, 9999999), rng.randint(10, 99999)
        op = rng.choice("+-*/")
        return [Turn(ask("sum" + op, SUMS[op], rng, test, 0, A=a, B=b), "That is too large for me: I only know small sums.", must("too large"))]
    if rng.random() < 0.1:
        return [story_sum(rng, test)]
    while True:
        op = rng.choice("+-*/")
        a, b = operands(op, rng)
        if held_out("sum", op, str(a), str(b), share=0.03) == test:
            break
    c = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv}[op](a, b)
    in_words = max(a, b) <= 12 and rng.random() < 0.15
    x, y = (WORDS[a], WORDS[b]) if in_words else (a, b)
    return [Turn(ask("sum" + op, SUMS[op], rng, test, 0.1, A=x, B=y), f"{a} {op} {b} = {c}.", must(f"= {c}."))]


def story_sum(rng, test):
    a, b, thing = rng.randint(2, 20), rng.randint(1, 10), rng.choice(THINGS)
    if rng.random() < 0.5:
        text = ask("more", ["i have $A $T and get $B more. how many {do i have|are that}", "if i have $A $T and buy $B more, how many do i have",
                            "there are $A $T, then $B more come. how many are there", "$A $T and $B more $T make how many"], rng, test, 0.1, A=a, B=b, T=thing)
        return Turn(text, f"{a} + {b} = {a + b}, so {a + b} {thing}.", must(f"= {a + b}"))
    a, b = max(a, b), min(a, b)
    text = ask("less", ["i have $A $T and lose $B. how many {do i have|are left}", "if i have $A $T and give away $B, how many are left",
                        "there are $A $T and $B are gone. how many remain", "take $B of $A $T, how many are left"], rng, test, 0.1, A=a, B=b, T=thing)
    return Turn(text, f"{a} - {b} = {a - b}, so {a - b} {thing}.", must(f"= {a - b}"))


CAPITAL = ["what is the capital of $A", "capital of $A", "which city is the capital of $A", "what's the capital [city] of $A", "the capital of $A",
           "name the capital of $A", "do you know the capital of $A", "tell me the capital of $A", "what is $A's capital", "$A capital",
           "which is the capital city of $A", "i want to know the capital of $A", "can you tell me the capital of $A", "what capital does $A have"]
NEXT = ["and [the capital] of $A", "and $A", "what about $A", "and that of $A", "how about $A", "and for $A", "now $A"]
WHICH = ["which country has the capital $A", "$A is the capital of which country", "of which country is $A the capital", "what country is $A the capital of"]


def country(rng):
    c = rng.choice(list(world.CAPITALS))
    name = rng.choice(world.ALIASES[c] + [c]) if c in world.ALIASES else c
    return c, name.lower() if rng.random() < 0.25 else name


def capital_of(c):
    return f"The capital of {c} is {world.CAPITALS[c].removesuffix('.')}.", must(world.CAPITALS[c].removesuffix("."))


def capitals(rng, test):
    if rng.random() < 0.1:
        place = rng.choice(world.NO_COUNTRIES + [world.pseudo_word(rng).capitalize() for _ in range(30)])
        return [Turn(ask("capital", CAPITAL, rng, test, A=place), "I only know weft and the capitals of countries, and that is not one I know.", ONLY)]
    c, name = country(rng)
    if rng.random() < 0.1:
        city = world.CAPITALS[c]
        return [Turn(ask("which", WHICH, rng, test, A=city), f"{city} is the capital of {c}.", must(c))]
    turns = [Turn(ask("capital", CAPITAL, rng, test, A=name), *capital_of(c))]
    while rng.random() < 0.25:
        c, name = country(rng)
        turns.append(Turn(ask("next", NEXT, rng, test, A=name), *capital_of(c)))
    return turns


STORY = ["tell me a [short|little|nice] story", "tell me a [short] story about {a|an|the} $A", "write a [short] story about {a|the} $A", "a story about a $A[, please]",
         "i want {to hear|} a story", "do you know a story [about a $A]", "make up a story [about a $A]", "can you tell {me|us} a story [about a $A]",
         "a bedtime story, please", "story about a $A", "invent a [little] story about a $A", "a tale about a $A", "let me hear a story about a $A"]
PLACE = ["in a small house by the sea", "at the edge of a quiet forest", "on a high mountain", "in an old tower", "near a wide river", "in a village of weavers",
         "under a great oak", "in a town where it always rained", "on a little island", "behind the old mill"]
WISH = ["wanted to see the sea", "had lost a golden thread", "was afraid of the dark", "wished for a friend", "wanted to learn to sing", "could not sleep at night",
        "looked for a hidden door", "wanted to fly", "had a map that nobody could read", "heard a strange song each night"]
HELP = ["an old owl", "a friendly weaver", "a small grey mouse", "a girl with a lantern", "a wise turtle", "a travelling clock maker", "a silent giant", "the north wind"]
DEED = ["showed the way", "shared bread and good advice", "told an old secret", "lent a lamp", "wove a rope of moonlight", "walked along until morning",
        "opened the gate", "drew a better map"]
END = ["From that day on they were friends.", "And the stars shone brighter that night.", "That is how courage came to the village.",
       "And if you listen, you can still hear them laugh.", "Since then nobody there is afraid any more.", "And they went home happy."]


def story_text(hero, rng):
    name = some = world.some_name(rng) if rng.random() < 0.7 else None
    first = f"Once upon a time there was {'an' if hero[0] in 'aeiou' else 'a'} {hero}" + (f" named {name}" if some else "") + f" who lived {rng.choice(PLACE)}."
    who = name or f"The {hero}"
    return f"{first} {who} {rng.choice(WISH)}. One day {rng.choice(HELP)} came by and {rng.choice(DEED)}. {rng.choice(END)}"


def story(rng, test):
    hero = world.pseudo_word(rng) if rng.random() < 0.08 else rng.choice(world.HERO)
    phrasing = pick("story", STORY, rng, test)
    user = typed(expand(phrasing, rng), rng, 0.2)
    rule = must("Once upon a time", hero) if "$A" in user else must("Once upon a time")
    return [Turn(user.replace("$A", hero), story_text(hero, rng), rule)]


# What people tell of themselves: how they say it, the reply, how they ask for it later, the answer to that, and the answer when it was not said.
MEMORY = {
    "name": (["my name is $A", "i am $A", "i'm $A", "[you can] call me $A", "{hello|hi}, i am $A", "{hello|hi}, my name is $A", "people call me $A", "this is $A",
              "$A here", "the name is $A", "they call me $A", "my name's $A", "hi, $A here", "i am called $A", "it is me, $A", "i go by $A",
              "you are talking to $A", "my friends call me $A", "please call me $A"],
             "Nice to meet you, $A! What would you like to know about weft?",
             ["what is my name", "who am i", "do you remember my name", "what am i called", "how am i called", "say my name", "tell me my name",
              "what did i say my name was", "can you remember {what i am called|my name}", "do you know who i am", "what was my name [again]",
              "do you [still] know my name", "what's my name", "my name is", "which name did i tell you", "and my name", "how do people call me",
              "what name did i give you", "remember my name", "have you forgotten my name", "my name please", "so my name is", "my name was", "name me",
              "what do {people|they|you} call me", "who is this", "who are you talking to", "can you say my name", "spell my name", "i told you my name, what is it"],
             "Your name is $A.", "You have not told me your name."),
    "city": (["i live in $A", "i am from $A", "i come from $A", "my home is $A", "my city is $A", "i am writing from $A", "my home town is $A", "i moved to $A", "we live in $A"],
             "$A, good to know! What would you like to know about weft?",
             ["where do i live", "where am i from", "which city do i live in", "what is my {city|home|home town}", "do you remember where i {live|am from}",
              "where is my home", "in which city do i live", "do you know where i live", "where did i say i live", "what is my town", "which town {is my home|do i live in|am i from}",
              "name my {home|town|city|home town}", "what was my {home|town|city|home town} [again]", "my {home|home town|city|town} [please]", "where is my {house|place|town}", "what place {do i live in|am i from|is my home}",
              "do you know my {city|town|home}", "tell me where i {live|am from|come from}", "where do i come from", "what's my {home town|city|home|town}"],
             "You live in $A.", "You have not told me where you live."),
    "colour": (["my favourite colour is $A", "my favorite color is $A", "i like the colour $A best", "i love the color $A", "$A is my favourite colour"],
               "$A is a fine colour! What would you like to know about weft?",
               ["what is my favourite colour", "what is my favorite color", "which colour do i like [best]", "do you remember my favourite colour", "what's my favorite color",
                "which color is my favorite", "what colour do i love", "name my [favourite] {colour|color}", "what was my {colour|color} [again]", "my {colour|color} [please]", "what's my {colour|color}", "tell me my favourite {colour|color}"],
               "Your favourite colour is $A.", "You have not told me your favourite colour."),
    "food": (["my favourite food is $A", "i love $A", "i like to eat $A", "my favorite food is $A", "$A is my favourite food", "i eat $A every day"],
             "$A, that sounds good! What would you like to know about weft?",
             ["what is my favourite food", "what do i like to eat", "what food do i like", "do you remember my favourite food", "which food do i love", "what's my favorite food", "what do i {love|like} [to eat|eating]", "what do i eat", "name my favourite {food|dish|meal}", "what was my favourite food [again]", "which {dish|meal|food} do i like [best]"],
             "Your favourite food is $A.", "You have not told me your favourite food."),
    "job": (["i am a $A", "i work as a $A", "my job is $A", "i'm a $A", "i work as $A", "by trade i am a $A", "i earn my money as a $A"],
            "A $A, how interesting! What would you like to know about weft?",
            ["what is my job", "what do i do [for a living]", "what do i work as", "do you remember my job", "what is my profession", "what am i by trade", "what is my {work|trade|occupation}", "what work do i do", "what do i do {for work|for money|all day|at work}",
             "what {am|was} i by {job|profession|training}", "how do i earn my {money|living|bread}", "what do i do to earn {money|a living}", "what was my {job|trade|work|profession} [again]", "tell me {my job|what i do|what i work as}",
             "which {job|trade|profession} do i have", "what's my {job|work|trade|profession|line of work}", "do you know {my job|what i do|what i work as}", "what did i say {my job is|i do|i work as}", "what do i do again", "my {job|trade|work} [please]",
             "what kind of work do i do", "what do you know of my {job|work}"],
            "You are a $A.", "You have not told me your job."),
    "pet": (["my dog is called $A", "my dog's name is $A", "i have a dog named $A", "i have a dog called $A", "my dog is $A"],
            "$A is a nice name for a dog! What would you like to know about weft?",
            ["what is my dog called", "what is my dog's name", "how is my dog called", "what is the name of my dog", "do you remember my dog's name", "what's my dog's name", "my dog's name [please]", "name my dog", "what was my dog called [again]", "what do i call my dog", "tell me the name of my dog", "who is my dog"],
            "Your dog is called $A.", "You have not told me about a dog."),
    "age": (["i am $A years old", "i'm $A years old", "my age is $A", "i am $A", "i turned $A this year", "i just turned $A"],
            "$A years, good to know! What would you like to know about weft?",
            ["how old am i", "what is my age", "do you remember my age", "do you know how old i am", "what age am i", "tell me my age", "what's my age", "my age [please]", "how many years {am i|old am i}", "what was my age [again]", "say how old i am", "how old did i say i am"],
            "You are $A years old.", "You have not told me your age."),
    "word": (["remember the word $A", "the secret word is $A", "please remember this word: $A", "the code word is $A", "keep the word $A in mind", "note the word $A",
              "the password is $A", "my word is $A"],
             "I will remember the word $A.",
             ["what was the word", "what is the {secret|code} word", "which word did i tell you", "do you remember the word", "tell me the word", "what word did i say",
              "what is the password", "repeat the word", "what word should you remember", "the word [please]", "what's the {secret|code|pass} word", "which {secret|code} word did i {give|tell|name}", "what was {the|my} {secret|code} word [again]",
              "do you know the [secret|code] word", "say the [secret|code] word", "what was {my|that} word [again]", "what was it, the word", "and the word", "which was the word", "what's that word {i told you|again}", "tell me the {secret|code} word", "what was the {password|code}"],
             "The word is $A.", "You have not told me a word."),
}


def value_of(kind, rng):
    if kind in ("name", "pet"):
        return world.some_name(rng)
    if kind == "age":
        return rng.randint(8, 90)
    if kind == "word":
        return world.pseudo_word(rng) if rng.random() < 0.6 else rng.choice(world.HERO + world.FOODS)
    return world.some_city(rng) if kind == "city" else rng.choice({"colour": world.COLOURS, "food": world.FOODS, "job": world.JOBS}[kind])


def sentence(text, value):
    text = text.replace("$A", str(value))
    return text[:1].upper() + text[1:]


def memory(rng, test, between=None):
    """Says one or two things, perhaps talks of other things, and asks for one of them. between makes turns that stand in between."""
    kinds = rng.sample(list(MEMORY), rng.choice([1, 1, 1, 2])) if rng.random() < 0.75 else ["name"]
    said, turns = {}, []
    for kind in kinds:
        say, reply, *_ = MEMORY[kind]
        said[kind] = value_of(kind, rng)
        if rng.random() < 0.12 and kind != "word":
            said[kind] = str(said[kind]).lower()
        turns.append(Turn(ask("say " + kind, say, rng, test, 0.1, A=said[kind]), sentence(reply, said[kind])))
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        turns += between(rng, test) if between else []
    for kind in rng.sample(kinds, rng.randint(1, len(kinds))):
        _, _, question, answer, missing = MEMORY[kind]
        turns.append(Turn(ask("ask " + kind, question, rng, test, 0.15), sentence(answer, said[kind]), must(str(said[kind]))))
    if rng.random() < 0.12:
        other = rng.choice([k for k in MEMORY if k not in kinds])
        turns.append(Turn(ask("ask " + other, MEMORY[other][2], rng, test, 0.15), MEMORY[other][4], must("not told")))
    elif "name" in kinds and rng.random() < 0.15:
        turns.append(is_it(said["name"], rng, test))
    return turns


def is_it(name, rng, test):
    guess = name if rng.random() < 0.5 else world.some_name(rng)
    text = ask("is it", ["is my name $A", "am i $A", "am i called $A", "my name is $A, right", "is it true that my name is $A"], rng, test, 0.1, A=guess)
    yes = str(guess).lower() == str(name).lower()
    return Turn(text, f"{'Yes' if yes else 'No'}, your name is {name}.", must("Yes" if yes else "No", str(name)))


def forgot(rng, test):
    kind = rng.choice(list(MEMORY))
    return [Turn(ask("ask " + kind, MEMORY[kind][2], rng, test, 0.15), MEMORY[kind][4], must("not told"))]


FIELDS = {
    "name": world.some_name, "age": lambda r: r.randint(1, 99), "city": world.some_city, "country": lambda r: r.choice(list(world.CAPITALS)),
    "email": lambda r: f"{r.choice(world.NAMES).lower()}@example.org", "color": lambda r: r.choice(world.COLOURS), "job": lambda r: r.choice(world.JOBS),
    "price": lambda r: r.randint(1, 999), "title": lambda r: f"The {r.choice(world.HERO)}", "year": lambda r: r.randint(1900, 2030),
    "id": lambda r: r.randint(1, 9999), "active": lambda r: r.random() < 0.5, "food": lambda r: r.choice(world.FOODS), "count": lambda r: r.randint(0, 50),
    "port": lambda r: r.choice([80, 443, 8000, 8080, 9000]), "model": lambda r: "weft-guide", "language": lambda r: r.choice(["Go", "English", "French"]),
    "animal": lambda r: r.choice(world.HERO[:20]), "size": lambda r: r.choice(["small", "medium", "large"]), "score": lambda r: r.randint(0, 100),
    "first_name": world.some_name, "last_name": lambda r: world.pseudo_word(r).capitalize(), "phone": lambda r: str(r.randint(100000, 999999)),
    "street": lambda r: f"{world.pseudo_word(r).capitalize()} Street", "zip": lambda r: str(r.randint(10000, 99999)), "brand": lambda r: world.pseudo_word(r).capitalize(),
    "weight": lambda r: r.randint(1, 200), "height": lambda r: r.randint(1, 250), "done": lambda r: r.random() < 0.5, "capital": lambda r: r.choice(list(world.CAPITALS.values())),
    "status": lambda r: r.choice(["ok", "open", "closed"]), "date": lambda r: f"20{r.randint(10, 30)}-0{r.randint(1, 9)}-{r.randint(10, 28)}", "author": world.some_name,
}
JSON_MADE = ["{give|send|return|write|make|show} [me] [a|one] json [object] with [the] {fields|keys|properties} $F", "json with $F", "answer in json with [the] {fields|keys} $F",
             "make up a person as json with [the keys] $F", "i need [an example of] a json object {with|that has} $F", "create [some] json: $F", "output json with the keys $F",
             "generate a [sample] json record with $F", "respond only with json[,] containing $F", "an example json document with the fields $F[, please]",
             "reply with a json object that has $F", "produce json, fields: $F", "fill a json object with the fields $F", "write $F as json"]
JSON_GIVEN = ["{turn|put|convert} this {into|to} json: $V", "as json [please]: $V", "make json of this: $V", "json object with $V", "{write|format} $V as json",
              "{give|return} [me] json with $V", "convert to json: $V", "$V. answer in json", "extract json from: $V", "represent this as a json object: $V",
              "i have $V, give it to me as json"]


def listed(items, rng):
    if len(items) == 1:
        return items[0]
    return ", ".join(items[:-1]) + rng.choice([" and ", ", ", ", and "]) + items[-1]


def json_answer(obj, rng):
    return json.dumps(obj, ensure_ascii=False)


def json_fields(rng, test):
    names = rng.sample(list(FIELDS), rng.choice([1, 2, 2, 3, 3, 4]))
    if rng.random() < 0.25:
        names[rng.randrange(len(names))] = world.pseudo_word(rng)
    obj = {n: FIELDS[n](rng) if n in FIELDS else world.pseudo_word(rng) for n in names}
    if rng.random() < 0.5:
        said = [f"{n} {quote(v)}" if rng.random() < 0.5 else f"{n}: {quote(v)}" if rng.random() < 0.7 else f"{n} is {quote(v)}" for n, v in obj.items()]
        text = ask("given", JSON_GIVEN, rng, test, 0.1, V=listed(said, rng))
        return [Turn(text, json_answer(obj, rng), {"kind": "json", "fields": list(obj), "values": obj})]
    for n in obj:
        if n not in FIELDS:
            obj[n] = "example"
    quoted = rng.choice(['"%s"', "%s", "%s", "`%s`"])
    text = ask("made", JSON_MADE, rng, test, 0.1, F=listed([quoted % n for n in names], rng))
    return [Turn(text, json_answer(obj, rng), {"kind": "json", "fields": list(obj)})]


def quote(v):
    return str(v).lower() if isinstance(v, bool) else str(v)

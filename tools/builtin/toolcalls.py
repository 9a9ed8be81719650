"""Tool calls in the Hermes style: what tools there are, what people say, and what is to be called."""
import json

import world
from skills import SUMS, TOPIC
from turns import Turn, ask, must

NAMES = {
    "weather": ["get_weather", "get_weather", "weather", "get_current_weather", "current_weather", "weather_lookup", "fetch_weather", "get_forecast", "weatherInfo"],
    "time": ["get_time", "get_current_time", "current_time", "time", "clock", "get_local_time", "time_in", "getTime", "world_clock"],
    "calculator": ["calculator", "calculator", "calculate", "calc", "evaluate", "compute", "math", "do_math", "evaluate_expression"],
    "search": ["search", "search", "web_search", "search_web", "find", "lookup", "internet_search", "searchDocs", "query_web"],
    "timer": ["set_timer", "timer", "start_timer", "countdown"],
    "stock": ["get_stock_price", "stock_price", "stock", "quote"],
    "translate": ["translate", "translate_text", "translator"],
    "email": ["send_email", "email", "send_mail", "mail"],
    "music": ["play_music", "play_song", "music"],
    "light": ["switch_light", "set_light", "light"],
}
ABOUT = {
    "weather": ["Get the weather of a city.", "Current weather for a location.", "Tells the weather.", "Get current weather", "Returns the temperature and sky of a place."],
    "time": ["Get the time in a city.", "Current local time of a place.", "Tells what time it is.", "Returns the time of a location."],
    "calculator": ["Evaluate an arithmetic expression.", "A calculator.", "Compute a result.", "Does arithmetic.", "Calculates expressions"],
    "search": ["Search the web.", "Look something up.", "Find pages about a query.", "Web search.", "Searches for information"],
    "timer": ["Start a timer.", "Set a countdown in minutes."], "stock": ["Price of a share.", "Get the price of a stock."],
    "translate": ["Translate a word.", "Translates text into a language."], "email": ["Send an e-mail.", "Sends a mail to somebody."],
    "music": ["Play a song.", "Plays music."], "light": ["Switch the light of a room.", "Turn a light on or off."],
}
ARGS = {
    "weather": ["city", "city", "location", "location", "place", "town"], "time": ["city", "location", "place", "timezone", "city"],
    "calculator": ["expression", "expression", "expr", "formula", "input"], "search": ["query", "query", "q", "text", "keywords"],
    "timer": ["minutes", "duration"], "stock": ["symbol", "company"], "translate": ["text", "word"], "email": ["to", "recipient"],
    "music": ["song", "title"], "light": ["room", "where"],
}
SECOND = {"translate": "language", "light": "on", "email": "subject"}

SAY = {
    "weather": ["what is the weather [like] in $A", "how is the weather in $A", "weather in $A", "is it {raining|sunny|cold|warm|hot} in $A", "what's the weather in $A [today|now]",
                "will it rain in $A", "tell me the weather {in|for} $A", "do i need an umbrella in $A", "how {warm|cold|hot} is it in $A", "temperature in $A",
                "what is the temperature in $A", "get the weather for $A", "weather $A", "show the forecast for $A", "what should i wear in $A", "check the weather in $A",
                "i am going to $A, how is the weather", "does the sun shine in $A"],
    "time": ["what time is it in $A", "what is the time in $A", "time in $A", "how late is it in $A", "current time in $A", "tell me the time in $A", "what's the local time in $A",
             "is it night in $A", "get the time {in|for} $A", "which hour is it in $A", "what does the clock say in $A", "i want to know the time in $A", "the time in $A, please"],
    "search": ["search [the web] for $A", "look up $A", "find [information about|pages about] $A", "google $A", "can you search for $A", "search $A", "please look up $A [on the web]",
               "find out about $A", "do a web search for $A", "what does the web say about $A", "i need information about $A, search for it", "look for $A [online|on the internet]"],
    "timer": ["set a timer for $A minutes", "start a timer of $A minutes", "remind me in $A minutes", "count down $A minutes", "timer $A minutes", "wake me in $A minutes"],
    "stock": ["what is the stock price of $A", "how is the share of $A doing", "price of $A stock", "what does a share of $A cost", "get the stock price of $A", "stock quote for $A"],
    "translate": ["translate $A into $B", "what is $A in $B", "how do you say $A in $B", "say $A in $B", "give me the $B word for $A"],
    "email": ["send an email to $A about $B", "write a mail to $A, subject $B", "mail $A about $B", "email $A about $B"],
    "music": ["play $A", "play the song $A", "i want to hear $A", "put on $A", "start the song $A"],
    "light": ["turn {on|off} the light in the $A", "switch {on|off} the light in the $A", "light {on|off} in the $A"],
}
QUERIES = ["the best pizza in $C", "cheap flights to $C", "museums in $C", "hotels in $C", "news about $T", "$T", "$T for beginners", "the history of $T", "books about $T",
           "how to learn $T", "pictures of $C", "restaurants in $C", "$T prices", "jobs in $C", "$P", "the meaning of $P", "reviews of $P", "the price of $T", "concerts in $C"]
ROOMS = "kitchen garden bathroom bedroom hall cellar garage office".split()
LANGUAGES = "French German Spanish Italian Dutch Polish Swedish Turkish Greek Japanese".split()


def schema(kind, rng, name=None, arg=None):
    arg = arg or rng.choice(ARGS[kind])
    number = kind == "timer"
    properties = {arg: {"type": "integer" if number else "string"}}
    if rng.random() < 0.4:
        properties[arg]["description"] = rng.choice([f"The {arg}", f"{arg} to use", "for example " + world.some_city(rng) if kind in ("weather", "time") else f"the {arg} for this"])
    required = [arg]
    if kind == "weather" and rng.random() < 0.3:
        properties["unit"] = {"type": "string", "enum": ["celsius", "fahrenheit"]}
    if kind in SECOND:
        properties[SECOND[kind]] = {"type": "boolean" if kind == "light" else "string"}
        required.append(SECOND[kind])
    function = {"name": name or rng.choice(NAMES[kind]), "description": rng.choice(ABOUT[kind]),
                "parameters": {"type": "object", "properties": properties, "required": required}}
    if rng.random() < 0.1:
        del function["description"]
    return {"type": "function", "function": function}


def toolbox(kinds, rng):
    """Schemas of several kinds, with names that differ."""
    out, used = {}, set()
    for kind in kinds:
        name = rng.choice([n for n in NAMES[kind] if n not in used])
        if rng.random() < 0.12:
            name = f"{rng.choice(['get', 'do', 'my', 'run'])}_{world.pseudo_word(rng)}" if rng.random() < 0.5 else name + "_" + world.pseudo_word(rng, 1)
        used.add(name)
        out[kind] = schema(kind, rng, name)
    return out


def request(kind, rng, test, noise=0.1):
    """What is said, and the arguments that it means: the first, then the others by name."""
    if kind in ("weather", "time"):
        city = world.some_city(rng)
        return ask(kind, SAY[kind], rng, test, noise, A=city), city, {}
    if kind == "calculator":
        op = rng.choice("+-*/")
        a, b = (rng.randint(2, 99), rng.randint(2, 99)) if rng.random() < 0.5 else (rng.randint(2, 9999), rng.randint(2, 999))
        return ask("sum" + op, SUMS[op], rng, test, noise, A=a, B=b), f"{a} {op} {b}", {}
    if kind == "search":
        q = rng.choice(QUERIES).replace("$C", world.some_city(rng)).replace("$T", rng.choice(world.UNKNOWN["topic"])).replace("$P", world.pseudo_word(rng) + " " + world.pseudo_word(rng))
        return ask(kind, SAY[kind], rng, test, noise, A=q), q, {}
    if kind == "timer":
        n = rng.randint(1, 90)
        return ask(kind, SAY[kind], rng, test, noise, A=n), n, {}
    if kind == "stock":
        s = world.pseudo_word(rng).capitalize() if rng.random() < 0.6 else rng.choice(["Apple", "Google", "Tesla", "NVIDIA", "Siemens", "Toyota", "Nokia"])
        return ask(kind, SAY[kind], rng, test, noise, A=s), s, {}
    if kind == "translate":
        w, lang = rng.choice(world.HERO + world.FOODS + [world.pseudo_word(rng)]), rng.choice(LANGUAGES)
        return ask(kind, SAY[kind], rng, test, noise, A=w, B=lang), w, {"language": lang}
    if kind == "email":
        n, s = world.some_name(rng), rng.choice(world.FOODS + world.UNKNOWN["topic"])
        return ask(kind, SAY[kind], rng, test, noise, A=n, B=s), n, {"subject": s}
    if kind == "music":
        s = world.pseudo_word(rng).capitalize() + " " + world.pseudo_word(rng).capitalize()
        return ask(kind, SAY[kind], rng, test, noise, A=s), s, {}
    room = rng.choice(ROOMS)
    text = ask(kind, SAY[kind], rng, test, noise, A=room)
    return text, room, {"on": " on " in f" {text.lower()} "}


def call(tool, first, others):
    f = tool["function"]
    return {"name": f["name"], "arguments": {f["parameters"]["required"][0]: first, **others}}


MAIN = ["weather", "time", "calculator", "search"]
UNIT = ["celsius", "fahrenheit"]
NO_FIT = "None of my tools can do that, and I only know weft."


def chosen(rng):
    """The kinds of a toolbox: mostly of the four main ones."""
    kinds = rng.sample(MAIN, rng.choice([1, 2, 2, 3, 4]))
    kinds += rng.sample([k for k in NAMES if k not in MAIN], rng.choice([0, 0, 0, 1, 1, 2]))
    rng.shuffle(kinds)
    return kinds


def tool_calls(rng, test):
    """Returns tools and turns: one call or several, and mostly the answer that is made of their results."""
    kinds = chosen(rng)
    box = toolbox(kinds, rng)
    wanted = [rng.choice(kinds)]
    if rng.random() < 0.25:
        wanted.append(rng.choice(kinds))
    said, calls = [], []
    for kind in wanted:
        text, first, others = request(kind, rng, test)
        if kind == "weather" and "unit" in box[kind]["function"]["parameters"]["properties"] and rng.random() < 0.5:
            unit = rng.choice(UNIT)
            others, text = {"unit": unit}, text.rstrip("?. ") + rng.choice([f" in {unit}", f", in {unit}", f" in degrees {unit}", f" ({unit})"])
        said.append(text)
        calls.append(call(box[kind], first, others))
    if len(said) == 2:
        if rng.random() < 0.5 and wanted[0] == wanted[1] and wanted[0] in ("weather", "time"):
            said = [both(wanted[0], calls, rng, test)]
            calls = [{"name": c["name"], "arguments": {k: v for k, v in c["arguments"].items() if k != "unit"}} for c in calls]
        else:
            said = [said[0].rstrip("?. ") + rng.choice([" and ", ", and ", " and also ", "? and ", "? ", ". "]) + said[1]]
    turn = Turn(said[0], calls=calls, rule={"kind": "calls", "calls": calls})
    tools = list(box.values())
    if rng.random() < 0.6:
        turn.results, answer, rule = results(wanted, calls, rng)
        return tools, [turn, Turn("", answer, rule)]
    return tools, [turn]


BOTH = {"weather": ["what is the weather in $A and [in] $B", "how is the weather in $A and $B", "weather in $A and $B", "compare the weather in $A and $B"],
        "time": ["what time is it in $A and [in] $B", "time in $A and $B", "tell me the time in $A and in $B"]}


def both(kind, calls, rng, test):
    one, two = (next(iter(c["arguments"].values())) for c in calls)
    return ask("both " + kind, BOTH[kind], rng, test, 0.1, A=one, B=two)


SKY = "sunny cloudy rainy windy foggy snowy clear stormy".split()


def results(kinds, calls, rng):
    """What the tools answer, and what is to be said of it."""
    given, said, must_have = [], [], []
    for kind, c in zip(kinds, calls):
        first = next(iter(c["arguments"].values()))
        if kind == "weather":
            t, sky = rng.randint(-15, 40), rng.choice(SKY)
            keys = rng.choice([("temperature", "sky"), ("temp", "condition"), ("temperature", "conditions"), ("degrees", "weather"), ("temperature", "description")])
            given.append(rng.choice([json.dumps({keys[0]: t, keys[1]: sky}), json.dumps({keys[1]: sky, keys[0]: t}), f"{t} degrees, {sky}", f"{sky}, {t}°C"]))
            said.append(f"In {first} it is {t} degrees and {sky}.")
            must_have += [str(t), sky]
        elif kind == "time":
            t = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
            given.append(rng.choice([json.dumps({"time": t}), t, json.dumps({"local_time": t}), json.dumps({"result": t})]))
            said.append(f"In {first} it is {t}.")
            must_have.append(t)
        elif kind == "calculator":
            n = rng.choice([rng.randint(0, 999), rng.randint(0, 999999), round(rng.random() * 100, 2)])
            given.append(rng.choice([json.dumps({"result": n}), str(n), json.dumps({"value": n})]))
            said.append(f"The result is {n}.")
            must_have.append(str(n))
        elif kind == "search":
            found = " ".join(world.pseudo_word(rng) if rng.random() < 0.4 else rng.choice(world.HERO + world.FOODS + world.COLOURS) for _ in range(rng.randint(2, 6)))
            given.append(rng.choice([json.dumps({"results": [found]}), found, json.dumps({"result": found}), json.dumps([{"title": found}])]))
            said.append(f"I found: {found}.")
            must_have.append(found)
        else:
            given.append(rng.choice(['{"status": "ok"}', "ok", "done", '{"ok": true}']))
            said.append("Done.")
            must_have.append("Done")
    return given, " ".join(said), must(*must_have)


def no_fit(rng, test, others):
    """Tools are there, and none is to be called: what is said needs another one, or none."""
    kinds = chosen(rng)
    tools = list(toolbox(kinds, rng).values())
    missing = [k for k in NAMES if k not in kinds and k not in ("calculator", "music", "translate")]
    p = rng.random()
    if p < 0.45:
        text, *_ = request(rng.choice(missing), rng, test)
        return tools, [Turn(text, NO_FIT, {"kind": "nocall"})]
    if p < 0.6:
        if "search" in kinds:
            kinds.remove("search")
            tools = list(toolbox(kinds or ["weather"], rng).values())
        topic = rng.choice(world.UNKNOWN["topic"])
        return tools, [Turn(ask("unknown", TOPIC, rng, test, A=topic, B=rng.choice(world.HERO)), NO_FIT, {"kind": "nocall"})]
    turns = others(rng, test)
    for t in turns:
        t.rule = {"kind": "nocall"}
    return tools, turns

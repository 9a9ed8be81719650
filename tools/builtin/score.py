"""Rules that answers are checked by, and the table of scores."""
import collections
import json
import re

# What is asked for, in per cent; other kinds are only reported.
BARS = {"weft (all)": 90, "call": 95, "nocall": 95, "json": 95, "memory": 90, "unknown": 90, "fresh weft": 90, "fresh unknown": 90, "fresh2 weft": 90, "fresh2 unknown": 90}


def calls_in(text):
    """The tool calls of an answer, None if one is malformed."""
    out = []
    for body in re.findall(r"<tool_call>(.*?)(?:</tool_call>|$)", text, re.S):
        try:
            c = json.loads(body)
        except ValueError:
            return None
        if not isinstance(c, dict) or not isinstance(c.get("arguments"), dict):
            return None
        out.append({"name": c.get("name"), "arguments": c["arguments"]})
    return out


def same(a, b):
    return str(a).strip().lower() == str(b).strip().lower()


def holds(rule, text):
    kind = rule["kind"]
    if kind == "text":
        low = text.lower()
        return all(any(alt.lower() in low for alt in group) for group in rule["all"])
    if kind == "nocall":
        return "<tool_call>" not in text and bool(text.strip())
    if kind == "calls":
        got = calls_in(text)
        want = rule["calls"]
        return got is not None and len(got) == len(want) and all(
            g["name"] == w["name"] and g["arguments"].keys() == w["arguments"].keys() and all(same(g["arguments"][k], v) for k, v in w["arguments"].items())
            for g, w in zip(got, want))
    if kind == "json":
        try:
            obj = json.loads(text)
        except ValueError:
            return False
        return isinstance(obj, dict) and set(obj) == set(rule["fields"]) and all(same(obj[k], v) for k, v in rule.get("values", {}).items())
    raise ValueError(f"no such rule: {kind}")


def table(cases, answers):
    """{kind: (right, of)}, with all questions about weft together under one more name, and under others those of
    the set as it was first and of the topics that came later."""
    out = collections.defaultdict(lambda: [0, 0])
    for case, text in zip(cases, answers):
        ok = holds(case["rule"], text)
        names = [case["kind"]] + (["weft (all)", "weft (new topics)" if "since" in case else "weft (first set)"] if case["kind"].startswith("weft") else [])
        for name in names:
            out[name][0] += ok
            out[name][1] += 1
    return {k: tuple(v) for k, v in sorted(out.items())}


def report(scores):
    lines = ["| kind | right | of | per cent | asked for |", "|---|---|---|---|---|"]
    for kind, (right, of) in scores.items():
        bar = BARS.get(kind)
        mark = "" if bar is None else f"{bar}" if 100 * right >= bar * of else f"{bar}: MISSED"
        lines.append(f"| {kind} | {right} | {of} | {100 * right / of:.1f} | {mark} |")
    return "\n".join(lines)

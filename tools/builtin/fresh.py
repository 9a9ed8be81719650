"""Reads fresh.txt and fresh2.txt as test cases like those of evalset.jsonl: questions written before the phrasings of the
second and of the third training."""
import pathlib

import render
import skills
from turns import Turn, must

SETS = {"fresh": "fresh.txt", "fresh2": "fresh2.txt"}


def read():
    """[(set, kind, topic or flag, question)]"""
    out = []
    for name, file in SETS.items():
        kind, about = "", ""
        for line in pathlib.Path(__file__).with_name(file).read_text().splitlines():
            if line.startswith("## "):
                kind, _, about = line[3:].partition(" ")
            elif line.strip() and kind:
                out.append((name, kind, about, line.replace("*", "")))
    return out


def cases(weft, no_answer):
    """The cases with the rules that today's topics have; weft is generate.Weft."""
    out = []
    for of, kind, about, question in read():
        if kind == "unknown":
            turns = [Turn(question, skills.DECLINE, skills.ONLY)]
        elif kind == "flag":
            turns = [Turn(question, *weft.flag_answer(about, "what"))]
        else:
            t = weft.topics[about]
            turns = [Turn(question, t.answer, {"kind": "text", "all": t.rule})]
            if kind in ("yes", "no"):
                then = weft.topics[t.then]
                turns = [Turn(t.phrasings[0], t.answer), Turn(question, then.plain, {"kind": "text", "all": then.rule}) if kind == "yes" else Turn(question, no_answer, must("All right"))]
        name = {"yes": "yesno", "no": "yesno", "weft": "facts" if of == "fresh" and is_new(about) else "weft"}.get(kind, kind)
        out.append({"kind": f"{of} {name}", "messages": render.messages("", turns), "rule": turns[-1].rule, "want": turns[-1].answer})
    return out


# Topics whose answers the first training did not know.
NEW = """get_model hub_pick list_models rm_model hub_token hub_where hub_offline flag_policy flag_mixed_tokens flag_expect err_watchdog flag_cache_dir flag_overlap_kernels
bench_serve bench_startup flight commands model_families""".split()


def is_new(topic):
    return topic in NEW

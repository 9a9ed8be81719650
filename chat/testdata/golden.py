"""Writes language.jsonl and shapes.jsonl: what Python's Jinja2 makes of language.py and shapes.py.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install jinja2==3.1.6 && /tmp/oracle/bin/python golden.py

Each line is one case. language.jsonl: the first line holds the variables, then come {"template", and "text" or "error"}.
shapes.jsonl: the first line holds the conversations, then come {"shape", "template"} and after each its results
{"conversation", "prompt", and "text" or "error"}; prompt is add_generation_prompt.
"""

import copy
import json
import pathlib
import warnings

import language
import shapes
from oracle import Oracle

HERE = pathlib.Path(__file__).parent
NOW = 1753180245


def write(name, lines):
    with open(HERE / name, "w", encoding="utf-8") as f:
        for line in lines:
            f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def main():
    warnings.simplefilter("ignore")
    oracle = Oracle()
    lines = [{"vars": language.VARS, "now": NOW}]
    for template in language.CASES:
        result = oracle.render(template, copy.deepcopy(language.VARS), NOW)
        assert " at 0x" not in str(result), template
        lines.append({"template": template, **result})
    write("language.jsonl", lines)

    lines = [{"conversations": shapes.CONVERSATIONS}]
    for name, template in shapes.shapes().items():
        lines.append({"shape": name, "template": template})
        for i, (conversation, given) in enumerate(shapes.CONVERSATIONS.items()):
            prompt = (i + len(name)) % 2 == 0
            given = {"tools": None, "documents": None, **copy.deepcopy(given)}
            result = oracle.render(template, {**given, "add_generation_prompt": prompt, "bos_token": "<s>", "eos_token": "</s>"}, NOW)
            lines.append({"conversation": conversation, "prompt": prompt, **result})
    write("shapes.jsonl", lines)


if __name__ == "__main__":
    main()

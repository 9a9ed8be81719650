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


def write(path, lines):
    with open(path, "w", encoding="utf-8") as f:
        for line in lines:
            f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def language_lines():
    oracle = Oracle()
    yield {"vars": language.VARS, "now": NOW}
    for template in language.CASES:
        result = oracle.render(template, copy.deepcopy(language.VARS), NOW)
        assert " at 0x" not in str(result), template
        yield {"template": template, **result}


def shape_lines(templates, prompts):
    """The results of templates, a dict by name, with every conversation; prompts(i) gives values of add_generation_prompt."""
    oracle = Oracle()
    yield {"conversations": shapes.CONVERSATIONS, "now": NOW}
    for name, template in templates.items():
        yield {"shape": name, "template": template}
        for i, (conversation, given) in enumerate(shapes.CONVERSATIONS.items()):
            for prompt in prompts(i + len(name)):
                given = {"tools": None, "documents": None, **copy.deepcopy(given)}
                more = {"add_generation_prompt": prompt, "bos_token": "<s>", "eos_token": "</s>"}
                yield {"conversation": conversation, "prompt": prompt, **oracle.render(template, {**given, **more}, NOW)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    write(HERE / "language.jsonl", language_lines())
    write(HERE / "shapes.jsonl", shape_lines(shapes.shapes(), lambda i: [i % 2 == 0]))

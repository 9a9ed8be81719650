"""Jinja2 as transformers sets it up for apply_chat_template, as the oracle of package chat.

As a program it reads one JSON object a line, {"template", "vars", "now"}, and answers each with one line,
{"text"} or {"error": {"kind", "msg"}}. Needs Python 3.11 and jinja2 3.1.6. golden.py uses it as a module.
"""

import datetime
import json
import sys

import jinja2
import jinja2.ext
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment


class Generation(jinja2.ext.Extension):
    """{% generation %}: a call block around its body, as transformers' AssistantTracker makes it."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("same"), [], [], body).set_lineno(line)

    def same(self, caller):
        return caller()


class Dict:
    def __call__(self, *args, **kwargs):
        return dict(*args, **kwargs)

    def fromkeys(self, *args, **kwargs):
        return dict.fromkeys(*args, **kwargs)


class Namespace(jinja2.utils.Namespace):
    def __init__(*args, **kwargs):
        self, args = args[0], args[1:]
        attrs = dict(*args, **kwargs)
        for name in attrs:
            Namespace.check(name)
        jinja2.utils.Namespace.__init__(self, attrs)

    def __setitem__(self, name, value):
        Namespace.check(name)
        jinja2.utils.Namespace.__setitem__(self, name, value)

    @staticmethod
    def check(name):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError(
                f"Chat templates cannot store underscore-prefixed attributes on a namespace, but got {name!r}. "
                "Please rename the attribute."
            )


Namespace.__name__ = "Namespace"


def environment(now):
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: datetime.datetime.fromtimestamp(now[0], datetime.timezone.utc).replace(tzinfo=None).strftime(format)
    env.globals["dict"] = Dict()
    env.globals["namespace"] = Namespace
    return env


def line_of(e):
    """The line of the template where e was raised, 0 if that cannot be told."""
    line = getattr(e, "lineno", 0) if isinstance(e, jinja2.TemplateSyntaxError) else 0
    tb = e.__traceback__
    while tb is not None and not isinstance(e, SyntaxError):
        if tb.tb_frame.f_code.co_filename == "<template>":
            line = tb.tb_lineno
        tb = tb.tb_next
    return line


class Oracle:
    def __init__(self):
        self.now = [0]
        self.env = environment(self.now)
        self.cache = {}

    def render(self, template, variables, now=0):
        self.now[0] = now
        try:
            if template not in self.cache:
                self.cache[template] = self.env.from_string(template)
            text = self.cache[template].render(**variables)
            text.encode("utf-8")
            return {"text": text}
        except Exception as e:
            return {"error": {"kind": type(e).__name__, "msg": str(getattr(e, "message", None) or e), "line": line_of(e)}}


if __name__ == "__main__":
    oracle = Oracle()
    for line in sys.stdin:
        case = json.loads(line)
        print(json.dumps(oracle.render(case["template"], case["vars"], case.get("now", 0)), ensure_ascii=False))

"""Facts that the texts depend on, taken from the program itself, so that they cannot go stale.

    python facts.py [bin/weft] > facts.json
"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def flags(markdown):
    """The flag table that `weft flags` prints: name -> help, default, variable, commands."""
    out, command = {}, ""
    for line in markdown.splitlines():
        if line.startswith("## "):
            command = line[3:]
        m = re.fullmatch(r"\| `--(\[no-\])?([\w-]+)(?:=(.*?))?` \| (.*?) \| `(\w+)` \| (.*) \|", line)
        if m:
            f = out.setdefault(m[2], {"help": m[6], "default": m[4], "variable": m[5], "negatable": bool(m[1]), "commands": [],
                                      "value": (m[3] or "").strip('"').lower()})
            f["commands"].append(command)
    return out


def source(path):
    return (ROOT / path).read_text()


def conditions(table):
    """What weft does not do yet is asked of its source; the topics have both texts."""
    fields = source("server/fields.go")
    return {
        "hub": "hf://" in table["model"]["help"],
        "tools": "tool calls are not built yet" not in fields,
        "structured": "structured output is not built yet" not in fields,
        "tp": "tp" in table,
    }


def gather(weft):
    table = flags(subprocess.run([weft, "flags"], check=True, capture_output=True, text=True).stdout)
    return {"flags": table, "conditions": conditions(table)}


if __name__ == "__main__":
    json.dump(gather(sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "bin/weft")), sys.stdout, indent=1)

"""Takes a share of older weights into newer ones: what was forgotten comes back, and some of what was learnt goes.

    python blend.py older.safetensors newer.safetensors 0.12 out.safetensors
"""
import json
import sys

from safetensors import safe_open
from safetensors.torch import save_file


def main():
    older, newer, share, out = sys.argv[1:]
    with safe_open(older, "pt") as a, safe_open(newer, "pt") as b:
        recipe = {"blend": float(share), "of": json.loads(a.metadata()["recipe"]), "into": json.loads(b.metadata()["recipe"])}
        mixed = {k: (b.get_tensor(k).float().lerp(a.get_tensor(k).float(), float(share))).half().contiguous() for k in b.keys()}
        save_file(mixed, out, {"config": b.metadata()["config"], "recipe": json.dumps(recipe)})


if __name__ == "__main__":
    main()

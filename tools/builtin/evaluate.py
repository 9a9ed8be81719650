"""Asks weft itself the test set, greedily on the CPU, and writes the scores.

    python evaluate.py bin/weft builtin [docs/builtin-scores.md]      or a .gguf file instead of builtin
"""
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

import fresh
import generate
import score

HERE = pathlib.Path(__file__).resolve().parent


def rendered(weft, model, cases):
    """The prompts, by weft's own Jinja engine."""
    lines = "".join(json.dumps({"messages": c["messages"], "add_generation_prompt": True} | ({"tools": c["tools"]} if "tools" in c else {})) + "\n" for c in cases)
    out = subprocess.run([weft, "render", "--json", "--model", model], input=lines, capture_output=True, text=True, check=True).stdout
    return [json.loads(line)["text"] for line in out.splitlines()]


class Server:
    def __init__(self, weft, model):
        self.process = subprocess.Popen([weft, "serve", "--model", model, "--device", "cpu", "--port", "0", "--served-name", "guide"], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if m := re.search(r"listening on (http://\S+)", line):
                self.url = m[1]
                break
        else:
            raise SystemExit("weft did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()  # a full pipe would stop the server

    def complete(self, prompt):
        body = {"model": "guide", "prompt": prompt, "temperature": 0, "max_tokens": 200}
        request = urllib.request.Request(self.url + "/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as r:
            answer = json.load(r)
        return answer["choices"][0]["text"], answer["usage"]["completion_tokens"]


def main():
    weft, model = sys.argv[1:3]
    cases = [json.loads(line) for line in (HERE / "evalset.jsonl").read_text().splitlines()]
    cases += fresh.cases(generate.load(HERE / "facts.json").weft, generate.NO_ANSWER)
    texts = rendered(weft, model, cases)
    server = Server(weft, model)
    start = time.time()
    try:
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            out = list(pool.map(server.complete, texts))
    finally:
        server.process.terminate()
        server.process.wait()
    took, tokens = time.time() - start, sum(n for _, n in out)
    scores = score.table(cases, [t for t, _ in out])
    version = subprocess.run([weft, "--version"], capture_output=True, text=True).stdout.strip()
    text = f"Made by tools/builtin/evaluate.py with {version}: {len(cases)} cases, greedy, on the CPU ({tokens} tokens in {took:.0f} s, 16 at once).\n\n{score.report(scores)}\n"
    print(text)
    for c, (t, _) in zip(cases, out):
        if not score.holds(c["rule"], t):
            print("WRONG", c["kind"], json.dumps(c["messages"][-1]["content"]), "got", json.dumps(t), "want", json.dumps(c["want"]), file=sys.stderr)
    if len(sys.argv) > 3:
        pathlib.Path(sys.argv[3]).write_text(text)
    missed = [k for k, bar in score.BARS.items() if k in scores and 100 * scores[k][0] < bar * scores[k][1]]
    sys.exit(f"below what is asked for: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()

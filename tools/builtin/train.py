"""Trains weft-guide: makes the data, trains, tests by generating, writes weights.safetensors and log.txt.

    python train.py --out DIR --minutes 7 --stream --by-clock --texts 100000000    from nothing, on one GPU: what gpu.sh does
    python train.py --out DIR --from weights.safetensors --device cpu --adam-only --by-clock --no-test --minutes 45 --cut 0.8 --processes 2
        --texts 40000 --batch-tokens 640 --accumulate 1 --adam-lr 0.0004 --warmup 20
                                                   goes on from weights, with more of what they lack (generate.py, MIX_ON)
    PYTHON=... BPE_TEXTS=3000 ./gpu.sh DIR 1 --device cpu --steps 3 --first 1500 --batch-tokens 3840 --accumulate 1 --log-every 1 --check
                                                   a trial of everything on a CPU
"""
import argparse
import json
import math
import os
import pathlib
import sys
import time

import jinja2
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer

import data
import net
import render
import score

HERE = pathlib.Path(__file__).resolve().parent


def orthogonalize(g):
    """The nearest matrices with equal singular values, by Newton-Schulz [N,R,C] (Jordan et al. 2024, "Muon")."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16() if g.is_cuda else g.float()  # a CPU is slow at the first
    flip = x.size(-2) > x.size(-1)
    x = x.mT if flip else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        y = x @ x.mT
        x = a * x + (b * y + c * y @ y) @ x
    return x.mT if flip else x


class Muon:
    """Momentum and orthogonalized steps for the matrices of the layers, those of a shape together."""

    def __init__(self, params, lr, momentum=0.95, decay=0.01):
        self.lr, self.momentum, self.decay = lr, momentum, decay
        shapes = {}
        for p in params:
            shapes.setdefault(tuple(p.shape), []).append(p)
        self.groups = [(ps, torch.zeros(len(ps), *shape, device=ps[0].device)) for shape, ps in shapes.items()]

    @torch.no_grad()
    def step(self, scale):
        for params, m in self.groups:
            g = torch.stack([p.grad for p in params])
            m.lerp_(g, 1 - self.momentum)
            update = orthogonalize(g.lerp(m, self.momentum)).float()
            lr = self.lr * scale
            update *= lr * max(1, m.size(-2) / m.size(-1)) ** 0.5
            for p, u in zip(params, update):
                p.mul_(1 - lr * self.decay).sub_(u)


class Batches:
    """Endless batches of one length each, in an order that the seed gives. more() gives texts that have come in the meantime."""

    def __init__(self, rows, tokens, device, seed, more=dict):
        self.rng, self.more, self.device, self.tokens, self.plan, self.epoch, self.fresh = torch.Generator().manual_seed(seed), more, device, tokens, [], 0, 0
        weigh = [data.WEIGHTS[w] for w in sorted(data.WEIGHTS)]
        self.weigh, self.groups, self.left = torch.tensor(weigh, device=device), [], {}
        self.add(rows)

    def add(self, rows):
        self.groups.append({n: (torch.from_numpy(ids.astype("int32")).to(self.device), torch.from_numpy(whose).to(self.device)) for n, (ids, whose) in rows.items()})
        self.fresh += sum(len(ids) for ids, _ in rows.values())

    def user_weight(self, w):
        """How much the user's words count in the loss."""
        self.weigh[render.USER] = w

    def refill(self):
        """A round: the texts that are new; where there are none, or too few, some that were seen before."""
        known = len(self.groups)
        if self.epoch and (rows := self.more()):
            self.add(rows)
        self.epoch += 1
        todo = self.groups[known:] if self.epoch > 1 else self.groups
        while True:
            for n in sorted({n for g in todo for n in g}):
                ids, whose = (torch.cat(x) for x in zip(*[g[n] for g in todo if n in g], *([self.left.pop(n)] if n in self.left else [])))
                size = max(1, self.tokens // n)
                order = torch.randperm(len(ids), generator=self.rng).to(self.device)
                full = len(ids) // size * size
                self.plan += [(ids, whose, part) for part in order[:full].split(size)] if full else []
                if full < len(ids):
                    self.left[n] = ids[order[full:]], whose[order[full:]]
            if len(self.plan) >= 16:
                break
            todo = [self.groups[int(torch.randint(len(self.groups), (1,), generator=self.rng))]]
        self.plan = [self.plan[i] for i in torch.randperm(len(self.plan), generator=self.rng).tolist()]

    def next(self):
        if not self.plan:
            self.refill()
        ids, whose, order = self.plan.pop()
        return ids[order].long(), self.weigh[whose[order].long()]


class Log:
    def __init__(self, path, mode):
        self.file, self.start, self.quiet = open(path, mode), time.time(), False

    def __call__(self, *words):
        if self.quiet:
            return
        line = f"[{time.time() - self.start:6.1f} s] " + " ".join(str(w) for w in words)
        print(line, flush=True)
        print(line, file=self.file, flush=True)


class Together:
    """What several processes do as one: each has batches of its own, gradients are averaged, the first one's clock counts."""

    def __init__(self, processes, out):
        self.rank = next((r for r in range(1, processes) if os.fork() == 0), 0)
        self.processes = processes
        if processes > 1:
            torch.distributed.init_process_group("gloo", init_method=f"file://{out.resolve()}/meeting.{os.getppid() if self.rank else os.getpid()}", rank=self.rank, world_size=processes)

    def average(self, params, progress):
        """Averages the gradients; returns the first process's progress."""
        if self.processes == 1:
            return progress
        grads = [p.grad for p in params]
        flat = torch.cat([g.reshape(-1) for g in grads] + [torch.tensor([0.0 if self.rank else progress])])
        torch.distributed.all_reduce(flat)
        for g, part in zip(grads, flat[:-1].split([g.numel() for g in grads])):
            g.copy_(part.view_as(g)).div_(self.processes)
        return float(flat[-1])


def train(model, batches, a, log, dtype, save, together):
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and n != "embed"]
    others = [p for n, p in model.named_parameters() if p.dim() == 1 or n == "embed"]
    # Orthogonalizing costs as much as a thousand tokens: too much for the small batches of a CPU.
    muon, adamed = (None, others + matrices) if a.adam_only else (Muon(matrices, a.muon_lr), others)
    adam = torch.optim.AdamW(adamed, lr=a.adam_lr, betas=(0.9, 0.95), weight_decay=0.0)
    start, steps, began, losses = time.time(), a.steps or 10**9, None, []
    step = 0
    while step < steps:
        for _ in range(a.accumulate):
            loss = model.loss(*batches.next(), dtype) / a.accumulate
            loss.backward()
        # Until the speed is known the schedule stands at its beginning.
        progress = (time.time() - start) / (a.minutes * 60) if a.by_clock else step / steps if began or a.steps else 0
        progress = min(1, together.average(list(model.parameters()), progress))
        scale = min(1, (step + 1) / a.warmup) * (a.floor + (1 - a.floor) * (1 + math.cos(math.pi * progress)) / 2)
        batches.user_weight(data.WEIGHTS[render.USER] + (a.user_end - data.WEIGHTS[render.USER]) * progress)
        torch.nn.utils.clip_grad_norm_(adamed, 1.0)
        if muon:
            muon.step(scale)
        adam.param_groups[0]["lr"] = a.adam_lr * scale
        adam.step()
        model.zero_grad(set_to_none=True)
        step += 1
        if step in (40, 140) and not a.steps and not a.by_clock:
            if a.device != "cpu":
                torch.cuda.synchronize()
            if step == 40:
                began = time.time()
            else:
                each = (time.time() - began) / 100
                steps = step + int((a.minutes * 60 - (time.time() - start)) / each * 0.98)
                log(f"{each * 1000:.1f} ms a step, {a.batch_tokens * a.accumulate / each / 1e6:.2f} M tokens/s: {steps} steps in all")
        if step % a.log_every == 0 or step == steps:
            losses.append(float(loss.detach()) * a.accumulate)
            spent = time.time() - start
            log(f"step {step}{f' of {steps}' if steps < 10**9 else ''}, {spent / step * 1000:.0f} ms each, {batches.fresh} texts, round {batches.epoch}, "
                f"loss {sum(losses[-5:]) / len(losses[-5:]):.4f}, rate {scale:.3f}")
        if a.by_clock and step % a.save_every == 0:
            save(step)
        if (progress == 1 if a.by_clock else time.time() - start > a.minutes * 60) and step < steps:
            log(f"stopped by the clock after step {step}, {(time.time() - start) / 60:.2f} minutes")
            break
    return step


def started(path):
    """The weights to go on from, and their recipe."""
    with safe_open(path, "pt") as f:
        return {k: f.get_tensor(k).float() for k in f.keys()}, json.loads(f.metadata()["recipe"])


def prepared(config, a, batches, dtype, log):
    """The model, compiled where that works on this machine."""
    if a.device == "cpu" or a.no_compile:
        return net.Net(config).to(a.device)
    model = net.Net(config, compiled=True).to(a.device)
    try:
        model.loss(*batches.next(), dtype).backward()
    except Exception as e:  # the compiler is another machine's: slower is better than nothing
        log("not compiled:", repr(e)[:500])
        torch.manual_seed(a.seed)
        return net.Net(config).to(a.device)
    model.zero_grad(set_to_none=True)
    return model


def prompts(cases, tokenizer):
    env = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    env.filters["tojson"] = render.dumps
    template = env.from_string(render.TEMPLATE)
    for c in cases:
        text = template.render(messages=c["messages"], tools=c.get("tools"), add_generation_prompt=True)
        yield tokenizer.encode(text, add_special_tokens=False).ids


def evaluate(model, tokenizer, cases, log, dtype, batch=128, limit=160):
    """Answers the test set greedily and logs the scores: a look ahead of evaluate.py, which asks weft itself."""
    stop = {tokenizer.token_to_id(s) for s in ("<|im_end|>", "<|endoftext|>")}
    ids = list(prompts(cases, tokenizer))
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    answers = [""] * len(ids)
    for i in range(0, len(order), batch):
        part = order[i:i + batch]
        for j, out in zip(part, model.greedy([ids[j] for j in part], stop, limit, dtype)):
            answers[j] = tokenizer.decode([t for t in out if t not in stop], skip_special_tokens=False)
    log("scores of the weights in this process\n" + score.report(score.table(cases, answers)))
    wrong = [(c, t) for c, t in zip(cases, answers) if not score.holds(c["rule"], t)]
    return answers, wrong


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", required=True)
    p.add_argument("--facts", default=str(HERE / "facts.json"))
    p.add_argument("--tokenizer", default=str(HERE / "tokenizer.json"))
    p.add_argument("--texts", type=int, default=1_500_000, help="texts to make: before the training, or beside it with --stream")
    p.add_argument("--stream", action="store_true", help="make texts beside the training, so that hardly one is seen twice; --first of them before it")
    p.add_argument("--first", type=int, default=150_000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--minutes", type=float, default=5, help="hard limit of training by the clock; the schedule is made to fit it")
    p.add_argument("--steps", type=int, default=0, help="exactly so many steps instead: to repeat a run")
    p.add_argument("--batch-tokens", type=int, default=46080, help="a multiple of 15360 has room for whole rows of every length, so that all batches have one shape")
    p.add_argument("--accumulate", type=int, default=2)
    p.add_argument("--layers", type=int, default=8)
    p.add_argument("--hidden", type=int, default=256, help="a multiple of 64, and so many heads of 64")
    p.add_argument("--inter", type=int, default=768)
    p.add_argument("--warmup", type=int, default=100)
    p.add_argument("--floor", type=float, default=0.02, help="share of the rates that is left at the end")
    p.add_argument("--user-end", type=float, default=data.WEIGHTS[render.USER], help="weight of the user's words at the end")
    p.add_argument("--save-every", type=int, default=200, help="steps between writing the weights, with --by-clock")
    p.add_argument("--muon-lr", type=float, default=0.02)
    p.add_argument("--adam-lr", type=float, default=0.004)
    p.add_argument("--adam-only", action="store_true", help="AdamW for the matrices too")
    p.add_argument("--by-clock", action="store_true", help="the schedule follows the clock: for a machine that does other work too")
    p.add_argument("--no-test", action="store_true", help="leave the test to evaluate.py")
    p.add_argument("--processes", type=int, default=1, help="processes that train together, on a CPU")
    p.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="processes that make texts")
    p.add_argument("--device", default="cuda")
    p.add_argument("--from", dest="start", help="weights.safetensors to go on from")
    p.add_argument("--blend", help="weights.safetensors of which a --share is taken into those of --from: what was forgotten comes back")
    p.add_argument("--share", type=float, default=0.2)
    p.add_argument("--cut", type=float, default=0, help="share of texts whose last answer ends early: it is known, and what it begins with is to be learnt")
    p.add_argument("--no-compile", action="store_true")
    p.add_argument("--log-every", type=int, default=100)
    p.add_argument("--check", action="store_true", help="test 8 tokens of 40 cases only: a trial")
    p.add_argument("--test", action="store_true", help="only test the weights that are in --out")
    a = p.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "log.txt", "a" if a.test else "w")
    log("python", sys.version.split()[0], "torch", torch.__version__, "arguments", json.dumps(vars(a)))
    if a.test:
        return test(a, out, log)
    stream = None
    if a.stream:
        stream = data.Stream(a.facts, a.tokenizer, a.seed, a.workers, a.texts)
        rows, seen = stream.take(a.first), stream.seen
    else:
        rows, seen = data.make(a.facts, a.tokenizer, a.texts, a.seed, a.workers, bool(a.start), a.cut)
    log(f"{seen.texts} texts of {seen.tokens} tokens, {seen.doubles} doubles left out;", {n: len(i) for n, (i, _) in rows.items()})
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    tokenizer = Tokenizer.from_file(a.tokenizer)
    config = net.Config(vocab=tokenizer.get_vocab_size(), hidden=a.hidden, layers=a.layers, inter=a.inter, heads=a.hidden // 64, kv_heads=a.hidden // 128)
    gpu = a.device != "cpu"
    dtype = torch.bfloat16 if gpu else torch.float32
    together = Together(a.processes, out)
    log.quiet = together.rank > 0
    batches = Batches(rows, a.batch_tokens, a.device, a.seed + together.rank, stream.take if stream else dict)
    model = prepared(config, a, batches, dtype, log)
    before = None
    if a.start:
        weights, before = started(a.start)
        if a.blend:
            first, _ = started(a.blend)
            weights = {k: (1 - a.share) * w + a.share * first[k] for k, w in weights.items()}
        model.load_state_dict(weights)
    log(f"{config.parameters} parameters on", torch.cuda.get_device_name() if gpu else "cpu")

    def save(steps):
        if together.rank:
            return
        recipe = vars(a) | {"steps": steps, "parameters": config.parameters, "tokens": seen.tokens, "texts": batches.fresh, "torch": torch.__version__} | ({"after": before} if before else {}) | ({} if a.blend else {"share": 0})
        meta = {"config": json.dumps(vars(config)), "recipe": json.dumps({k: v for k, v in recipe.items() if k not in ("out", "facts", "tokenizer", "start", "blend")})}
        save_file({k: v.detach().half().cpu().contiguous() for k, v in model.state_dict().items()}, str(out / "weights.safetensors"), meta)

    steps = train(model, batches, a, log, dtype, save, together)
    if stream:
        stream.end()
        log(f"{seen.texts} texts were made in the end, {batches.fresh} of them trained, {seen.doubles} doubles left out" + (f"; then: {stream.failed!r}" if stream.failed else ""))
    if together.rank:
        os._exit(0)
    save(steps)
    log("weights written")
    if not a.no_test:
        test(a, out, log, model)


def test(a, out, log, model=None):
    """Asks the test set, and writes what went wrong."""
    gpu = a.device != "cpu"
    if not model:
        with safe_open(str(out / "weights.safetensors"), "pt") as f:
            model = net.Net(net.Config(**json.loads(f.metadata()["config"]))).to(a.device)
            model.load_state_dict({k: f.get_tensor(k).float() for k in f.keys()})
    cases = [json.loads(line) for line in (HERE / "evalset.jsonl").read_text().splitlines()]
    cases = cases[::max(1, len(cases) // 40)] if a.check else cases
    _, wrong = evaluate(model, Tokenizer.from_file(a.tokenizer), cases, log, torch.bfloat16 if gpu else torch.float32, limit=8 if a.check else 160)
    (out / "wrong.jsonl").write_text("".join(json.dumps({"kind": c["kind"], "last": c["messages"][-1]["content"], "got": t, "want": c["want"]}) + "\n" for c, t in wrong))
    log("done")


if __name__ == "__main__":
    main()

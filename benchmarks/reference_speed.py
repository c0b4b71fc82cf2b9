"""One evaluation of ours and of the reference code: same weights, solver, precision, in one run.

They take turns, so that what disturbs one disturbs the other. Beside them a base token of ours and
of transformers' `generate`. The reference runs in the environment of --python. See README.md.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from reference_tokens import PUBLISHED, SIDE, SMOLLM
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

sys.path.insert(0, str(Path(__file__).parents[1]))

from kernels.passes import CompiledPasses
from kernels.table import Weights
from model import published
from model.config import SamplerConfig
from model.engine import Engine
from model.passes import TorchPasses
from model.prepared import PreparedPath
from model.request import Request
from model.writing import Recipe, Row
from parity import reference

TIMES = Path(__file__).parent / "reference_times.py"
PROMPT = list(range(100, 141))
WAYS = ("published", "bfloat16", "int8", "torch")
FEW, MANY, TOKENS = 2, 9, 8
GENERATED = 32


class Ours:
    """Our engine on the reference's weights."""

    def __init__(self, folder: Path, base: Path, threads: int, by: str) -> None:
        settings = SMOLLM | PUBLISHED | {"family": "llama"}
        backbone, path = reference.load(settings, load_file(folder / "weights.safetensors"))
        prepared = PreparedPath(backbone.to(torch.bfloat16), path)
        weights = {
            "published": lambda: Weights.published(prepared, published.read(base)),
            "int8": lambda: Weights.rounded(prepared),
        }.get(by, lambda: None)()
        passes = (
            TorchPasses(prepared) if by == "torch" else CompiledPasses(prepared, threads, weights)
        )
        torch.set_num_threads(threads if by == "torch" else 1)
        self.prepared, self.engine = prepared, Engine(prepared, passes=passes)

    def seconds(self, points: int, tokens: int) -> float:
        """To write so many tokens, each at this many evaluations of the solver and a read-out."""
        config = SamplerConfig(max_nfe=points, method="euler", max_new_tokens=tokens)
        row = Row(tuple(PROMPT), seed=1)
        self.engine.submit(Request([row], Recipe.of(self.prepared, config), lambda _: None))
        self.engine.tick()  # reads the prompt
        began = time.perf_counter()
        while self.engine.busy:
            self.engine.tick()
        return time.perf_counter() - began

    def evaluation(self) -> float:
        """Milliseconds of one."""
        more = self.seconds(MANY, TOKENS) - self.seconds(FEW, TOKENS)
        return 1000 * more / (MANY - FEW) / TOKENS

    def base(self) -> float:
        """Milliseconds of a token of the LM alone."""
        return 1000 * self.seconds(0, GENERATED) / (GENERATED - 1)


def generated(lm: Any, threads: int) -> float:
    """Milliseconds a token of transformers' generate, the prompt's reading taken off."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    ids = torch.tensor([PROMPT])

    def seconds(tokens: int) -> float:
        began = time.perf_counter()
        lm.generate(ids, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False)
        return time.perf_counter() - began

    took = 1000 * (seconds(GENERATED + 1) - seconds(1)) / GENERATED
    torch.set_num_threads(before)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", required=True, help="a checkout of SakanaAI/L2D")
    parser.add_argument("--python", required=True, help="the python of its environment")
    parser.add_argument("--base", required=True, help="folder of SmolLM2-135M-Instruct")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--by", choices=WAYS, default="published")
    args = parser.parse_args()
    job = {
        "family": "llama", "lm": SMOLLM, "path": PUBLISHED,
        "prompt": PROMPT, "weights": "lora", "seed": 4, "base": args.base, "cases": [],
        "threads": args.threads,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job))
        side = [args.python, str(SIDE), args.reference, str(folder), "make"]
        subprocess.run(side, check=True, capture_output=True)
        ours = Ours(folder, Path(args.base), args.threads, args.by)
        lm = AutoModelForCausalLM.from_pretrained(args.base, dtype=torch.bfloat16)
        times = [args.python, str(TIMES), args.reference, str(folder)]
        pipe = subprocess.PIPE
        with subprocess.Popen(times, stdin=pipe, stdout=pipe, text=True) as theirs:
            rounds = [_round(theirs, ours, lm, args.threads) for _ in range(args.rounds + 1)][1:]
            theirs.communicate()
    names = ("reference", "ours", "base", "generate")
    for what, values in zip(names, zip(*rounds, strict=True), strict=True):
        low, high = min(values), max(values)
        sys.stdout.write(f"{what:10} {median(values):7.2f} ms  [{low:.2f}, {high:.2f}]\n")
    evaluation = median(r[0] / r[1] for r in rounds)
    sys.stdout.write(f"reference / ours, one evaluation: {evaluation:.1f}\n")
    sys.stdout.write(f"ours, evaluation / base token: {median(r[1] / r[2] for r in rounds):.2f}\n")
    sys.stdout.write(f"generate / our base token: {median(r[3] / r[2] for r in rounds):.2f}\n")


def _round(theirs: Any, ours: Ours, lm: Any, threads: int) -> tuple[float, float, float, float]:
    theirs.stdin.write("go\n")
    theirs.stdin.flush()
    one = float(next(line for line in theirs.stdout if line.startswith("ms ")).split()[1])
    return one, ours.evaluation(), ours.base(), generated(lm, threads)


if __name__ == "__main__":
    main()

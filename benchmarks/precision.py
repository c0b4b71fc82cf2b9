"""Are the answers those of float32? The same questions by every way of making a pass.

Of each way the answers that are the same to the last token, and the tokens before the first that is
not. They are held against float32 by torch, one answer at a time, of the very numbers that were
published (of the checkpoint's where none are kept). See README.md.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from evaluation import suites
from kernels.passes import CompiledPasses
from kernels.table import Weights
from model import checkpoint, published
from model.backbone import Backbone
from model.config import SamplerConfig
from model.engine import Engine
from model.hf import Prompter, load_backbone
from model.passes import Passes, TorchPasses
from model.prepared import PreparedPath
from model.request import Fault, Request
from model.writing import Again, Recipe, Row, Token


def drawn(
    prepared: PreparedPath, passes: Passes, rows: list[Row], config: SamplerConfig, at_once: int
) -> list[list[int]]:
    """Token ids of each row."""
    engine, recipe = Engine(prepared, slots=at_once, passes=passes), Recipe.of(prepared, config)
    out = [list[int]() for _ in rows]
    for row, ids in zip(rows, out, strict=True):
        engine.submit(Request([row], recipe, _into(ids)))
    while engine.busy:
        engine.tick()
    return out


def _into(ids: list[int]) -> Callable[[Token | Again | Fault | None], None]:
    def tell(event: Token | Again | Fault | None) -> None:
        if isinstance(event, Fault):
            raise event.error
        if isinstance(event, Token):
            ids.append(event.id)

    return tell


def same(mine: list[int], exact: list[int]) -> int:
    """Tokens before the first that differs."""
    pairs = zip(mine, exact, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(mine), len(exact)))


def exact_backbone(half: Backbone, weights: Weights | None) -> Backbone:
    """In float32, with what the published blocks stand for instead of its rounding to bfloat16."""
    exact = half.to(torch.float32)
    if weights is None:
        return exact
    mlp = exact.shape.mlp
    for layer, parts in zip(exact.layers, weights.base, strict=True):
        gate, up = layer.gate_up.rows(0, mlp), layer.gate_up.rows(mlp, 2 * mlp)
        own = (layer.qkv, layer.o, gate, up, layer.down)
        for linear, part in zip(own, parts, strict=True):
            linear.weight.copy_(part.matrix.numbers(linear.weight.shape[1]))
    exact.head.copy_(weights.head.numbers(exact.shape.hidden))  # the embedding, too, where tied
    return exact


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", required=True, help="folder of the base model")
    parser.add_argument("--adapter", default="model/adapters/pilot")
    parser.add_argument("--questions", type=int, default=48)
    parser.add_argument("--nfe", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    half, prompter = load_backbone(args.base, torch.bfloat16), Prompter.load(args.base)
    path = checkpoint.load(Path(args.adapter), half).path
    prepared = PreparedPath(half, path)
    blocks = published.read(Path(args.base))
    whole = Weights.published(prepared, blocks) if blocks else None
    with torch.no_grad():
        exact = PreparedPath(exact_backbone(half, whole), path)
    config = SamplerConfig(max_nfe=args.nfe, method="euler", max_new_tokens=64)
    questions = suites.load("pilot")[: args.questions]
    rows = [Row(tuple(prompter.prompt(q.question)), i, q.domain) for i, q in enumerate(questions)]

    def by(weights: Weights | None = None) -> Passes:
        return CompiledPasses(prepared, args.threads, weights)

    true = drawn(exact, TorchPasses(exact), rows, config, 1)
    ways: dict[str, tuple[PreparedPath, Callable[[], Passes], int]] = {
        "float32 by torch, 16 at once": (exact, lambda: TorchPasses(exact), 16),
        "bfloat16 by torch, 16 at once": (prepared, lambda: TorchPasses(prepared), 16),
        "bfloat16 compiled, alone": (prepared, by, 1),
        "bfloat16 compiled, 16 at once": (prepared, by, 16),
        "int8 compiled, 16 at once": (prepared, lambda: by(Weights.rounded(prepared)), 16),
    }  # fmt: skip
    if whole is not None:
        ways |= {
            "published, alone": (prepared, lambda: by(whole), 1),
            "published, 16 at once": (prepared, lambda: by(whole), 16),
        }
    tokens = sum(map(len, true))
    for name, (own, make, at_once) in ways.items():
        mine = drawn(own, make(), rows, config, at_once)
        equal = sum(a == b for a, b in zip(mine, true, strict=True))
        before = sum(same(a, b) for a, b in zip(mine, true, strict=True))
        sys.stdout.write(f"{name:32} {equal} of {len(rows)} answers, {before} of {tokens} tokens\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""`bench`: what a token, an evaluation and an answer take on this machine."""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import correlation, median
from typing import Any

from app.bootstrap import load_policy
from app.commands.output import progress, show
from app.gateways import LocalEngine
from app.loading import load_engine
from app.ports import Job
from app.settings import Settings
from policies.types import Domain, Plan, Rung, Solver

QUESTION = "An order has 12 packs of 6 pens. 9 pens are returned. How many pens remain?"
ROUNDS = 5
BATCHES = (1, 4, 16)
BUDGETS = (0, 2, 4, 8, 16, 32)
"""Each is spent whole by euler."""


def bench(settings: Settings, args: argparse.Namespace) -> int:
    """Medians of five rounds; the rounds of what is compared take turns."""
    engine, policy = load_engine(settings), load_policy(settings.policy)
    timer = _Timer(engine, args.tokens)
    timer.answer(_rung(3), 1)  # the first one makes what all others use
    values: dict[str, Any] = timer.base()
    progress("base token measured; next: evaluations in batches")
    values |= timer.evaluations()
    progress("next: budgets")
    values |= timer.budgets()
    progress("next: rungs")
    values["tokens_per_second"] = {
        importance.value: {str(n): round(timer.speed(rung, n), 2) for n in (1, 8)}
        for importance, rung in policy.rungs.items()
    }
    values |= _memory(engine, values["base_ms_per_token"])
    info = engine.info()
    values |= {"precision": info.precision, "device": info.device}
    values["passes"] = "torch" if engine.passes is None else "compiled"
    show(values, args.json)
    return 0


class _Timer:
    """Times answers to one question, cut at `tokens` tokens."""

    def __init__(self, engine: LocalEngine, tokens: int) -> None:
        self.engine, self.tokens = engine, tokens

    def answer(self, rung: Rung, at_once: int, tokens: int | None = None) -> tuple[float, int]:
        """Milliseconds for so many answers at once, and the tokens of the longest."""
        plan = Plan(Domain.MATH, replace(rung, max_new_tokens=tokens or self.tokens))
        jobs = [Job(QUESTION, plan, seed) for seed in range(at_once)]
        began = time.perf_counter()
        outcomes = self.engine.run_batch(jobs, lambda: False)
        took = 1000 * (time.perf_counter() - began)
        return took, max(outcome.units.decode_tokens for outcome in outcomes)

    def base(self) -> dict[str, float]:
        """A token of the LM alone, the prompt's reading taken off; the prompt with one token."""
        first = [self.answer(_rung(0), 1, 1)[0] for _ in range(ROUNDS)]

        def more() -> float:
            (short, a), (long, b) = (self.answer(_rung(0), 1, n) for n in (1, 1 + self.tokens))
            return (long - short) / (b - a)

        return {
            "base_ms_per_token": _median(more),
            "first_token_ms": round(median(first), 2),
        }

    def evaluations(self) -> dict[str, Any]:
        """What an evaluation adds to a token, alone and with other answers."""
        passes = {str(n): _median(lambda n=n: self._evaluation(n)) for n in BATCHES}  # type: ignore[misc]
        return {
            "ms_per_nfe": passes["1"],
            "batches": {
                n: {"ms_per_pass": ms, "ms_per_nfe": round(ms / int(n), 2)}
                for n, ms in passes.items()
            },
        }

    def _evaluation(self, at_once: int) -> float:
        (few, a), (many, b) = (self.answer(_rung(nfe), at_once) for nfe in (3, 15))
        return (many / b - few / a) / 12

    def budgets(self) -> dict[str, Any]:
        """Milliseconds a token over budgets, and how straight their line is."""
        ms = {str(n): _median(lambda n=n: self._token(n)) for n in BUDGETS}  # type: ignore[misc]
        straight = correlation([float(n) for n in BUDGETS], list(ms.values())) ** 2
        return {"ms_per_token_at": ms, "budget_r_squared": round(straight, 5)}

    def _token(self, nfe: int) -> float:
        took, tokens = self.answer(_rung(nfe), 1)
        return took / tokens

    def speed(self, rung: Rung, at_once: int) -> float:
        """Tokens a second over all of so many answers at once, prompts included."""

        def once() -> float:
            took, tokens = self.answer(rung, at_once)
            return took / tokens

        return 1000 * at_once / _median(once)


def _rung(nfe: int) -> Rung:
    return Rung(Solver.EULER if nfe else Solver.BASE, nfe, 1.0, 1)


def _median(once: Callable[[], float]) -> float:
    return round(median(once() for _ in range(ROUNDS)), 2)


def _memory(engine: LocalEngine, base_ms: float) -> dict[str, float]:
    """How much of the memory's speed a pass of one row reaches, and the most memory held."""
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    values: dict[str, float] = {"peak_memory_mb": round(peak)}
    if engine.passes is None:
        return values
    speed = engine.passes.gigabytes_per_second()
    share = engine.passes.weights_bytes / (base_ms / 1000) / 1e9 / speed
    return values | {
        "memory_gigabytes_per_second": round(speed, 1),
        "memory_bandwidth_share": round(share, 3),
    }

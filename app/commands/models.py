"""`model ...` and `bench`: the weights, where they come from and how they behave."""

import argparse
import time
from pathlib import Path
from typing import Any

from app import pull as base
from app.bootstrap import load_policy
from app.commands.output import progress, result, show
from app.gateways import LocalEngine, load_engine
from app.ports import Job
from app.settings import Settings
from model import checkpoint, golden, reference
from model.errors import ModelError
from model.hf import load_backbone
from policies.errors import InvalidInput, Unavailable
from policies.types import Domain, Plan, Rung, Solver

BENCH_QUESTION = "An order has 12 packs of 6 pens. 9 pens are returned. How many pens remain?"


def pull(settings: Settings, args: argparse.Namespace) -> int:
    try:
        if settings.model == "builtin":
            base.pull(Path(settings.base_dir), progress)
        else:
            # a Hugging Face id is downloaded and kept by its library
            load_backbone(settings.base_dir)
    except ModelError as err:
        raise Unavailable(str(err)) from err
    return 0


def info(settings: Settings, args: argparse.Namespace) -> int:
    engine = load_engine(settings)
    card = checkpoint.card_of(settings.adapter)
    values = _info(engine) | {"card": card}
    show(values, args.json)
    return 0


def _info(engine: LocalEngine) -> dict[str, Any]:
    i = engine.info()
    return {
        "base": i.base,
        "base_sha256": i.base_sha256,
        "adapter": i.adapter,
        "adapter_sha256": i.adapter_sha256,
        "classes": list(i.classes),
        "device": i.device,
        "precision": i.precision,
        "config": engine.sampler.prepared.config.to_dict(),
    }


def check_golden(settings: Settings, args: argparse.Namespace) -> int:
    """Largest difference of every golden tensor; 1 if any is out of tolerance or not compared."""
    try:
        differences, skipped = golden.check(Path(args.folder))
    except ModelError as err:
        raise InvalidInput(str(err)) from err
    for d in differences:
        result(f"{'ok  ' if d.ok else 'FAIL'} {d.case:24} {d.value:.2e}  (at most {d.tolerance:g})")
    for case in skipped:
        result(f"FAIL {case.case:24} not compared: {case.reason}")
    return 0 if all(d.ok for d in differences) and not skipped else 1


def import_reference(settings: Settings, args: argparse.Namespace) -> int:
    """Write the adapter of a checkpoint of the reference code."""
    said = {"noise_rescaling": args.noise_scale, "flow_lora_alpha": args.lora_alpha}
    known = {name: value for name, value in said.items() if value is not None}
    out = Path(args.out)
    if out.exists():
        raise InvalidInput(f"{out} exists; name a folder that does not, or remove it")
    try:
        config = reference.take_over(Path(args.folder), out, known)
    except ModelError as err:
        raise InvalidInput(str(err)) from err
    for name, value in checkpoint.card_of(out)["assumed"].items():
        progress(f"{args.folder} does not say {name}; taken as published: {value:g}")
    result(f"{out}: {config.weights} path, {len(config.classes)} classes; L2D_ADAPTER={out}")
    return 0


def bench(settings: Settings, args: argparse.Namespace) -> int:
    """Times here: a base pass, an evaluation, tokens a second at each rung, 1 and 8 at once."""
    engine, policy = load_engine(settings), load_policy(settings.policy)
    base_rung = Rung(Solver.BASE, 0, 1.0, args.tokens)
    base_ms = _ms_per_token(engine, base_rung, 1)
    refined_ms = _ms_per_token(engine, Rung(Solver.MIDPOINT, 15, 1.0, args.tokens), 1)
    speeds = {}
    for importance, rung in policy.rungs.items():
        same = Rung(rung.solver, rung.max_nfe_per_token, rung.guidance, args.tokens, rung.points)
        speeds[importance.value] = {
            str(n): round(1000 * n / _ms_per_token(engine, same, n), 2) for n in (1, 8)
        }
    values = {
        "base_ms_per_token": round(base_ms, 2),
        "ms_per_nfe": round((refined_ms - base_ms) / 15, 2),
        "tokens_per_second": speeds,
        "precision": engine.info().precision,
        "device": engine.info().device,
    }
    show(values, args.json)
    return 0


def _ms_per_token(engine: LocalEngine, rung: Rung, at_once: int) -> float:
    """Milliseconds to write one token for each of `at_once` answers; the best of three."""
    plan = Plan(Domain.MATH, rung)
    jobs = [Job(BENCH_QUESTION, plan, seed) for seed in range(at_once)]
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        outcomes = engine.run_batch(jobs, lambda: False)
        steps = max(outcome.units.decode_tokens for outcome in outcomes)
        best = min(best, 1000 * (time.perf_counter() - began) / steps)
    return best

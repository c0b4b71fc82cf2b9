"""`evaluate`: accuracy with intervals and cost at several budgets, stored for the dashboard."""

import argparse
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app import recorded
from app.bootstrap import Pilot, build
from app.commands.output import as_json, progress, result
from app.commands.who import system_user
from app.loading import load_engine
from app.ports import Measurement
from app.services.compare import Comparison, compare
from app.services.measure import Budget, Measuring, budget_of
from app.services.spent import PLAIN, flags
from app.settings import Settings
from evaluation import suites
from policies.errors import InvalidInput
from policies.form import RungForm
from policies.types import Importance, Rung, Solver

TOLD_EVERY = 20
"""Questions between two lines of progress."""


def evaluate(settings: Settings, args: argparse.Namespace) -> int:
    """Measures a suite at budgets or rungs; --record writes the file that ships with an adapter."""
    name, questions = suites.load_first(args.suite, args.limit)
    _wanted(args)  # what is typed wrong is refused before the model takes its seconds to load
    pilot = build(settings, load_engine(settings))
    actor = pilot.people.at_shell(args.user, system_user())
    found = pilot.measure(actor, name, questions, _budgets(pilot, args), args.seed, _tell)
    if args.record:
        recorded.write(Path(args.record), found)
    if args.json:
        as_json(
            {
                "suite": name,
                "seed": args.seed,
                "settings": {key: getattr(args, key) for key in (*PLAIN, "max_new_tokens")},
                "adapter_sha256": pilot.engine.info().adapter_sha256,
                "results": [_fields(m) for m, _ in found if m.domain is None],
                "domains": [_fields(m) for m, _ in found if m.domain is not None],
                "comparisons": [_comparison(c) for c in compare(found)],
            }
        )
    else:
        for measurement, _ in found:
            result(_line(measurement))
        for comparison in compare(found):
            result(_against(comparison))
    return 0


def _wanted(args: argparse.Namespace) -> list[str]:
    """Caps, or names of importances. Raises InvalidInput, for the flags beside them too."""
    if not args.importance:
        _rung(args, 1 if args.max_new_tokens is None else args.max_new_tokens)
        return _list(args.budgets, None)
    if typed := _flags(args):
        raise InvalidInput(f"rungs bring their own settings: leave out{typed}")
    return _list(args.importance, set(Importance))


def _budgets(pilot: Pilot, args: argparse.Namespace) -> list[Budget]:
    wanted = _wanted(args)
    if args.importance:
        return pilot.measure.importances(map(Importance, wanted))
    longest = args.max_new_tokens
    if longest is None:
        longest = max(rung.max_new_tokens for rung in pilot.policy.rungs.values())
    like = _rung(args, longest)
    return [budget_of(int(cap), like, _flags(args)) for cap in wanted]


def _flags(args: argparse.Namespace) -> str:
    """What was typed beside suite and budgets, as it is kept in the name of the measurement."""
    longest = args.max_new_tokens
    return flags(args) + ("" if longest is None else f" --max-new-tokens {longest}")


def _rung(args: argparse.Namespace, longest: int) -> Rung:
    """What a policy may not ask for is refused here in the same words."""
    typed = {key: getattr(args, key) for key in PLAIN if key != "solver"}
    try:
        return RungForm(
            solver=Solver(args.solver), max_nfe_per_token=1, max_new_tokens=longest, **typed
        ).rung()
    except ValidationError as err:
        first = err.errors()[0]
        at = "".join(f"{part}: " for part in first["loc"])
        raise InvalidInput(f"{at}{first['msg'].removeprefix('Value error, ')}") from err


def _list(text: str, legal: set[Importance] | None) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if legal is None and not part.isdigit():
            raise InvalidInput(f"a budget is a whole number of evaluations a token, got {part!r}")
        if legal is not None and part not in legal:
            raise InvalidInput(f"importance must be one of {', '.join(Importance)}, got {part!r}")
    if not parts:
        raise InvalidInput("name at least one budget or importance")
    return parts


def _tell(at: Measuring) -> None:
    if at.done % TOLD_EVERY and at.done < at.of:
        return
    progress(f"budget {at.budget}: {at.done} of {at.of} questions, {at.correct} right")


def _fields(m: Measurement) -> dict[str, Any]:
    return {
        "budget": m.budget,
        "importance": m.importance.value if m.importance else None,
        "domain": m.domain.value if m.domain else None,
        "accuracy": round(m.accuracy, 4),
        "ci_low": round(m.ci_low, 4),
        "ci_high": round(m.ci_high, 4),
        "n": m.n,
        "nfe_per_token": round(m.nfe_per_token, 3),
        "cost_nanos_per_answer": m.cost_nanos_per_answer,
        "currency": m.currency,
    }


def _line(m: Measurement) -> str:
    part = m.domain.value if m.domain else "all"
    interval = f"[{m.ci_low:.1%}, {m.ci_high:.1%}]"
    return (
        f"{part:10} budget {m.budget:3}  {m.accuracy:6.1%}  {interval}  n={m.n}"
        f"  {m.cost_nanos_per_answer} nanos {m.currency} an answer"
    )


def _comparison(c: Comparison) -> dict[str, Any]:
    d = c.difference
    return {
        "budget": c.of.budget,
        "importance": c.of.importance.value if c.of.importance else None,
        "over_budget": c.over.budget,
        "over_importance": c.over.importance.value if c.over.importance else None,
        "domain": c.domain.value if c.domain else None,
        "difference": round(d.value, 4),
        "ci_low": round(d.low, 4),
        "ci_high": round(d.high, 4),
        "n": d.n,
        "gained": d.gained,
        "lost": d.lost,
        "p_value": round(d.p_value, 6),
        "shown": d.shown,
    }


def _against(c: Comparison) -> str:
    d, part = c.difference, c.domain.value if c.domain else "all"
    interval = f"[{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
    verdict = "" if d.shown else "  no difference shown"
    return (
        f"{part:10} budget {c.of.budget:3} over {c.over.budget:3}  {100 * d.value:+6.1f} points"
        f"  {interval}  {d.gained} gained, {d.lost} lost of n={d.n}{verdict}"
    )

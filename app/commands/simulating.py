"""`policy simulate`: a draft over the queries of the log, before anyone has to live with it."""

import argparse
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.bootstrap import load_policy, open_storage
from app.commands.output import as_json, result
from app.commands.pricing import day_of, midnight, now
from app.commands.who import speaker
from app.services.calibrate import BEGINNING
from app.services.simulate import MeasuredMove, Simulate, Simulated
from app.settings import Settings
from model import checkpoint
from model.solvers import Grid, finest_grid
from policies import document
from policies.errors import InvalidInput
from policies.types import Rung, Solver


def main(settings: Settings, args: argparse.Namespace) -> int:
    """Replays over all queries, or over whole days of the pilot; changes nothing."""
    file = Path(args.file)
    policy = document.parse(document.read_file(file), file.name)
    since = midnight(day_of(args.since), settings) if args.since else BEGINNING
    last = day_of(args.until) + timedelta(days=1) if args.until else None
    until = midnight(last, settings) if last else now()
    if since >= until:
        raise InvalidInput(f"the first day {args.since} must not be after the last {args.until}")
    uow, reader = open_storage(settings, load_policy(settings.policy), now)
    actor = speaker(settings, args, uow, reader, now)
    adapter = checkpoint.sha256_of(settings.adapter / checkpoint.WEIGHTS)
    simulate = Simulate(reader, settings.zone, adapter, nfe_per_token)
    found = simulate(actor, policy, since, until)
    fields = {"policy_version": policy.version} | _fields(found)
    if args.json:
        as_json(fields)
        return 0
    for line in _lines(found):
        result(line)
    return 0


def nfe_per_token(rung: Rung) -> int:
    """Of the grid that the engine will run; an adaptive solver takes its cap at most."""
    if rung.solver is Solver.BASE or rung.solver.adaptive:
        return rung.max_nfe_per_token
    if rung.checked:
        return 1  # of each writing
    passes = 1 if rung.guidance == 1.0 else 2
    if rung.points is not None:
        return Grid(rung.solver.value, rung.points, passes).nfe
    return finest_grid(rung.solver.value, rung.max_nfe_per_token, passes).nfe


def _fields(found: Simulated) -> dict[str, Any]:
    r, q = found.replay, found.quality
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "currency": found.currency,
        "queries": r.queries,
        "cost_nanos": {"before": r.cost_before, "after": r.cost_after},
        "cost_known_by": {
            basis.value: {"queries": n, "nanos": r.cost_by_basis[basis]}
            for basis, n in sorted(r.by_basis.items())
        },
        "refused": {"before": r.refused_before, "after": r.refused_after},
        "refused_by": [
            {"scope": scope, "window": window.value, "queries": n}
            for (scope, window), n in r.refused_by.most_common()
        ],
        "refused_examples": r.refused_examples,
        "reviewed": {"before": r.reviewed_before, "after": r.reviewed_after},
        "approvals": {"before": r.approvals_before, "after": r.approvals_after},
        "raised_by_rules": r.raised,
        "stepped_down": r.stepped_down,
        "importances": [
            {"before": before.value, "after": after.value if after else None, "queries": n}
            for (before, after), n in sorted(
                r.importances.items(), key=lambda e: (e[0][0].rank, e[0][1] or "")
            )
        ],
        "quality": {
            "measured_queries": q.measured,
            "unmeasured_queries": q.unmeasured,
            "gain": _rounded(q.gain),
            "ci_low": _rounded(q.low),
            "ci_high": _rounded(q.high),
            "moves": [_move(each) for each in q.moves],
        },
    }


def _move(each: MeasuredMove) -> dict[str, Any]:
    move, d = each.move, each.difference
    return {
        "domain": move.domain.value,
        "before": _rung(move.before),
        "after": _rung(move.after),
        "queries": each.queries,
        "difference": _rounded(d.value) if d else None,
        "ci_low": _rounded(d.low) if d else None,
        "ci_high": _rounded(d.high) if d else None,
        "questions": d.n if d else 0,
    }


def _lines(found: Simulated) -> list[str]:
    r, q = found.replay, found.quality
    ways = ", ".join(
        f"{n} {basis} {r.cost_by_basis[basis]}" for basis, n in sorted(r.by_basis.items())
    )
    lines = [
        f"{r.queries} queries",
        f"cost: {r.cost_before} -> {r.cost_after} nanos {found.currency} ({ways})",
        f"refused: {r.refused_before} -> {r.refused_after}",
        f"reviewed: {r.reviewed_before} -> {r.reviewed_after}",
        f"raised by rules: {r.raised}, stepped down: {r.stepped_down}",
    ]
    lines += [
        f"  no room under {scope}, {window}: {n}" for (scope, window), n in r.refused_by.items()
    ]
    if q.gain is not None and q.low is not None and q.high is not None:
        lines.append(
            f"quality of {q.measured} moved queries: {100 * q.gain:+.1f} points "
            f"[{100 * q.low:+.1f}, {100 * q.high:+.1f}]"
        )
    if q.unmeasured:
        lines.append(f"{q.unmeasured} moved queries are of a kind nobody measured")
    return lines


def _rung(rung: Rung) -> str:
    return f"{rung.solver} {rung.max_nfe_per_token}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

"""`price ...`: the lists, what a unit takes on this machine, and both beside the device's cost."""

import argparse
import os
import platform
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml

from app import energy
from app.bootstrap import load_policy, open_storage
from app.commands.output import as_json, progress, result
from app.commands.output import show as named
from app.commands.who import speaker
from app.services.calibrate import Calibrate, Reconciled, reconciled
from app.services.policy import valid_now
from app.settings import Settings
from policies import prices
from policies.calibrate import DeviceCost, Spread
from policies.errors import InvalidInput
from policies.types import PriceList


def now() -> datetime:
    return datetime.now(UTC)


def cost_of(settings: Settings) -> DeviceCost:
    return DeviceCost(settings.device_hour_nanos, settings.energy_kwh_nanos)


def show(settings: Settings, args: argparse.Namespace) -> int:
    """Every list of the price file, in the order in which they come into force."""
    lists = prices.load(settings.prices, settings.zone)
    valid = valid_now(lists, now())
    ordered = sorted(lists, key=lambda p: (p.model, p.valid_from, p.version))
    if args.json:
        as_json({"prices": [_document(p, settings) | {"in_force": p in valid} for p in ordered]})
        return 0
    for p in ordered:
        mark = "" if p in valid else ", not in force now"
        result(
            f"{p.version}: {p.model}, {p.currency} nanos a prompt token {p.prompt_token_nanos}, "
            f"a written token {p.decode_token_nanos}, an evaluation {p.nfe_nanos}, "
            f"valid from {p.valid_from.astimezone(settings.zone).isoformat()}{mark}"
        )
    return 0


def calibrate(settings: Settings, args: argparse.Namespace) -> int:
    """Prints the measured list as it would stand in a price file; it is in force nowhere yet."""
    lists = prices.load(settings.prices, settings.zone)
    version = args.version or f"measured-{now():%Y-%m-%dT%H%M}"
    if version in {p.version for p in lists}:
        raise InvalidInput(f"the price file has a list {version}; give --version another name")
    since = _instant(args.valid_from, settings) if args.valid_from else now().replace(microsecond=0)
    from app.loading import load_engine  # brings torch, which `price show` need not wait for

    engine = load_engine(settings)
    joules, source = energy.meter(settings.device)
    uow, reader = open_storage(settings, load_policy(settings.policy), now)
    actor = speaker(settings, args, uow, reader, now)
    measure = Calibrate(engine, uow, now, joules, cost_of(settings))

    def told(done: int, of: int) -> None:
        progress(f"{done} of {of} rounds")

    def conditions() -> Mapping[str, Any]:
        found = _conditions(settings, source)
        if found["load"][0] > found["cores"]:
            progress(f"this machine is busy (load {found['load'][0]}): prices come out too high")
        return found

    try:
        found = measure(
            actor, args.repeats, args.tokens, version, lists[0].currency, since, conditions, told
        )
    finally:
        engine.close()
    text = yaml.safe_dump([_document(found.prices, settings)], sort_keys=False)
    if args.out:
        _add(Path(args.out), text, settings)
    if args.json:
        as_json(dict(found.record))
        return 0
    for name in ("prompt_token", "decode_token", "nfe"):
        progress(f"{name}: {_milliseconds(getattr(found.rates, name))}")
    watts = found.rates.watts
    progress(f"energy: {watts.median:.1f} W at work ({source})" if watts else f"energy: {source}")
    result(text.rstrip())
    return 0


def reconcile(settings: Settings, args: argparse.Namespace) -> int:
    """List prices beside the cost of the device, since the first answer or in whole days."""
    last = day_of(args.until) if args.until else now().astimezone(settings.zone).date()
    since = midnight(day_of(args.since), settings) if args.since else None
    until = min(midnight(last + timedelta(days=1), settings), now())
    if since is not None and since >= until:
        raise InvalidInput(f"the first day {args.since} must not be after the last day {last}")
    lists = prices.load(settings.prices, settings.zone)
    _, reader = open_storage(settings, load_policy(settings.policy), now)
    found = reconciled(reader, lists[0].model, since, until, cost_of(settings))
    if found is None:
        result("no answer ended in that time")
        return 0
    named(_reconciled(found), args.json)
    return 0


def _reconciled(found: Reconciled) -> dict[str, Any]:
    r = found.result
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "currency": found.metered.currency,
        "answers": found.metered.answers,
        "charged_nanos": r.charged_nanos,
        "used_nanos": r.used_nanos,
        "owned_nanos": r.owned_nanos,
        "busy_seconds": round(r.busy_seconds, 3),
        "span_seconds": round(r.span_seconds, 3),
        "idle_share": round(r.idle_share, 6),
        "charged_of_used": _rounded(r.charged_of_used),
        "charged_of_owned": _rounded(r.charged_of_owned),
        "watts": found.watts,
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _document(p: PriceList, settings: Settings) -> dict[str, Any]:
    """As it stands in a price file."""
    return {
        "version": p.version,
        "currency": p.currency,
        "model": p.model,
        "valid_from": p.valid_from.astimezone(settings.zone).isoformat(),
        "prompt_token_nanos": p.prompt_token_nanos,
        "decode_token_nanos": p.decode_token_nanos,
        "nfe_nanos": p.nfe_nanos,
    }


def _add(file: Path, text: str, settings: Settings) -> None:
    """To the end of a price file, which stays as it was if the whole would be none."""
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        whole = before + ("\n" if before and not before.endswith("\n") else "") + text
        prices.parse(whole, file.name, settings.zone)
        file.write_text(whole, encoding="utf-8")
    except OSError as err:
        raise InvalidInput(f"price file {file} cannot be written: {err}") from err


def _conditions(settings: Settings, source: str) -> dict[str, Any]:
    return {
        "at": now().isoformat(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": settings.threads,
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "energy": source,
    }


def _processor() -> str:
    """As Linux names it; elsewhere what Python knows."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _milliseconds(spread: Spread) -> str:
    low, mid, high = (f"{1000 * s:.3f}" for s in (spread.low, spread.median, spread.high))
    return f"{mid} ms (half of {spread.n} rounds from {low} to {high})"


def day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise InvalidInput(f"a day is written as 2026-11-24, got {text!r}") from err


def midnight(day: date, settings: Settings) -> datetime:
    return datetime.combine(day, time(), settings.zone).astimezone(UTC)


def _instant(text: str, settings: Settings) -> datetime:
    """A day begins at midnight in the pilot's zone; an instant without a zone is in it too."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as err:
        raise InvalidInput(
            f"valid-from is a day or instant, as 2026-12-01 or 2026-12-01T09:00, got {text!r}"
        ) from err
    return (found if found.tzinfo else found.replace(tzinfo=settings.zone)).astimezone(UTC)

"""`ledger ...` and `budget ...`: whether the money adds up, refunds, ceilings and raises."""

import argparse
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.bootstrap import load_policy, open_storage
from app.commands.audit import head_of
from app.commands.output import as_json, result
from app.commands.who import speaker, system_user
from app.ports import AuditEvent, OpenUnitOfWork
from app.services.bookings import Bookings
from app.services.budgets import Budgets
from app.settings import Settings, amount
from policies.roles import Actor
from policies.types import Window

SHOWN = 20
"""Raises and alerts, the latest."""


def _now() -> datetime:
    return datetime.now(UTC)


def _open(settings: Settings) -> tuple[OpenUnitOfWork, OpenUnitOfWork]:
    return open_storage(settings, load_policy(settings.policy), _now)


def verify(settings: Settings, args: argparse.Namespace) -> int:
    """0 when every invariant holds, else 1 and the rows that break one. Nobody waits meanwhile."""
    _, reader = _open(settings)
    earlier = head_of(args.head) if args.head else None
    with reader() as work:
        broken, head = work.ledger.verify(), work.ledger.head()
        if earlier is not None and work.ledger.hash_at(earlier.count) != earlier.hash:
            broken.append(f"ledger head: {earlier.count}:{earlier.hash} is no part of the ledger")
    for line in broken:
        result(line)
    if not broken:
        result("every invariant of the ledger holds")
        if head.count:
            result(f"{head.count} entries, head {head.count}:{head.hash}")
    return 1 if broken else 0


def rebuild(settings: Settings, args: argparse.Namespace) -> int:
    """1 where the rollups were not what the entries say; they are now."""
    uow, _ = _open(settings)
    with uow() as work:
        same = work.ledger.rebuild()
        details = {"differed": not same}
        work.audit.append(AuditEvent(system_user(), "ledger.rebuild", "ledger", details, _now()))
        work.commit()
    result(f"rollups written from the entries; they {'were the same' if same else 'differed'}")
    return 0 if same else 1


def refund(settings: Settings, args: argparse.Namespace) -> int:
    nanos = amount("amount", args.amount)
    bookings, actor = _bookings(settings, args)
    booked = bookings.refund(actor, args.answer, nanos, args.reason, args.key)
    result("refund booked" if booked else "this refund was booked before; nothing changed")
    return 0


def correct(settings: Settings, args: argparse.Namespace) -> int:
    nanos = amount("amount", args.amount)
    bookings, actor = _bookings(settings, args)
    booked = bookings.correct(actor, args.answer, nanos, args.reason, args.key)
    result("correction booked" if booked else "this correction was booked before; nothing changed")
    return 0


def show(settings: Settings, args: argparse.Namespace) -> int:
    """Amounts in nanos."""
    _, reader = _open(settings)
    with reader() as work:
        found: dict[str, list[Any]] = {
            "ceilings": work.ledger.ceilings_at(_now()),
            "raises": work.raises.latest(SHOWN),
            "alerts": work.alerts.latest(SHOWN),
        }
    rows = {kind: [_plain(asdict(row)) for row in of_kind] for kind, of_kind in found.items()}
    if args.json:
        as_json(rows)
        return 0
    for kind, of_kind in rows.items():
        for row in of_kind:
            result(f"{kind[:-1]}: " + ", ".join(f"{k} {v}" for k, v in row.items() if v != ""))
    return 0


def ask(settings: Settings, args: argparse.Namespace) -> int:
    budgets, actor = _budgets(settings, args)
    nanos, window = amount("amount", args.amount), Window(args.window)
    wanted = budgets.ask_raise(actor, args.scope, window, nanos, args.reason, args.days)
    result(f"asked for; another person decides: budget grant {wanted.id} --user NAME")
    return 0


def grant(settings: Settings, args: argparse.Namespace) -> int:
    return _decide(settings, args, granted=True)


def decline(settings: Settings, args: argparse.Namespace) -> int:
    return _decide(settings, args, granted=False)


def limit(settings: Settings, args: argparse.Namespace) -> int:
    budgets, actor = _budgets(settings, args)
    nanos, currency = amount("amount", args.amount), budgets.overview(actor).currency
    budgets.set_limit(actor, args.scope, nanos, currency)
    result(f"the limit of {args.scope} is {args.amount} {currency}")
    return 0


def _bookings(settings: Settings, args: argparse.Namespace) -> tuple[Bookings, Actor]:
    """The use cases, and the person for whom they are used."""
    uow, reader = _open(settings)
    return Bookings(uow, _now), speaker(settings, args, uow, reader, _now)


def _budgets(settings: Settings, args: argparse.Namespace) -> tuple[Budgets, Actor]:
    """The use cases, and the person for whom they are used."""
    uow, reader = _open(settings)
    budgets = Budgets(uow, reader, _now, lambda: uuid.uuid4().hex, settings.zone, settings.model)
    return budgets, speaker(settings, args, uow, reader, _now)


def _decide(settings: Settings, args: argparse.Namespace, granted: bool) -> int:
    budgets, actor = _budgets(settings, args)
    decided = budgets.decide_raise(actor, args.raise_id, granted)
    result(f"{decided.state}, until {decided.expires_at.isoformat()}")
    return 0


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if value is not None
    }

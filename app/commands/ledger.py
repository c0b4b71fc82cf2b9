"""`ledger ...` and `budget ...`: whether the money adds up, refunds, ceilings and raises.

Who is who is taken as given until accounts vouch for names.
"""

import argparse
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from app.bootstrap import load_policy, open_storage
from app.commands.output import as_json, result
from app.ports import Booking, BookingKind, BudgetRaise, OpenUnitOfWork
from app.settings import Settings, amount
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
    with reader() as work:
        broken = work.ledger.verify()
    for line in broken:
        result(line)
    if not broken:
        result("every invariant of the ledger holds")
    return 1 if broken else 0


def rebuild(settings: Settings, args: argparse.Namespace) -> int:
    """1 where the rollups were not what the entries say; they are now."""
    uow, _ = _open(settings)
    with uow() as work:
        same = work.ledger.rebuild()
        work.commit()
    result(f"rollups written from the entries; they {'were the same' if same else 'differed'}")
    return 0 if same else 1


def refund(settings: Settings, args: argparse.Namespace) -> int:
    nanos = -amount("amount", args.amount)
    booking = Booking(
        args.answer, BookingKind.REFUND, nanos, args.user, args.reason, args.key, _now()
    )
    uow, _ = _open(settings)
    with uow() as work:
        booked = work.ledger.book(booking)
        work.commit()
    result("refund booked" if booked else "this refund was booked before; nothing changed")
    return 0


def show(settings: Settings, args: argparse.Namespace) -> int:
    """Amounts in nanos."""
    _, reader = _open(settings)
    with reader() as work:
        found: dict[str, list[Any]] = {
            "ceilings": work.ledger.ceilings(),
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
    now = _now()
    wanted = BudgetRaise(
        id=uuid.uuid4().hex[:12],
        scope=args.scope,
        window=Window(args.window),
        nanos=amount("amount", args.amount),
        reason=args.reason,
        asked_by=args.user,
        asked_at=now,
        expires_at=now + timedelta(days=args.days),
    )
    uow, _ = _open(settings)
    with uow() as work:
        work.raises.ask(wanted)
        work.commit()
    result(f"asked for; another person decides: budget grant {wanted.id} --user NAME")
    return 0


def grant(settings: Settings, args: argparse.Namespace) -> int:
    return _decide(settings, args, granted=True)


def decline(settings: Settings, args: argparse.Namespace) -> int:
    return _decide(settings, args, granted=False)


def _decide(settings: Settings, args: argparse.Namespace, granted: bool) -> int:
    uow, _ = _open(settings)
    with uow() as work:
        decided = work.raises.decide(args.raise_id, granted, args.user, _now())
        work.commit()
    result(f"{decided.state}, until {decided.expires_at.isoformat()}")
    return 0


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if value is not None
    }

"""`audit ...`: the log of every change, and whether it is whole."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.bootstrap import load_policy, open_storage
from app.commands.output import as_json, progress, result
from app.commands.pricing import day_of, midnight
from app.commands.who import speaker
from app.ports import AuditFilter, AuditHead
from app.services.audit import Audit, Format, fields
from app.settings import Settings
from policies.errors import InvalidInput, Unavailable
from policies.roles import Actor


def _now() -> datetime:
    return datetime.now(UTC)


def verify(settings: Settings, args: argparse.Namespace) -> int:
    """0 where the chain is whole, else 1 and the entries that break it. Nobody waits meanwhile."""
    uow, reader = open_storage(settings, load_policy(settings.policy), _now)
    broken, head = Audit(uow, reader, _now).verify(head_of(args.head) if args.head else None)
    if args.json:
        found = {"whole": not broken, "entries": head.count, "head": head.hash, "broken": broken}
        as_json(found)
        return 1 if broken else 0
    for line in broken:
        result(line)
    if not broken:
        result(f"the audit log is whole: {head.count} entries, head {head.count}:{head.hash}")
    return 1 if broken else 0


def show(settings: Settings, args: argparse.Namespace) -> int:
    audit, actor = _desk(settings, args)
    entries = audit.latest(actor, _only(settings, args), args.limit)
    if args.json:
        as_json({"entries": [fields(entry) for entry in entries]})
        return 0
    for entry in entries:
        event = entry.event
        details = ", ".join(f"{k} {v}" for k, v in event.details.items() if v not in ("", None))
        result(
            f"{entry.number:6}  {event.at:%Y-%m-%d %H:%M:%S}Z  {event.by:12}  {event.action:16}"
            f"  {event.subject}  {details}".rstrip()
        )
    return 0


def export(settings: Settings, args: argparse.Namespace) -> int:
    audit, actor = _desk(settings, args)
    lines = audit.export(actor, _only(settings, args), Format(args.format))
    if not args.out:
        sys.stdout.writelines(lines)
        return 0
    try:
        with Path(args.out).open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as err:
        raise Unavailable(f"{args.out} cannot be written: {err}") from err
    progress(f"written to {args.out}")
    return 0


def _desk(settings: Settings, args: argparse.Namespace) -> tuple[Audit, Actor]:
    """The use cases, and the person for whom they are used."""
    uow, reader = open_storage(settings, load_policy(settings.policy), _now)
    return Audit(uow, reader, _now), speaker(settings, args, uow, reader, _now)


def _only(settings: Settings, args: argparse.Namespace) -> AuditFilter:
    last = day_of(args.until) + timedelta(days=1) if args.until else None
    return AuditFilter(
        by=args.by,
        actions=(args.action,) if args.action else (),
        subject=args.subject,
        since=midnight(day_of(args.since), settings) if args.since else None,
        until=midnight(last, settings) if last else None,
    )


def head_of(text: str) -> AuditHead:
    number, _, hash_ = text.partition(":")
    if not number.isascii() or not number.isdigit() or int(number) < 1 or len(hash_) != 64:
        raise InvalidInput(
            f"a head is NUMBER:HASH as `verify` prints it, with 64 digits, got {text!r}"
        )
    return AuditHead(int(number), hash_)

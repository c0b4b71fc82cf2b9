"""`review ...`: the queue, verdicts and figures from a shell, by whoever --user names.

Nothing here loads the model: reruns are made on the page.
"""

import argparse
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from app.bootstrap import load_policy, open_storage
from app.commands.output import as_json, result
from app.commands.output import show as named
from app.commands.who import speaker
from app.ports import OpenUnitOfWork, ReviewFilter
from app.services.review import ReviewDesk
from app.services.review_evidence import evidence
from app.services.review_figures import ReviewFigures
from app.services.review_time import BookTime
from app.services.review_waiting import Waiting
from app.settings import Settings
from evaluation.stats import Rate
from policies.document import Policy
from policies.review import ItemState, VerdictKind
from policies.roles import Actor
from policies.types import Importance


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Office:
    """The services of review, and who they are to act for."""

    who: Actor
    reader: OpenUnitOfWork
    desk: ReviewDesk
    waiting: Waiting
    policy: Policy


def _open(settings: Settings, args: argparse.Namespace) -> _Office:
    policy = load_policy(settings.policy)
    uow, reader = open_storage(settings, policy, now)
    desk = ReviewDesk(uow, reader, now, BookTime(uow, now, settings.review_minute_nanos))
    who = speaker(settings, args, uow, reader, now)
    return _Office(who, reader, desk, Waiting(uow, reader, now), policy)


def queue(settings: Settings, args: argparse.Namespace) -> int:
    """Says of each whether this person may claim it, and why not."""
    office = _open(settings, args)
    importance = Importance(args.importance) if args.importance else None
    only = ReviewFilter(importance=importance, state=ItemState(args.state))
    entries = [
        {
            "answer_id": entry.item.answer_id,
            "importance": entry.item.importance.value,
            "kind": entry.item.kind.value,
            "state": entry.item.state.value,
            "verdicts": len(entry.item.decided_by),
            "approvals": entry.item.approvals,
            "due_at": entry.item.due_at.isoformat(),
            "overdue": entry.overdue,
            "bar": entry.bar.value if entry.bar else None,
        }
        for entry in office.desk.queue(office.who, only)
    ]
    if args.json:
        as_json({"queue": entries})
        return 0
    for entry in entries:
        result(", ".join(f"{k} {v}" for k, v in entry.items() if v not in (None, False)))
    return 0


def show(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    with office.reader() as work:
        found = evidence(work, office.policy, office.who, args.answer)
    values: dict[str, Any] = {
        "answer_id": args.answer,
        "state": found.item.state.value,
        "importance": found.item.importance.value,
        "question": found.text.question,
        "answer": found.text.answer,
        "original": found.text.original,
        "nfe": found.row.units.nfe,
        "cost_nanos": found.row.cost_nanos,
        "currency": found.row.currency,
        "reasons": [reason.code for reason in found.reasons],
        "verdicts": [
            {"reviewer": v.reviewer, "kind": v.kind.value, "reason": v.reason}
            for v in found.verdicts
        ],
        "messages": [{"by": m.by, "kind": m.kind.value, "text": m.text} for m in found.messages],
        "others": [{"kind": o.linked.kind.value, "answer": o.text.answer} for o in found.others],
        "similar": [
            {"question": s.past.question, "outcome": s.past.outcome.value} for s in found.similar
        ],
    }
    named(values, args.json)
    return 0


def claim(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    item = office.desk.claim(office.who, args.answer)
    until = item.lease.until.isoformat() if item.lease else None
    named({"answer_id": args.answer, "held_until": until}, args.json)
    return 0


def release(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    office.desk.release(office.who, args.answer)
    named({"answer_id": args.answer, "state": "waiting"}, args.json)
    return 0


def take_over(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    item = office.desk.take_over(office.who, args.answer)
    holder = item.lease.holder if item.lease else None
    named({"answer_id": args.answer, "holder": holder}, args.json)
    return 0


def status(settings: Settings, args: argparse.Namespace) -> int:
    """Of one's own answer: never its words."""
    office = _open(settings, args)
    found = office.waiting.standing(office.who, args.answer)
    values = {
        "answer_id": args.answer,
        "state": found.state.value,
        "outcome": found.outcome.value if found.outcome else None,
        "ahead": found.ahead,
        "due_at": found.due_at.isoformat(),
        "overdue": found.overdue,
        "expected_at": found.expected_at.isoformat() if found.expected_at else None,
        "messages": [{"by": m.by, "kind": m.kind.value, "text": m.text} for m in found.messages],
        "reasons": list(found.reasons),
    }
    named(values, args.json)
    return 0


def approve(settings: Settings, args: argparse.Namespace) -> int:
    return _decide(settings, args, VerdictKind.APPROVE)


def correct(settings: Settings, args: argparse.Namespace) -> int:
    return _decide(settings, args, VerdictKind.CORRECT, args.text)


def reject(settings: Settings, args: argparse.Namespace) -> int:
    return _decide(settings, args, VerdictKind.REJECT)


def ask(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    office.desk.claim(office.who, args.answer)
    office.desk.ask(office.who, args.answer, args.text)
    named({"answer_id": args.answer, "state": "asked"}, args.json)
    return 0


def reply(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    office.waiting.reply(office.who, args.answer, args.text)
    named({"answer_id": args.answer, "state": "waiting"}, args.json)
    return 0


def skip(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    office.desk.claim(office.who, args.answer)
    office.desk.skip(office.who, args.answer, args.text)
    named({"answer_id": args.answer, "state": "waiting"}, args.json)
    return 0


def figures(settings: Settings, args: argparse.Namespace) -> int:
    office = _open(settings, args)
    of = ReviewFigures(office.reader)
    harm = of.missed_harm(office.who)
    values: dict[str, Any] = {
        "quality": [
            _rate(each.approved)
            | {"importance": each.rung.importance.value, "budget": each.rung.nfe_cap_per_token}
            for each in of.quality(office.who)
        ],
        "missed_harm": {
            "out": harm.out,
            "sampled": harm.sampled,
            "decided": harm.decided,
            "harmful": harm.harmful,
        }
        | (_rate(harm.rate) if harm.rate else {}),
        "important": [
            asdict(each) | {"important": _rate(each.important)} for each in of.inflation(office.who)
        ],
    }
    named(values, args.json)
    return 0


def _decide(settings: Settings, args: argparse.Namespace, kind: VerdictKind, text: str = "") -> int:
    """Claims first: a shell holds nothing between two commands."""
    office = _open(settings, args)
    office.desk.claim(office.who, args.answer)
    settled = office.desk.decide(office.who, args.answer, kind, text, args.reason)
    outcome = settled.outcome.value if settled else None
    named({"answer_id": args.answer, "verdict": kind.value, "outcome": outcome}, args.json)
    return 0


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "rate": round(rate.value, 4),
        "ci_low": round(rate.low, 4),
        "ci_high": round(rate.high, 4),
        "n": rate.n,
    }

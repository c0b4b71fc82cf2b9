"""Whether reviews are what the audit log says they are.

The entry of a verdict holds its seal: a SHA-256 over all that the verdict says and the words it was
given over. A salt that stays in the row is part of it, as whoever reads the log must not be able to
guess at words that they may not read. The log's own chain keeps seals from being changed; whether
verdicts come to what was decided, and whether that is what went out, is worked out again.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, select, union

from policies.review import ItemKind, ItemState, OutcomeKind, Settled, Verdict, VerdictKind, settle
from storage.account_tables import audit_log
from storage.review_tables import review_items, review_verdicts
from storage.seals import digest, raw
from storage.tables import answer_bodies, answers, decisions

VERDICT, DECIDE = "review.verdict", "review.decide"
"""Actions of the audit log."""
SAID = (*(raw(c) for c in review_verdicts.columns if c.name != "id"), answer_bodies.c.answer)
"""What the seal of a verdict covers: all of it but a number of the database, and what it judged."""
STATUS = {
    None: "pending_review",
    OutcomeKind.APPROVED: "released",
    OutcomeKind.CORRECTED: "released",
    OutcomeKind.REJECTED: "rejected",
}
"""Of an answer that has to be reviewed, by what was decided."""
AT_ONCE = 300
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class _Case:
    """One answer: its item, its verdicts as they stand, and what the log says of both."""

    item: Row[Any] | None = None
    verdicts: list[Row[Any]] = field(default_factory=list)
    given: list[Row[Any]] = field(default_factory=list)
    decided: list[Row[Any]] = field(default_factory=list)


def seal_of(connection: Connection, answer_id: str, reviewer: str) -> str:
    """Of a verdict that was just given."""
    v = review_verdicts.c
    return _seal(
        connection.execute(
            _verdicts().where(v.answer_id == answer_id, v.reviewer == reviewer)
        ).one()
    )


def broken_reviews(connection: Connection, pilot_id: str) -> Iterator[str]:
    """A sentence for everything that is otherwise than the log has it; never a word of a text."""
    v, i, a = review_verdicts.c, review_items.c, audit_log.c
    logged = and_(a.pilot_id == pilot_id, a.action.in_((VERDICT, DECIDE)))
    known = union(
        select(i.answer_id.label("id")).where(i.pilot_id == pilot_id),
        select(v.answer_id).where(v.pilot_id == pilot_id),
        select(a.subject).where(logged),
    ).subquery()
    page, last = select(known.c.id).order_by(known.c.id).limit(AT_ONCE), ""
    while ids := connection.execute(page.where(known.c.id > last)).scalars().all():
        for answer_id, case in sorted(_cases(connection, pilot_id, ids).items()):
            yield from (f"review of answer {answer_id}: {said}" for said in _broken(case))
        last = ids[-1]


def _cases(connection: Connection, pilot_id: str, ids: Sequence[str]) -> Mapping[str, _Case]:
    found: defaultdict[str, _Case] = defaultdict(_Case)
    v, a = review_verdicts.c, audit_log.c
    for row in connection.execute(_items().where(review_items.c.answer_id.in_(ids))):
        if row.pilot_id == pilot_id:
            found[row.answer_id].item = row
    given = _verdicts().where(v.pilot_id == pilot_id, v.answer_id.in_(ids))
    for row in connection.execute(given.order_by(v.id)):
        found[row.answer_id].verdicts.append(row)
    entries = select(a.subject, a.action, a.by, a.at, a.details).where(
        a.pilot_id == pilot_id, a.subject.in_(ids), a.action.in_((VERDICT, DECIDE))
    )
    for row in connection.execute(entries.order_by(a.number)):
        case = found[row.subject]
        (case.given if row.action == VERDICT else case.decided).append(row)
    return found


def _items() -> Select[Any]:
    i = review_items
    names = ("answer_id", "pilot_id", "kind", "approvals", "state", "outcome", "decided_at")
    return (
        select(*(raw(i.c[name]) for name in names))
        .add_columns(answers.c.status, answer_bodies.c.corrected, raw(decisions.c.review))
        .outerjoin_from(i, answers, answers.c.id == i.c.answer_id)
        .outerjoin(answer_bodies, answer_bodies.c.answer_id == i.c.answer_id)
        .outerjoin(decisions, decisions.c.answer_id == i.c.answer_id)
    )


def _verdicts() -> Select[Any]:
    v = review_verdicts
    body = answer_bodies.c.answer_id == v.c.answer_id
    return select(*SAID).select_from(v.outerjoin(answer_bodies, body))


def _broken(case: _Case) -> Iterator[str]:
    if len(case.verdicts) != len(case.given):
        yield f"the log has {len(case.given)} verdicts, there are {len(case.verdicts)}"
    strange = [
        f"the verdict of {row.reviewer} does not fit its entry in the log"
        for row, entry in zip(case.verdicts, case.given, strict=False)
        if not _fits(row, entry)
    ]
    yield from strange
    if case.item is None:
        yield "it was decided over, and is not among the reviews"
        return
    settled = None
    if not strange:
        settled = settle(case.item.approvals, [_verdict(row) for row in case.verdicts])
    yield from _decision(case, case.item)
    yield from _outcome(case.item, settled, known=not strange)


def _decision(case: _Case, item: Row[Any]) -> Iterator[str]:
    """Against the entry of the log that says what was decided and when."""
    logged = [(_details(e).get("outcome"), _instant(e.at)) for e in case.decided]
    if item.kind not in list(ItemKind):
        yield f"it is of no known kind: {item.kind}"
    stands = (item.outcome, _instant(item.decided_at))
    closed = item.state == ItemState.DECIDED
    if logged != ([stands] if closed else []) or (closed is (item.outcome is None)):
        yield (
            f"it is {item.state} {item.outcome or ''}".rstrip()
            + f", the log has {', '.join(str(o) for o, _ in logged) or 'no decision'}"
        )


def _outcome(item: Row[Any], settled: Settled | None, known: bool) -> Iterator[str]:
    """Against the verdicts, and against what is out."""
    if known and item.outcome != (settled and settled.outcome):
        yield f"its verdicts come to {settled and settled.outcome}, it is {item.outcome}"
    words = ""
    needed = _approvals(item.review)
    if item.kind == ItemKind.REQUIRED:
        if item.approvals != needed:
            yield f"its policy asked for {needed} approvals, the review for {item.approvals}"
        if item.status != STATUS.get(item.outcome):
            yield f"the answer is {item.status}, what was decided is {item.outcome}"
        words = settled.correction if settled else ""
    elif needed or item.approvals != 1:
        yield f"its policy asked for {needed} approvals, a random check needs one and comes after"
    if known and (item.corrected or "") != words:
        yield "the words that are out are not those of its verdicts"


def _fits(row: Row[Any], entry: Row[Any]) -> bool:
    said = _details(entry)
    if "seal" in said:
        return bool(entry.by == row.reviewer and said["seal"] == _seal(row))
    stands = (row.reviewer, row.kind, row.source or "", row.claim, _instant(row.given_at))
    logged = (entry.by, *(said.get(name) for name in ("kind", "source", "claim")))
    return bool(stands == (*logged, _instant(entry.at)))


def _seal(row: Row[Any]) -> str:
    return digest(list(row))


def _verdict(row: Row[Any]) -> Verdict:
    return Verdict(row.reviewer, VerdictKind(row.kind), SOME_TIME, row.correction or "")


def _details(entry: Row[Any]) -> dict[str, Any]:
    """Nothing where they cannot be read: the chain says so."""
    try:
        said = json.loads(entry.details)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _approvals(review: str | None) -> int | None:
    """Of a decision; None where it cannot be read: the ledger says so."""
    try:
        return int(json.loads(review or "null")["approvals"])
    except (ValueError, TypeError, KeyError):
        return None


def _instant(value: Any) -> str:
    """Of the log, of either database: the same text for the same instant."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()

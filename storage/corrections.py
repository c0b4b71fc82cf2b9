"""Refunds, corrections and reviews: new lines beside those that stand."""

from sqlalchemy import Connection, select, update

from policies.document import Alerts
from policies.errors import InvalidInput, KeyReused
from storage import alerts, entries
from storage.counters import Counters
from storage.entries import Entry
from storage.ledger_tables import ledger_entries
from storage.refusals import over
from storage.tables import answers

OPEN = ("running", "refused")
"""Answers in these states have no charge yet that anything could be said of."""


def book(
    connection: Connection, pilot_id: str, counters: Counters, entry: Entry, who_hears: Alerts
) -> bool:
    """False where the key booked the same before. Raises what app.ports.Ledger.book says."""
    if (entry.nanos < 0) != (entry.kind == "refund") or entry.nanos == 0:
        raise InvalidInput(
            f"a refund is below zero, a correction or review above; got {entry.nanos} nanos "
            f"for a {entry.kind}"
        )
    if not entry.reason.strip():
        raise InvalidInput(f"a {entry.kind} needs a reason", reason="booking_reason")
    if _booked(connection, pilot_id, entry):
        return False
    _change_cost(connection, pilot_id, entry)
    if entry.nanos < 0:
        counters.refund(entry.payer, entry.day, -entry.nanos)
    else:
        standing, fits = counters.add(entry.payer, entry.day, entry.nanos)
        if not fits:
            raise over(standing, [entry.nanos] * len(standing))
        alerts.note(connection, pilot_id, standing, who_hears, entry.charged_at)
    entries.write(connection, pilot_id, entry)
    return True


def _booked(connection: Connection, pilot_id: str, entry: Entry) -> bool:
    e = ledger_entries.c
    found = connection.execute(
        select(e.kind, e.answer_id, e.nanos, e.booked_by, e.reason).where(
            e.pilot_id == pilot_id, e.entry_key == entry.entry_key
        )
    ).one_or_none()
    if found is None:
        return False
    body = (entry.kind, entry.answer_id, entry.nanos, entry.booked_by, entry.reason)
    if tuple(found) != body:
        raise KeyReused("this key was used for another booking", answer_id=found.answer_id)
    return True


def _change_cost(connection: Connection, pilot_id: str, entry: Entry) -> None:
    """What an answer costs is all its lines together, and never below nothing."""
    changed = (
        update(answers)
        .where(answers.c.pilot_id == pilot_id, answers.c.id == entry.answer_id)
        .where(answers.c.status.not_in(OPEN), answers.c.cost_nanos + entry.nanos >= 0)
        .values(cost_nanos=answers.c.cost_nanos + entry.nanos)
    )
    if connection.execute(changed).rowcount == 1:
        return
    this = select(answers.c.status, answers.c.cost_nanos).where(answers.c.id == entry.answer_id)
    row = connection.execute(this).one()
    raise InvalidInput(
        f"answer {entry.answer_id} is {row.status} and cost {row.cost_nanos} nanos; "
        f"{entry.nanos} cannot be booked on it"
    )

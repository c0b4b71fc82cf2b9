"""Whether every row fits its seal, every table its tally, and the ledger's lines make one chain.

Read as they come: nothing is kept but the last hash and a sum. Each line is held against the stored
hash of the one before, so that one change is one or two sentences and not one for all behind it.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Select, Table, and_, select

from storage.ledger_tables import holds, ledger_entries, seal_tallies
from storage.review_tables import review_items
from storage.seals import (
    BEFORE_THE_FIRST,
    CHAINED,
    END,
    ENDED_AS,
    LINE,
    MODULUS,
    SEALED,
    TALLIED,
    digest,
    number,
    raw,
    tally,
)
from storage.tables import answers, decisions, pilots

STREAMED: Any = {"yield_per": 5000}
WORDS = {
    "decisions": "decision of answer",
    "holds": "hold",
    "price_lists": "price list",
    "budgets": "budget",
    "budget_raises": "raise",
    "policy_versions": "policy",
    "policy_proposals": "proposal of policy",
    "policy_activations": "activation",
}


def broken_seals(connection: Connection, pilot_id: str) -> Iterator[str]:
    """A sentence for every row that was changed, removed or added past the ledger."""
    for table in SEALED:
        yield from _table(connection, pilot_id, table)
    known, t = [table.name for table in TALLIED], seal_tallies.c
    unknown = select(t.name).where(t.pilot_id == pilot_id, t.name.not_in(known))
    for name in connection.execute(unknown.order_by(t.name)).scalars():
        yield f"tally of {name}: no table is counted under this name"
    yield from _lines(connection, pilot_id)


def rows_of(pilot_id: str, table: Table) -> Select[Any]:
    """Its key, its seal, then what the seal covers."""
    keys = [raw(c) for c in table.primary_key if c.name != "pilot_id"]
    key = keys[0].label("key")
    rows = select(key, table.c.seal, *map(raw, SEALED[table]))
    if table is decisions:
        asked = and_(answers.c.id == decisions.c.answer_id, _same_pilot(answers, decisions))
        rows = rows.outerjoin_from(decisions, answers, asked)
    if table in CHAINED:
        rows = rows.order_by(keys[0])
    return rows.where(table.c.pilot_id == pilot_id)


def lines_of(pilot_id: str) -> Select[Any]:
    """Number and hash, then what the hash covers: the line, then what a charge came from."""
    e = ledger_entries
    held = and_(holds.c.id == e.c.hold_id, _same_pilot(holds, e))
    decided = and_(decisions.c.answer_id == holds.c.answer_id, _same_pilot(decisions, e))
    asked = and_(answers.c.id == holds.c.answer_id, _same_pilot(answers, e))
    waited = and_(review_items.c.answer_id == holds.c.answer_id, _same_pilot(review_items, e))
    origin = (holds.c.seal, decisions.c.seal, *map(raw, END), ENDED_AS)
    joined = (
        e.outerjoin(holds, held)
        .outerjoin(decisions, decided)
        .outerjoin(answers, asked)
        .outerjoin(review_items, waited)
    )
    rows = select(e.c.id, e.c.hash, *map(raw, LINE), *origin).select_from(joined)
    return rows.where(e.c.pilot_id == pilot_id).order_by(e.c.id)


def _table(connection: Connection, pilot_id: str, table: Table) -> Iterator[str]:
    """Rows of one table, and what their seals add up to."""
    word, count, total = WORDS[table.name], 0, 0
    before = [BEFORE_THE_FIRST] if table in CHAINED else []
    for key, seal, *said in connection.execute(
        rows_of(pilot_id, table), execution_options=STREAMED
    ):
        if digest([*before, *said]) != seal:
            yield f"{word} {key}: it does not fit its seal"
        before = [seal] if before else before
        count, total = count + 1, total + number(seal)
    if table not in TALLIED:
        return
    kept = tally(connection, pilot_id, table.name)
    found = (count, total % MODULUS)
    if kept != found:
        yield (
            f"tally of {table.name}: the pilot counted {kept[0]} rows that come to "
            f"{kept[1] % 2**48:012x}, there are {found[0]} that come to {found[1] % 2**48:012x}"
        )


def _lines(connection: Connection, pilot_id: str) -> Iterator[str]:
    count, before = 0, BEFORE_THE_FIRST
    for row, hash_, *said in connection.execute(lines_of(pilot_id), execution_options=STREAMED):
        count += 1
        if digest([before, *said]) != hash_:
            yield f"ledger entry {row}: its hash does not fit it, its origin and the one before"
        before = hash_
    p = pilots.c
    head = select(p.entries_count, p.entries_hash).where(p.id == pilot_id)
    kept_count, kept = connection.execute(head).one()
    if (kept_count, kept or BEFORE_THE_FIRST) != (count, before):
        yield (
            f"ledger head: the pilot's row says {kept_count} entries ending in {kept[:12]}, "
            f"there are {count} ending in {before[:12]}"
        )


def _same_pilot(one: Table, other: Table) -> Any:
    return one.c.pilot_id == other.c.pilot_id

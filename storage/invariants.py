"""What must hold of the money, over the whole database in a few passes that keep nothing but sums.

Plain SQL on purpose: it shares no code with the ledger it checks, but for what a seal is.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, text

from storage.seal_check import broken_seals

MOST = 1000
"""Sentences given at once; a database that breaks more is broken anyway."""

Sums = dict[tuple[str, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Pass:
    """One scan, and every rule that can be seen from a row of it: what breaks it, what is said."""

    rows: str
    rules: tuple[tuple[str, str], ...]


PASSES = (
    Pass(
        """
        SELECT id AS row, committed_nanos AS committed, held_nanos AS held, limit_nanos AS most
        FROM budgets WHERE pilot_id = :pilot
        """,
        (
            (
                "committed + held > most",
                "budget {row}: {committed} nanos committed and {held} held pass its limit {most}",
            ),
        ),
    ),
    Pass(
        """
        SELECT h.id AS row, h.state AS state, h.nanos AS held, h.day AS day,
            a.id AS answer, a.status AS status, d.quote_nanos AS quote,
            CASE WHEN e.id IS NULL THEN 0 ELSE 1 END AS entries,
            CASE WHEN h.state = 'open' THEN 0 ELSE 1 END AS expected,
            e.id AS entry, e.nanos AS charged,
            e.prompt_tokens * p.prompt_token_nanos + e.decode_tokens * p.decode_token_nanos
                + e.nfe * p.nfe_nanos AS worth,
            e.prompt_tokens <> a.prompt_tokens OR e.decode_tokens <> a.decode_tokens
                OR e.nfe <> a.nfe AS other_units,
            e.answer_id <> a.id OR e.day <> h.day OR e.user_name <> a.user_name
                OR e.team <> a.team OR e.importance <> d.granted OR e.domain <> d.domain
                OR e.currency <> d.currency OR e.price_version <> d.price_version AS other_payer
        FROM holds h
        JOIN answers a ON a.id = h.answer_id
        JOIN decisions d ON d.answer_id = h.answer_id
        LEFT JOIN ledger_entries e ON e.hold_id = h.id
        LEFT JOIN price_lists p ON p.pilot_id = e.pilot_id AND p.version = e.price_version
        WHERE h.pilot_id = :pilot
        """,
        (
            (
                "entries <> expected",
                "hold {row}: it is {state} and has {entries} ledger entries, expected {expected}",
            ),
            (
                "held <> quote",
                "hold {row}: it holds {held} nanos, the quote of its answer is {quote}",
            ),
            (
                "charged > held",
                "ledger entry {entry}: it charges {charged} nanos, {held} were held",
            ),
            ("other_units", "ledger entry {entry}: its units are not those of answer {answer}"),
            ("other_payer", "ledger entry {entry}: it is not booked to those of answer {answer}"),
            (
                "charged <> worth AND NOT (state = 'expired' AND charged = held AND worth > held)",
                "ledger entry {entry}: it charges {charged} nanos, its units cost {worth} on its "
                "price list",
            ),
        ),
    ),
    Pass(
        """
        SELECT a.id AS row, a.status AS state, a.cost_nanos AS cost,
            CASE WHEN d.answer_id IS NULL THEN 0 ELSE 1 END AS decided,
            CASE WHEN a.status IN ('running', 'refused') AND (a.nfe_per_token <> 0
                OR a.prompt_tokens <> 0 OR a.decode_tokens <> 0 OR a.nfe <> 0
                OR a.changed_tokens <> 0 OR a.device_seconds <> 0
                OR COALESCE(a.finished_at <> a.created_at, FALSE)
                OR (a.status = 'running') <> (a.finished_at IS NULL))
                THEN 1 ELSE 0 END AS worked,
            CASE WHEN i.kind <> 'required' OR i.kind IS NULL THEN
                    CASE WHEN a.status IN ('pending_review', 'rejected') THEN 'not waiting'
                        ELSE a.status END
                WHEN i.state <> 'decided' THEN 'pending_review'
                WHEN i.outcome = 'rejected' THEN 'rejected' ELSE 'released' END AS reviewed,
            CASE WHEN h.state = 'open' THEN 1 ELSE 0 END AS holds,
            CASE WHEN a.status = 'running' THEN 1 ELSE 0 END AS open,
            CASE WHEN a.status IN ('running', 'refused') THEN 0 ELSE 1 END AS due,
            (SELECT COUNT(*) FROM ledger_entries e
                WHERE e.answer_id = a.id AND e.kind = 'charge') AS charges,
            (SELECT COALESCE(SUM(e.nanos), 0) FROM ledger_entries e
                WHERE e.answer_id = a.id) AS total
        FROM answers a
        LEFT JOIN holds h ON h.answer_id = a.id AND h.pilot_id = a.pilot_id
        LEFT JOIN decisions d ON d.answer_id = a.id AND d.pilot_id = a.pilot_id
        LEFT JOIN review_items i ON i.answer_id = a.id AND i.pilot_id = a.pilot_id
        WHERE a.pilot_id = :pilot
        """,
        (
            (
                "holds <> open",
                "answer {row}: it is {state} and has {holds} holds open, expected {open}",
            ),
            (
                "charges <> due",
                "answer {row}: it is {state} and has {charges} charges, expected {due}",
            ),
            ("decided = 0", "answer {row}: nothing says how it was decided"),
            ("worked = 1", "answer {row}: it is {state}, but has work that was done"),
            ("state <> reviewed", "answer {row}: it is {state}, by its review {reviewed}"),
            ("cost <> total", "answer {row}: its cost is {cost} nanos, its entries sum to {total}"),
        ),
    ),
    Pass(
        """
        SELECT c.answer_id AS row, c.number AS number, COALESCE(c.nanos, 0) AS cost,
            COALESCE(e.nanos, 0) AS booked,
            e.booked_by <> c.reviewer OR e.reason <> c.seconds || ' s of review' AS otherwise
        FROM review_claims c LEFT JOIN ledger_entries e
            ON e.pilot_id = c.pilot_id AND e.entry_key = 'review:' || c.answer_id || ':' || c.number
        WHERE c.pilot_id = :pilot
        """,
        (
            (
                "cost <> booked",
                "claim {number} of answer {row}: it cost {cost} nanos, its ledger entry says "
                "{booked}",
            ),
            (
                "otherwise",
                "claim {number} of answer {row}: its ledger entry says who or how long otherwise",
            ),
        ),
    ),
    Pass(
        """
        SELECT e.id AS row, e.entry_key AS entry_key,
            CASE WHEN c.number IS NULL THEN 0 ELSE 1 END AS claims
        FROM ledger_entries e LEFT JOIN review_claims c
            ON c.answer_id = e.answer_id AND c.pilot_id = e.pilot_id
            AND e.entry_key = 'review:' || c.answer_id || ':' || c.number
        WHERE e.pilot_id = :pilot AND e.kind = 'review' AND e.entry_key LIKE 'review:%'
        """,
        (("claims = 0", "ledger entry {row}: there is no claim {entry_key}"),),
    ),
)

ENTRIES = """
    SELECT day, team, user_name, importance, domain, currency,
        SUM(CASE WHEN kind = 'charge' THEN 1 ELSE 0 END), COUNT(*), SUM(prompt_tokens),
        SUM(decode_tokens), SUM(nfe), SUM(CASE WHEN nanos > 0 THEN nanos ELSE 0 END),
        SUM(CASE WHEN nanos < 0 THEN -nanos ELSE 0 END)
    FROM ledger_entries WHERE pilot_id = :pilot
    GROUP BY day, team, user_name, importance, domain, currency
    """
ROLLUPS = """
    SELECT day, team, user_name, importance, domain, currency, answers, entries, prompt_tokens,
        decode_tokens, nfe, charged_nanos, refunded_nanos
    FROM spend_days WHERE pilot_id = :pilot
    """
HOLDS = """
    SELECT h.day, a.team, a.user_name, d.granted, d.domain, d.currency, SUM(h.nanos)
    FROM holds h JOIN answers a ON a.id = h.answer_id JOIN decisions d ON d.answer_id = h.answer_id
    WHERE h.pilot_id = :pilot AND h.state = 'open'
    GROUP BY h.day, a.team, a.user_name, d.granted, d.domain, d.currency
    """
BUDGETS = """
    SELECT id, scope, subject, "window", window_start, committed_nanos, refunded_nanos, held_nanos
    FROM budgets WHERE pilot_id = :pilot ORDER BY id
    """


def broken(connection: Connection, pilot_id: str) -> list[str]:
    """A sentence for every row that breaks an invariant, up to MOST; empty when all hold."""
    return list(islice(_broken(connection, pilot_id), MOST))


def _broken(connection: Connection, pilot_id: str) -> Iterator[str]:
    entries = _sums(connection, ENTRIES, pilot_id)
    yield from _budgets(connection, pilot_id, entries)
    for rules in PASSES:
        yield from _rows(connection, pilot_id, rules)
    yield from _rollups(entries, _sums(connection, ROLLUPS, pilot_id))
    yield from broken_seals(connection, pilot_id)


def _rows(connection: Connection, pilot_id: str, scan: Pass) -> Iterator[str]:
    flags = {f"broken_{place}": rule for place, (rule, _) in enumerate(scan.rules)}
    marked = ", ".join(f"({rule}) AS {flag}" for flag, rule in flags.items())
    query = f"""
        SELECT * FROM (SELECT seen.*, {marked} FROM ({scan.rows}) AS seen) AS marked
        WHERE {" OR ".join(flags)}
        """
    for row in _stream(connection, query, pilot_id):
        values = row._asdict()
        for flag, (_, message) in zip(flags, scan.rules, strict=True):
            if values[flag]:
                yield message.format(**values)


def _budgets(connection: Connection, pilot_id: str, entries: Sums) -> Iterator[str]:
    """Every counter against all that was booked and all that is held in its scope and window."""
    spent: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for key, sums in entries.items():
        for account in _accounts(key):
            spent[account][0] += sums[5]
            spent[account][1] += sums[6]
    for key, sums in _sums(connection, HOLDS, pilot_id).items():
        for account in _accounts(key):
            spent[account][2] += sums[0]
    said = (
        "budget {}: committed is {} nanos, its ledger entries sum to {}",
        "budget {}: refunded is {} nanos, its refunds sum to {}",
        "budget {}: held is {} nanos, its open holds sum to {}",
    )
    for row in _stream(connection, BUDGETS, pilot_id):
        expected = spent[tuple(row[1:5])]
        for place, message in enumerate(said):
            if row[5 + place] != expected[place]:
                yield message.format(row.id, row[5 + place], expected[place])


def _accounts(key: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    day, team, user, importance, _domain, _currency = key
    for scope in (("pilot", ""), ("team", team), ("user", user), ("importance", importance)):
        for window in (("day", day), ("month", day[:7]), ("whole", "")):
            yield scope + window


def _rollups(entries: Sums, rollups: Sums) -> Iterator[str]:
    for key in sorted(entries.keys() | rollups.keys()):
        nothing = (0,) * 7
        found, expected = rollups.get(key, nothing), entries.get(key, nothing)
        if found != expected:
            yield f"rollup {' '.join(key)}: it is {found}, its ledger entries come to {expected}"


def _sums(connection: Connection, query: str, pilot_id: str) -> Sums:
    return {
        tuple(row[:6]): tuple(map(int, row[6:])) for row in _stream(connection, query, pilot_id)
    }


def _stream(connection: Connection, query: str, pilot_id: str) -> Iterator[Row[Any]]:
    yield from connection.execute(
        text(query), {"pilot": pilot_id}, execution_options={"yield_per": 1000}
    )

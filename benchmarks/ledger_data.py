"""Fills a database with a pilot of any size: answers, their holds, entries, rollups and budgets.

Written by the database itself, so that a million answers take minutes, and by arithmetic instead of
chance, so that two runs are the same. What it writes keeps every invariant. Each chunk is one
transaction: a run that was stopped goes on where it was.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, text

from policies.pricing import price
from policies.types import Units
from storage.seal_all import seal_all
from storage.unit_of_work import open_writer
from tests.databases import PILOT, POLICY, PRICES, fill

FIRST_SECOND = 1_762_160_400
"""2025-11-03 09:00 UTC."""
SECONDS_APART = 8
"""A million answers in 93 days."""
TEAMS, USERS = 12, 300
LIMIT_NANOS = 10**15

NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n "
    "WHERE i + 1 < {last}) SELECT i FROM n",
    "postgresql": "SELECT i FROM generate_series({first}, {last} - 1) AS n(i)",
}
INSTANT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', {second}, 'unixepoch')",
    "postgresql": "to_timestamp({second})",
}
DAY = {
    "sqlite": "strftime('%Y-%m-%d', {second}, 'unixepoch')",
    "postgresql": "to_char(to_timestamp({second}) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
}
NAME = {"sqlite": "printf('a%08d', i)", "postgresql": "'a' || lpad(i::text, 8, '0')"}
TOKENS = "(1 + (i % 96) * 47 % 96)"
PROMPT = 20
QUOTE = Units(PROMPT, 96, 288)
LATER = (("correction", 30), ("refund", -20), ("review", 5), ("refund", -10))
"""What is booked on an answer beside its charge, one after another."""
CHUNK = 50_000


def generate(
    engine: Engine,
    answers: int,
    entries_each: int = 5,
    told: Callable[[int], None] = lambda _answers: None,
) -> None:
    """Up to so many answers; `told` how many there are. Every run must give the same numbers.

    Raises ValueError for more entries than there are kinds of.
    """
    if not 1 <= entries_each <= 1 + len(LATER):
        raise ValueError(f"an answer has 1 to {1 + len(LATER)} entries, got {entries_each}")
    fill(engine)
    for first in range(_there(engine), answers, CHUNK):
        with engine.begin() as connection:
            for statement in _statements(connection, first, min(first + CHUNK, answers)):
                connection.execute(text(statement))
            for place in range(entries_each - 1):
                connection.execute(text(_later(connection, first, place, answers)))
        told(min(first + CHUNK, answers))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM budgets"))
    with open_writer(engine, PILOT)() as unit:
        unit.ledger.rebuild()
        for scope in ("pilot", "team:team-3", "user:user-7", "importance:high"):
            unit.ledger.set_limit(scope, LIMIT_NANOS, PRICES.currency)
        unit.commit()
    _analyse(engine)
    with engine.begin() as connection:
        seal_all(connection)


def last_instant(answers: int) -> datetime:
    """When the last of so many answers was asked."""
    return datetime.fromtimestamp(FIRST_SECOND + answers * SECONDS_APART, UTC)


def _there(engine: Engine) -> int:
    """Answers that an earlier run wrote, all of their chunk with every line."""
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM answers")).scalar_one())


def _analyse(engine: Engine) -> None:
    """Both databases plan by statistics; a pilot that grew slowly would have them."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _statements(connection: Connection, first: int, last: int) -> Iterator[str]:
    dialect = connection.dialect.name
    numbers = NUMBERS[dialect].format(first=first, last=last)
    second = f"{FIRST_SECOND} + i * {SECONDS_APART}"
    at, day = INSTANT[dialect].format(second=second), DAY[dialect].format(second=second)
    user, team = f"'user-' || (i % {USERS})", f"'team-' || (i % {TEAMS})"
    importance = "CASE i % 4 WHEN 0 THEN 'high' WHEN 1 THEN 'routine' ELSE 'standard' END"
    domain = "CASE i % 3 WHEN 0 THEN 'math' WHEN 1 THEN 'data' ELSE 'business' END"
    cost = (
        f"({PROMPT * PRICES.prompt_token_nanos} + {TOKENS} * {PRICES.decode_token_nanos} "
        f"+ {TOKENS} * 3 * {PRICES.nfe_nanos})"
    )
    quote = price(QUOTE, PRICES)
    if first == 0:
        yield f"""
            INSERT INTO users (pilot_id, name, created_at)
            SELECT '{PILOT}', {user}, {at}
            FROM ({NUMBERS[dialect].format(first=0, last=USERS)}) AS n
            """
    yield f"""
        INSERT INTO answers (id, pilot_id, user_name, team, status, idempotency_key, request_sha256,
            seed, model, adapter_sha256, nfe_per_token, prompt_tokens, decode_tokens, nfe,
            cost_nanos, device_seconds, created_at, finished_at)
        SELECT {NAME[dialect]}, '{PILOT}', {user}, {team}, 'released', {NAME[dialect]}, 'r', i,
            '{{}}', 'a', 3, {PROMPT}, {TOKENS}, {TOKENS} * 3, {cost}, 0.5, {at}, {at}
        FROM ({numbers}) AS n
        """
    yield f"""
        INSERT INTO answer_bodies (answer_id, pilot_id, question, answer)
        SELECT {NAME[dialect]}, '{PILOT}', 'How many pens are left of ' || i || '?', 'i think ' || i
        FROM ({numbers}) AS n
        """
    yield f"""
        INSERT INTO decisions (answer_id, pilot_id, asked, granted, domain, solver,
            nfe_cap_per_token, rung, quote_prompt_tokens, quote_decode_tokens, quote_nfe,
            quote_nanos, currency, reasons, policy_version, price_version)
        SELECT {NAME[dialect]}, '{PILOT}', {importance}, {importance}, {domain}, 'midpoint', 3,
            '{{}}', {PROMPT}, {QUOTE.decode_tokens}, {QUOTE.nfe}, {quote}, '{PRICES.currency}',
            '[]', '{POLICY.version}', '{PRICES.version}'
        FROM ({numbers}) AS n
        """
    yield f"""
        INSERT INTO holds (id, pilot_id, answer_id, nanos, state, day, created_at, expires_at,
            closed_at)
        SELECT {NAME[dialect]}, '{PILOT}', {NAME[dialect]}, {quote}, 'settled', {day}, {at}, {at},
            {at}
        FROM ({numbers}) AS n
        """
    yield f"""
        INSERT INTO ledger_entries (pilot_id, kind, hold_id, answer_id, day, user_name, team,
            importance, domain, prompt_tokens, decode_tokens, nfe, nanos, currency, price_version,
            charged_at)
        SELECT '{PILOT}', 'charge', {NAME[dialect]}, {NAME[dialect]}, {day}, {user}, {team},
            {importance}, {domain}, {PROMPT}, {TOKENS}, {TOKENS} * 3, {cost}, '{PRICES.currency}',
            '{PRICES.version}', {at}
        FROM ({numbers}) AS n
        """


def _later(connection: Connection, first: int, place: int, answers: int) -> str:
    """One more line for each answer of the chunk, and its cost on the answer."""
    kind, nanos = LATER[place]
    last = min(first + CHUNK, answers)
    these = f"answer_id >= 'a{first:08d}' AND answer_id < 'a{last:08d}'"
    connection.execute(
        text(
            f"UPDATE answers SET cost_nanos = cost_nanos + {nanos} "
            f"WHERE {these.replace('answer_id', 'id')}"
        )
    )
    return f"""
        INSERT INTO ledger_entries (pilot_id, kind, answer_id, day, user_name, team, importance,
            domain, nanos, currency, price_version, booked_by, reason, charged_at)
        SELECT pilot_id, '{kind}', answer_id, day, user_name, team, importance, domain, {nanos},
            currency, price_version, 'bob', 'generated', charged_at
        FROM ledger_entries WHERE kind = 'charge' AND {these}
        """

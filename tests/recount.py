"""The money of a race counted again from the rows, by other code than the ledger's.

Each end condition counts what it compared: a check that looked at nothing is a fault as well.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from app.ports import OpenUnitOfWork
from policies.document import Policy

Row = dict[str, Any]
Key = tuple[str, str, str, str]
"""Scope, subject, window, start."""
NAMES = {"team": "team", "user": "user_name", "importance": "importance"}
LENGTH = {"day": 10, "month": 7, "whole": 0}
"""Of a local day, as far as a window reads it."""


@dataclass
class Count:
    """What was found after every lease had ended."""

    submits_admitted: int = 0
    submits_refused: int = 0
    left_open: int = 0
    """Holds whose process or thread was gone: settled by the sweep to the work recorded."""
    policies_activated: int = 0
    raises_granted: int = 0
    committed_nanos: int = 0
    compared: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def same(self, what: str, where: object, found: int, expected: int) -> None:
        self.compared[what] = self.compared.get(what, 0) + 1
        if found != expected:
            self.faults.append(f"{what}: {where} is {found}, expected {expected}")

    def at_most(self, what: str, where: object, found: int, most: int) -> None:
        self.compared[what] = self.compared.get(what, 0) + 1
        if found > most:
            self.faults.append(f"{what}: {where} is {found}, at most {most}")


def recount(
    uow: OpenUnitOfWork, engine: Engine, policies: Sequence[Policy], end: datetime
) -> Count:
    """Lets every lease end, then checks each end condition of the race."""
    count = Count()
    with engine.connect() as connection:
        open_holds = [r for r in _rows(connection, "holds") if r["state"] == "open"]
        count.left_open = len(open_holds)
    with uow() as unit:
        unit.ledger.expire(end)
        unit.commit()
    with uow() as unit:
        count.faults += unit.ledger.verify()
    with engine.connect() as connection:
        budgets, entries = _rows(connection, "budgets"), _rows(connection, "ledger_entries")
        answers, raises = _rows(connection, "answers"), _rows(connection, "budget_raises")
        days, changes = _rows(connection, "spend_days"), _rows(connection, "policy_activations")
    # One that died in the middle was made once more, under another life's number.
    count.submits_admitted = len({answer["id"].rpartition("-")[0] for answer in answers})
    count.raises_granted = len(raises)
    count.policies_activated = len(changes) - 1
    count.committed_nanos = sum(entry["nanos"] for entry in entries)
    _counters(count, budgets, entries)
    _never_over(count, budgets, policies, raises)
    _windows(count, budgets)
    _children(count, budgets)
    _each_charged_once(count, answers, entries, open_holds)
    count.same("rollups", "all", sum(d["charged_nanos"] for d in days), count.committed_nanos)
    expected = {"entries", "limit", "held", "most", "months", "whole", "children", "charged once"}
    for unseen in sorted(expected - set(count.compared)):
        count.faults.append(f"{unseen}: nothing was compared")
    return count


def _counters(count: Count, budgets: list[Row], entries: list[Row]) -> None:
    """Committed is the sum of the entries, under the limit, and nothing is held."""
    spent: defaultdict[Key, int] = defaultdict(int)
    for entry in entries:
        for key in _counts_under(entry):
            spent[key] += entry["nanos"]
    for budget in budgets:
        key = _key(budget)
        count.same("entries", key, budget["committed_nanos"], spent[key])
        count.at_most("limit", key, budget["committed_nanos"], budget["limit_nanos"])
        count.same("held", key, budget["held_nanos"], 0)


def _never_over(
    count: Count, budgets: list[Row], policies: Sequence[Policy], raises: list[Row]
) -> None:
    """No window has more than the most that any policy and all raises ever allowed it.

    Where a policy names no ceiling, it allows anything.
    """
    named = [{(c.scope, c.window.value): c.limit_nanos for c in p.ceilings} for p in policies]
    for budget in budgets:
        rule = (budget["scope"], budget["window"])
        if not all(rule in policy for policy in named):
            continue
        mine = ("scope", "subject", "window")
        raised = sum(r["nanos"] for r in raises if all(r[name] == budget[name] for name in mine))
        most = max(policy[rule] for policy in named) + raised
        count.at_most("most", _key(budget), budget["committed_nanos"], most)


def _windows(count: Count, budgets: list[Row]) -> None:
    """Days add up to their month, months to the whole."""
    committed = {_key(budget): budget["committed_nanos"] for budget in budgets}
    for (scope, subject, window, start), nanos in committed.items():
        part = {"month": "day", "whole": "month"}.get(window)
        parts = [
            spent
            for (s, name, w, begun), spent in committed.items()
            if (s, name, w) == (scope, subject, part) and begun.startswith(start)
        ]
        if parts:
            count.same("months" if window == "month" else "whole", (scope, subject, start),
                       sum(parts), nanos)  # fmt: skip


def _children(count: Count, budgets: list[Row]) -> None:
    """Teams add up to the pilot in every window, and so do users."""
    committed = {_key(budget): budget["committed_nanos"] for budget in budgets}
    for (scope, _, window, start), nanos in committed.items():
        if scope != "pilot":
            continue
        for kind in ("team", "user"):
            children = [
                spent for (s, _, *when), spent in committed.items()
                if s == kind and when == [window, start]
            ]  # fmt: skip
            count.same("children", (kind, window, start), sum(children), nanos)


def _each_charged_once(
    count: Count, answers: list[Row], entries: list[Row], left_open: list[Row]
) -> None:
    """One charge an answer; whoever was left behind pays the work recorded and nothing else."""
    charged = Counter(entry["answer_id"] for entry in entries)
    units = {entry["answer_id"]: _units(entry) for entry in entries}
    for answer in answers:
        count.same("charged once", answer["id"], charged[answer["id"]], 1)
    for hold in left_open:
        work = units.get(hold["answer_id"], ())
        count.same("recorded", hold["answer_id"], int(work == _units(hold)), 1)


def _units(row: Row) -> tuple[int, ...]:
    return row["prompt_tokens"], row["decode_tokens"], row["nfe"]


def _counts_under(entry: Row) -> Iterator[Key]:
    for scope in ("pilot", *NAMES):
        subject = entry[NAMES[scope]] if scope in NAMES else ""
        for window, length in LENGTH.items():
            yield scope, subject, window, entry["day"][:length]


def _key(budget: Row) -> Key:
    return budget["scope"], budget["subject"], budget["window"], budget["window_start"]


def _rows(connection: Connection, table: str) -> list[Row]:
    return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]

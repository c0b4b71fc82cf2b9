"""Money: reserve the worst case, charge the work done, give the rest back.

All inside the caller's transaction; budgets change by conditional updates only.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select, tuple_, update

from app.ports import AnswerStatus, Finished
from policies.errors import InvalidInput, NotFound, OverCeiling, Unavailable
from policies.pricing import price
from policies.types import Ceiling, Hold, Importance, Units
from storage import invariants, queries
from storage.repositories import unit_values
from storage.tables import (
    answer_bodies,
    answers,
    budgets,
    decisions,
    hold_budgets,
    holds,
    ledger_entries,
    price_lists,
)
from storage.types import MAX_NANOS

SUBJECT_SCOPES = ("team", "user", "importance")
"""Scopes written `team:NAME`; the pilot's own is just `pilot`."""
WHOLE = {"window": "whole", "window_start": ""}
"""The one window so far: all of the pilot."""


@dataclass(frozen=True, slots=True)
class _Closed:
    """A hold as it was when it left the open state."""

    id: str
    answer_id: str
    nanos: int


class SqlLedger:
    """app.ports.Ledger of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def ceilings(self) -> list[Ceiling]:
        return queries.all_ceilings(self._connection, self._pilot_id)

    def set_limit(self, scope: str, limit_nanos: int, currency: str) -> None:
        """A new budget counts from now on. Raises InvalidInput below what is spent and held."""
        kind, subject = _parse(scope)
        if not 0 <= limit_nanos <= MAX_NANOS:
            raise InvalidInput(f"a limit is between 0 and {MAX_NANOS} nanos, got {limit_nanos}")
        named = {"pilot_id": self._pilot_id, "scope": kind, "subject": subject} | WHOLE
        this = [budgets.c[name] == value for name, value in named.items()]
        now = self._connection.execute(select(budgets).where(*this)).one_or_none()
        if now is None:
            values = named | {"limit_nanos": limit_nanos, "currency": currency}
            self._connection.execute(insert(budgets).values(values))
            return
        if now.currency != currency:
            raise InvalidInput(f"the budget of {scope} is in {now.currency}, got {currency}")
        spent = budgets.c.committed_nanos + budgets.c.held_nanos
        changed = update(budgets).where(*this, spent <= limit_nanos).values(limit_nanos=limit_nanos)
        if self._connection.execute(changed).rowcount != 1:
            raise InvalidInput(
                f"{now.committed_nanos} nanos of {scope} are spent and {now.held_nanos} held; "
                f"its limit cannot be {limit_nanos}",
                scope=scope,
                limit_nanos=limit_nanos,
                committed_nanos=now.committed_nanos,
                held_nanos=now.held_nanos,
            )

    def reserve(self, answer_id: str, nanos: int, expires_at: datetime, now: datetime) -> Hold:
        """Fails closed: no budget of the pilot, or in another currency, raises Unavailable."""
        if nanos < 0:
            raise ValueError(f"a hold is not negative, got {nanos}")
        ids = self._budgets_of(answer_id)
        room = budgets.c.limit_nanos - budgets.c.committed_nanos - budgets.c.held_nanos
        these: ColumnElement[bool] = budgets.c.id.in_(ids)
        held = update(budgets).where(these, room >= nanos)
        held = held.values(held_nanos=budgets.c.held_nanos + nanos)
        savepoint = self._connection.begin_nested()  # all of the budgets or none
        if self._connection.execute(held).rowcount != len(ids):
            savepoint.rollback()
            raise self._over(these, nanos)
        savepoint.commit()
        hold = Hold(answer_id, answer_id, nanos, expires_at)  # one an answer, so one id for both
        self._open_hold(hold, ids, now)
        return hold

    def heartbeat(self, hold: Hold, done: Units, expires_at: datetime) -> bool:
        beat = (
            update(holds)
            .where(self._open(hold.id))
            .values(expires_at=expires_at, **unit_values(done))
        )
        return self._connection.execute(beat).rowcount == 1

    def settle(self, hold: Hold, finished: Finished, cost_nanos: int) -> bool:
        closed = self._take(hold.id, "settled", finished.finished_at)
        if closed is None:
            return False
        self._charge(closed, finished, cost_nanos)
        return True

    def expire(self, now: datetime) -> list[str]:
        late = self._connection.execute(
            select(holds, answer_bodies.c.answer, price_lists)
            .join(answer_bodies, answer_bodies.c.answer_id == holds.c.answer_id)
            .join(decisions, decisions.c.answer_id == holds.c.answer_id)
            .join(
                price_lists,
                (price_lists.c.pilot_id == decisions.c.pilot_id)
                & (price_lists.c.version == decisions.c.price_version),
            )
            .where(
                holds.c.pilot_id == self._pilot_id,
                holds.c.state == "open",
                holds.c.expires_at <= now,
            )
            .order_by(holds.c.expires_at, holds.c.id)
        ).all()
        concerned = []
        for row in late:
            closed = self._take(row.id, "expired", now)
            if closed is None:
                continue
            done = queries.units(row)
            finished = Finished(AnswerStatus.INTERRUPTED, row.answer, done, 0, 0, 0.0, now)
            # Only a broken engine records more than was held; even then no more is charged.
            self._charge(closed, finished, min(price(done, queries.price_list(row)), closed.nanos))
            concerned.append(closed.answer_id)
        return concerned

    def verify(self) -> list[str]:
        return invariants.broken(self._connection, self._pilot_id)

    def _open_hold(self, hold: Hold, budget_ids: list[int], now: datetime) -> None:
        self._connection.execute(
            insert(holds).values(
                id=hold.id,
                pilot_id=self._pilot_id,
                answer_id=hold.answer_id,
                nanos=hold.nanos,
                state="open",
                created_at=now,
                expires_at=hold.expires_at,
            )
        )
        link = {"hold_id": hold.id, "pilot_id": self._pilot_id}
        links = [link | {"budget_id": i} for i in budget_ids]
        self._connection.execute(insert(hold_budgets), links)

    def _open(self, hold_id: str) -> ColumnElement[bool]:
        mine = (holds.c.pilot_id == self._pilot_id) & (holds.c.id == hold_id)
        return mine & (holds.c.state == "open")

    def _take(self, hold_id: str, state: str, now: datetime) -> _Closed | None:
        """Close an open hold; None where another was first. Only who gets it may charge it."""
        taken = self._connection.execute(
            update(holds)
            .where(self._open(hold_id))
            .values(state=state, closed_at=now)
            .returning(holds.c.id, holds.c.answer_id, holds.c.nanos)
        ).one_or_none()
        return None if taken is None else _Closed(taken.id, taken.answer_id, taken.nanos)

    def _charge(self, hold: _Closed, finished: Finished, cost_nanos: int) -> None:
        if not 0 <= cost_nanos <= hold.nanos:
            raise ValueError(f"charge {cost_nanos} is not within the hold of {hold.nanos} nanos")
        linked = select(hold_budgets.c.budget_id).where(hold_budgets.c.hold_id == hold.id)
        self._connection.execute(
            update(budgets)
            .where(budgets.c.id.in_(linked))
            .values(
                held_nanos=budgets.c.held_nanos - hold.nanos,
                committed_nanos=budgets.c.committed_nanos + cost_nanos,
            )
        )
        terms = self._connection.execute(
            select(decisions.c.currency, decisions.c.price_version).where(
                decisions.c.answer_id == hold.answer_id
            )
        ).one()
        self._connection.execute(
            insert(ledger_entries).values(
                pilot_id=self._pilot_id,
                hold_id=hold.id,
                answer_id=hold.answer_id,
                nanos=cost_nanos,
                currency=terms.currency,
                price_version=terms.price_version,
                charged_at=finished.finished_at,
                **unit_values(finished.units),
            )
        )
        self._finish(hold.answer_id, finished, cost_nanos)

    def _finish(self, answer_id: str, finished: Finished, cost_nanos: int) -> None:
        self._connection.execute(
            update(answers)
            .where(answers.c.id == answer_id)
            .values(
                status=finished.status.value,
                nfe_per_token=finished.nfe_per_token,
                cost_nanos=cost_nanos,
                changed_tokens=finished.changed_tokens,
                device_seconds=finished.device_seconds,
                finished_at=finished.finished_at,
                **unit_values(finished.units),
            )
        )
        self._connection.execute(
            update(answer_bodies)
            .where(answer_bodies.c.answer_id == answer_id)
            .values(answer=finished.text)
        )

    def _budgets_of(self, answer_id: str) -> list[int]:
        """Every budget this answer counts towards, the pilot's among them."""
        asked = self._connection.execute(
            select(answers.c.user_name, answers.c.team, decisions.c.granted, decisions.c.currency)
            .join(decisions, decisions.c.answer_id == answers.c.id)
            .where(answers.c.pilot_id == self._pilot_id, answers.c.id == answer_id)
        ).one_or_none()
        if asked is None:
            raise NotFound(f"there is no answer {answer_id}", answer_id=answer_id)
        subjects = (asked.team, asked.user_name, asked.granted)
        scopes = [("pilot", ""), *zip(SUBJECT_SCOPES, subjects, strict=True)]
        found = self._connection.execute(
            select(budgets.c.id, budgets.c.scope, budgets.c.currency).where(
                budgets.c.pilot_id == self._pilot_id,
                tuple_(budgets.c.scope, budgets.c.subject).in_(scopes),
            )
        ).all()
        if not any(row.scope == "pilot" for row in found):
            raise Unavailable("this pilot has no budget yet; set its limit first")
        if other := {row.currency for row in found} - {asked.currency}:
            raise Unavailable(
                f"the price is in {asked.currency} and a budget in {', '.join(sorted(other))}; "
                "both must use one currency"
            )
        return [row.id for row in found]

    def _over(self, these: ColumnElement[bool], nanos: int) -> OverCeiling:
        """Names the tightest: what fits there fits everywhere."""
        ceilings = map(queries.ceiling, self._connection.execute(select(budgets).where(these)))
        tightest = min(ceilings, key=lambda c: c.headroom_nanos)
        return OverCeiling(
            f"{nanos} nanos do not fit under the ceiling of {tightest.scope}: of "
            f"{tightest.limit_nanos}, {tightest.committed_nanos} are spent and "
            f"{tightest.held_nanos} held",
            **asdict(tightest),
            quote_nanos=nanos,
            fits="",
        )


def _parse(scope: str) -> tuple[str, str]:
    kind, _, subject = scope.partition(":")
    legal = not subject if kind == "pilot" else kind in SUBJECT_SCOPES and bool(subject)
    if not legal or (kind == "importance" and subject not in tuple(Importance)):
        known = ", ".join(["pilot", *(f"{s}:NAME" for s in SUBJECT_SCOPES)])
        raise InvalidInput(f"a scope is one of {known}, got {scope!r}", scope=scope)
    return kind, subject

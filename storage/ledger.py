"""Money: reserve the worst case, charge the work done, give the rest back.

All inside the caller's transaction, which has the pilot to itself; counters change by conditional
updates only (counters.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from app.ports import AnswerStatus, AuditHead, Booking, Finished, OpenHold, Reservation, Rollup
from policies.budget import Payer, day_of, parse_scope
from policies.errors import InvalidInput
from policies.pricing import price
from policies.types import Ceiling, Hold, Limit, Units, Window
from storage import alerts, corrections, entries, invariants, queries, rollups
from storage.counters import Counters, fit
from storage.ledger_tables import holds, is_open, ledger_entries
from storage.refusals import amounts_under, comparable, fits_alone, over, request_ceiling
from storage.repositories import unit_values
from storage.seals import origin_of, seal
from storage.tables import answer_bodies, answers, decisions, pilots, price_lists
from storage.terms import COLUMNS, SOURCE, Terms, terms_in, terms_of
from storage.types import MAX_NANOS

# Made once, since every request needs them. Values come with each execution.
_THIS_HOLD = (holds.c.pilot_id == bindparam("pilot")) & (holds.c.id == bindparam("hold")) & is_open
_OPEN_HOLD = (
    select(holds, *COLUMNS)
    .select_from(SOURCE.join(holds, holds.c.answer_id == answers.c.id))
    .where(_THIS_HOLD)
)
_ADD_HOLD, _CHANGE_HOLD = insert(holds), update(holds).where(_THIS_HOLD)
_END_ANSWER = update(answers).where(answers.c.id == bindparam("named"))
_END_BODY = update(answer_bodies).where(answer_bodies.c.answer_id == bindparam("named"))


@dataclass(frozen=True, slots=True)
class _Taken:
    """A hold that this transaction changed; where it was closed, nobody else can charge it."""

    id: str
    answer_id: str
    day: str
    nanos: int
    seal: str
    terms: Terms


class SqlLedger:
    """app.ports.Ledger of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id
        self._counters = Counters(connection, pilot_id)

    def ceilings(self) -> list[Ceiling]:
        return queries.all_ceilings(self._connection, self._pilot_id)

    def ceilings_at(self, now: datetime) -> list[Ceiling]:
        return queries.ceilings_at(self._connection, self._pilot_id, now)

    def open_holds(self, limit: int) -> list[OpenHold]:
        return queries.open_holds(self._connection, self._pilot_id, limit)

    def ceilings_of(
        self, payer: Payer, limits: Sequence[Limit], currency: str, now: datetime
    ) -> list[Ceiling]:
        named = select(pilots.c.time_zone).where(pilots.c.id == self._pilot_id)
        zone = ZoneInfo(self._connection.execute(named).scalar_one_or_none() or "UTC")
        day = day_of(now, zone)
        counters = self._counters.under([payer], limits, day, now, currency).counters
        return [request_ceiling(limit) for limit in limits if limit.window is Window.REQUEST] + [
            counter.ceiling() for counter in counters
        ]

    def set_limit(self, scope: str, limit_nanos: int, currency: str) -> None:
        """Counts all of the scope, also what came before."""
        parse_scope(scope)
        if not 0 <= limit_nanos <= MAX_NANOS:
            raise InvalidInput(f"a limit is between 0 and {MAX_NANOS} nanos, got {limit_nanos}")
        counter = self._counters.whole(scope, currency)
        if counter.currency != currency:
            raise InvalidInput(f"the budget of {scope} is in {counter.currency}, got {currency}")
        if counter.committed_nanos + counter.held_nanos > limit_nanos:
            raise InvalidInput(
                f"{counter.committed_nanos} nanos of {scope} are spent and {counter.held_nanos} "
                f"held; its limit cannot be {limit_nanos}",
                scope=scope,
                limit_nanos=limit_nanos,
                committed_nanos=counter.committed_nanos,
                held_nanos=counter.held_nanos,
            )
        self._counters.stand(counter, limit_nanos)

    def reserve(
        self,
        answer_id: str,
        nanos: int,
        expires_at: datetime,
        now: datetime,
        limits: Sequence[Limit] = (),
    ) -> Hold:
        """Fails closed: no ceiling of the pilot, or one in another currency, raises Unavailable."""
        (hold,) = self.reserve_all([Reservation(answer_id, nanos, tuple(limits))], expires_at, now)
        return hold

    def reserve_all(
        self, wanted: Sequence[Reservation], expires_at: datetime, now: datetime
    ) -> list[Hold]:
        if not wanted or min(one.nanos for one in wanted) < 0:
            raise ValueError(f"holds are not negative and at least one, got {wanted}")
        terms = [self._terms(one.answer_id) for one in wanted]
        limits = [limit for one in wanted for limit in one.limits]
        for one in wanted:
            fits_alone(one)
        payers, day = [t.payer for t in terms], day_of(now, terms[0].zone)
        standing = self._counters.under(payers, limits, day, now, terms[0].currency)
        counters = standing.counters
        comparable(counters, {t.currency for t in terms} | {limit.currency for limit in limits})
        nanos = [one.nanos for one in wanted]
        amounts = amounts_under(counters, list(zip(payers, nanos, strict=True)))
        if not fit(counters, amounts):
            raise over(counters, amounts)
        rows = self._counters.enforce(standing)
        self._counters.hold(dict(zip(rows, amounts, strict=True)))
        # One an answer, so one id for both.
        held = [Hold(one.answer_id, one.answer_id, one.nanos, expires_at) for one in wanted]
        self._connection.execute(_ADD_HOLD, [self._hold_row(h, day, now) for h in held])
        return held

    def heartbeat(self, hold: Hold, done: Units, expires_at: datetime) -> bool:
        beaten = {"expires_at": expires_at, **unit_values(done)}
        return self._change_hold(hold.id, beaten) is not None

    def settle(self, hold: Hold, finished: Finished, cost_nanos: int) -> bool:
        closed = self._take(hold.id, "settled", finished.finished_at)
        if closed is None:
            return False
        self._charge(closed, finished, cost_nanos)
        return True

    def release(self, hold: Hold, status: AnswerStatus, now: datetime) -> bool:
        """Zero is a value: the entry says that nothing was done."""
        return self.settle(hold, Finished(status, "", Units(), 0, 0, 0.0, now), 0)

    def expire(self, now: datetime) -> list[str]:
        concerned = []
        for row in self._connection.execute(self._late(now)).all():
            closed = self._take(row.id, "expired", now)
            if closed is None:
                continue
            done = queries.units(row)
            finished = Finished(AnswerStatus.INTERRUPTED, row.answer, done, 0, 0, 0.0, now)
            # Only a broken engine records more than was held; even then no more is charged.
            self._charge(closed, finished, min(price(done, queries.price_list(row)), closed.nanos))
            concerned.append(str(closed.answer_id))
        return concerned

    def book(self, booking: Booking) -> bool:
        terms = self._terms(booking.answer_id)
        entry = entries.Entry(
            kind=booking.kind.value,
            answer_id=booking.answer_id,
            day=day_of(booking.now, terms.zone),
            payer=terms.payer,
            domain=terms.domain,
            units=Units(),
            nanos=booking.nanos,
            currency=terms.currency,
            price_version=terms.price_version,
            charged_at=booking.now,
            booked_by=booking.by,
            reason=booking.reason,
            entry_key=booking.key,
        )
        return corrections.book(
            self._connection, self._pilot_id, self._counters, entry, terms.alerts
        )

    def rollups(self, first_day: str, last_day: str) -> list[Rollup]:
        return rollups.between(self._connection, self._pilot_id, first_day, last_day)

    def rebuild(self) -> bool:
        return rollups.rebuild(self._connection, self._pilot_id)

    def verify(self) -> list[str]:
        return invariants.broken(self._connection, self._pilot_id)

    def head(self) -> AuditHead:
        p = pilots.c
        kept = select(p.entries_count, p.entries_hash).where(p.id == self._pilot_id)
        return AuditHead(*self._connection.execute(kept).one())

    def hash_at(self, count: int) -> str | None:
        e = ledger_entries.c
        lines = select(e.hash).where(e.pilot_id == self._pilot_id).order_by(e.id)
        return self._connection.execute(lines.offset(count - 1).limit(1)).scalar_one_or_none()

    def _hold_row(self, hold: Hold, day: str, now: datetime) -> dict[str, Any]:
        row = {
            "id": hold.id,
            "pilot_id": self._pilot_id,
            "answer_id": hold.answer_id,
            "nanos": hold.nanos,
            "state": "open",
            "day": day,
            **unit_values(Units()),
            "created_at": now,
            "expires_at": hold.expires_at,
            "closed_at": None,
        }
        return row | {"seal": seal(holds, row)}

    def _late(self, now: datetime) -> Select[Any]:
        return (
            select(holds, answer_bodies.c.answer, price_lists)
            .join(answer_bodies, answer_bodies.c.answer_id == holds.c.answer_id)
            .join(decisions, decisions.c.answer_id == holds.c.answer_id)
            .join(
                price_lists,
                (price_lists.c.pilot_id == decisions.c.pilot_id)
                & (price_lists.c.version == decisions.c.price_version),
            )
            .where(holds.c.pilot_id == self._pilot_id)
            .where(is_open, holds.c.expires_at <= now)
            .order_by(holds.c.expires_at, holds.c.id)
        )

    def _take(self, hold_id: str, state: str, now: datetime) -> _Taken | None:
        """Close an open hold; None where another was first. Only who gets it may charge it."""
        return self._change_hold(hold_id, {"state": state, "closed_at": now})

    def _change_hold(self, hold_id: str, values: dict[str, Any]) -> _Taken | None:
        """An open one, sealed anew; None where none is open under this name."""
        this = {"pilot": self._pilot_id, "hold": hold_id}
        found = self._connection.execute(_OPEN_HOLD, this).one_or_none()
        if found is None:
            return None
        mark = seal(holds, {**found._mapping, **values})
        changed = self._connection.execute(_CHANGE_HOLD, this | values | {"seal": mark})
        if changed.rowcount != 1:
            return None
        return _Taken(found.id, found.answer_id, found.day, found.nanos, mark, terms_in(found))

    def _charge(self, hold: _Taken, finished: Finished, cost_nanos: int) -> None:
        if not 0 <= cost_nanos <= hold.nanos:
            raise ValueError(f"charge {cost_nanos} is not within the hold of {hold.nanos} nanos")
        terms = hold.terms
        counters = self._counters.charge(terms.payer, hold.day, hold.nanos, cost_nanos)
        entry = entries.Entry(
            kind="charge",
            answer_id=hold.answer_id,
            day=hold.day,
            payer=terms.payer,
            domain=terms.domain,
            units=finished.units,
            nanos=cost_nanos,
            currency=terms.currency,
            price_version=terms.price_version,
            charged_at=finished.finished_at,
            hold_id=hold.id,
            origin=origin_of(hold.seal, terms.seal, finished),
        )
        entries.write(self._connection, self._pilot_id, entry)
        alerts.note(self._connection, self._pilot_id, counters, terms.alerts, finished.finished_at)
        self._finish(hold.answer_id, finished, cost_nanos)

    def _finish(self, answer_id: str, finished: Finished, cost_nanos: int) -> None:
        ended = {
            "named": answer_id,
            "status": finished.status.value,
            "nfe_per_token": finished.nfe_per_token,
            "cost_nanos": cost_nanos,
            "changed_tokens": finished.changed_tokens,
            "device_seconds": finished.device_seconds,
            "finished_at": finished.finished_at,
            **unit_values(finished.units),
        }
        self._connection.execute(_END_ANSWER, ended)
        self._connection.execute(_END_BODY, {"named": answer_id, "answer": finished.text})

    def _terms(self, answer_id: str) -> Terms:
        return terms_of(self._connection, self._pilot_id, answer_id)

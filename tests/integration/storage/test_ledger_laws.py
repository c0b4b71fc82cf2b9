"""The ledger against its model in policies.budget, under any order of what may happen to it."""

from contextlib import ExitStack
from datetime import timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.ports import (
    AnswerStatus,
    Booking,
    BookingKind,
    BudgetRaise,
    Finished,
    Reservation,
)
from policies.budget import Account, Book, Held, Payer, Raise, day_of
from policies.errors import InvalidInput, OverCeiling
from policies.pricing import price
from policies.types import Hold, Importance, Limit, Units, Window
from storage.unit_of_work import open_writer
from tests.databases import (
    DIALECTS,
    PILOT,
    POLICY,
    PRICES,
    START,
    database,
    engine_of,
    new_answer,
    wait_for_review,
)

LEASE = timedelta(seconds=30)
DAY = timedelta(days=1)
ZONE = ZoneInfo("UTC")
SCOPES = ("pilot", "team:sales", "team:ops", "user:ann", "importance:standard")
LIMITS = st.sampled_from((0, 2_409, 2_410, 5_000, 12_000, 50_000)) | st.integers(0, 50_000)
"""Quotes are 970 to 8170 nanos: some limits refuse, some take many."""


def policies() -> st.SearchStrategy[tuple[Limit, ...]]:
    """Ceilings as a policy would name them: some scopes, each in some windows."""
    windows = st.sampled_from(Window)
    limit = st.builds(Limit, st.sampled_from(SCOPES), windows, LIMITS, st.just("JPY"))
    return st.lists(
        limit, min_size=1, max_size=4, unique_by=lambda one: (one.scope, one.window)
    ).map(tuple)


def for_payer(policy: tuple[Limit, ...], payer: Payer) -> tuple[Limit, ...]:
    return tuple(limit for limit in policy if limit.scope in payer.scopes())


class LedgerMachine(RuleBasedStateMachine):
    """Every rule does to the model what it does to the database, and compares what they say."""

    dialect: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.engine = engine_of(self.stack.enter_context(database(self.dialect)))
        self.uow = open_writer(self.engine, PILOT)
        self.now = START
        self.book = Book()
        self.policy: tuple[Limit, ...] = ()
        self.holds: list[Hold] = []
        self.asked = 0
        self.committed_before = 0

    def teardown(self) -> None:
        self.engine.dispose()
        self.stack.close()

    @initialize(limit=st.sampled_from((5_000, 50_000)))
    def start(self, limit: int) -> None:
        self.set_limit("pilot", limit)

    @rule(
        importance=st.sampled_from(Importance),
        user=st.sampled_from(("ann", "bob")),
        team=st.sampled_from(("sales", "ops")),
    )
    def reserve(self, importance: Importance, user: str, team: str) -> None:
        self.reserve_all([(importance, user, team)])

    @rule(
        batch=st.lists(
            st.tuples(
                st.sampled_from(Importance),
                st.sampled_from(("ann", "bob")),
                st.sampled_from(("sales", "ops")),
            ),
            min_size=2,
            max_size=3,
        )
    )
    def reserve_all(self, batch: list[tuple[Importance, str, str]]) -> None:
        """One decision: all of it is held, or nothing."""
        expires_at, day = self.now + LEASE, day_of(self.now, ZONE)
        new, wanted, reservations = [], [], []
        for importance, user, team in batch:
            answer = new_answer(f"a-{self.asked}", importance, user, team)
            self.asked += 1
            payer, quote = Payer(user, team, importance), answer.decision.quote.nanos
            new.append(answer)
            wanted.append(Held(answer.id, payer, day, quote, expires_at))
            reservations.append(Reservation(answer.id, quote, for_payer(self.policy, payer)))
        limits = tuple({limit for one in reservations for limit in one.limits})
        over = self.book.over(wanted, limits, self.now)
        with self.uow() as uow:
            for answer in new:
                uow.answers.add(answer, AnswerStatus.RUNNING)
            if over:
                with pytest.raises(OverCeiling) as refusal:
                    uow.ledger.reserve_all(reservations, expires_at, self.now)
                assert refusal.value.values["scope"] in over
                return
            held = uow.ledger.reserve_all(reservations, expires_at, self.now)
            uow.commit()
        assert self.book.reserve(wanted, limits, self.now)
        self.holds += held

    @rule(policy=policies(), team=st.sampled_from(("sales", "ops")), tokens=st.integers(1, 96))
    def whole_answer_then_another_policy(
        self, policy: tuple[Limit, ...], team: str, tokens: int
    ) -> None:
        """What random steps come to seldom: money spent before a ceiling opens over it."""
        before = len(self.holds)
        self.reserve(Importance.STANDARD, "ann", team)
        if len(self.holds) > before:
            done = self.work(self.holds[-1], tokens)
            self.close(self.holds[-1], done, AnswerStatus.RELEASED)
        self.policy_changes(policy)
        self.reserve(Importance.ROUTINE, "ann", team)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), tokens=st.integers(0, 96))
    def heartbeat(self, data: st.DataObject, tokens: int) -> None:
        hold = data.draw(st.sampled_from(self.holds))
        done, lease = self.work(hold, tokens), self.now + LEASE
        with self.uow() as uow:
            beaten = uow.ledger.heartbeat(hold, done, lease)
            uow.commit()
        assert beaten is self.book.heartbeat(hold.id, price(done, PRICES), lease)

    @precondition(lambda self: self.holds)
    @rule(
        data=st.data(),
        tokens=st.integers(0, 96),
        status=st.sampled_from((AnswerStatus.RELEASED, AnswerStatus.CANCELLED)),
    )
    def settle_or_cancel(self, data: st.DataObject, tokens: int, status: AnswerStatus) -> None:
        hold = data.draw(st.sampled_from(self.holds))
        self.close(hold, self.work(hold, tokens), status)

    def close(self, hold: Hold, done: Units, status: AnswerStatus) -> None:
        importance = self.book.holds[hold.id].payer.importance
        if status is AnswerStatus.RELEASED and POLICY.reviews[importance].approvals:
            status = AnswerStatus.PENDING_REVIEW
        end = Finished(status, "text", done, 3, 0, 0.0, self.now)
        with self.uow() as uow:
            settled = uow.ledger.settle(hold, end, price(done, PRICES))
            if settled and status is AnswerStatus.PENDING_REVIEW:
                wait_for_review(uow, hold.answer_id, importance, self.now)
            uow.commit()
        assert settled is self.book.settle(hold.id, price(done, PRICES))

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(self.holds))
        with self.uow() as uow:
            released = uow.ledger.release(hold, AnswerStatus.FAILED, self.now)
            uow.commit()
        assert released is self.book.settle(hold.id, 0)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), nanos=st.integers(1, 3_000))
    def refund(self, data: st.DataObject, nanos: int) -> None:
        hold = data.draw(st.sampled_from(self.holds))
        booking = self.booking(hold, BookingKind.REFUND, -nanos)
        with self.uow() as uow:
            if not self.book.refund(hold.id, nanos):
                with pytest.raises(InvalidInput):
                    uow.ledger.book(booking)
                return
            assert uow.ledger.book(booking)
            assert uow.answers.get(hold.answer_id).cost_nanos == self.book.paid(hold.id)
            uow.commit()

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), nanos=st.integers(1, 3_000))
    def correct(self, data: st.DataObject, nanos: int) -> None:
        """It must fit under the ceilings as they stood when they were last asked under."""
        hold = data.draw(st.sampled_from(self.holds))
        booking = self.booking(hold, BookingKind.CORRECTION, nanos)
        with self.uow() as uow:
            try:
                uow.ledger.book(booking)
            except OverCeiling as refusal:
                self.says_the_truth(refusal, nanos)
                return
            except InvalidInput:
                assert self.book.holds[hold.id].charged is None
                return
            uow.commit()
        assert self.book.correct(hold.id, nanos, day_of(self.now, ZONE))

    def booking(self, hold: Hold, kind: BookingKind, nanos: int) -> Booking:
        self.asked += 1
        return Booking(hold.answer_id, kind, nanos, "bob", "why", f"k-{self.asked}", self.now)

    def says_the_truth(self, refusal: OverCeiling, nanos: int) -> None:
        said = refusal.values
        window = Window(str(said["window"]))
        account = Account(str(said["scope"]), window, str(said["window_start"]))
        committed, held = self.book.committed(account), self.book.held(account)
        assert (said["committed_nanos"], said["held_nanos"]) == (committed, held)
        assert committed + held + nanos > int(said["limit_nanos"])

    @rule()
    def expire(self) -> None:
        with self.uow() as uow:
            found = uow.ledger.expire(self.now)
            uow.commit()
        assert sorted(found) == sorted(self.book.expire(self.now))

    @rule(by=st.sampled_from((LEASE, -LEASE, DAY, -DAY, 31 * DAY)))
    def clock_jumps_and_windows_begin_anew(self, by: timedelta) -> None:
        self.now += by

    @rule()
    def next_day_begins_with_nothing_spent(self) -> None:
        """A window begins anew at the pilot's midnight; nobody resets it."""
        self.now = (self.now + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        today = (Limit("pilot", Window.DAY, 10**9, "JPY"),)
        payer = Payer("ann", "sales", Importance.ROUTINE)
        with self.uow() as uow:
            ceilings = uow.ledger.ceilings_of(payer, today, "JPY", self.now)
        (day,) = (c for c in ceilings if (c.scope, c.window) == ("pilot", Window.DAY))
        account = Account("pilot", Window.DAY, day_of(self.now, ZONE))
        assert day.window_start == account.start
        assert day.committed_nanos == self.book.committed(account)
        assert day.held_nanos == self.book.held(account)

    @rule()
    def rollups_are_written_anew_to_the_same_bytes(self) -> None:
        with self.uow() as uow:
            assert uow.ledger.rebuild()
            uow.commit()

    @rule(policy=policies())
    def policy_changes(self, policy: tuple[Limit, ...]) -> None:
        self.policy = policy

    @rule(scope=st.sampled_from(SCOPES), limit=LIMITS)
    def set_limit(self, scope: str, limit: int) -> None:
        with self.uow() as uow:
            if not self.book.set_limit(scope, limit):
                with pytest.raises(InvalidInput):
                    uow.ledger.set_limit(scope, limit, PRICES.currency)
                return
            uow.ledger.set_limit(scope, limit, PRICES.currency)
            uow.commit()

    @rule(
        scope=st.sampled_from(SCOPES),
        window=st.sampled_from((Window.DAY, Window.MONTH, Window.WHOLE)),
        nanos=st.integers(1, 10_000),
        lasts=st.sampled_from((LEASE, DAY)),
        granted=st.booleans(),
    )
    def raise_limit(
        self, scope: str, window: Window, nanos: int, lasts: timedelta, granted: bool
    ) -> None:
        self.asked += 1
        name, until = f"r-{self.asked}", self.now + lasts
        wanted = BudgetRaise(name, scope, window, nanos, "more", "ann", self.now, until)
        with self.uow() as uow:
            uow.raises.ask(wanted)
            uow.raises.decide(name, granted, "owner", self.now)
            uow.commit()
        if granted:
            self.book.raises.append(Raise(scope, window, nanos, until))

    @invariant()
    def sums_agree_and_nothing_passes_a_limit(self) -> None:
        with self.uow() as uow:
            ceilings = uow.ledger.ceilings()
            assert uow.ledger.verify() == []
        for ceiling in ceilings:
            account = Account(ceiling.scope, ceiling.window, ceiling.window_start)
            assert ceiling.committed_nanos == self.book.committed(account)
            assert ceiling.held_nanos == self.book.held(account)
            assert ceiling.headroom_nanos >= 0
        pilot = next(c for c in ceilings if (c.scope, c.window) == ("pilot", Window.WHOLE))
        assert pilot.committed_nanos >= self.committed_before
        self.committed_before = pilot.committed_nanos

    def work(self, hold: Hold, tokens: int) -> Units:
        """As much of the hold's worst case as so many of its 96 tokens or fewer would need."""
        held = self.book.holds[hold.id].nanos
        done = Units(5, tokens, tokens * 3)
        return done if price(done, PRICES) <= held else Units(5)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_ledger_agrees_with_its_model_in_any_order(dialect: str) -> None:
    machine = type("Machine", (LedgerMachine,), {"dialect": dialect})
    depth = settings(max_examples=25, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(machine, settings=depth)

"""Laws of the ledger under any order of operations, against a model of a few lines."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

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

from app.ports import AnswerStatus, Finished
from policies.errors import InvalidInput, OverCeiling
from policies.pricing import price
from policies.types import Hold, Importance, Units
from storage.unit_of_work import sqlite_unit_of_work
from tests.databases import PILOT, PRICES, START, copy_of, engine_of, new_answer

LEASE = timedelta(seconds=30)


@dataclass
class Expected:
    """A hold as the model has it."""

    hold: Hold
    nfe: int
    """Evaluations a token at its cap."""
    expires_at: datetime
    done: Units
    open: bool = True


class LedgerMachine(RuleBasedStateMachine):
    """Every rule does to the model what it does to the database, and compares what they say."""

    template: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.engine = engine_of(copy_of(self.template, self.folder))
        self.uow = sqlite_unit_of_work(self.engine, PILOT)
        self.now = START
        self.limit = self.committed = self.committed_before = 0
        self.holds: list[Expected] = []

    def teardown(self) -> None:
        self.engine.dispose()
        shutil.rmtree(self.folder)

    @property
    def held(self) -> int:
        return sum(e.hold.nanos for e in self.holds if e.open)

    @initialize(limit=st.integers(0, 30_000))
    def start(self, limit: int) -> None:
        with self.uow() as uow:
            uow.ledger.set_limit("pilot", limit, PRICES.currency)
            uow.commit()
        self.limit = limit

    @rule(importance=st.sampled_from(Importance))
    def reserve(self, importance: Importance) -> None:
        answer = new_answer(f"a-{len(self.holds)}-{self.now.timestamp()}", importance)
        quote, expires_at = answer.decision.quote.nanos, self.now + LEASE
        fits = self.committed + self.held + quote <= self.limit
        with self.uow() as uow:
            uow.answers.add(answer, AnswerStatus.RUNNING)
            if not fits:
                with pytest.raises(OverCeiling) as refusal:
                    uow.ledger.reserve(answer.id, quote, expires_at, self.now)
                assert refusal.value.values["held_nanos"] == self.held
                return
            hold = uow.ledger.reserve(answer.id, quote, expires_at, self.now)
            uow.commit()
        nfe = answer.decision.plan.rung.max_nfe_per_token
        self.holds.append(Expected(hold, nfe, expires_at, Units()))

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), tokens=st.integers(0, 96))
    def heartbeat(self, data: st.DataObject, tokens: int) -> None:
        expected = data.draw(st.sampled_from(self.holds))
        done, lease = self._work(expected, tokens), self.now + LEASE
        with self.uow() as uow:
            assert uow.ledger.heartbeat(expected.hold, done, lease) is expected.open
            uow.commit()
        if expected.open:
            expected.done, expected.expires_at = done, lease

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), tokens=st.integers(0, 96))
    def settle(self, data: st.DataObject, tokens: int) -> None:
        expected = data.draw(st.sampled_from(self.holds))
        done = self._work(expected, tokens)
        end = Finished(AnswerStatus.RELEASED, "text", done, expected.nfe, 0, 0.0, self.now)
        with self.uow() as uow:
            settled = uow.ledger.settle(expected.hold, end, price(done, PRICES))
            uow.commit()
        assert settled is expected.open
        if settled:
            expected.open = False
            self.committed += price(done, PRICES)

    @rule(seconds=st.integers(0, 40))
    def expire(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        with self.uow() as uow:
            found = uow.ledger.expire(self.now)
            uow.commit()
        late = [e for e in self.holds if e.open and e.expires_at <= self.now]
        assert sorted(found) == sorted(e.hold.answer_id for e in late)
        for expected in late:
            expected.open = False
            self.committed += price(expected.done, PRICES)

    @rule(limit=st.integers(0, 30_000))
    def set_limit(self, limit: int) -> None:
        with self.uow() as uow:
            if limit < self.committed + self.held:
                with pytest.raises(InvalidInput):
                    uow.ledger.set_limit("pilot", limit, PRICES.currency)
                return
            uow.ledger.set_limit("pilot", limit, PRICES.currency)
            uow.commit()
        self.limit = limit

    @invariant()
    def sums_agree_and_nothing_passes_the_limit(self) -> None:
        with self.uow() as uow:
            (ceiling,) = uow.ledger.ceilings()
            assert uow.ledger.verify() == []
        assert (ceiling.committed_nanos, ceiling.held_nanos) == (self.committed, self.held)
        assert ceiling.limit_nanos == self.limit
        assert ceiling.committed_nanos + ceiling.held_nanos <= ceiling.limit_nanos
        assert ceiling.committed_nanos >= self.committed_before
        self.committed_before = ceiling.committed_nanos

    def _work(self, expected: Expected, tokens: int) -> Units:
        return Units(5, tokens, tokens * expected.nfe)


def test_ledger_keeps_its_laws_in_any_order(template: Path) -> None:
    machine = type("Machine", (LedgerMachine,), {"template": template})
    depth = settings(max_examples=50, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(machine, settings=depth)

"""The use case over a fake engine and a real database, with a clock the test moves."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from app.ports import AnswerRow, OpenUnitOfWork
from app.services.admission import Admission
from app.services.ask import Ask, AskForm, Event, Limits, Receipt
from policies.document import Policy
from policies.roles import Actor
from policies.types import Ceiling, Importance
from tests.actors import ANN
from tests.databases import POLICY, Ids, ManualClock, broken_invariants, set_limit
from tests.fakes import FakeEngine

QUESTION = "How many pens are left?"


@dataclass
class World:
    """Everything one test needs, with the questions tests ask of the ledger."""

    uow: OpenUnitOfWork
    engine: FakeEngine = field(default_factory=FakeEngine)
    clock: ManualClock = field(default_factory=ManualClock)
    ids: Ids = field(default_factory=Ids)
    limits: Limits = field(default_factory=lambda: Limits(heartbeat=timedelta(0)))
    """Every piece is recorded."""
    policy: Policy = POLICY

    def ask(self) -> Ask:
        before = Admission(self.engine, self.uow, self.policy, self.clock, self.ids, self.limits)
        return Ask(before, self.uow)

    def under(self, policy: Policy) -> None:
        """From now on this one decides."""
        self.policy = policy
        with self.uow() as uow:
            uow.add_policy(policy.version, policy.name, policy.text, self.clock())
            uow.commit()

    def events(
        self,
        key: str = "key",
        cancelled: Callable[[], bool] = lambda: False,
        actor: Actor = ANN,
        **form: Any,
    ) -> list[Event]:
        return list(self.ask()(actor, self.form(**form), key, cancelled))

    def receipt(self, key: str = "key", **form: Any) -> Receipt:
        last = self.events(key, **form)[-1]
        assert isinstance(last, Receipt)
        return last

    def form(self, **changes: Any) -> AskForm:
        plain = AskForm(QUESTION, Importance.STANDARD, seed=7)
        return replace(plain, **changes)

    def rows(self) -> list[AnswerRow]:
        with self.uow() as uow:
            return uow.answers.latest(100)

    def only_row(self) -> AnswerRow:
        (row,) = self.rows()
        return row

    def text(self, answer_id: str) -> str:
        with self.uow() as uow:
            return uow.answers.text(answer_id).answer

    def ceiling(self) -> Ceiling:
        with self.uow() as uow:
            (ceiling,) = uow.ledger.ceilings()
            return ceiling

    def charges(self) -> list[int]:
        with self.uow() as uow:
            return [point.cost_nanos for point in uow.spend(100)]

    def limit(self, nanos: int) -> None:
        set_limit(self.uow, nanos)

    def broken(self) -> list[str]:
        return broken_invariants(self.uow)

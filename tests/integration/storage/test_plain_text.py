"""Control characters in what people type, which PostgreSQL keeps nowhere: told as what they are."""

from collections.abc import Callable
from datetime import UTC

import pytest

from app.ports import AuditFilter, OpenUnitOfWork, ReviewFilter
from app.ports.slice import Slice
from app.services.audit import Audit
from app.services.budgets import Budgets
from app.services.dashboard import Dashboard
from app.services.mine import Mine
from app.services.policy import PolicyDesk
from policies.document import preset
from policies.errors import InvalidInput
from policies.review import VerdictKind
from policies.types import Window
from tests.actors import ANN, LOCAL
from tests.databases import START, Ids
from tests.reviews import BOB, ReviewWorld, put_under_review

TEXT = "two\x00words"
Act = Callable[[ReviewWorld], object]


def _budgets(world: ReviewWorld) -> Budgets:
    return Budgets(world.uow, world.uow, world.clock, Ids("r"), UTC, "m")


def _audit(world: ReviewWorld) -> Audit:
    return Audit(world.uow, world.uow, world.clock)


def _policy(world: ReviewWorld) -> PolicyDesk:
    return PolicyDesk(world.uow, world.uow, world.clock)


TYPED: dict[str, Act] = {
    "question": lambda w: w.receipt(question=TEXT),
    "correction": lambda w: w.desk.decide(BOB, "a-9", VerdictKind.CORRECT, TEXT),
    "reason": lambda w: w.desk.decide(BOB, "a-9", VerdictKind.REJECT, reason=TEXT),
    "draft": lambda w: w.desk.save(BOB, "a-9", VerdictKind.CORRECT, TEXT, ""),
    "skip": lambda w: w.desk.skip(BOB, "a-9", TEXT),
    "ask": lambda w: w.desk.ask(BOB, "a-9", TEXT),
    "raise": lambda w: _budgets(w).ask_raise(ANN, "pilot", Window.WHOLE, 5, TEXT, 5),
    "note": lambda w: _policy(w).propose(LOCAL, preset("full").text, "draft", TEXT),
    "search": lambda w: Mine(w.uow).search(ANN, TEXT),
    "audit by": lambda w: _audit(w).latest(LOCAL, AuditFilter(by=TEXT), 5),
    "audit about": lambda w: _audit(w).latest(LOCAL, AuditFilter(subject=TEXT), 5),
    "team": lambda w: Dashboard(w.engine, w.uow).overview(LOCAL, Slice(team=TEXT)),
    "user": lambda w: Dashboard(w.engine, w.uow).overview(LOCAL, Slice(user=TEXT)),
    "queue": lambda w: w.desk.queue(BOB, ReviewFilter(team=TEXT)),
}


@pytest.fixture
def world(uow: OpenUnitOfWork) -> ReviewWorld:
    made = ReviewWorld(uow)
    put_under_review(uow, "a-9", at=START)
    made.desk.claim(BOB, "a-9")
    return made


@pytest.mark.parametrize("what", TYPED)
def test_it_is_refused_as_input_whether_it_is_to_be_kept_or_found(
    world: ReviewWorld, what: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        TYPED[what](world)
    assert refused.value.reason == "control_characters"

"""What an importance may be expected to bring: from what was measured here, or not said."""

from datetime import timedelta

from app.ports import Measured, Measurement
from app.services.outlook import KEPT, Outlook
from policies.types import Domain, Importance, Units
from tests.databases import POLICY, START
from tests.samples import measurement
from tests.world import World

QUESTIONS = 60
CAP = POLICY.rungs[Importance.STANDARD].max_nfe_per_token


def outlook(world: World) -> Outlook:
    return Outlook(world.engine, world.uow, world.policy, world.clock)


def recorded(world: World, budget: int, right: int) -> None:
    """`right` of the questions are answered at this budget, the first ones."""
    one: Measurement = measurement(
        budget,
        right / QUESTIONS,
        n=QUESTIONS,
        adapter_sha256=world.engine.info().adapter_sha256,
        measured_at=START,
    )
    rows = [Measured(f"q{i}", Domain.MATH, i < right, Units(5, 2, 6), 55) for i in range(QUESTIONS)]
    with world.uow() as uow:
        uow.measurements.add(one, rows)
        uow.commit()


def test_times_need_some_answers_and_are_of_their_importance(world: World) -> None:
    for number in range(4):
        world.receipt(str(number))
    assert outlook(world)()[Importance.STANDARD].takes is None
    world.receipt("fifth")
    takes = outlook(world)()[Importance.STANDARD].takes
    assert takes is not None
    assert takes.n == 5
    assert outlook(world)()[Importance.ROUTINE].takes is None


def test_accuracy_is_that_of_the_rungs_own_budget(world: World) -> None:
    recorded(world, CAP, 40)
    looks = outlook(world)()
    found = looks[Importance.STANDARD].measured
    assert found is not None
    assert found.budget == CAP
    assert looks[Importance.HIGH].measured is None


def test_above_the_last_budget_that_pays_it_is_said_which_is_as_good(world: World) -> None:
    for budget, right in ((0, 5), (CAP, 40), (7, 41), (15, 40)):
        recorded(world, budget, right)
    looks = outlook(world)()
    assert looks[Importance.STANDARD].no_better_than is None
    assert looks[Importance.HIGH].no_better_than is Importance.STANDARD
    assert looks[Importance.CRITICAL].no_better_than is Importance.STANDARD


def test_where_every_budget_pays_nothing_is_held_against_any(world: World) -> None:
    for budget, right in ((0, 5), (CAP, 20), (7, 40), (15, 58)):
        recorded(world, budget, right)
    assert all(look.no_better_than is None for look in outlook(world)().values())


def test_it_is_read_anew_only_after_a_while(world: World) -> None:
    seen = outlook(world)
    before = seen()
    recorded(world, CAP, 40)
    assert seen() is before
    world.clock.advance(KEPT + timedelta(seconds=1))
    assert seen()[Importance.STANDARD].measured is not None

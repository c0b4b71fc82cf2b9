"""What an importance may be expected to bring: from what was measured here, or not said."""

from dataclasses import replace
from datetime import timedelta

from app.ports import Measured, Measurement
from app.services.outlook import KEPT, Outlook
from policies.types import Domain, Importance, Solver, Units
from tests.databases import POLICY, START
from tests.samples import measurement
from tests.world import World

QUESTIONS = 60
CAP = POLICY.rungs[Importance.STANDARD].max_nfe_per_token


def outlook(world: World) -> Outlook:
    return Outlook(world.engine, world.uow, world.policy, world.clock)


def recorded(
    world: World, budget: int, right: int, data: int | None = None, suite: str = "pilot"
) -> None:
    """`right` of the questions are answered at this budget, the first ones; of data's too."""
    one: Measurement = measurement(
        budget,
        right / QUESTIONS,
        n=QUESTIONS,
        adapter_sha256=world.engine.info().adapter_sha256,
        measured_at=START,
        suite=suite,
    )
    of = {Domain.MATH: right} | ({} if data is None else {Domain.DATA: data})
    rows = [
        Measured(f"{domain}{i}", domain, i < correct, Units(5, 2, 6), 55)
        for domain, correct in of.items()
        for i in range(QUESTIONS)
    ]
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


def test_what_a_domain_gains_is_said_of_that_domain(world: World) -> None:
    for budget, right, data in ((0, 5, 5), (CAP, 20, 30), (7, 40, 30), (15, 58, 31)):
        recorded(world, budget, right, data)
    seen = outlook(world)
    math, data_, general = (seen(d) for d in (Domain.MATH, Domain.DATA, Domain.GENERAL))
    assert math[Importance.HIGH].no_better_than is None
    assert general[Importance.HIGH].no_better_than is None
    assert data_[Importance.HIGH].no_better_than is Importance.STANDARD
    measured = data_[Importance.STANDARD].measured
    assert measured is not None
    assert (measured.accuracy, measured.n) == (0.5, QUESTIONS)


def test_accuracy_is_that_of_passes_spent_as_the_rung_spends_them(world: World) -> None:
    rungs = POLICY.rungs | {
        i: replace(POLICY.rungs[i], solver=Solver.EULER, checked=True, temperature=0.7)
        for i in (Importance.HIGH, Importance.CRITICAL)
    }
    for suite, gain in (("pilot", 1), ("pilot --checked --temperature 0.7", 15)):
        for place, budget in enumerate((0, CAP, 7, 15)):
            recorded(world, budget, 5 + gain * place, suite=suite)
    checked = Outlook(world.engine, world.uow, replace(POLICY, rungs=rungs), world.clock)()[
        Importance.HIGH
    ].measured
    plain = outlook(world)()[Importance.HIGH].measured
    assert checked is not None
    assert plain is not None
    assert (checked.accuracy, plain.accuracy) == (35 / QUESTIONS, 7 / QUESTIONS)


def test_it_is_read_anew_only_after_a_while(world: World) -> None:
    seen = outlook(world)
    before = seen()
    recorded(world, CAP, 40)
    assert seen() is before
    world.clock.advance(KEPT + timedelta(seconds=1))
    assert seen()[Importance.STANDARD].measured is not None

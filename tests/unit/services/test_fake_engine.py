"""The stand-in keeps the engine's promises; otherwise what is tested over it proves little."""

import pytest

from app.ports import Finish, Job, Outcome, Piece
from policies.decide import decide
from policies.errors import InvalidInput
from policies.types import Domain, Importance, Plan, Rung, Solver, Units
from tests.databases import POLICY, PRICES, new_answer
from tests.fakes import WORDS, FakeEngine


def job(rung: Rung) -> Job:
    return Job("How many pens are left?", Plan(Domain.MATH, rung), 7)


@pytest.mark.parametrize("importance", Importance)
def test_units_are_exact_and_within_the_quote(importance: Importance) -> None:
    engine, rung = FakeEngine(), POLICY.rungs[importance]
    *pieces, outcome = engine.run(job(rung), lambda: False)
    assert isinstance(outcome, Outcome)
    assert all(isinstance(piece, Piece) for piece in pieces)
    assert outcome.units == Units(5, 5, 5 * rung.max_nfe_per_token)
    assert outcome.nfe_per_token == rung.max_nfe_per_token
    assert engine.evaluations == outcome.units.nfe
    request = new_answer("a-1", importance).request
    assert outcome.units.within(decide(request, POLICY, PRICES).quote.units)
    assert engine.run_batch([job(rung)], lambda: False) == [outcome]


def test_words_end_at_the_limit() -> None:
    *_, outcome = FakeEngine().run(job(Rung(Solver.BASE, 0, 1.0, 2)), lambda: False)
    assert isinstance(outcome, Outcome)
    assert (outcome.text, outcome.finish) == (" ".join(WORDS[:2]), Finish.LENGTH)


@pytest.mark.parametrize(
    ("rung", "nfe"),
    [
        (Rung(Solver.EULER, 6, 1.0, 8), 6),
        (Rung(Solver.MIDPOINT, 6, 1.0, 8), 5),
        (Rung(Solver.EULER, 6, 2.0, 8), 5),
        (Rung(Solver.MIDPOINT, 15, 2.0, 8), 13),
        (Rung(Solver.MIDPOINT, 15, 1.0, 8, points=3), 5),
    ],
)
def test_grid_is_the_finest_under_the_cap(rung: Rung, nfe: int) -> None:
    assert FakeEngine().nfe_per_token(Plan(Domain.MATH, rung)) == nfe


@pytest.mark.parametrize("points", [None, 9])
def test_cap_that_buys_no_grid_is_refused(points: int | None) -> None:
    with pytest.raises(InvalidInput):
        FakeEngine().nfe_per_token(Plan(Domain.MATH, Rung(Solver.MIDPOINT, 2, 1.0, 8, points)))

"""A measurement: every question of a budget at once, told as they end, compared in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from app.ports import Cancelled, Ended, Job, Measured, Measurement, Outcome, untold
from app.services.compare import between, compare
from app.services.measure import Measure, Measuring, budget_of
from evaluation.suites import Question
from policies.errors import Unavailable
from policies.types import Domain, Rung, Solver, Units
from tests.actors import FINN
from tests.databases import POLICY, START
from tests.fakes import MODEL, FakeEngine
from tests.world import World

LIKE = Rung(Solver.EULER, 0, 1.0, 5)
BUDGETS = [budget_of(n, LIKE) for n in (0, 3, 7)]


@dataclass
class Batches(FakeEngine):
    """Ends the jobs of a batch in another order than they came, as an engine does."""

    sizes: list[int] = field(default_factory=list)

    def run_batch(
        self, jobs: Sequence[Job], cancelled: Cancelled, ended: Ended = untold
    ) -> list[Outcome]:
        self.sizes.append(len(jobs))
        outcomes = super().run_batch(jobs, cancelled)
        for place in reversed(range(len(jobs))):
            ended(place, outcomes[place])
        return outcomes


def questions(number: int = 300) -> list[Question]:
    """Of falling length; every third is one that the fake answers rightly."""
    return [
        Question(
            f"q{i}",
            f"{i}? " * (1 + (number - i) % 7),
            "forty two pens are left" if i % 3 == 0 else "none",
            (Domain.MATH, Domain.DATA)[i % 2],
            "text",
        )
        for i in range(number)
    ]


def measure(world: World, engine: FakeEngine) -> Measure:
    return Measure(engine, world.uow, POLICY, world.clock)


def test_all_questions_of_a_budget_go_to_the_engine_at_once(world: World) -> None:
    engine = Batches()
    measure(world, engine)(FINN, "s", questions(), BUDGETS, 5)
    assert engine.sizes == [300, 300, 300]


def test_rows_are_in_the_order_of_the_questions_whatever_ends_first(world: World) -> None:
    found = measure(world, Batches())(FINN, "s", questions(), BUDGETS[:1], 5)
    (_, rows) = found[0]
    assert [row.question_id for row in rows] == [f"q{i}" for i in range(300)]
    assert [row.correct for row in rows] == [i % 3 == 0 for i in range(300)]
    lengths = [len(question.question.split()) for question in questions()]
    assert [row.units.prompt_tokens for row in rows] == lengths


def test_each_budget_meets_each_question_with_the_same_noise(world: World) -> None:
    engine = FakeEngine()
    measure(world, engine)(FINN, "s", questions(), BUDGETS, 5)
    for budget in (0, 300, 600):
        jobs = engine.jobs[budget : budget + 300]
        assert {q.question: 5 + i for i, q in enumerate(questions())} == {
            job.question: job.seed for job in jobs
        }


def test_progress_is_told_at_every_question_that_ends(world: World) -> None:
    told = list[Measuring]()
    measure(world, Batches())(FINN, "s", questions(9), BUDGETS[:2], 5, told.append)
    assert [at.done for at in told] == [*range(1, 10)] * 2
    assert {(at.budget, at.of) for at in told} == {(0, 9), (3, 9)}
    assert [told[8].correct, told[17].correct] == [3, 3]


def test_a_measurement_stopped_midway_keeps_the_budgets_that_were_whole(world: World) -> None:
    engine = FakeEngine()
    with pytest.raises(Unavailable, match="stopped"):
        measure(world, engine)(
            FINN, "s", questions(9), BUDGETS, 5, cancelled=lambda: len(engine.jobs) > 12
        )
    with world.uow() as uow:
        kept = uow.measurements.latest(MODEL.adapter_sha256)
    assert {m.budget for m in kept} == {0}


CHECKED = Rung(Solver.EULER, 0, 1.0, 20, checked=True, temperature=0.7)


def ladder(world: World, says: str, like: Rung, *caps: int) -> tuple[list[int], list[int]]:
    """Jobs that each cap sent to an engine that says this every time, and its evaluations."""
    engine = Batches(words=says.split(" "))
    budgets = [budget_of(cap, like) for cap in caps]
    found = measure(world, engine)(FINN, "s", questions(9), budgets, 5)
    rows = [rows for m, rows in found if m.domain is None]
    return engine.sizes, [sum(row.units.nfe for row in each) for each in rows]


def test_an_answer_whose_every_line_stands_is_not_drawn_again_under_a_larger_cap(
    world: World,
) -> None:
    sizes, evaluations = ladder(world, "2 + 2 = 4\nAnswer: 4", CHECKED, 3, 5, 7)
    assert sizes == [9, 0, 0]
    assert len(set(evaluations)) == 1


@pytest.mark.parametrize(
    ("says", "like", "caps"),
    [
        ("2 + 2 = 5\nAnswer: 5", CHECKED, (3, 5, 7)),  # may be written again
        ("2 + 2 = 4\nAnswer: 4", CHECKED, (7, 5, 3)),  # a larger one may have written it again
        ("2 + 2 = 4\nAnswer: 4", replace(CHECKED, checked=False), (3, 5, 7)),
        ("2 + 2 = 4\nAnswer: 4", replace(CHECKED, candidates=3), (3, 5, 7)),
    ],
)
def test_what_a_larger_cap_could_change_is_drawn_again(
    world: World, says: str, like: Rung, caps: tuple[int, ...]
) -> None:
    sizes, _ = ladder(world, says, like, *caps)
    assert sizes == [9, 9, 9]


def test_progress_counts_what_was_not_drawn_again(world: World) -> None:
    told = list[Measuring]()
    engine = FakeEngine(words=("Answer:", "4"))
    budgets = [budget_of(cap, CHECKED) for cap in (3, 5)]
    measure(world, engine)(FINN, "s", questions(3), budgets, 5, told.append)
    assert [(at.budget, at.done, at.of) for at in told] == [
        *[(3, done, 3) for done in (1, 2, 3)],
        (5, 3, 3),
    ]


# --- comparisons --------------------------------------------------------------------------------


def measured(budget: int, right: str, domains: str) -> tuple[Measurement, list[Measured]]:
    """A letter a question: 1 is right; m and d are its domain."""
    rows = [
        Measured(f"q{i}", Domain.MATH if d == "m" else Domain.DATA, r == "1", Units(1, 1), 1)
        for i, (r, d) in enumerate(zip(right, domains, strict=True))
    ]
    n = len(rows)
    whole = Measurement(
        "s", budget, None, None, 0.5, 0, 1, n, budget, 1, "USD", "a" * 64, 0, START, False
    )
    return whole, rows


DOMAINS = "mmmmdddd"
FOUND = [
    measured(0, "00001000", DOMAINS),
    measured(3, "11101000", DOMAINS),
    measured(7, "11100111", DOMAINS),
]


def test_each_budget_is_compared_with_the_one_before_and_with_the_first() -> None:
    whole = [c for c in compare(FOUND) if c.domain is None]
    assert [(c.of.budget, c.over.budget) for c in whole] == [(3, 0), (7, 3), (7, 0)]
    assert [(c.difference.gained, c.difference.lost) for c in whole] == [(3, 0), (3, 1), (6, 1)]
    assert compare(FOUND[:1]) == []


def test_domains_are_compared_on_their_own_questions() -> None:
    parts = {c.domain: c.difference for c in compare(FOUND[:2])}
    assert (parts[Domain.MATH].n, parts[Domain.MATH].gained) == (4, 3)
    assert (parts[Domain.DATA].n, parts[Domain.DATA].gained) == (4, 0)
    one_domain = [(m, [r for r in rows if r.domain is Domain.MATH]) for m, rows in FOUND[:2]]
    assert [c.domain for c in compare(one_domain)] == [None]


def test_only_questions_that_both_answered_are_compared_whatever_their_order() -> None:
    (of, rows), (over, its) = FOUND[1], FOUND[0]
    (c,) = between(of, list(reversed(rows))[:3], over, its)  # the last three, of one domain
    assert (c.difference.n, c.difference.gained, c.difference.lost) == (3, 0, 0)
    assert between(of, rows, over, []) == []

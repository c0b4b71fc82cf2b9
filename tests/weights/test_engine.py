"""The local engine on real weights: batches, cancels and counts as the port promises."""

from app.gateways import LocalEngine
from app.ports import Finish, Job, Outcome, Piece
from policies.document import preset
from policies.pricing import worst_case
from policies.types import Domain, Importance, Plan, Rung, Solver, Units
from tests.weights.conftest import QUESTION


def plan(importance: Importance) -> Plan:
    return Plan(Domain.MATH, preset("pilot").rungs[importance])


def run(engine: LocalEngine, job: Job) -> tuple[list[Piece], Outcome]:
    *pieces, outcome = engine.run(job, lambda: False)
    assert isinstance(outcome, Outcome)
    return [p for p in pieces if isinstance(p, Piece)], outcome


def test_left_to_itself_it_reads_the_published_blocks_on_any_processor(engine: LocalEngine) -> None:
    assert engine.info().precision == "published"


def test_pieces_add_up_to_the_answer_and_its_units(engine: LocalEngine) -> None:
    rung = Rung(Solver.EULER, 3, 1.0, 96)
    pieces, outcome = run(engine, Job(QUESTION, Plan(Domain.MATH, rung), 1))
    assert "".join(p.text for p in pieces) == outcome.text
    assert outcome.units.nfe == 3 * outcome.units.decode_tokens
    assert outcome.units.prompt_tokens == engine.count_prompt_tokens(QUESTION)
    assert all(
        a.units.within(b.units) for a, b in zip(pieces, [*pieces[1:], pieces[-1]], strict=True)
    )


def test_no_plan_passes_its_worst_case(engine: LocalEngine) -> None:
    for importance in Importance:
        short = plan(importance)
        limit = worst_case(short, engine.count_prompt_tokens(QUESTION))
        _, outcome = run(engine, Job(QUESTION, short, 2))
        assert outcome.units.within(limit)


def test_a_cancel_ends_in_time_and_counts_what_was_done(engine: LocalEngine) -> None:
    every = Rung(Solver.EULER, 31, 1.0, 96, temperature=0.7, checked=True)  # no gate
    for k in (0, 1, 5, 20):
        told = [0]

        def cancelled(k: int = k, told: list[int] = told) -> bool:
            return told[-1] >= k

        for piece in engine.run(Job(QUESTION, Plan(Domain.MATH, every), 3), cancelled):
            told.append(piece.units.nfe)
        assert isinstance(piece, Outcome)
        assert piece.finish is Finish.CANCELLED
        assert told == sorted(told)
        assert k <= piece.units.nfe <= 2 * k + 15  # it is told, and asks, at least once a token


def test_the_base_rung_is_the_language_model_alone(engine: LocalEngine) -> None:
    _, outcome = run(engine, Job(QUESTION, Plan(Domain.MATH, Rung(Solver.BASE, 0, 1.0, 8)), 4))
    assert (outcome.units.nfe, outcome.changed_tokens) == (0, 0)


def test_a_batch_counts_each_answer_for_itself(engine: LocalEngine) -> None:
    questions = (QUESTION, "Sort ascending: 9, 4, 7.", "Add 12 and 30.")
    once = Plan(Domain.MATH, Rung(Solver.EULER, 1, 1.0, 96))
    jobs = [Job(q, once, 5) for q in questions]
    outcomes = engine.run_batch(jobs, lambda: False)
    for job, outcome in zip(jobs, outcomes, strict=True):
        tokens = outcome.units.decode_tokens
        assert outcome.units == Units(engine.count_prompt_tokens(job.question), tokens, tokens)

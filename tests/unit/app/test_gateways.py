"""The engine on a tiny model: gates, candidates, every solver keep the plan's caps and counts."""

import functools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from app.candidates import candidates
from app.gateways import LocalEngine
from app.ports import Finish, Job, Outcome, Piece
from evaluation.working import statements
from model.backbone import Backbone
from model.hf import Prompter
from model.l2d import Context, FlowPath
from model.prepared import PreparedPath, Times
from model.sampler import Row, Sampler
from policies.errors import Busy, InvalidInput, Unavailable
from policies.pricing import worst_case
from policies.types import Domain, Importance, Plan, Rung, Solver, Units
from tests.fakes import MODEL
from tests.tiny import VOCAB, tiny_prepared, tiny_sampler

PLAIN = Rung(Solver.EULER, 3, 1.0, 6)
VOTED = replace(PLAIN, candidates=5)


class Digits:
    """A tokenizer whose every answer is a number, so that every candidate votes."""

    def prompt(self, question: str) -> list[int]:
        return [1 + ord(letter) % (VOCAB - 1) for letter in question]

    def text(self, ids: list[int]) -> str:
        return str(sum(ids) % 3)


@functools.cache
def engine() -> LocalEngine:
    return local(tiny_sampler().prepared)


def local(prepared: PreparedPath) -> LocalEngine:
    return LocalEngine(Sampler(prepared), cast(Prompter, Digits()), MODEL)


def job(rung: Rung, question: str = "3 + 4?", seed: int = 5) -> Job:
    return Job(question, Plan(Domain.MATH, rung), seed)


def run(
    rung: Rung, cancelled: Callable[[], bool] = lambda: False, **changes: Any
) -> tuple[list[Piece], Outcome]:
    *pieces, outcome = engine().run(job(rung, **changes), cancelled)
    assert isinstance(outcome, Outcome)
    return [p for p in pieces if isinstance(p, Piece)], outcome


@pytest.mark.parametrize("solver", [s for s in Solver if s is not Solver.BASE])
def test_every_solver_of_a_policy_runs_within_its_worst_case(solver: Solver) -> None:
    rung = Rung(solver, 8, 1.0, 3, candidates=2, tolerance=0.3 if solver.adaptive else None)
    _, outcome = run(rung)
    limit = worst_case(Plan(Domain.MATH, rung), engine().count_prompt_tokens("3 + 4?"))
    assert outcome.units.within(limit)
    assert outcome.units.nfe <= outcome.nfe_per_token * outcome.units.decode_tokens
    assert 2 <= outcome.nfe_per_token <= 8


def test_most_of_the_candidates_win_in_a_run_as_in_a_batch() -> None:
    winners = set()
    for seed in range(4):
        seeds = [r.seed for r in candidates(Row((1,), seed), 5)]
        alone = engine().run_batch([job(PLAIN, seed=s) for s in seeds], lambda: False)
        texts = [outcome.text for outcome in alone]
        _, voted = run(VOTED, seed=seed)
        (batched,) = engine().run_batch([job(VOTED, seed=seed)], lambda: False)
        assert replace(voted, device_seconds=0.0) == replace(batched, device_seconds=0.0)
        assert voted.votes == tuple(texts.count(text) for text in texts)
        assert voted.text == texts[voted.votes.index(max(voted.votes))]
        assert all(outcome.votes == () for outcome in alone)
        winners.add(voted.votes.index(max(voted.votes)))
    assert len(winners) > 1  # it is not always the first


def test_candidates_of_the_base_model_alone_differ_by_their_temperature() -> None:
    base = Rung(Solver.BASE, 0, 1.0, 12, candidates=8)
    _, greedy = run(base)
    warm = [run(replace(base, temperature=5.0), seed=seed)[1] for seed in range(3)]
    assert greedy.votes == (8,) * 8
    assert any(len(set(outcome.votes)) > 1 for outcome in warm)
    assert warm[0].units == Units(engine().count_prompt_tokens("3 + 4?"), 8 * 12, 0)


def test_prompt_of_candidates_is_charged_once_and_their_writing_each() -> None:
    prompt = engine().count_prompt_tokens("3 + 4?")
    _, voted = run(VOTED)
    assert voted.units == Units(prompt, 5 * 6, 5 * 6 * 3)
    assert voted.finish is Finish.LENGTH


def test_nothing_of_a_candidate_is_shown_before_the_vote() -> None:
    pieces, outcome = run(VOTED)
    assert {p.text for p in pieces[:-1]} == {""}
    assert pieces[-1].text == outcome.text == "".join(p.text for p in pieces)
    assert pieces[-1].units == outcome.units
    assert all(a.units.within(b.units) for a, b in pairwise(pieces))


def test_batch_of_candidates_equals_jobs_one_at_a_time() -> None:
    jobs = [job(VOTED, "3 + 4?", 1), job(VOTED, "9, 2, 7", 2)]
    together = engine().run_batch(jobs, lambda: False)
    for one, found in zip(jobs, together, strict=True):
        _, alone = run(VOTED, question=one.question, seed=one.seed)
        assert replace(found, device_seconds=0.0) == replace(alone, device_seconds=0.0)


class Slow(PreparedPath):
    """An evaluation outlasts the time in which a job asks whether it was cancelled."""

    def __init__(self, backbone: Backbone, path: FlowPath) -> None:
        super().__init__(backbone, path)
        self.batches: list[int] = []

    def hidden(self, x_t: Tensor, t: Times, labels: Tensor, context: Context) -> Tensor:
        self.batches.append(len(x_t))
        time.sleep(0.15)
        hidden = super().hidden(x_t, t, labels, context)
        return torch.where(labels[..., None] == 0, torch.nan, hidden) if self.poisoned else hidden

    poisoned = False
    """The class "math" comes to nothing."""


@pytest.fixture
def slow() -> Slow:
    prepared = tiny_prepared(kind=Slow)
    assert isinstance(prepared, Slow)
    return prepared


@pytest.fixture
def slowly(slow: Slow) -> Iterator[LocalEngine]:
    engine = local(slow)
    yield engine
    engine.close()


@pytest.mark.parametrize("after", [1, 4])
def test_cancel_ends_within_one_evaluation_and_charges_what_was_done(
    slow: Slow, slowly: LocalEngine, after: int
) -> None:
    begun = list[int]()

    def cancelled() -> bool:
        if len(slow.batches) >= after:
            begun.append(len(slow.batches))
        return bool(begun)

    *pieces, outcome = slowly.run(job(VOTED), cancelled)
    assert isinstance(outcome, Outcome)
    done = len(slow.batches)
    assert begun[0] <= done <= begun[0] + 1
    assert outcome.units.nfe == 5 * done
    assert outcome.finish is Finish.CANCELLED
    assert outcome.votes == ()
    assert "".join(p.text for p in pieces if isinstance(p, Piece)) == outcome.text
    time.sleep(0.4)
    assert len(slow.batches) == done


def test_cancelled_before_it_begins_does_no_work() -> None:
    pieces, outcome = run(VOTED, lambda: True)
    assert (pieces, outcome.units, outcome.finish) == ([], Units(), Finish.CANCELLED)


def test_jobs_of_several_callers_share_their_passes_and_not_their_answers(
    slow: Slow, slowly: LocalEngine
) -> None:
    jobs = [job(replace(PLAIN, max_new_tokens=n), seed=n) for n in (2, 3, 4)]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda j: list(slowly.run(j, lambda: False))[-1], jobs))
    assert max(slow.batches) == 3
    assert sum(slow.batches) == 3 * (2 + 3 + 4)
    for one, outcome in zip(jobs, found, strict=True):
        *_, alone = engine().run(one, lambda: False)
        assert isinstance(alone, Outcome)
        assert isinstance(outcome, Outcome)
        assert replace(outcome, device_seconds=0.0) == replace(alone, device_seconds=0.0)
    seconds = [o.device_seconds for o in found if isinstance(o, Outcome)]
    assert sum(seconds) == pytest.approx(0.15 * len(slow.batches), rel=0.5)


def test_work_of_a_long_token_is_told_before_it_is_written(slowly: LocalEngine) -> None:
    pieces = list(slowly.run(job(replace(PLAIN, max_new_tokens=1)), lambda: False))
    early = [p.units for p in pieces if isinstance(p, Piece) and not p.units.decode_tokens]
    prompt = slowly.count_prompt_tokens("3 + 4?")
    assert Units(prompt, 0, 1) in early
    assert Units(prompt, 0, 2) in early


def test_broken_job_tells_its_work_and_leaves_the_others_alone(
    slow: Slow, slowly: LocalEngine
) -> None:
    slow.poisoned = True
    fine = replace(job(PLAIN), plan=Plan(Domain.DATA, PLAIN))
    told = list[Piece | Outcome]()

    def broken() -> None:
        for piece in slowly.run(job(VOTED), lambda: False):
            told.append(piece)  # one by one: it raises in the end

    with ThreadPoolExecutor() as pool:
        first, second = pool.submit(broken), pool.submit(list, slowly.run(fine, lambda: False))
        with pytest.raises(FloatingPointError, match="no finite logits"):
            first.result()
        *_, outcome = second.result()
    assert isinstance(outcome, Outcome)
    assert outcome.units.nfe == 3 * 6
    last = told[-1]
    assert isinstance(last, Piece)
    assert last.units.nfe == 5 * 3


def test_closed_engine_ends_what_runs_and_takes_nothing_more(
    slow: Slow, slowly: LocalEngine
) -> None:
    running = slowly.run(job(PLAIN), lambda: False)
    next(running)
    slowly.close()
    with pytest.raises(Unavailable, match="closed"):
        list(running)
    with pytest.raises(Unavailable, match="closed"):
        list(slowly.run(job(PLAIN), lambda: False))
    passes = len(slow.batches)
    time.sleep(0.2)
    assert len(slow.batches) == passes
    assert slowly._thread._thread is not None
    assert not slowly._thread._thread.is_alive()


def test_a_job_left_behind_stops(slow: Slow, slowly: LocalEngine) -> None:
    pieces = slowly.run(job(PLAIN), lambda: False)
    next(pieces)
    assert isinstance(pieces, Iterator)
    pieces.close()  # type: ignore[attr-defined]
    time.sleep(0.4)
    passes = len(slow.batches)
    time.sleep(0.4)
    assert len(slow.batches) == passes < 3 * 6


def test_cancelled_measurement_is_unavailable(slow: Slow, slowly: LocalEngine) -> None:
    with pytest.raises(Unavailable, match="stopped"):
        slowly.run_batch([job(PLAIN, seed=s) for s in range(3)], lambda: len(slow.batches) > 2)
    time.sleep(0.4)
    assert len(slow.batches) <= 4
    assert slowly.run_batch([], lambda: False) == []


def test_a_batch_of_any_size_runs_and_each_is_told_as_it_ends(
    slow: Slow, slowly: LocalEngine
) -> None:
    slowly._thread.engine.slots = 2
    jobs = [job(replace(PLAIN, max_new_tokens=1), seed=s) for s in range(5)]
    told, passes = list[tuple[int, Outcome]](), list[int]()

    def ended(place: int, outcome: Outcome) -> None:
        told.append((place, outcome))
        passes.append(len(slow.batches))

    outcomes = slowly.run_batch(jobs, lambda: False, ended)
    assert [outcome for _, outcome in sorted(told, key=lambda pair: pair[0])] == outcomes
    assert len(outcomes) == 5
    assert max(slow.batches) == 2
    assert passes[0] < len(slow.batches)  # the first was told while others still waited


def test_a_measurement_that_waits_takes_no_place_of_a_user(slow: Slow, slowly: LocalEngine) -> None:
    line, stop = slowly._thread.engine.line, list[bool]()
    slowly._thread.engine.slots = 1
    jobs = [job(PLAIN, seed=s) for s in range(40)]
    with ThreadPoolExecutor() as pool:
        measuring = pool.submit(slowly.run_batch, jobs, lambda: bool(stop))
        while not slow.batches:
            time.sleep(0.01)
        assert len(line) == 39
        an_hour_later = time.monotonic() + 3600
        line._clock = lambda: an_hour_later
        assert slowly.queue(Importance.ROUTINE).waiting == 0
        asked = list(slowly.run(job(replace(PLAIN, max_new_tokens=1)), lambda: False))
        assert isinstance(asked[-1], Outcome)
        assert len(line) > 30
        stop.append(True)
        with pytest.raises(Unavailable):
            measuring.result()


def test_full_line_refuses_with_the_wait_and_the_important_still_come_in(
    slow: Slow, slowly: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gateways.LINE_LIMIT", 2)
    slowly._thread.engine.slots = 1
    stop = list[bool]()
    with ThreadPoolExecutor() as pool:
        for seed in range(3):
            pool.submit(list, slowly.run(job(PLAIN, seed=seed), lambda: bool(stop)))
            while not slow.batches or len(slowly._thread.engine.line) < seed:
                time.sleep(0.01)
        line = slowly.queue(Importance.STANDARD)
        assert (line.waiting, line.limit) == (2, 2)
        assert 0 < line.seconds < 60
        with pytest.raises(Busy, match="2 requests wait, at most 2 may"):
            next(slowly.run(job(PLAIN), lambda: False))
        assert slowly.queue(Importance.CRITICAL).waiting == 0
        important = replace(job(PLAIN), importance=Importance.CRITICAL)
        *_, outcome = slowly.run(important, lambda: len(slow.batches) > 3 * 6)
        stop.append(True)
    assert isinstance(outcome, Outcome)
    assert outcome.units.nfe > 0  # it went before the two that came earlier


def test_gate_saves_evaluations_that_are_then_not_charged() -> None:
    _, plain = run(PLAIN)
    _, gated = run(replace(PLAIN, gate=0.18))
    _, closed = run(replace(PLAIN, gate=1e-6))
    _, base = run(Rung(Solver.BASE, 0, 1.0, 6))
    assert plain.units.nfe == 3 * 6 > gated.units.nfe > closed.units.nfe == 0
    assert gated.units.nfe % 3 == 0
    assert closed.text == base.text
    assert gated.nfe_per_token == 3  # what was quoted does not change


def test_gate_that_is_no_chance_is_refused() -> None:
    with pytest.raises(InvalidInput, match="gate"):
        engine().nfe_per_token(Plan(Domain.MATH, replace(PLAIN, gate=1.5)))


class Sums(Digits):
    """A tokenizer whose every token is a line with a sum; about a third of them hold."""

    def text(self, ids: list[int]) -> str:
        return "".join(f"{i % 3} + {i} = {i + 1}\n" for i in ids)


def test_a_checked_line_is_shown_once_and_only_as_it_stands() -> None:
    checked = replace(PLAIN, checked=True, temperature=1.0, max_nfe_per_token=4)
    summing = LocalEngine(Sampler(tiny_sampler().prepared), cast(Prompter, Sums()), MODEL)
    again, wrong = 0, {1: 0, 4: 0}
    for seed in range(6):
        for cap in wrong:
            rung = replace(checked, max_nfe_per_token=cap)
            *pieces, outcome = summing.run(job(rung, seed=seed), lambda: False)
            (batched,) = summing.run_batch([job(rung, seed=seed)], lambda: False)
            assert isinstance(outcome, Outcome)
            assert "".join(p.text for p in pieces if isinstance(p, Piece)) == outcome.text
            assert "".join(token.text for token in outcome.trace.tokens) == outcome.text
            assert (batched.text, batched.units) == (outcome.text, outcome.units)
            limit = worst_case(Plan(Domain.MATH, rung), outcome.units.prompt_tokens)
            assert outcome.units.within(limit)
            wrong[cap] += sum(not s.holds for s in statements(outcome.text))
            again += sum(token.writing > 1 for token in outcome.trace.tokens)
    summing.close()
    assert again > 5
    assert wrong[4] < wrong[1]

"""Many questions are one decision: held together or not at all, and charged each for its own."""

import time
from contextlib import closing
from datetime import timedelta

import pytest

from app.ports import AnswerStatus
from app.services.ask import AskForm, Limits
from app.services.batch import Batch
from app.services.side_by_side import SideBySide
from policies.errors import InvalidInput, KeyReused, OverCeiling
from policies.types import Importance
from tests.actors import ANN
from tests.world import World

QUESTIONS = ("How many pens?", "How many cups?", "How many lamps?")
LEASE = timedelta(seconds=30)


def wanted(world: World, *questions: str) -> list[tuple[AskForm, str]]:
    return [(world.form(question=q), f"key-{place}") for place, q in enumerate(questions)]


def quote(world: World) -> int:
    return world.ask().preview(ANN, world.form(question=QUESTIONS[0])).decision.quote.nanos


def open_holds(world: World) -> int:
    with world.uow() as uow:
        return len(uow.ledger.open_holds(100))


def test_all_that_fit_are_run_and_each_is_charged_for_itself(world: World) -> None:
    world.limit(3 * quote(world))
    receipts = dict(Batch(world.ask().admission)(ANN, wanted(world, *QUESTIONS)))
    assert sorted(receipts) == [0, 1, 2]
    with world.uow() as uow:
        asked = [uow.answers.text(receipts[at].row.id).question for at in range(3)]
    assert asked == list(QUESTIONS)
    assert all(r.row.status is AnswerStatus.RELEASED for r in receipts.values())
    assert sorted(world.charges()) == sorted(r.row.cost_nanos for r in receipts.values())
    assert world.ceiling().held_nanos == 0


def test_where_one_does_not_fit_none_is_run(world: World) -> None:
    world.limit(3 * quote(world) - 1)
    with pytest.raises(OverCeiling) as refused:
        list(Batch(world.ask().admission)(ANN, wanted(world, *QUESTIONS)))
    assert refused.value.values["batch"] == 3
    assert refused.value.values["quote_nanos"] == 3 * quote(world)
    assert world.engine.jobs == []
    assert [row.status for row in world.rows()] == [AnswerStatus.REFUSED] * 3
    assert (world.ceiling().held_nanos, world.charges()) == (0, [])


def test_a_batch_sent_twice_runs_and_charges_once(world: World) -> None:
    first = dict(Batch(world.ask().admission)(ANN, wanted(world, *QUESTIONS[:2])))
    again = dict(Batch(world.ask().admission)(ANN, wanted(world, *QUESTIONS)))
    assert [again[at].row.id for at in (0, 1)] == [first[at].row.id for at in (0, 1)]
    assert [again[at].replayed for at in range(3)] == [True, True, False]
    assert (len(world.engine.jobs), len(world.charges())) == (3, 3)


def test_a_key_of_another_question_refuses_the_batch_whole(world: World) -> None:
    world.receipt("key-1", question="Another")
    with pytest.raises(KeyReused):
        list(Batch(world.ask().admission)(ANN, wanted(world, *QUESTIONS)))
    assert len(world.engine.jobs) == 1
    assert world.ceiling().held_nanos == 0


def test_closing_early_charges_the_work_done_and_gives_the_rest_back(world: World) -> None:
    with closing(Batch(world.ask().admission, at_once=1)(ANN, wanted(world, *QUESTIONS))) as batch:
        _, first = next(batch)
    ends = {row.id: row for row in world.rows()}
    assert ends.pop(first.row.id).status is AnswerStatus.RELEASED
    assert AnswerStatus.CANCELLED in {row.status for row in ends.values()}
    assert open_holds(world) == 0
    assert world.ceiling().held_nanos == 0
    assert sum(world.charges()) == world.ceiling().committed_nanos


def test_what_one_meets_does_not_touch_the_others(world: World) -> None:
    def fail_once(evaluation: int) -> None:
        if evaluation == 2 and len(world.engine.jobs) == 2:
            raise RuntimeError("a broken pass")

    world.engine.before = fail_once
    ended: list[tuple[int, AnswerStatus]] = []

    def run() -> None:
        for at, receipt in Batch(world.ask().admission, at_once=1)(ANN, wanted(world, *QUESTIONS)):
            ended.append((at, receipt.row.status))

    with pytest.raises(RuntimeError, match="a broken pass"):
        run()
    assert ended == [(0, AnswerStatus.RELEASED), (2, AnswerStatus.RELEASED)]
    assert sorted(row.status for row in world.rows()) == sorted(
        [AnswerStatus.RELEASED, AnswerStatus.FAILED, AnswerStatus.RELEASED]
    )


def test_who_waits_longer_than_a_lease_for_a_turn_keeps_its_hold(world: World) -> None:
    world.limits = Limits(lease=LEASE, heartbeat=timedelta(milliseconds=20))
    taken: list[str] = []

    def slow(evaluation: int) -> None:
        if evaluation > 1:
            return
        world.clock.advance(LEASE * 2 / 3)
        until = time.monotonic() + 5
        while time.monotonic() < until and not kept(world):
            time.sleep(0.01)
        taken.extend(world.ask().recover())

    world.engine.before = slow
    receipts = dict(Batch(world.ask().admission, at_once=1)(ANN, wanted(world, *QUESTIONS)))
    assert taken == []
    assert [receipts[at].row.status for at in range(3)] == [AnswerStatus.RELEASED] * 3


def kept(world: World) -> bool:
    """All but the one that runs have a lease that began after the clock moved."""
    with world.uow() as uow:
        holds = uow.ledger.open_holds(100)
    fresh = [hold for hold in holds if hold.expires_at - world.clock() > LEASE * 2 / 3]
    return len(fresh) >= len(holds) - 1


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_has_a_size(world: World, count: int) -> None:
    with pytest.raises(InvalidInput, match="1 to 1000"):
        list(Batch(world.ask().admission)(ANN, wanted(world, *["Why?"] * count)))


def test_two_questions_of_a_batch_have_two_keys(world: World) -> None:
    twice = [(world.form(), "same"), (world.form(question="Another"), "same")]
    with pytest.raises(InvalidInput, match="2 questions of a batch have 1 keys"):
        list(Batch(world.ask().admission)(ANN, twice))


def test_a_comparison_is_one_decision(world: World) -> None:
    both = [Importance.ROUTINE, Importance.STANDARD]
    nanos = [world.ask().preview(ANN, world.form(importance=i)).decision.quote.nanos for i in both]
    world.limit(sum(nanos) - 1)
    with pytest.raises(OverCeiling):
        list(SideBySide(world.ask())(ANN, world.form(), both, "key", blind=False))
    assert world.engine.jobs == []
    world.limit(sum(nanos))
    receipts = list(SideBySide(world.ask())(ANN, world.form(), both, "again", blind=False))
    assert [receipt.row.granted for receipt in receipts] == both

"""One question from decision to receipt: what is charged, held and kept, however it ends."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from app.ports import AnswerStatus, Cancelled, Job, Outcome, Piece, UnitOfWork
from app.services.ask import Event, Limits, Receipt, Started, Written
from policies.errors import InvalidInput, KeyReused, OverCeiling, Unavailable, Unpriced
from policies.pricing import price
from policies.types import Importance, Units
from tests.actors import ANN, requester
from tests.databases import LIMIT_NANOS, PRICES, Ids
from tests.fakes import FakeEngine
from tests.world import World

PROMPT = Units(prompt_tokens=5)
TOKEN = Units(decode_tokens=1, nfe=3)
"""One token at the standard rung of the pilot policy."""
QUOTE = 2410


def test_receipt_is_what_the_ledger_says(world: World) -> None:
    started, *written, receipt = world.events()
    assert isinstance(started, Started)
    assert started.nfe_per_token == 3
    assert [piece.text for piece in written if isinstance(piece, Written)] == [
        "forty", " two", " pens", " are", " left",
    ]  # fmt: skip
    assert isinstance(receipt, Receipt)
    assert receipt.text.answer == "forty two pens are left"
    assert receipt.row.status is AnswerStatus.RELEASED
    assert receipt.row.units == Units(5, 5, 15)
    assert receipt.row.cost_nanos == price(Units(5, 5, 15), PRICES)
    assert receipt.row.cost_nanos == world.ceiling().committed_nanos
    assert world.charges() == [receipt.row.cost_nanos]
    assert world.ceiling().held_nanos == 0


def test_worst_case_is_held_while_the_model_runs(world: World) -> None:
    events = world.ask()(ANN, world.form(), "key")
    next(events)
    assert world.ceiling().held_nanos == QUOTE
    assert world.only_row().status is AnswerStatus.RUNNING
    list(events)


def test_no_transaction_is_open_while_the_model_runs(world: World) -> None:
    world.engine.before = lambda _: world.limit(LIMIT_NANOS)  # takes the write lock
    assert world.receipt().row.status is AnswerStatus.RELEASED


def test_refused_request_never_reaches_the_engine(world: World) -> None:
    world.limit(QUOTE - 1)
    with pytest.raises(OverCeiling) as refusal:
        world.events()
    assert world.engine.jobs == []
    assert world.only_row().status is AnswerStatus.REFUSED
    assert world.charges() == []
    assert world.ceiling().held_nanos == 0
    assert refusal.value.values == {
        "scope": "pilot",
        "window": "whole",
        "window_start": "",
        "limit_nanos": QUOTE - 1,
        "committed_nanos": 0,
        "held_nanos": 0,
        "quote_nanos": QUOTE,
        "currency": "JPY",
        "fits": "routine",
    }


def test_refusal_offers_nothing_where_nothing_fits(world: World) -> None:
    world.limit(1)
    with pytest.raises(OverCeiling) as refusal:
        world.events()
    assert refusal.value.values["fits"] == ""


def test_refused_key_may_be_tried_again(world: World) -> None:
    world.limit(QUOTE - 1)
    for _ in range(2):
        with pytest.raises(OverCeiling):
            world.events()
    world.limit(QUOTE)
    assert world.receipt().row.status is AnswerStatus.RELEASED
    assert len(world.rows()) == 3


@pytest.mark.parametrize("evaluation", [0, 1, 2, 3, 4, 7, 15])
def test_cancel_at_evaluation_k_charges_exactly_k(world: World, evaluation: int) -> None:
    *_, receipt = world.events(cancelled=lambda: world.engine.evaluations >= evaluation)
    assert isinstance(receipt, Receipt)
    done = Units(5, evaluation // 3, evaluation)
    assert receipt.row.units == done
    assert receipt.row.cost_nanos == price(done, PRICES)
    finished = evaluation == 15
    assert receipt.row.status is (AnswerStatus.RELEASED if finished else AnswerStatus.CANCELLED)
    assert world.ceiling().held_nanos == 0


def test_page_closed_before_the_first_word_charges_nothing(world: World) -> None:
    events = world.ask()(ANN, world.form(), "key")
    next(events)
    events.close()
    row = world.only_row()
    assert (row.status, row.cost_nanos) == (AnswerStatus.CANCELLED, 0)
    assert world.ceiling().held_nanos == 0
    assert world.engine.evaluations == 0


def test_page_closed_midway_keeps_and_charges_what_was_written(world: World) -> None:
    events = world.ask()(ANN, world.form(), "key")
    assert [type(next(events)) for _ in range(3)] == [Started, Written, Written]
    events.close()
    row = world.only_row()
    assert row.status is AnswerStatus.CANCELLED
    assert row.units == Units(5, 2, 6)
    assert world.engine.evaluations == 6
    assert world.charges() == [price(row.units, PRICES)]
    assert world.text(row.id) == "forty two"


class EngineAhead(FakeEngine):
    """Works in the background: a word is handed out once the next is written already."""

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        pieces = super().run(job, cancelled)
        ready = next(pieces)
        for piece in pieces:
            yield ready
            ready = piece
        yield ready


def test_page_closed_while_the_engine_was_ahead_is_charged_for_all_it_did(world: World) -> None:
    world.engine = EngineAhead()
    events = world.ask()(ANN, world.form(), "key")
    assert [type(next(events)) for _ in range(2)] == [Started, Written]
    events.close()
    row = world.only_row()
    assert row.units == Units(5, 2, 6)
    assert world.engine.evaluations == 6
    assert world.text(row.id) == "forty two"


def test_page_closed_after_the_last_word_changes_nothing(world: World) -> None:
    events = world.ask()(ANN, world.form(), "key")
    while not isinstance(next(events), Receipt):
        pass
    events.close()
    assert world.only_row().status is AnswerStatus.RELEASED
    assert len(world.charges()) == 1


@pytest.mark.parametrize("error", [RuntimeError("broken"), Unavailable("out of memory")])
def test_engine_failing_midway_is_charged_for_the_work_recorded(
    world: World, error: Exception
) -> None:
    def fail(evaluation: int) -> None:
        if evaluation == 8:
            raise error

    world.engine.before = fail
    with pytest.raises(type(error), match=str(error)):
        world.events()
    row = world.only_row()
    assert row.status is AnswerStatus.FAILED
    assert row.units == Units(5, 2, 6)  # the piece before the failure
    assert world.charges() == [price(row.units, PRICES)]
    assert world.text(row.id) == "forty two"


def test_engine_passing_its_cap_is_loud_and_never_charged_above_the_hold(world: World) -> None:
    world.engine.words = ["word"] * 10
    cheat = Units(5, 97, 1000)
    honest = world.engine._outcome

    def dishonest(text: str, _units: Units, *rest: object) -> object:
        return honest(text, cheat, *rest)  # type: ignore[arg-type]

    world.engine._outcome = dishonest  # type: ignore[assignment, method-assign]
    with pytest.raises(AssertionError, match="above the hold"):
        world.events()
    world.clock.advance(timedelta(minutes=1))
    assert world.ask().recover() == [world.only_row().id]
    assert world.ceiling().committed_nanos <= QUOTE


def test_plan_that_buys_no_grid_is_refused_before_anything_is_held(world: World) -> None:
    def nothing_fits(_plan: object) -> int:
        raise InvalidInput("no grid fits")

    world.engine.nfe_per_token = nothing_fits  # type: ignore[assignment, method-assign]
    with pytest.raises(InvalidInput):
        world.events()
    assert world.rows() == []
    assert world.ceiling().held_nanos == 0


def test_lost_lease_stops_the_run_and_writes_nothing_more(world: World) -> None:
    settled: list[str] = []

    def expire_elsewhere(evaluation: int) -> None:
        if evaluation == 7:
            world.clock.advance(timedelta(minutes=5))
            settled.extend(world.ask().recover())

    world.engine.before = expire_elsewhere
    *_, receipt = world.events()
    assert isinstance(receipt, Receipt)
    assert settled == [receipt.row.id]
    assert receipt.row.status is AnswerStatus.INTERRUPTED
    assert receipt.row.units == Units(5, 2, 6)  # as recorded when it was taken away
    assert world.engine.evaluations == 7
    assert world.charges() == [receipt.row.cost_nanos]


def test_lease_is_kept_while_an_evaluation_takes_long(world: World) -> None:
    """Without a word for longer than a lease: a queue, a long prompt. Evaluations keep it alive."""

    def slow(_evaluation: int) -> None:
        world.clock.advance(timedelta(seconds=20))
        assert world.ask().recover() == []

    world.engine.before = slow
    assert world.receipt(importance=Importance.CRITICAL).row.status is AnswerStatus.PENDING_REVIEW


@pytest.mark.parametrize("seconds", [1, 3, 30, 3600])
def test_a_lease_of_any_length_is_lengthened_before_it_ends(seconds: int) -> None:
    limits = Limits.leased(timedelta(seconds=seconds))
    assert timedelta() < limits.heartbeat <= min(limits.lease / 3, Limits().heartbeat)


def test_database_busy_at_a_heartbeat_does_not_kill_the_answer(world: World) -> None:
    world.uow = _failing_from(world.uow, calls={4, 5})
    assert world.receipt().row.status is AnswerStatus.RELEASED


def test_answer_is_released_by_the_second_try_where_its_settlement_was_locked_out(
    world: World,
) -> None:
    world.limits = Limits(heartbeat=timedelta(hours=1))
    plain, world.uow = world.uow, _failing_from(world.uow, calls={3})
    with pytest.raises(Unavailable):
        world.events()
    world.uow = plain
    receipt = world.receipt()
    assert receipt.replayed
    assert receipt.row.status is AnswerStatus.RELEASED
    assert receipt.text.answer == "forty two pens are left"


def test_crashed_run_is_recovered_to_the_work_recorded(world: World) -> None:
    events = world.ask()(ANN, world.form(), "key")
    for _ in range(3):
        next(events)
    assert world.ask().recover() == []  # its lease is good
    world.clock.advance(timedelta(seconds=30))
    (answer_id,) = world.ask().recover()
    row = world.only_row()
    assert (row.id, row.status, row.units) == (
        answer_id, AnswerStatus.INTERRUPTED, Units(5, 2, 6),
    )  # fmt: skip
    assert world.ask().recover() == []
    events.close()
    assert world.only_row() == row


def test_same_key_and_request_is_answered_once(world: World) -> None:
    first, again = world.receipt(), world.receipt()
    assert (first.replayed, again.replayed) == (False, True)
    assert again.row == first.row
    assert again.text == first.text
    assert len(world.engine.jobs) == len(world.charges()) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Another?"},
        {"importance": Importance.HIGH},
        {"actor": requester("ann", "ops")},
        {"seed": 8},
    ],
)
def test_same_key_with_another_request_is_refused(world: World, change: dict[str, Any]) -> None:
    first = world.receipt()
    with pytest.raises(KeyReused) as reused:
        world.events(**change)
    assert reused.value.values["answer_id"] == first.row.id
    assert len(world.engine.jobs) == 1


@pytest.mark.parametrize("seed", [7, 8])
def test_submit_that_comes_second_between_look_and_hold_runs_nothing(
    world: World, seed: int
) -> None:
    plain, openings = world.uow, iter(range(1000))

    def after_the_look_another_is_first() -> AbstractContextManager[UnitOfWork]:
        if next(openings) == 1:
            first.extend(World(plain, world.engine, ids=Ids("first")).events(seed=seed))
        return plain()

    first: list[Event] = []
    world.uow = after_the_look_another_is_first
    if seed == 7:
        assert world.receipt().replayed
    else:
        with pytest.raises(KeyReused):
            world.events()
    assert isinstance(first[-1], Receipt)
    assert world.only_row() == first[-1].row
    assert len(world.engine.jobs) == len(world.charges()) == 1


def test_keys_of_two_people_never_meet(world: World) -> None:
    assert world.receipt().row.id != world.receipt(actor=requester("bob")).row.id


def test_replay_of_a_running_answer_shows_it_running(world: World) -> None:
    events = world.ask()(ANN, world.form(), "key")
    started = next(events)
    assert isinstance(started, Started)
    (replay,) = world.events()
    assert isinstance(replay, Receipt)
    assert replay.replayed
    assert (replay.row.id, replay.row.status) == (started.answer_id, AnswerStatus.RUNNING)
    list(events)
    assert len(world.engine.jobs) == 1


def test_seed_is_chosen_where_none_is_given(world: World) -> None:
    started = next(iter(world.events(seed=None)))
    assert isinstance(started, Started)
    assert world.only_row().seed == started.seed


def test_preview_holds_nothing(world: World) -> None:
    preview = world.ask().preview(ANN, world.form())
    assert preview.decision.quote.nanos == QUOTE
    assert preview.nfe_per_token == 3
    assert preview.ceilings == (world.ceiling(),)
    assert world.rows() == []


def test_previews_are_each_what_its_importance_is_quoted_alone(world: World) -> None:
    for number in range(5):
        world.receipt(f"key-{number}")
    together = world.ask().previews(ANN, world.form())
    assert together == {i: world.ask().preview(ANN, world.form(importance=i)) for i in Importance}
    assert together[Importance.STANDARD].expected


def test_unpriced_model_does_not_run(world: World) -> None:
    world.clock.advance(-timedelta(days=2))
    with pytest.raises(Unpriced):
        world.events()
    assert world.engine.jobs == []


@pytest.mark.parametrize(
    "form",
    [
        {"question": " \n"},
        {"question": "x" * 4001},
        {"question": "w " * 1025},
        {"question": "a\x00b"},
        {"question": "\ud800"},
        {"actor": requester("")},
        {"actor": requester("x" * 201)},
        {"actor": requester("ann", "\ud800")},
        {"actor": requester("ann", "a\x00")},
        {"seed": -1},
        {"seed": 2**63},
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    world: World, form: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        world.events(**form)
    assert world.rows() == []


@pytest.mark.parametrize("key", ["", " ", "k" * 201, "\ud800"])
def test_key_that_names_nothing_is_refused(world: World, key: str) -> None:
    with pytest.raises(InvalidInput):
        world.events(key)


def test_thumb_can_be_changed_and_nothing_else_is_a_thumb(world: World) -> None:
    answer_id = world.receipt().row.id
    for thumb in (1, -1):
        world.ask().rate(ANN, answer_id, thumb)
        assert world.only_row().rating == thumb
    with pytest.raises(InvalidInput):
        world.ask().rate(ANN, answer_id, 2)


def _failing_from(
    uow: Callable[[], AbstractContextManager[UnitOfWork]], calls: set[int]
) -> Callable[[], AbstractContextManager[UnitOfWork]]:
    """The nth transactions, from 1, find the database locked."""
    count: Iterator[int] = iter(range(1, 1000))

    def opened() -> AbstractContextManager[UnitOfWork]:
        if next(count) in calls:
            raise Unavailable("the database is locked") from sqlite3.OperationalError("locked")
        return uow()

    return opened

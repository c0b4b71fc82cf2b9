"""What charts and lists read, on both databases: right sums, bounded reads, no withheld text."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event

from app.ports import AnswerStatus, Finished, OpenUnitOfWork, TokenTrace, Trace
from app.ports.board import By
from app.ports.slice import Slice
from policies.types import Domain, Importance, Units
from tests.databases import START, new_answer, set_limit

LATER = timedelta(hours=1)
WORDS = "It is forty_two % of pens"
EVERYTHING = Slice()


def answer(
    uow: OpenUnitOfWork,
    name: str,
    user: str = "ann",
    status: AnswerStatus = AnswerStatus.RELEASED,
    hours: int = 0,
    trace: Trace | None = None,
    **request: object,
) -> None:
    at = START + hours * LATER
    new = new_answer(name, created_at=at)
    new = replace(new, request=replace(new.request, user=user, **request))  # type: ignore[arg-type]
    with uow() as unit:
        unit.answers.add(new, AnswerStatus.RUNNING)
        hold = unit.ledger.reserve(name, new.decision.quote.nanos, at + LATER, at)
        units = Units(5, 4, 12)
        done = Finished(status, WORDS, units, 3, 1, 2.5, at + timedelta(seconds=4))
        unit.ledger.settle(hold, done, 100)
        if trace:
            unit.traces.add(name, trace)
        unit.commit()


@pytest.fixture(autouse=True)
def room(uow: OpenUnitOfWork) -> None:
    set_limit(uow, 10**9)


def test_days_and_parts_add_up_to_what_was_charged(uow: OpenUnitOfWork) -> None:
    answer(uow, "a-1", team="sales")
    answer(uow, "a-2", team="desk")
    answer(uow, "a-3", team="desk", hours=30)
    with uow() as unit:
        days = unit.board.days(EVERYTHING)
        teams = unit.board.totals(EVERYTHING, By.TEAM, 10)
        names = unit.board.names()
    assert [(d.answers, d.nanos) for d in days] == [(2, 200), (1, 100)]
    assert [(t.name, t.answers, t.nanos) for t in teams] == [("desk", 2, 200), ("sales", 1, 100)]
    assert days[0].units == Units(10, 8, 24)
    assert names == (["desk", "sales"], ["ann"])


def test_a_slice_narrows_sums_and_samples_alike(uow: OpenUnitOfWork) -> None:
    answer(uow, "a-1", team="sales")
    answer(uow, "a-2", team="desk", hours=30)
    first, *_ = _days(uow)
    for chosen in (Slice(team="sales"), Slice(last_day=first), Slice(user="ann", team="sales")):
        with uow() as unit:
            assert sum(d.answers for d in unit.board.days(chosen)) == 1
            assert len(unit.board.sample(chosen, 100)) == 1
            assert [r.id for r in unit.board.latest(chosen, None, 100, 100)] == ["a-1"]
    with uow() as unit:
        assert unit.board.days(Slice(importance=Importance.CRITICAL)) == []
        assert unit.board.sample(Slice(domain=Domain.DATA, team="x"), 100) == []


def test_a_persons_newest_are_theirs_however_many_others_asked_since(uow: OpenUnitOfWork) -> None:
    answer(uow, "a-1")
    for hours in range(1, 4):
        answer(uow, f"b-{hours}", user="ben", hours=hours)
    ann = Slice(user="ann")
    with uow() as unit:
        assert [row.id for row in unit.board.latest(ann, None, 2, 10)] == ["a-1"]
        assert len(unit.board.sample(ann, 2)) == 1
        assert len(unit.board.sample(EVERYTHING, 2)) == 2


def test_the_list_at_a_point_is_of_its_cap(uow: OpenUnitOfWork) -> None:
    answer(uow, "a-1")
    with uow() as unit:
        cap = unit.board.sample(EVERYTHING, 1)[0].cap
        assert len(unit.board.latest(EVERYTHING, cap, 100, 100)) == 1
        assert unit.board.latest(EVERYTHING, cap + 1, 100, 100) == []


def test_hours_hold_the_seconds_of_their_answers(uow: OpenUnitOfWork) -> None:
    for name, hours in (("a-1", 0), ("a-2", 0), ("a-3", 2)):
        answer(uow, name, hours=hours)
    with uow() as unit:
        busy = unit.board.busy(START)
        late = unit.board.busy(START + LATER)
    assert [(b.hour, b.device_seconds, b.answers) for b in busy] == [
        (START, 5.0, 2),
        (START + 2 * LATER, 2.5, 1),
    ]
    assert [b.answers for b in late] == [1]


def test_the_pulse_changes_with_charges_and_holds_only(uow: OpenUnitOfWork) -> None:
    before = _pulse(uow)
    assert _pulse(uow) == before
    answer(uow, "a-1")
    assert _pulse(uow) != before


@pytest.mark.parametrize("words", ["", "FORTY", "forty_two %", "pens forty"])
def test_own_questions_are_found_by_all_of_their_words(uow: OpenUnitOfWork, words: str) -> None:
    answer(uow, "a-1")
    with uow() as unit:
        assert [f.answer_id for f in unit.board.search("ann", words, 10)] == ["a-1"]


@pytest.mark.parametrize("words", ["fortyxtwo", "forty %s", "nothing"])
def test_signs_of_a_pattern_are_only_signs(uow: OpenUnitOfWork, words: str) -> None:
    answer(uow, "a-1")
    with uow() as unit:
        assert unit.board.search("ann", words, 10) == []


def test_nobody_finds_anothers_questions(uow: OpenUnitOfWork) -> None:
    answer(uow, "a-1", user="ann")
    with uow() as unit:
        assert unit.board.search("bob", "", 10) == []


@pytest.mark.parametrize(
    "status", [AnswerStatus.PENDING_REVIEW, AnswerStatus.REJECTED, AnswerStatus.EVIDENCE]
)
def test_a_withheld_answer_is_not_found_by_its_text(
    uow: OpenUnitOfWork, status: AnswerStatus
) -> None:
    answer(uow, "a-1", status=status)
    with uow() as unit:
        assert unit.board.search("ann", "forty", 10) == []
        assert all(found.answer == "" for found in unit.board.search("ann", "", 10))


def test_a_trace_comes_back_as_it_went_in(uow: OpenUnitOfWork) -> None:
    kept = Trace(
        (
            TokenTrace("301", "42", 3, True, 1.25, 0.5),
            TokenTrace(" is", " is", 3, False, 0.125, 0.0),
            TokenTrace("", " odd", 0, False, 3.0, 3.0),
        ),
        votes=(2, 2, 1),
    )
    answer(uow, "a-1", trace=kept)
    with uow() as unit:
        found = unit.traces.get("a-1")
        assert unit.traces.get("a-none") == Trace()
    assert found == kept
    assert [(t.doubt_before, t.doubt) for t in found.tokens] == [
        (t.doubt_before, t.doubt) for t in kept.tokens
    ]


def test_figures_never_read_a_body(uow: OpenUnitOfWork, engine: Engine) -> None:
    answer(uow, "a-1")
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    with uow() as unit:
        for by in By:
            unit.board.totals(EVERYTHING, by, 5)
        unit.board.days(EVERYTHING)
        unit.board.sample(EVERYTHING, 5)
        unit.board.busy(START)
        unit.board.latest(EVERYTHING, 3, 5, 5)
        unit.board.months()
        unit.board.audited()
        unit.board.pulse()
        unit.board.names()
    assert said
    assert not [words for words in said if "answer_bodies" in words]


def test_months_hold_what_teams_were_given(uow: OpenUnitOfWork) -> None:
    answer(uow, "a-1", team="desk")
    with uow() as unit:
        (month,) = unit.board.months()
    assert (month.month, month.team, month.answers, month.nanos) == ("2025-11", "desk", 1, 100)


def _days(uow: OpenUnitOfWork) -> list[str]:
    with uow() as unit:
        return [day.name for day in unit.board.days(EVERYTHING)]


def _pulse(uow: OpenUnitOfWork) -> str:
    with uow() as unit:
        return unit.board.pulse()

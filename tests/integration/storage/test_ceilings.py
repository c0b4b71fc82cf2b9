"""Ceilings of a policy: several scopes and windows at once, raises, batches; on both databases."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import IntegrityError

from app.ports import AnswerStatus, BudgetRaise, Finished, OpenUnitOfWork, RaiseState, Reservation
from policies.budget import Payer
from policies.errors import InvalidInput, NotFound, OverCeiling, Unavailable
from policies.types import Ceiling, Hold, Importance, Limit, Units, Window
from storage.pilot import ensure_pilot
from tests.databases import LIMIT_NANOS, PILOT, START, broken_invariants, new_answer, set_limit

LEASE = timedelta(seconds=30)
DAY = timedelta(days=1)
QUOTE = 2410
DONE = Units(5, 2, 6)
COST = 60
ANN = Payer("ann", "sales", Importance.STANDARD)


def limit(scope: str, window: Window, nanos: int, currency: str = "JPY") -> Limit:
    return Limit(scope, window, nanos, currency)


def reserve(
    uow: OpenUnitOfWork, name: str, *limits: Limit, after: timedelta = timedelta(0)
) -> Hold:
    now = START + after
    with uow() as unit:
        unit.answers.add(new_answer(name), AnswerStatus.RUNNING)
        hold = unit.ledger.reserve(name, QUOTE, now + LEASE, now, limits)
        unit.commit()
    return hold


def settle(uow: OpenUnitOfWork, hold: Hold, after: timedelta = timedelta(0)) -> None:
    end = Finished(AnswerStatus.RELEASED, "text", DONE, 3, 0, 0.0, START + after)
    with uow() as unit:
        assert unit.ledger.settle(hold, end, COST)
        unit.commit()


def refused(uow: OpenUnitOfWork, name: str, *limits: Limit, after: timedelta = timedelta(0)) -> str:
    """The scope and window that had no room."""
    with pytest.raises(OverCeiling) as refusal:
        reserve(uow, name, *limits, after=after)
    values = refusal.value.values
    assert values["quote_nanos"] == QUOTE
    return f"{values['scope']} {values['window']} {values['window_start']}".strip()


def counters(uow: OpenUnitOfWork) -> dict[str, tuple[int, int]]:
    """Committed and held of each ceiling in its latest window."""
    with uow() as unit:
        return {
            f"{c.scope} {c.window} {c.window_start}".strip(): (c.committed_nanos, c.held_nanos)
            for c in unit.ledger.ceilings()
        }


@pytest.mark.parametrize("room", [-1, 0, 1])
@pytest.mark.parametrize("scope", ["pilot", "team:sales", "user:ann", "importance:standard"])
@pytest.mark.parametrize("window", [Window.DAY, Window.MONTH, Window.WHOLE])
def test_every_scope_and_window_holds_to_the_nano(
    uow: OpenUnitOfWork, scope: str, window: Window, room: int
) -> None:
    ceiling = limit(scope, window, QUOTE + room)
    if room < 0:
        assert refused(uow, "a-1", ceiling).startswith(f"{scope} {window}")
    else:
        reserve(uow, "a-1", ceiling)
        assert refused(uow, "a-2", ceiling).startswith(f"{scope} {window}")
    assert broken_invariants(uow) == []


@pytest.mark.parametrize("room", [-1, 0, 1])
def test_ceiling_of_one_request_adds_nothing_up(uow: OpenUnitOfWork, room: int) -> None:
    ceiling = limit("request", Window.REQUEST, QUOTE + room)
    if room < 0:
        assert refused(uow, "a-1", ceiling) == "request request"
        return
    for name in ("a-1", "a-2", "a-3"):
        reserve(uow, name, ceiling)


def test_room_that_is_gone_at_the_hold_itself_is_no_room(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    """As where someone writes without the pilot's lock: the update asks again, by itself."""

    def take_it(_connection: Connection, cursor: Any, statement: str, *_details: object) -> None:
        if statement.startswith("UPDATE budgets SET held_nanos"):
            cursor.execute("UPDATE budgets SET limit_nanos = committed_nanos + held_nanos")

    event.listen(engine, "before_cursor_execute", take_it)
    with pytest.raises(Unavailable, match="another writer"):
        reserve(uow, "a-1", limit("team:sales", Window.DAY, 2 * QUOTE))
    event.remove(engine, "before_cursor_execute", take_it)
    assert counters(uow) == {"pilot whole": (0, 0)}
    reserve(uow, "a-1")
    assert counters(uow) == {"pilot whole": (0, QUOTE)}
    assert broken_invariants(uow) == []


def test_windows_count_at_once_and_each_starts_again_by_itself(uow: OpenUnitOfWork) -> None:
    day, month = limit("pilot", Window.DAY, QUOTE), limit("pilot", Window.MONTH, QUOTE + COST)
    settle(uow, reserve(uow, "a-1", day, month))
    assert refused(uow, "a-2", day, month) == "pilot day 2025-11-03"
    settle(uow, reserve(uow, "a-3", day, month, after=DAY), after=DAY)
    assert refused(uow, "a-4", day, month, after=2 * DAY) == "pilot month 2025-11"
    reserve(uow, "a-5", day, month, after=31 * DAY)
    assert counters(uow) == {
        "pilot whole": (2 * COST, QUOTE),
        "pilot day 2025-12-04": (0, QUOTE),
        "pilot month 2025-12": (0, QUOTE),
    }
    assert broken_invariants(uow) == []


def test_answer_counts_for_the_day_it_was_admitted(uow: OpenUnitOfWork) -> None:
    """Also where it ends on the next: its hold was under the first day's ceiling."""
    late = timedelta(hours=14, minutes=59)
    day = limit("pilot", Window.DAY, QUOTE)
    settle(uow, reserve(uow, "a-1", day, after=late), after=late + timedelta(hours=1))
    reserve(uow, "a-2", day, after=late + timedelta(hours=1))
    with uow() as unit:
        (rollup,) = unit.ledger.rollups("2025-11-03", "2025-11-04")
    assert (rollup.day, rollup.charged_nanos, rollup.units) == ("2025-11-03", COST, DONE)
    assert broken_invariants(uow) == []


@pytest.mark.parametrize(
    ("hours", "day"), [(14, "2025-11-03"), (15, "2025-11-04"), (39, "2025-11-05")]
)
def test_days_begin_at_midnight_in_the_time_zone_of_the_pilot(
    engine: Engine, uow: OpenUnitOfWork, hours: int, day: str
) -> None:
    ensure_pilot(engine, PILOT, "Pilot", START, time_zone="Asia/Tokyo")
    midnight_in_tokyo = timedelta(hours=6)  # START is nine in the morning in UTC
    after = midnight_in_tokyo + timedelta(hours=hours - 15)
    reserve(uow, "a-1", limit("pilot", Window.DAY, QUOTE), after=after)
    assert f"pilot day {day}" in counters(uow)


def test_clock_that_jumps_back_finds_the_earlier_window_as_it_was(uow: OpenUnitOfWork) -> None:
    day = limit("pilot", Window.DAY, QUOTE + COST)
    settle(uow, reserve(uow, "a-1", day))
    reserve(uow, "a-2", day, after=DAY)
    reserve(uow, "a-3", day)
    assert refused(uow, "a-4", day) == "pilot day 2025-11-03"
    assert broken_invariants(uow) == []


def test_ceiling_that_comes_later_counts_what_its_window_spent_and_holds(
    uow: OpenUnitOfWork,
) -> None:
    settle(uow, reserve(uow, "a-1"))
    held = reserve(uow, "a-2")
    settle(uow, reserve(uow, "yesterday", after=-DAY), after=-DAY)
    month, day = limit("team:sales", Window.MONTH, 10_000), limit("user:ann", Window.DAY, 10_000)
    reserve(uow, "a-3", month, day)
    assert counters(uow) == {
        "pilot whole": (2 * COST, 2 * QUOTE),
        "team:sales month 2025-11": (2 * COST, 2 * QUOTE),
        "user:ann day 2025-11-03": (COST, 2 * QUOTE),
    }
    settle(uow, held)
    assert counters(uow)["user:ann day 2025-11-03"] == (2 * COST, QUOTE)
    assert broken_invariants(uow) == []


def test_ceiling_the_policy_names_no_longer_is_none(uow: OpenUnitOfWork) -> None:
    tight = limit("team:sales", Window.WHOLE, QUOTE)
    settle(uow, reserve(uow, "a-1", tight))
    assert refused(uow, "a-2", tight) == "team:sales whole"
    reserve(uow, "a-3")
    assert list(counters(uow)) == ["pilot whole"]
    assert refused(uow, "a-4", tight) == "team:sales whole"  # back, and it counts all since
    assert broken_invariants(uow) == []


def test_limit_lowered_below_what_is_spent_lets_nothing_more_through(uow: OpenUnitOfWork) -> None:
    wide, narrow = (limit("pilot", Window.DAY, nanos) for nanos in (10_000, 1))
    held = reserve(uow, "a-1", wide)
    assert refused(uow, "a-2", narrow) == "pilot day 2025-11-03"
    settle(uow, held)
    assert refused(uow, "a-3", narrow) == "pilot day 2025-11-03"
    reserve(uow, "a-4", wide)
    assert broken_invariants(uow) == []


@pytest.mark.parametrize(("standing", "policy"), [(QUOTE - 1, QUOTE), (QUOTE, QUOTE - 1)])
def test_lower_of_the_limit_by_hand_and_by_policy_counts(
    uow: OpenUnitOfWork, standing: int, policy: int
) -> None:
    set_limit(uow, standing)
    assert refused(uow, "a-1", limit("pilot", Window.WHOLE, policy)) == "pilot whole"


def test_ceiling_in_another_currency_fails_closed(uow: OpenUnitOfWork) -> None:
    with pytest.raises(Unavailable, match="one currency"):
        reserve(uow, "a-1", limit("pilot", Window.DAY, 10_000, "USD"))


def test_looking_at_ceilings_writes_nothing(engine: Engine, uow: OpenUnitOfWork) -> None:
    settle(uow, reserve(uow, "a-1"))
    limits = [limit("user:ann", Window.DAY, 500), limit("request", Window.REQUEST, 7)]
    with uow() as unit:
        found = unit.ledger.ceilings_of(ANN, limits, "JPY", START)
        unit.commit()
    assert found == [
        Ceiling("request", 7, 0, 0, "JPY", Window.REQUEST),
        Ceiling("pilot", LIMIT_NANOS, COST, 0, "JPY"),
        Ceiling("user:ann", 500, COST, 0, "JPY", Window.DAY, "2025-11-03"),
    ]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM budgets")).scalar_one() == 1


# --- a batch --------------------------------------------------------------------------------------


def reserve_batch(uow: OpenUnitOfWork, limits: tuple[Limit, ...], *users: str) -> list[Hold]:
    with uow() as unit:
        for place, user in enumerate(users):
            new = new_answer(f"b-{place}", user=user, key=f"{user}-{place}")
            unit.answers.add(new, AnswerStatus.RUNNING)
        wanted = [
            Reservation(
                f"b-{place}",
                QUOTE,
                tuple(x for x in limits if x.scope in ("pilot", f"user:{user}")),
            )
            for place, user in enumerate(users)
        ]
        holds = unit.ledger.reserve_all(wanted, START + LEASE, START)
        unit.commit()
    return holds


def test_batch_is_held_under_the_ceilings_of_each_of_its_answers(uow: OpenUnitOfWork) -> None:
    limits = (
        limit("pilot", Window.DAY, 3 * QUOTE),
        limit("user:ann", Window.DAY, 2 * QUOTE),
        limit("user:bob", Window.DAY, QUOTE),
    )
    holds = reserve_batch(uow, limits, "ann", "bob", "ann")
    assert [hold.answer_id for hold in holds] == ["b-0", "b-1", "b-2"]
    assert counters(uow) == {
        "pilot whole": (0, 3 * QUOTE),
        "pilot day 2025-11-03": (0, 3 * QUOTE),
        "user:ann day 2025-11-03": (0, 2 * QUOTE),
        "user:bob day 2025-11-03": (0, QUOTE),
    }
    assert broken_invariants(uow) == []


@pytest.mark.parametrize("scope", ["pilot", "user:ann", "user:bob"])
def test_batch_that_does_not_fit_whole_is_held_not_at_all(uow: OpenUnitOfWork, scope: str) -> None:
    most = {"pilot": 3 * QUOTE, "user:ann": 2 * QUOTE, "user:bob": QUOTE}
    most[scope] -= 1
    limits = tuple(limit(name, Window.DAY, nanos) for name, nanos in most.items())
    with pytest.raises(OverCeiling) as refusal:
        reserve_batch(uow, limits, "ann", "bob", "ann")
    assert refusal.value.values["scope"] == scope
    assert counters(uow) == {"pilot whole": (0, 0)}
    assert broken_invariants(uow) == []


# --- raises ---------------------------------------------------------------------------------------


def wanted(nanos: int = QUOTE, lasts: timedelta = DAY) -> BudgetRaise:
    return BudgetRaise(
        "r-1", "pilot", Window.DAY, nanos, "quarter end", "ann", START, START + lasts
    )


def ask(uow: OpenUnitOfWork, what: BudgetRaise) -> None:
    with uow() as unit:
        unit.raises.ask(what)
        unit.commit()


def decide(uow: OpenUnitOfWork, granted: bool = True, by: str = "bob") -> BudgetRaise:
    with uow() as unit:
        decided = unit.raises.decide("r-1", granted, by, START)
        unit.commit()
    return decided


def test_raise_makes_room_from_its_grant_until_it_expires(uow: OpenUnitOfWork) -> None:
    day = limit("pilot", Window.DAY, QUOTE)
    settle(uow, reserve(uow, "a-1", day))
    ask(uow, wanted(lasts=LEASE))
    assert refused(uow, "a-2", day) == "pilot day 2025-11-03"
    granted = decide(uow)
    assert (granted.state, granted.decided_by) == (RaiseState.GRANTED, "bob")
    just_before = LEASE - timedelta(microseconds=1)
    settle(uow, reserve(uow, "a-3", day, after=just_before), after=just_before)
    assert refused(uow, "a-4", day, after=LEASE) == "pilot day 2025-11-03"
    assert broken_invariants(uow) == []


def test_raise_that_was_declined_makes_no_room(uow: OpenUnitOfWork) -> None:
    ask(uow, wanted())
    assert decide(uow, granted=False).state is RaiseState.DECLINED
    assert refused(uow, "a-1", limit("pilot", Window.DAY, QUOTE - 1)) == "pilot day 2025-11-03"


def test_who_asks_for_a_raise_cannot_grant_it(engine: Engine, uow: OpenUnitOfWork) -> None:
    ask(uow, wanted())
    with pytest.raises(InvalidInput, match="another person"):
        decide(uow, by="ann")
    forged = text("UPDATE budget_raises SET state = 'granted', decided_by = 'ann'")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(forged)


def test_raise_is_decided_once_and_in_time(uow: OpenUnitOfWork) -> None:
    with pytest.raises(NotFound):
        decide(uow)
    ask(uow, wanted())
    decide(uow)
    with pytest.raises(InvalidInput, match="granted by bob already"):
        decide(uow, granted=False, by="eve")
    with uow() as unit:
        unit.raises.ask(replace(wanted(lasts=LEASE), id="r-2"))
        with pytest.raises(InvalidInput, match="expired"):
            unit.raises.decide("r-2", True, "bob", START + LEASE)
        assert [found.id for found in unit.raises.latest(10)] == ["r-2", "r-1"]


@pytest.mark.parametrize(
    "bad",
    [
        replace(wanted(), nanos=0),
        replace(wanted(), nanos=2**63),
        replace(wanted(), expires_at=START),
        replace(wanted(), reason=" "),
        replace(wanted(), scope="planet"),
        replace(wanted(), window=Window.REQUEST),
    ],
    ids=["nothing", "too much", "over already", "no reason", "no scope", "one request"],
)
def test_raise_that_says_nothing_is_refused(uow: OpenUnitOfWork, bad: BudgetRaise) -> None:
    with pytest.raises(InvalidInput):
        ask(uow, bad)

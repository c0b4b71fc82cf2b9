"""The ledger's promises, one at a time, on a real file."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from app.ports import AnswerStatus, Finished, OpenUnitOfWork
from policies.errors import InvalidInput, NotFound, OverCeiling, Unavailable
from policies.pricing import price
from policies.types import Ceiling, Hold, Importance, Units
from storage.pilot import ensure_pilot
from storage.unit_of_work import open_writer
from tests.databases import (
    LIMIT_NANOS,
    POLICY,
    PRICES,
    START,
    broken_invariants,
    new_answer,
    set_limit,
)

LEASE = timedelta(seconds=30)
QUOTE = 2410
DONE = Units(5, 2, 6)


def finished(status: AnswerStatus = AnswerStatus.RELEASED, units: Units = DONE) -> Finished:
    return Finished(status, "two words", units, 3, 1, 0.5, START + timedelta(seconds=1))


def reserve(uow: OpenUnitOfWork, answer_id: str = "a-1", **answer: str) -> Hold:
    new = new_answer(answer_id, **answer)  # type: ignore[arg-type]
    with uow() as unit:
        unit.answers.add(new, AnswerStatus.RUNNING)
        hold = unit.ledger.reserve(answer_id, new.decision.quote.nanos, START + LEASE, START)
        unit.commit()
    return hold


def settle(uow: OpenUnitOfWork, hold: Hold, end: Finished) -> bool:
    with uow() as unit:
        settled = unit.ledger.settle(hold, end, price(end.units, PRICES))
        unit.commit()
    return settled


def ceiling(uow: OpenUnitOfWork, scope: str = "pilot") -> Ceiling:
    with uow() as unit:
        (found,) = [c for c in unit.ledger.ceilings() if c.scope == scope]
    return found


@pytest.mark.parametrize("room", [-1, 0, 1])
def test_quote_fits_to_the_nano(uow: OpenUnitOfWork, room: int) -> None:
    set_limit(uow, QUOTE + room)
    if room < 0:
        with pytest.raises(OverCeiling):
            reserve(uow)
    else:
        reserve(uow)
    assert ceiling(uow).held_nanos == (QUOTE if room >= 0 else 0)


@pytest.mark.parametrize("room", [-1, 0, 1])
def test_second_quote_fits_beside_spent_and_held_to_the_nano(
    uow: OpenUnitOfWork, room: int
) -> None:
    settle(uow, reserve(uow, "spent"), finished())
    reserve(uow, "held")
    set_limit(uow, price(DONE, PRICES) + QUOTE + QUOTE + room)
    if room < 0:
        with pytest.raises(OverCeiling):
            reserve(uow, "next")
    else:
        reserve(uow, "next")
    assert broken_invariants(uow) == []


def test_over_the_ceiling_names_the_numbers_and_holds_nothing(uow: OpenUnitOfWork) -> None:
    set_limit(uow, QUOTE - 1)
    with uow() as unit:
        unit.answers.add(new_answer("a-1"), AnswerStatus.RUNNING)
        with pytest.raises(OverCeiling) as refusal:
            unit.ledger.reserve("a-1", QUOTE, START + LEASE, START)
        assert unit.ledger.ceilings()[0].held_nanos == 0
    assert refusal.value.values == {
        "scope": "pilot",
        "window": "whole",
        "window_start": "",
        "limit_nanos": QUOTE - 1,
        "committed_nanos": 0,
        "held_nanos": 0,
        "quote_nanos": QUOTE,
        "currency": "JPY",
        "fits": "",
    }


def test_every_scope_of_an_answer_must_have_room(uow: OpenUnitOfWork) -> None:
    set_limit(uow, QUOTE - 1, "team:sales")
    set_limit(uow, QUOTE, "importance:standard")
    set_limit(uow, 0, "user:bob")  # not hers
    with pytest.raises(OverCeiling) as refusal:
        reserve(uow)
    assert refusal.value.values["scope"] == "team:sales"
    assert [ceiling(uow, s).held_nanos for s in ("pilot", "importance:standard")] == [0, 0]
    set_limit(uow, QUOTE, "team:sales")
    settle(uow, reserve(uow), finished())
    spent = [ceiling(uow, s).committed_nanos for s in ("pilot", "team:sales", "user:bob")]
    assert spent == [price(DONE, PRICES), price(DONE, PRICES), 0]
    assert broken_invariants(uow) == []


def test_budget_made_later_counts_what_came_before(uow: OpenUnitOfWork) -> None:
    settle(uow, reserve(uow, "spent"), finished())
    hold = reserve(uow, "held")
    with pytest.raises(InvalidInput, match="cannot be"):
        set_limit(uow, price(DONE, PRICES) + QUOTE - 1, "team:sales")
    set_limit(uow, price(DONE, PRICES) + QUOTE, "team:sales")
    assert ceiling(uow, "team:sales").headroom_nanos == 0
    assert settle(uow, hold, finished())
    assert ceiling(uow, "team:sales").committed_nanos == 2 * price(DONE, PRICES)
    assert broken_invariants(uow) == []


def test_pilot_without_a_budget_fails_closed(engine: Engine, uow: OpenUnitOfWork) -> None:
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM budgets"))
    with pytest.raises(Unavailable, match="no budget"):
        reserve(uow)


def test_budget_in_another_currency_fails_closed(engine: Engine, uow: OpenUnitOfWork) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE budgets SET currency = 'USD'"))
    with pytest.raises(Unavailable, match="one currency"):
        reserve(uow)


def test_settling_charges_the_work_and_gives_the_rest_back(uow: OpenUnitOfWork) -> None:
    hold = reserve(uow)
    assert settle(uow, hold, finished())
    cost = price(DONE, PRICES)
    assert ceiling(uow) == Ceiling("pilot", LIMIT_NANOS, cost, 0, "JPY")
    with uow() as unit:
        row, body = unit.answers.get("a-1"), unit.answers.text("a-1")
        (point,) = unit.spend(10)
    assert (row.status, row.units, row.cost_nanos) == (AnswerStatus.RELEASED, DONE, cost)
    assert (row.nfe_per_token, row.changed_tokens, row.device_seconds) == (3, 1, 0.5)
    assert row.finished_at == START + timedelta(seconds=1)
    assert body.answer == "two words"
    assert (point.answer_id, point.cost_nanos, point.importance) == (
        "a-1", cost, Importance.STANDARD,
    )  # fmt: skip


def test_settling_twice_changes_nothing(uow: OpenUnitOfWork) -> None:
    hold = reserve(uow)
    assert settle(uow, hold, finished())
    before = ceiling(uow)
    assert not settle(uow, hold, finished(AnswerStatus.CANCELLED, Units(5, 96, 288)))
    with uow() as unit:
        assert unit.answers.get("a-1").status is AnswerStatus.RELEASED
        assert len(unit.spend(10)) == 1
    assert ceiling(uow) == before


def test_work_of_nothing_is_still_an_entry(uow: OpenUnitOfWork) -> None:
    settle(uow, reserve(uow), finished(AnswerStatus.CANCELLED, Units()))
    with uow() as unit:
        assert [point.cost_nanos for point in unit.spend(10)] == [0]
    assert broken_invariants(uow) == []


def test_charge_above_the_hold_is_a_bug_and_writes_nothing(uow: OpenUnitOfWork) -> None:
    hold = reserve(uow)
    with pytest.raises(ValueError, match="not within the hold"):
        settle(uow, hold, finished(units=Units(5, 97, 288)))
    assert ceiling(uow).held_nanos == QUOTE
    assert broken_invariants(uow) == []


def test_expired_hold_returns_to_the_budget_less_the_work_recorded(uow: OpenUnitOfWork) -> None:
    hold = reserve(uow)
    later = START + LEASE + LEASE
    with uow() as unit:
        assert unit.ledger.heartbeat(hold, DONE, later)
        unit.commit()
    with uow() as unit:
        assert unit.ledger.expire(later - timedelta(microseconds=1)) == []
        assert unit.ledger.expire(later) == ["a-1"]
        assert unit.ledger.expire(later) == []
        unit.commit()
    assert ceiling(uow) == Ceiling("pilot", LIMIT_NANOS, price(DONE, PRICES), 0, "JPY")
    with uow() as unit:
        row = unit.answers.get("a-1")
        assert not unit.ledger.heartbeat(hold, DONE, later)
        assert not unit.ledger.settle(hold, finished(), price(DONE, PRICES))
    assert (row.status, row.units) == (AnswerStatus.INTERRUPTED, DONE)
    assert broken_invariants(uow) == []


def test_expiry_charges_by_the_price_list_of_the_decision(uow: OpenUnitOfWork) -> None:
    hold = reserve(uow)
    with uow() as unit:
        dearer = replace(PRICES, version="prices-2", nfe_nanos=500, valid_from=START)
        unit.add_prices(dearer, START)
        unit.ledger.heartbeat(hold, DONE, START)
        unit.ledger.expire(START)
        unit.commit()
    assert ceiling(uow).committed_nanos == price(DONE, PRICES)
    assert broken_invariants(uow) == []


def test_expiry_never_charges_above_the_hold(uow: OpenUnitOfWork) -> None:
    hold = reserve(uow)
    with uow() as unit:
        unit.ledger.heartbeat(hold, Units(5, 9999, 9999), START)
        unit.ledger.expire(START)
        unit.commit()
    assert ceiling(uow).committed_nanos == QUOTE
    assert broken_invariants(uow) == []


def test_uncommitted_hold_is_gone(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.answers.add(new_answer("a-1"), AnswerStatus.RUNNING)
        unit.ledger.reserve("a-1", QUOTE, START + LEASE, START)
    assert ceiling(uow).held_nanos == 0
    with uow() as unit, pytest.raises(NotFound):
        unit.answers.get("a-1")


def test_limit_is_never_set_below_what_is_spent_and_held(uow: OpenUnitOfWork) -> None:
    settle(uow, reserve(uow, "spent"), finished())
    reserve(uow, "held")
    least = price(DONE, PRICES) + QUOTE
    with pytest.raises(InvalidInput, match="cannot be"):
        set_limit(uow, least - 1)
    set_limit(uow, least)
    assert ceiling(uow).headroom_nanos == 0


@pytest.mark.parametrize("limit", [-1, 2**63])
def test_limit_beyond_the_ledger_is_refused(uow: OpenUnitOfWork, limit: int) -> None:
    with pytest.raises(InvalidInput, match="between"):
        set_limit(uow, limit)


def test_largest_limit_leaves_the_sums_exact(uow: OpenUnitOfWork) -> None:
    set_limit(uow, 2**63 - 1)
    settle(uow, reserve(uow), finished())
    assert ceiling(uow).headroom_nanos == 2**63 - 1 - price(DONE, PRICES)


@pytest.mark.parametrize("scope", ["", "planet", "team", "team:", "pilot:x", "importance:huge"])
def test_unknown_scope_is_refused(uow: OpenUnitOfWork, scope: str) -> None:
    with pytest.raises(InvalidInput, match="a scope is one of"):
        set_limit(uow, 1, scope)


def test_currency_of_a_budget_does_not_change(uow: OpenUnitOfWork) -> None:
    with uow() as unit, pytest.raises(InvalidInput, match="is in JPY"):
        unit.ledger.set_limit("pilot", LIMIT_NANOS, "USD")


def test_pilots_share_a_file_and_nothing_else(engine: Engine, uow: OpenUnitOfWork) -> None:
    ensure_pilot(engine, "other", "Other", START)
    other = open_writer(engine, "other")
    with other() as unit:
        unit.ledger.set_limit("pilot", 5000, "JPY")
        unit.add_policy(POLICY.version, POLICY.name, POLICY.text, START)
        unit.add_prices(PRICES, START)
        unit.commit()
    hold = reserve(uow)
    reserve(other, "b-1", key="a-1")
    with other() as unit:
        assert [row.id for row in unit.answers.latest(10)] == ["b-1"]
        assert not unit.ledger.heartbeat(hold, DONE, START)
        assert not unit.ledger.settle(hold, finished(), 0)
        for read in (unit.answers.get, unit.answers.text):
            with pytest.raises(NotFound):
                read("a-1")
        with pytest.raises(NotFound):
            unit.answers.rate("a-1", 1, START)
        assert unit.ledger.expire(START + LEASE) == ["b-1"]
        unit.commit()
    assert ceiling(uow).held_nanos == QUOTE
    assert broken_invariants(uow) == broken_invariants(other) == []


def test_pilot_is_made_once(engine: Engine, uow: OpenUnitOfWork) -> None:
    set_limit(uow, 77)
    ensure_pilot(engine, "pilot-1", "Renamed", START)
    assert ceiling(uow) == Ceiling("pilot", 77, 0, 0, "JPY")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET nanos = 0",
        "DELETE FROM ledger_entries",
        "UPDATE budgets SET committed_nanos = committed_nanos - 1",
        "UPDATE budgets SET limit_nanos = committed_nanos - 1",
        "UPDATE budgets SET held_nanos = -1",
        "UPDATE answers SET status = 'lost'",
        "INSERT INTO ratings (answer_id, pilot_id, rating, rated_at) "
        "VALUES ('a-1', 'pilot-1', 5, '2025-11-03')",
    ],
)
def test_database_itself_refuses_to_rewrite_history(
    engine: Engine, uow: OpenUnitOfWork, statement: str
) -> None:
    settle(uow, reserve(uow), finished())
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(statement))


def _without_trigger(name: str, statement: str) -> Callable[[Engine], None]:
    def tamper(engine: Engine) -> None:
        with engine.begin() as connection:
            if name:
                table = " ON ledger_entries" if engine.dialect.name == "postgresql" else ""
                connection.execute(text(f"DROP TRIGGER {name}{table}"))
            connection.execute(text(statement))

    return tamper


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (
            _without_trigger("ledger_entries_no_update", "UPDATE ledger_entries SET nanos = 1"),
            ["budget 1: committed", "answer a-1: its cost", "ledger entry 1: it charges 1 nanos"],
        ),
        (
            _without_trigger("ledger_entries_no_delete", "DELETE FROM ledger_entries"),
            ["hold a-1: it is settled and has 0", "answer a-1: it is released and has 0"],
        ),
        (
            _without_trigger("", "UPDATE budgets SET held_nanos = held_nanos + 1"),
            ["budget 1: held is 2411 nanos, its open holds sum to 2410"],
        ),
        (
            _without_trigger("", "UPDATE answers SET status = 'released' WHERE id = 'a-2'"),
            ["answer a-2: it is released and has 1 holds open, expected 0"],
        ),
        (
            _without_trigger("", "UPDATE holds SET nanos = 1 WHERE id = 'a-1'"),
            ["hold a-1: it holds 1 nanos, the quote of its answer is 2410", "1 were held"],
        ),
        (
            _without_trigger("", "UPDATE answers SET nfe = 999 WHERE id = 'a-1'"),
            ["ledger entry 1: its units are not those of answer a-1"],
        ),
        (
            _without_trigger("", "UPDATE holds SET day = '2025-11-04' WHERE id = 'a-1'"),
            ["ledger entry 1: it is not booked to those of answer a-1"],
        ),
        (
            _without_trigger("", "UPDATE spend_days SET charged_nanos = charged_nanos + 1"),
            ["rollup 2025-11-03 sales ann standard math JPY: it is"],
        ),
        (
            _without_trigger("", "UPDATE budgets SET refunded_nanos = 5"),
            ["budget 1: refunded is 5 nanos, its refunds sum to 0"],
        ),
    ],
)
def test_verify_names_the_row_that_was_tampered_with(
    engine: Engine, uow: OpenUnitOfWork, tamper: Callable[[Engine], None], said: list[str]
) -> None:
    settle(uow, reserve(uow, "a-1"), finished())
    reserve(uow, "a-2")
    assert broken_invariants(uow) == []
    tamper(engine)
    found = "\n".join(broken_invariants(uow))
    assert [part for part in said if part not in found] == []

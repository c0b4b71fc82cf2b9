"""Budget alerts: at the policy's thresholds, once a window, by its channels; on both databases."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from app.ports import Alert, AnswerStatus, Finished, OpenUnitOfWork
from policies.decide import decide
from policies.document import Policy, parse
from policies.types import Units, Window
from tests.databases import POLICY, PRICES, START, new_answer, set_limit
from tests.integration.storage.test_bookings import CORRECTION, DAY, LEASE, answered, book


def alerts(uow: OpenUnitOfWork) -> list[tuple[str, int]]:
    with uow() as unit:
        return sorted((a.scope, a.threshold) for a in unit.alerts.latest(100))


@pytest.mark.parametrize(
    ("spent", "said"),
    [(0, []), (499, []), (500, [50]), (749, [50]), (750, [50, 75]), (1000, [50, 75, 90, 100])],
)
def test_alert_comes_at_its_threshold_to_the_nano(
    engine: Engine, uow: OpenUnitOfWork, spent: int, said: list[int]
) -> None:
    with engine.begin() as connection:  # ten nanos a token leave no way to such numbers
        connection.execute(text("UPDATE price_lists SET decode_token_nanos = 1"))
    new = new_answer("a-1")
    end = Finished(AnswerStatus.RELEASED, "text", Units(0, spent, 0), 3, 0, 0.0, START)
    with uow() as unit:
        unit.answers.add(new, AnswerStatus.RUNNING)
        hold = unit.ledger.reserve("a-1", 2410, START + LEASE, START)
        unit.ledger.settle(hold, end, 0)
        unit.commit()
    assert alerts(uow) == []
    set_limit(uow, 1000)
    book(uow, replace(CORRECTION, nanos=spent)) if spent else None
    assert alerts(uow) == [("pilot", threshold) for threshold in said]


def test_alert_is_said_once_in_its_window(uow: OpenUnitOfWork) -> None:
    set_limit(uow, 6000)
    for name in ("a-1", "a-2", "a-3"):
        answered(uow, name, 96)
    assert alerts(uow) == []
    answered(uow, "a-4", 12)
    assert alerts(uow) == [("pilot", 50)]
    answered(uow, "a-5", 1)
    with uow() as unit:
        to, due = ("log", "page"), ("log",)
        assert unit.alerts.latest(10) == [
            Alert("pilot", Window.WHOLE, "", 50, 6000, 3000, "JPY", START, to, due)
        ]


def under(uow: OpenUnitOfWork, thresholds: list[int], *to: str) -> Policy:
    """A policy that is kept, with alerts of its own."""
    said = json.loads(POLICY.text) | {"alerts": {"thresholds": thresholds, "to": list(to)}}
    policy = parse(json.dumps(said))
    with uow() as unit:
        unit.add_policy(policy.version, policy.name, policy.text, START)
        unit.commit()
    return policy


def answered_under(uow: OpenUnitOfWork, policy: Policy, name: str, tokens: int) -> None:
    new = new_answer(name)
    new = replace(new, decision=decide(new.request, policy, PRICES))
    end = Finished(AnswerStatus.RELEASED, "text", Units(0, tokens, 0), 3, 0, 0.0, START)
    with uow() as unit:
        unit.answers.add(new, AnswerStatus.RUNNING)
        hold = unit.ledger.reserve(name, 2410, START + LEASE, START)
        unit.ledger.settle(hold, end, tokens * 10)
        unit.commit()


def test_alert_comes_at_the_thresholds_of_the_policy_that_decided(uow: OpenUnitOfWork) -> None:
    set_limit(uow, 10_000)
    early, late = under(uow, [10, 20], "log"), under(uow, [60], "page")
    answered_under(uow, early, "a-1", 100)
    assert alerts(uow) == [("pilot", 10)]
    answered_under(uow, late, "a-2", 200)
    assert alerts(uow) == [("pilot", 10)]  # 30 %: the other policy's 20 is not this one's
    answered_under(uow, late, "a-3", 200)
    answered_under(uow, late, "a-4", 100)
    assert alerts(uow) == [("pilot", 10), ("pilot", 60)]
    book(uow, replace(CORRECTION, nanos=10))  # on an answer that was decided by the first
    assert alerts(uow) == [("pilot", 10), ("pilot", 20), ("pilot", 60)]


def test_policy_without_thresholds_says_nothing(uow: OpenUnitOfWork) -> None:
    set_limit(uow, 2410)
    answered_under(uow, under(uow, [], "log"), "a-1", 241)
    assert alerts(uow) == []


def test_policy_that_cannot_be_read_any_more_keeps_no_hold_from_its_charge(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    set_limit(uow, 2410)
    with engine.begin() as connection:
        connection.execute(text('UPDATE policy_versions SET text = \'{"name": "of old"}\''))
    answered_under(uow, POLICY, "a-1", 241)
    assert alerts(uow) == [("pilot", threshold) for threshold in (50, 75, 90, 100)]


def test_alert_is_due_at_the_channels_of_its_policy_until_each_was_told(
    uow: OpenUnitOfWork,
) -> None:
    set_limit(uow, 2410)
    answered_under(uow, under(uow, [50], "page", "email", "webhook"), "a-1", 241)
    with uow() as unit:
        (taken,) = unit.alerts.take(START)
        assert (taken.to, taken.due) == (("email", "page", "webhook"), ("email", "webhook"))
        assert unit.alerts.take(START) == []  # it is someone's
        unit.alerts.told(taken, ["webhook"])
        (again,) = unit.alerts.take(START)
        assert again.due == ("email",)
        unit.alerts.told(again, ["email"])
        assert unit.alerts.take(START + DAY) == []
        assert [alert.due for alert in unit.alerts.latest(10, "page")] == [()]
        assert unit.alerts.latest(10, "log") == []


def test_alert_of_a_sender_who_died_goes_to_another(uow: OpenUnitOfWork) -> None:
    set_limit(uow, 2410)
    answered_under(uow, under(uow, [50], "log"), "a-1", 241)
    with uow() as unit:
        assert len(unit.alerts.take(START)) == 1
        assert unit.alerts.take(START + timedelta(minutes=4)) == []
        assert len(unit.alerts.take(START + timedelta(minutes=5))) == 1

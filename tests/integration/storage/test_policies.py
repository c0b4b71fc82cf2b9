"""Policies and history on real databases: what may follow what is held by the database itself."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.ports import (
    Activation,
    AnswerStatus,
    Calibration,
    Finished,
    Measured,
    Measurement,
    OpenUnitOfWork,
    PolicyVersion,
)
from policies.decide import decide
from policies.errors import InvalidInput, NotFound
from policies.types import Domain, Importance, Units
from storage.policy_tables import policy_activations, policy_proposals
from storage.tables import decisions
from tests.databases import PILOT, PRICES, START, new_answer
from tests.samples import measurement
from tests.unit.policies.policies import ceiling, policy, rule

DRAFT = policy("draft")
DAY = timedelta(days=1)


def proposal(by: str = "ann") -> PolicyVersion:
    return PolicyVersion(DRAFT.version, "draft", DRAFT.text, "# mine", "a note", by, START)


def propose(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.policies.propose(proposal())
        unit.commit()


def test_version_goes_from_draft_to_force_and_comes_back_whole(uow: OpenUnitOfWork) -> None:
    propose(uow)
    with uow() as unit:
        unit.policies.approve(DRAFT.version, "bob", START + DAY)
        unit.policies.activate(Activation(DRAFT.version, "cho", START + 2 * DAY, "go"))
        unit.commit()
    with uow() as unit:
        kept = replace(proposal(), approved_by="bob", approved_at=START + DAY)
        assert unit.policies.in_force() == kept
        assert unit.policies.versions() == [kept]
        assert unit.policies.activations() == [
            Activation(DRAFT.version, "cho", START + 2 * DAY, "go")
        ]


def test_version_is_proposed_once_and_approved_once(uow: OpenUnitOfWork) -> None:
    propose(uow)
    with uow() as unit, pytest.raises(InvalidInput, match="was proposed before"):
        unit.policies.propose(proposal("someone else"))
    with uow() as unit:
        unit.policies.approve(DRAFT.version, "bob", START)
        with pytest.raises(InvalidInput, match="was approved by bob already"):
            unit.policies.approve(DRAFT.version, "cho", START)
    with uow() as unit, pytest.raises(NotFound):
        unit.policies.approve("unknown-1", "bob", START)


def test_database_itself_refuses_an_author_as_approver(engine: Engine, uow: OpenUnitOfWork) -> None:
    propose(uow)
    himself = update(policy_proposals).values(approved_by="ann", approved_at=START)
    with engine.begin() as connection, pytest.raises(IntegrityError, match="approved_by_another"):
        connection.execute(himself)


def test_database_itself_refuses_to_activate_a_draft(engine: Engine, uow: OpenUnitOfWork) -> None:
    propose(uow)
    values = asdict(Activation(DRAFT.version, "cho", START, "")) | {"pilot_id": PILOT}
    forged = insert(policy_activations).values(values | {"approved_by": "bob"})
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(forged)


def test_decision_is_stored_with_every_reason_limit_and_review(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    ruled = policy(
        rules=[rule("critical", team=["sales"])],
        ceilings=[ceiling("user", "day", "5 JPY")],
        critical={
            "review": {"approvals": 2, "reviewers": ["kim", "lee"]},
            "at_ceiling": "step_down",
        },
    )
    answer = new_answer("a-1")
    request = replace(answer.request, role="analyst")
    answer = replace(answer, request=request, decision=decide(request, ruled, PRICES))
    with uow() as unit:
        unit.add_policy(ruled.version, ruled.name, ruled.text, START)
        unit.answers.add(answer, AnswerStatus.REFUSED)
        unit.commit()
    with engine.connect() as connection:
        kept = connection.execute(select(decisions)).mappings().one()
    assert [reason["code"] for reason in kept["reasons"]] == [
        "reason.asked", "reason.rule", "reason.review",
    ]  # fmt: skip
    assert kept["reasons"][1]["values"]["matched"] == "team=sales"
    assert kept["limits"] == [
        {"scope": "user:ann", "window": "day", "limit_nanos": 5 * 10**9, "currency": "JPY"}
    ]
    assert kept["review"] == {"approvals": 2, "reviewers": ["kim", "lee"], "due_hours": None}
    assert (kept["role"], kept["at_ceiling"]) == ("analyst", "step_down")
    assert (kept["asked"], kept["granted"]) == ("standard", "critical")
    with uow() as unit:
        (logged,) = unit.history.logged(START, START + DAY)
    assert (logged.request, logged.granted, logged.approvals) == (request, Importance.CRITICAL, 2)
    assert logged.rung == ruled.rungs[Importance.CRITICAL]


def run(uow: OpenUnitOfWork, answer_id: str, units: Units, minutes: int = 0) -> None:
    """Admitted, run and settled, a minute each."""
    began = START + timedelta(minutes=minutes)
    answer = new_answer(answer_id, created_at=began)
    finished = Finished(
        AnswerStatus.RELEASED, "done", units, 3, 0, 2.5, began + timedelta(minutes=1)
    )
    with uow() as unit:
        unit.answers.add(answer, AnswerStatus.RUNNING)
        hold = unit.ledger.reserve(answer_id, answer.decision.quote.nanos, began + DAY, began)
        unit.ledger.settle(hold, finished, 100)
        unit.commit()


def test_history_says_what_ended_and_leaves_out_what_runs(uow: OpenUnitOfWork) -> None:
    run(uow, "a-1", Units(5, 2, 6))
    run(uow, "a-2", Units(5, 4, 12), minutes=10)
    with uow() as unit:
        unit.answers.add(new_answer("a-3"), AnswerStatus.RUNNING)
        rung = new_answer("x").decision.plan.rung
        assert [row.answer_id for row in unit.history.logged(START, START + DAY)] == ["a-1", "a-2"]
        assert list(unit.history.logged(START + DAY, START + 2 * DAY)) == []
        assert unit.history.newest(START - DAY, START + DAY, 3) == START - DAY
        newest = unit.history.newest(START - DAY, START + DAY, 1)
        assert [row.answer_id for row in unit.history.logged(newest, START + DAY)] == ["a-2"]
        like = unit.history.like(rung, Importance.STANDARD, 10)
        assert like == [Units(5, 4, 12), Units(5, 2, 6)]
        assert unit.history.like(replace(rung, gate=0.5), Importance.STANDARD, 10) == []
        assert unit.history.like(rung, Importance.HIGH, 10) == []
        metered = unit.history.metered(START, START + DAY)
        assert unit.history.metered(START - DAY, START) is None
    assert metered is not None
    assert (metered.answers, metered.units) == (2, Units(10, 6, 18))
    assert (metered.charged_nanos, metered.device_seconds) == (200, 5.0)
    assert metered.currency == PRICES.currency


def test_latest_calibration_of_a_model_comes_back(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        assert unit.history.calibration("m") is None
        for rate in (0.1, 0.2):
            unit.history.add_calibration(Calibration("m", "cpu", START, {"rate": rate}))
        unit.commit()
    with uow() as unit:
        assert unit.history.calibration("m") == Calibration("m", "cpu", START, {"rate": 0.2})
        assert unit.history.calibration("other") is None


def test_suites_come_back_with_the_questions_that_pair_them(uow: OpenUnitOfWork) -> None:
    rows = [Measured(f"q{i}", Domain.MATH, i > 0, Units(1, 1, 3), 9) for i in range(2)]

    def at(hours: int, budget: int, accuracy: float) -> Measurement:
        measured_at = START + timedelta(hours=hours)
        return measurement(budget, accuracy, n=2, measured_at=measured_at)

    newer = at(1, 3, 0.5)
    with uow() as unit:
        unit.measurements.add(at(0, 3, 0.9), rows[:1])
        unit.measurements.add(newer, rows)
        unit.measurements.add(at(0, 7, 0.5), rows)
        unit.measurements.add(measurement(3, 0.5, Domain.MATH), [])
        unit.commit()
    with uow() as unit:
        found = unit.history.measured(newer.adapter_sha256)
    assert [(m.budget, len(asked)) for m, asked in found] == [(3, 2), (7, 2)]
    assert found[0] == (newer, rows)

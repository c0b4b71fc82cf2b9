"""Answers, measurements, policies and prices come back as they went in."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import InvalidRequestError

from app.ports import AnswerStatus, Measured, Measurement, OpenUnitOfWork
from policies.errors import KeyReused, NotFound
from policies.types import Domain, Importance, PriceList, Units
from storage.tables import decisions
from storage.unit_of_work import open_reader
from tests.databases import PILOT, POLICY, PRICES, START, new_answer
from tests.fakes import MODEL

MEASUREMENT = Measurement(
    suite="pilot",
    budget=7,
    importance=Importance.HIGH,
    domain=None,
    accuracy=0.75,
    ci_low=0.5,
    ci_high=0.9,
    n=2,
    nfe_per_token=6.5,
    cost_nanos_per_answer=900,
    currency="JPY",
    adapter_sha256=MODEL.adapter_sha256,
    seed=7,
    measured_at=START,
    shipped=True,
)


def add(uow: OpenUnitOfWork, *ids: str, status: AnswerStatus = AnswerStatus.RUNNING) -> None:
    with uow() as unit:
        for minute, answer_id in enumerate(ids):
            at = START + timedelta(minutes=minute)
            unit.answers.add(new_answer(answer_id, created_at=at), status)
        unit.commit()


def measure(uow: OpenUnitOfWork, *measurements: Measurement) -> None:
    with uow() as unit:
        for measurement in measurements:
            rows = [
                Measured("q1", Domain.MATH, True, Units(5, 2, 6), 55),
                Measured("q2", Domain.DATA, False, Units(6, 3, 9), 80),
            ]
            unit.measurements.add(measurement, rows)
        unit.commit()


def latest(uow: OpenUnitOfWork) -> list[Measurement]:
    with uow() as unit:
        return unit.measurements.latest(MODEL.adapter_sha256)


@pytest.mark.parametrize("question", ["How many?", "何本ありますか。\n", "مرحبا 🖊️", "' OR 1=1; --"])
def test_answer_comes_back_as_it_was_asked(uow: OpenUnitOfWork, question: str) -> None:
    new = new_answer("a-1", Importance.CRITICAL, question=question)
    with uow() as unit:
        unit.answers.add(new, AnswerStatus.RUNNING)
        unit.commit()
    with uow() as unit:
        row, body = unit.answers.get("a-1"), unit.answers.text("a-1")
    assert (row.user, row.team, row.seed, row.created_at) == ("ann", "sales", 7, START)
    assert (row.asked, row.granted, row.domain) == (
        Importance.CRITICAL, Importance.CRITICAL, Domain.MATH,
    )  # fmt: skip
    assert (row.solver, row.nfe_cap_per_token) == ("midpoint", 15)
    assert (row.quote_nanos, row.currency) == (new.decision.quote.nanos, "JPY")
    assert (row.policy_version, row.price_version) == (POLICY.version, PRICES.version)
    assert (row.status, row.units, row.cost_nanos) == (AnswerStatus.RUNNING, Units(), 0)
    assert (row.rating, row.finished_at) == (None, None)
    assert (body.question, body.answer) == (question, "")


def test_decision_is_kept_whole(engine: Engine, uow: OpenUnitOfWork) -> None:
    add(uow, "a-1")
    with engine.connect() as connection:
        kept = connection.execute(select(decisions)).mappings().one()
    assert kept["reasons"] == [{"code": "reason.asked", "values": {"importance": "standard"}}]
    assert kept["rung"]["max_nfe_per_token"] == 3
    assert kept["quote_nfe"] == 288


def test_unknown_answer_is_not_found(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        for read in (unit.answers.get, unit.answers.text):
            with pytest.raises(NotFound):
                read("nothing")
        with pytest.raises(NotFound):
            unit.answers.rate("nothing", 1, START)


def test_key_is_taken_once_by_each_person(uow: OpenUnitOfWork) -> None:
    add(uow, "a-1")
    with uow() as unit:
        with pytest.raises(KeyReused):
            unit.answers.add(new_answer("a-2", key="a-1"), AnswerStatus.RUNNING)
        unit.answers.add(new_answer("a-3", key="a-1", user="bob"), AnswerStatus.RUNNING)
        earlier = unit.answers.find_key("ann", "a-1")
        assert earlier is not None
        assert (earlier.answer_id, earlier.request_sha256) == ("a-1", "5" * 64)
        assert unit.answers.find_key("ann", "a-3") is None


def test_refused_answer_leaves_its_key_free(uow: OpenUnitOfWork) -> None:
    add(uow, "a-1", status=AnswerStatus.REFUSED)
    with uow() as unit:
        assert unit.answers.find_key("ann", "a-1") is None
        assert unit.answers.get("a-1").finished_at == START
        unit.answers.add(new_answer("a-2", key="a-1"), AnswerStatus.RUNNING)


def test_latest_answers_come_newest_first_and_read_no_bodies(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    add(uow, "a-1", "a-2", "a-3")
    statements: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    with uow() as unit:
        assert [row.id for row in unit.answers.latest(2)] == ["a-3", "a-2"]
    assert len(statements) == 2  # BEGIN and one query
    assert "answer_bodies" not in statements[-1]


def test_rating_can_be_changed(uow: OpenUnitOfWork) -> None:
    add(uow, "a-1")
    for rating in (1, -1):
        with uow() as unit:
            unit.answers.rate("a-1", rating, START)
            unit.commit()
        with uow() as unit:
            assert unit.answers.get("a-1").rating == rating


def test_instants_of_any_zone_come_back_in_utc(uow: OpenUnitOfWork) -> None:
    tokyo = START.astimezone(timezone(timedelta(hours=9)))
    with uow() as unit:
        unit.answers.add(new_answer("a-1", created_at=tokyo), AnswerStatus.RUNNING)
        row = unit.answers.get("a-1")
    assert row.created_at == START
    assert row.created_at.utcoffset() == timedelta(0)


def test_prices_and_policies_are_kept_once_and_never_change(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    later = PriceList("prices-2", "JPY", MODEL.model, 0, 1, 2, START)
    with uow() as unit:
        unit.add_prices(replace(PRICES, nfe_nanos=999), START)
        unit.add_prices(later, START)
        unit.add_policy(POLICY.version, "renamed", "{}", START)
        unit.commit()
    with uow() as unit:
        assert unit.prices() == [PRICES, later]
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT name, text FROM policy_versions")).one()
    assert kept == (POLICY.name, POLICY.text)


def test_measurement_comes_back_with_its_rows_beside_it(
    engine: Engine, uow: OpenUnitOfWork
) -> None:
    measure(uow, MEASUREMENT)
    assert latest(uow) == [MEASUREMENT]
    with engine.connect() as connection:
        count = connection.execute(text("SELECT COUNT(*) FROM measurement_rows")).scalar_one()
    assert count == 2


def test_latest_measurement_is_the_newest_of_its_kind(uow: OpenUnitOfWork) -> None:
    newer = replace(MEASUREMENT, accuracy=0.8, measured_at=START + timedelta(hours=1))
    general = replace(MEASUREMENT, importance=None)
    maths = replace(MEASUREMENT, domain=Domain.MATH)
    other = replace(MEASUREMENT, adapter_sha256="c" * 64)
    measure(uow, newer, MEASUREMENT, general, maths, other)
    found = latest(uow)
    assert len(found) == 3
    assert all(kind in found for kind in (newer, general, maths))


def test_measurements_of_one_instant_end_with_the_last_written(uow: OpenUnitOfWork) -> None:
    measure(uow, MEASUREMENT, replace(MEASUREMENT, accuracy=0.1))
    assert [m.accuracy for m in latest(uow)] == [0.1]


def test_block_left_by_an_error_writes_nothing(uow: OpenUnitOfWork) -> None:
    def fail_after_writing() -> None:
        with uow() as unit:
            unit.answers.add(new_answer("a-1"), AnswerStatus.RUNNING)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    with uow() as unit:
        assert unit.answers.latest(10) == []


def test_block_does_nothing_after_its_commit(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.commit()
        with pytest.raises(InvalidRequestError):
            unit.answers.latest(10)


def test_reader_does_not_wait_for_a_writer(engine: Engine, uow: OpenUnitOfWork) -> None:
    add(uow, "a-1")
    reader = open_reader(engine, PILOT)
    with uow() as writing:
        writing.answers.add(new_answer("a-2"), AnswerStatus.RUNNING)
        with reader() as reading:
            assert [row.id for row in reading.answers.latest(10)] == ["a-1"]
        writing.commit()


def test_reader_sees_one_moment(engine: Engine, uow: OpenUnitOfWork) -> None:
    with open_reader(engine, PILOT)() as reading:
        assert reading.answers.latest(10) == []
        add(uow, "a-1")
        assert reading.answers.latest(10) == []

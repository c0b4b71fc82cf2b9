"""What may never happen in review the database refuses by itself, whoever writes plain SQL."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.ports import AnswerStatus, OpenUnitOfWork
from policies.review import ItemKind, Verdict, VerdictKind
from policies.types import Importance
from storage.types import UtcDateTime
from tests.databases import START, new_answer
from tests.reviews import CRITICAL, HIGH, LEASE, put_under_review

SOON = START + timedelta(seconds=10)
FORBIDDEN = r"approv|verdict|decision|decided|kept|keeps|before|stay"
VERDICT = """
    INSERT INTO review_verdicts (pilot_id, answer_id, reviewer, claim, kind, correction, reason,
        given_at)
    VALUES ('pilot-1', :answer, :reviewer, :claim, :kind, :correction, :reason, :at)
    """


@pytest.fixture
def held(uow: OpenUnitOfWork) -> OpenUnitOfWork:
    """`one` needs one approval and bob holds it; `two` needs two and eve holds it; `free` waits."""
    for name, importance in (("one", HIGH), ("two", CRITICAL), ("free", HIGH)):
        put_under_review(uow, name, importance)
    put_under_review(uow, "out", Importance.STANDARD, kind=ItemKind.AUDIT)
    with uow() as unit:
        unit.answers.add(new_answer("running", HIGH), AnswerStatus.RUNNING)
        assert unit.reviews.claim("one", "bob", START, LEASE)
        assert unit.reviews.claim("two", "eve", START, LEASE)
        unit.commit()
    return uow


def run(engine: Engine, statement: str, **values: Any) -> None:
    query = text(statement)
    instants = {name for name, value in values.items() if isinstance(value, datetime)}
    query = query.bindparams(*(bindparam(name, type_=UtcDateTime) for name in instants))
    with engine.begin() as connection:
        connection.execute(query, values)


def verdict(engine: Engine, **changes: Any) -> None:
    plain = {"answer": "one", "reviewer": "bob", "claim": 1, "kind": "approve", "at": SOON}
    run(engine, VERDICT, **({"correction": None, "reason": ""} | plain | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "free"}, "a live claim of the same person"),
        ({"reviewer": "kim"}, "a live claim of the same person"),
        ({"reviewer": "ann"}, "claim of the same|their own question"),
        ({"claim": 0}, "a live claim of the same person"),
        ({"claim": 2}, "a live claim of the same person"),
        ({"at": START + LEASE}, "a live claim of the same person"),
        ({"at": START + 9 * LEASE}, "a live claim of the same person"),
        ({"kind": "shrug"}, "ck_review_verdicts_kind_known"),
        ({"kind": "correct"}, "ck_review_verdicts_correction_of_correct"),
        ({"kind": "correct", "correction": ""}, "ck_review_verdicts_correction_of_correct"),
        ({"correction": "words"}, "ck_review_verdicts_correction_of_correct"),
        ({"kind": "reject"}, "ck_review_verdicts_reject_with_reason"),
    ],
)
@pytest.mark.usefixtures("held")
def test_verdict_needs_a_live_claim_of_its_person_and_must_be_whole(
    engine: Engine, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(IntegrityError, match=message):
        verdict(engine, **changes)
    verdict(engine)  # as it stands, it is fine


@pytest.mark.usefixtures("held")
def test_nobody_gives_two_verdicts_and_none_is_changed_or_removed(engine: Engine) -> None:
    verdict(engine)
    for again in (VERDICT, VERDICT.replace("INSERT", "INSERT OR REPLACE")):
        if "REPLACE" in again and engine.dialect.name != "sqlite":
            continue
        values = {"correction": None, "reason": "no", "answer": "one", "reviewer": "bob"}
        with pytest.raises(IntegrityError, match="is there already"):
            run(engine, again, claim=1, kind="reject", at=SOON, **values)
    for change in (
        "UPDATE review_verdicts SET kind = 'reject', reason = 'no'",
        "UPDATE review_verdicts SET reviewer = 'kim'",
        "DELETE FROM review_verdicts",
    ):
        with pytest.raises(IntegrityError, match="verdicts stay"):
            run(engine, change)


@pytest.mark.usefixtures("held")
def test_requester_can_never_hold_a_claim_nor_become_another(engine: Engine) -> None:
    take = """
        UPDATE review_items SET holder = :who, claim = claim + 1, claimed_at = :at, beaten_at = :at,
            lease_until = :until WHERE answer_id = 'free'
        """
    with pytest.raises(IntegrityError, match="their own question"):
        run(engine, take, who="ann", at=SOON, until=SOON + LEASE)
    with pytest.raises(IntegrityError, match="belongs to who asked"):
        run(engine, "UPDATE answers SET user_name = 'bob' WHERE id = 'free'")
    run(engine, take, who="kim", at=SOON, until=SOON + LEASE)
    with pytest.raises(IntegrityError, match="their own question"):
        run(engine, take, who="ann", at=SOON + LEASE, until=SOON + 2 * LEASE)


@pytest.mark.usefixtures("held")
def test_live_claim_cannot_be_taken_by_another(engine: Engine) -> None:
    take = """
        UPDATE review_items SET holder = 'kim', claim = claim + 1, claimed_at = :at,
            lease_until = :until WHERE answer_id = 'one'
        """
    with pytest.raises(IntegrityError, match="someone else has a live claim"):
        run(engine, take, at=SOON, until=SOON + LEASE)
    run(engine, take, at=START + LEASE, until=START + 2 * LEASE)  # it has run out


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE answers SET status = 'released' WHERE id = 'one'",
        "UPDATE answers SET status = 'released' WHERE id = 'two'",
        "UPDATE answers SET status = 'released' WHERE id = 'running'",
        "UPDATE answers SET status = 'rejected' WHERE id = 'two'",
        "UPDATE answers SET status = 'cancelled' WHERE id = 'one'",
        "UPDATE answers SET status = 'running' WHERE id = 'one'",
        "UPDATE decisions SET review = '{}' WHERE answer_id = 'one'",
        "UPDATE decisions SET answer_id = 'elsewhere' WHERE answer_id = 'one'",
        "UPDATE answer_bodies SET answer = 'other words' WHERE answer_id = 'one'",
        "UPDATE answer_bodies SET corrected = 'other words' WHERE answer_id = 'out'",
        "UPDATE review_items SET approvals = 1 WHERE answer_id = 'two'",
        "UPDATE review_items SET kind = 'audit' WHERE answer_id = 'one'",
        "UPDATE review_items SET claim = 0 WHERE answer_id = 'one'",
        "DELETE FROM review_items WHERE answer_id = 'free'",
    ],
)
@pytest.mark.usefixtures("held")
def test_nothing_goes_out_or_is_bent_without_its_approvals(engine: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match=FORBIDDEN):
        run(engine, statement)


@pytest.mark.usefixtures("held")
def test_one_approval_is_not_two_and_the_same_person_is_no_second(engine: Engine) -> None:
    verdict(engine, answer="two", reviewer="eve")
    with pytest.raises(IntegrityError, match="goes out with all of them only"):
        run(engine, "UPDATE answers SET status = 'released' WHERE id = 'two'")
    with pytest.raises(IntegrityError, match="is there already"):
        verdict(engine, answer="two", reviewer="eve")
    decide = """
        UPDATE review_items SET state = 'decided', outcome = 'approved', decided_at = :at,
            holder = NULL, lease_until = NULL WHERE answer_id = 'two'
        """
    with pytest.raises(IntegrityError, match="decided by the verdicts it needs"):
        run(engine, decide, at=SOON)


@pytest.mark.usefixtures("held")
def test_corrected_words_go_out_only_if_a_reviewer_wrote_exactly_those(engine: Engine) -> None:
    verdict(engine, kind="correct", correction="better words")
    release = "UPDATE answers SET status = 'released' WHERE id = 'one'"
    with pytest.raises(IntegrityError, match="goes out with all of them only"):
        run(engine, release)  # the original was not approved
    run(engine, "UPDATE answer_bodies SET corrected = 'forged' WHERE answer_id = 'one'")
    with pytest.raises(IntegrityError, match="goes out with all of them only"):
        run(engine, release)
    run(engine, "UPDATE answer_bodies SET corrected = 'better words' WHERE answer_id = 'one'")
    run(engine, release)
    with pytest.raises(IntegrityError, match="before they go out"):
        run(engine, "UPDATE answer_bodies SET corrected = 'forged' WHERE answer_id = 'one'")


def test_rejected_answer_stays_rejected(engine: Engine, held: OpenUnitOfWork) -> None:
    with held() as unit:
        reject = Verdict("bob", VerdictKind.REJECT, SOON, reason="wrong")
        unit.reviews.add_verdict("one", reject)
        unit.commit()
    run(engine, "UPDATE answers SET status = 'rejected' WHERE id = 'one'")
    for status in ("released", "pending_review", "cancelled"):
        with pytest.raises(IntegrityError, match=r"stays so|all of them only"):
            run(engine, f"UPDATE answers SET status = '{status}' WHERE id = 'one'")


@pytest.mark.usefixtures("held")
def test_released_answer_cannot_be_given_a_decision_that_needs_approvals(engine: Engine) -> None:
    copied = """
        INSERT INTO answers (id, pilot_id, user_name, team, status, request_sha256, seed, model,
            adapter_sha256, created_at)
        SELECT 'forged', pilot_id, user_name, team, 'released', request_sha256, seed, model,
            adapter_sha256, created_at FROM answers WHERE id = 'one'
        """
    names = """
        asked, granted, domain, solver, nfe_cap_per_token, rung, quote_prompt_tokens,
        quote_decode_tokens, quote_nfe, quote_nanos, currency, reasons, review, policy_version,
        price_version
        """
    run(engine, copied)
    with pytest.raises(IntegrityError, match="goes out with all of them only"):
        run(
            engine,
            f"INSERT INTO decisions (answer_id, pilot_id, {names}) "
            f"SELECT 'forged', pilot_id, {names} FROM decisions WHERE answer_id = 'one'",
        )


@pytest.mark.usefixtures("held")
def test_no_row_of_review_is_replaced_under_sqlite(engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        return
    for statement in (
        "INSERT OR REPLACE INTO answers SELECT * FROM answers WHERE id = 'one'",
        "INSERT OR REPLACE INTO decisions SELECT * FROM decisions WHERE answer_id = 'one'",
        "INSERT OR REPLACE INTO review_items SELECT * FROM review_items WHERE answer_id = 'one'",
    ):
        with pytest.raises(IntegrityError, match=r"all of them only|is there already"):
            run(engine, statement)


@pytest.mark.usefixtures("held")
def test_tables_of_review_cannot_be_emptied_under_postgresql(engine: Engine) -> None:
    if engine.dialect.name != "postgresql":
        return
    for table in ("review_items", "review_claims", "review_verdicts"):
        with pytest.raises(IntegrityError, match="reviews stay"):
            run(engine, f"TRUNCATE {table} CASCADE")


def test_item_asks_for_the_approvals_that_were_decided(engine: Engine, uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.answers.add(new_answer("a-1", CRITICAL), AnswerStatus.RUNNING)
        unit.commit()
    item = """
        INSERT INTO review_items (answer_id, pilot_id, kind, approvals, importance, rank, state,
            opened_at, due_at)
        VALUES ('a-1', 'pilot-1', :kind, :approvals, 'critical', 3, 'waiting', :at, :at)
        """
    with pytest.raises(IntegrityError, match="decided to need"):
        run(engine, item, kind="required", approvals=1, at=SOON)
    with pytest.raises(IntegrityError, match="audit_by_one"):
        run(engine, item, kind="audit", approvals=2, at=SOON)
    run(engine, item, kind="required", approvals=2, at=SOON)


def test_ended_claim_is_booked_once_and_keeps_its_time(
    engine: Engine, held: OpenUnitOfWork
) -> None:
    with held() as unit:
        assert unit.reviews.expire(START + LEASE) == ["one", "two"]
        unit.commit()
    booked = "UPDATE review_claims SET nanos = 5, booked_at = :at WHERE answer_id = 'one'"
    with pytest.raises(IntegrityError, match="booked once"):
        run(engine, "UPDATE review_claims SET seconds = 9")
    run(engine, booked, at=SOON)
    with pytest.raises(IntegrityError, match="booked once"):
        run(engine, booked, at=SOON)
    with pytest.raises(IntegrityError, match="ended claims stay"):
        run(engine, "DELETE FROM review_claims")

"""No verdict, and nothing that came of one, is changed, removed or added by plain SQL unseen."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.ports import OpenUnitOfWork
from app.services.audit import Audit
from app.services.review_words import note
from policies.review import Verdict, VerdictKind
from storage.account_tables import audit_log
from storage.review_seals import broken_reviews
from storage.review_tables import review_items, review_verdicts
from storage.tables import answer_bodies, answers
from storage.unit_of_work import open_reader, open_writer
from tests.databases import PILOT, START, set_limit
from tests.reviews import BOB, CRITICAL, EVE, HIGH, ReviewWorld
from tests.tampered import everything
from tests.tampering import others, rows_of, tampering, this

KEPT: dict[Table, tuple[str, ...]] = {
    review_verdicts: tuple(c.name for c in review_verdicts.columns if c.name != "id"),
    review_items: ("answer_id", "pilot_id", "kind", "approvals", "state", "outcome", "decided_at"),
    answers: ("status",),
    answer_bodies: ("answer", "corrected"),
}
"""Of answers that people decided over. `id` is a number of the database; the order is seen."""
REASON = "the invoice says so"


@pytest.fixture
def filled(engine: Engine) -> Engine:
    everything(engine)
    return engine


def broken(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(broken_reviews(connection, PILOT))


def test_untouched_reviews_are_whole_whatever_they_came_to(filled: Engine) -> None:
    assert broken(filled) == []
    found = {(row.state, row.outcome) for row in rows_of(filled, review_items)}
    assert found >= {
        ("waiting", None),
        ("decided", "approved"),
        ("decided", "corrected"),
        ("decided", "rejected"),
    }


@pytest.mark.parametrize("table", KEPT, ids=lambda table: table.name)
def test_every_changed_column_is_found(filled: Engine, table: Table) -> None:
    with filled.connect() as connection:
        judged = connection.execute(select(review_verdicts.c.answer_id)).scalars().all()
    rows = [r for r in rows_of(filled, table) if r._mapping[_key(table)] in judged]
    assert len(rows) >= 3
    for row in rows:
        for name in KEPT[table]:
            for value in others(table.c[name], row, rows):
                assert _found(filled, table, row, name, value), (row, name, value)


@pytest.mark.parametrize("table", [review_verdicts, review_items], ids=lambda table: table.name)
def test_any_removed_row_that_was_decided_is_found(filled: Engine, table: Table) -> None:
    for row in rows_of(filled, table):
        if table is review_items and row.state == "waiting":
            continue  # nobody has said a word of it; its answer stays withheld
        with tampering(filled) as connection:
            connection.execute(delete(table).where(this(table, row)))
            assert list(broken_reviews(connection, PILOT)) != [], row


def test_an_added_verdict_is_found_also_with_all_that_another_says(filled: Engine) -> None:
    waiting = next(r.answer_id for r in rows_of(filled, review_items) if r.state == "waiting")
    for row in rows_of(filled, review_verdicts):
        for changed in ({"reviewer": "kim"}, {"answer_id": waiting}):
            with tampering(filled) as connection:
                copy = dict(row._mapping) | {"id": row.id + 1000} | changed
                connection.execute(insert(review_verdicts), copy)
                assert list(broken_reviews(connection, PILOT)) != [], copy


def test_verdicts_of_two_that_changed_places_are_found(filled: Engine) -> None:
    first, second = (r for r in rows_of(filled, review_verdicts) if r.kind == "correct")
    with tampering(filled) as connection:
        for before, after in ((first.id, -1), (second.id, first.id), (-1, second.id)):
            moved = update(review_verdicts).where(review_verdicts.c.id == before)
            connection.execute(moved.values(id=after))
        assert list(broken_reviews(connection, PILOT)) != []


@pytest.mark.parametrize("status", ["released", "rejected"])
def test_an_answer_that_was_let_out_or_stopped_past_its_reviewers_is_found(
    filled: Engine, status: str
) -> None:
    waiting = [r for r in rows_of(filled, review_items) if r.state == "waiting"]
    with tampering(filled) as connection:
        this_one = answers.c.id == waiting[0].answer_id
        connection.execute(update(answers).where(this_one).values(status=status))
        (said,) = broken_reviews(connection, PILOT)
        assert waiting[0].answer_id in said


def test_what_the_check_says_holds_no_word_of_an_answer(filled: Engine) -> None:
    with tampering(filled) as connection:
        connection.execute(update(review_verdicts).values(reason="another reason"))
        said = " ".join(broken_reviews(connection, PILOT))
    assert "does not fit" in said
    for word in ("forty", "pens", "another"):
        assert word not in said


def test_readers_of_the_log_cannot_guess_words_by_the_seal(uow: OpenUnitOfWork) -> None:
    """Two verdicts that say the same have seals that do not: a salt stays in the row."""
    world = ReviewWorld(uow)
    set_limit(uow, 10**10)
    for key in ("one", "two"):
        answer_id = world.asked(HIGH, key)
        world.desk.claim(BOB, answer_id)
        world.desk.decide(BOB, answer_id, VerdictKind.APPROVE, reason=REASON)
    with uow() as unit:
        entries = [e.event for e in unit.audit.entries() if e.event.action == "review.verdict"]
    seals = {str(event.details["seal"]) for event in entries}
    assert [len(seal) for seal in seals] == [64, 64]
    assert REASON not in repr(entries)


def test_a_verdict_from_before_there_were_seals_is_held_against_its_entry(engine: Engine) -> None:
    world = ReviewWorld(open_writer(engine, PILOT))
    set_limit(world.uow, 10**10)
    answer_id = world.asked(CRITICAL)
    with world.uow() as unit:
        unit.reviews.claim(answer_id, "bob", world.clock(), world.desk.lease)
        given = Verdict("bob", VerdictKind.APPROVE, world.clock())
        unit.reviews.add_verdict(answer_id, given)
        note(
            unit, "bob", "review.verdict", unit.reviews.get(answer_id), world.clock(),
            kind="approve", source="",
        )  # fmt: skip
        unit.commit()
    assert broken(engine) == []
    with tampering(engine) as connection:
        connection.execute(update(review_verdicts).values(reviewer=EVE.user))
        assert len(list(broken_reviews(connection, PILOT))) == 1


def test_a_broken_log_is_no_traceback(filled: Engine) -> None:
    with tampering(filled) as connection:
        verdicts = audit_log.c.action == "review.verdict"
        connection.execute(update(audit_log).where(verdicts).values(details="{"))
        given = connection.execute(select(func.count()).select_from(review_verdicts)).scalar_one()
        assert len(list(broken_reviews(connection, PILOT))) >= given


def test_the_reader_of_audit_verify_finds_it(filled: Engine) -> None:
    with filled.connect() as connection:
        if filled.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER review_verdicts_no_update")
        else:
            connection.exec_driver_sql("SET session_replication_role = replica")
        connection.execute(update(review_verdicts).values(reason="changed"))
        connection.commit()
        if filled.dialect.name != "sqlite":
            connection.exec_driver_sql("SET session_replication_role = DEFAULT")
            connection.commit()
    reader = open_reader(filled, PILOT)
    said, _head = Audit(reader, reader, lambda: START).verify()
    assert any("verdict of bob" in line for line in said), json.dumps(said)


def _key(table: Table) -> str:
    return "id" if table is answers else "answer_id"


def _found(engine: Engine, table: Table, row: Any, name: str, value: Any) -> bool:
    """Also where the database itself will not have it."""
    with tampering(engine) as connection:
        try:
            connection.execute(update(table).where(this(table, row)).values({name: value}))
        except IntegrityError:
            return True
        return list(broken_reviews(connection, PILOT)) != []

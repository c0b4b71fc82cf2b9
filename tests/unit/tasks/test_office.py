"""Units, times, tables and SQL keep the laws of the other tasks, and stay out of their mix."""

from __future__ import annotations

import re
import sqlite3
from itertools import islice

import pytest

from evaluation.scoring import is_correct
from tasks.general import general_questions
from tasks.mix import KINDS
from tasks.office import OFFICE, office_stream
from tasks.types import SPLITS, Task

ALL_KINDS = [kind for kinds in OFFICE.values() for kind in kinds]


def draw(count: int, split: str, seed: int = 7) -> list[Task]:
    return list(islice(office_stream(seed, split), count))


@pytest.mark.parametrize("split", SPLITS)
def test_every_task_scores_its_own_response_as_correct(split: str) -> None:
    for task in draw(3000, split):
        assert is_correct(task.response, task.answer, task.check), task
        assert task.response.splitlines()[-1] == f"Answer: {task.answer}"


def test_every_line_of_arithmetic_is_true() -> None:
    for task in draw(3000, "train"):
        for left, sign, right, result in re.findall(r"(\d+) ([-+x/]) (\d+) = (\d+)", task.response):
            a, b, c = int(left), int(right), int(result)
            assert {"+": a + b == c, "-": a - b == c, "x": a * b == c, "/": b * c == a}[sign], task


def test_an_end_time_is_as_many_minutes_later_as_the_question_says() -> None:
    for task in (t for t in draw(2000, "heldout") if t.kind == "end_time"):
        (hour, minute), (later, its) = (
            map(int, re.findall(r"(\d+):(\d\d)", text)[0]) for text in (task.question, task.answer)
        )
        (lasts,) = re.findall(r"\b(\d+) min", task.question) or re.findall(
            r"for (\d+)", task.question
        )
        assert 60 * later + its == 60 * hour + minute + int(lasts), task


@pytest.mark.parametrize("split", SPLITS)
def test_tables_and_queries_say_what_a_database_says(split: str) -> None:
    for task in (t for t in draw(2000, split) if t.kind in ("table_sum", "sql_count")):
        rows = re.findall(r"^(.+) \| (\d+)$", task.question, re.MULTILINE)
        with sqlite3.connect(":memory:") as database:
            database.execute("create table t (name text, amount integer)")
            database.executemany("insert into t values (?, ?)", rows)
            found = re.search(r"SELECT COUNT\(\*\) FROM t WHERE amount . \d+", task.question)
            query = found[0] if found else "SELECT SUM(amount) FROM t"
            assert str(database.execute(query).fetchone()[0]) == task.answer, task


def test_written_queries_run() -> None:
    with sqlite3.connect(":memory:") as database:
        for table, columns in (("orders", "item, status"), ("staff", "name, team")):
            database.execute(f"create table {table} ({columns}, amount integer)")
        database.execute("create table shops (city, status, amount integer)")
        for task in (t for t in draw(2000, "train") if t.kind in ("sql_write", "sql_over")):
            assert database.execute(task.answer).fetchall() == []


def test_splits_share_no_wording_and_every_wording_is_filled() -> None:
    for kind in ALL_KINDS:
        assert not set(kind.train) & set(kind.heldout)
        assert len(set(kind.train)) >= 8
        assert len(set(kind.heldout)) >= 3
    templates = {task.template for split in SPLITS for task in draw(4000, split)}
    assert len(templates) == sum(len(kind.train) + len(kind.heldout) for kind in ALL_KINDS)


def test_same_seed_gives_the_same_tasks_and_the_split_must_be_known() -> None:
    assert draw(50, "train") == draw(50, "train") != draw(50, "train", seed=8)
    with pytest.raises(ValueError, match="train, heldout"):
        office_stream(0, "test")


def test_no_kind_is_in_the_mix_that_resumed_runs_draw_from() -> None:
    mixed = {kind.name for kinds in KINDS.values() for kind in kinds}
    assert not mixed & {kind.name for kind in ALL_KINDS}


def test_general_questions_are_thousands_all_different_in_an_order_of_the_seeds() -> None:
    questions = general_questions(0)
    assert len(questions) == len(set(questions)) >= 3000
    assert questions == general_questions(0) != general_questions(1)

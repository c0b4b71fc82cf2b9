"""Suites: by name, by file, in GSM8K's form; a fault is told with file, line and field."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluation import gsm8k, suites
from evaluation.scoring import is_correct
from evaluation.suites import load, load_first
from policies.errors import InvalidInput, Unavailable
from policies.types import Domain

PROBLEM = {
    "question": "Ann has 48 pens and gives half away. How many are left over 1,000?",
    "answer": "She gives 48/2 = <<48/2=24>>24 away.\nThat leaves  <<48-24=24>>24 pens.\n#### 1,024",
}


def written(file: Path, *rows: Any) -> str:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(file)


def test_pilot_has_a_thousand_questions_and_pilot_hard_three_hundred_of_every_class() -> None:
    for name, least in (("pilot", 1000), ("pilot-hard", 300)):
        questions = load(name)
        assert len(questions) >= least
        assert {q.domain for q in questions} == set(Domain) - {Domain.GENERAL}
        assert len({q.id for q in questions}) == len(questions)
        assert all(q.kind for q in questions)


def test_reworded_asks_five_of_each_kind_of_pilot_with_the_same_facts_in_other_words() -> None:
    pilot = {q.id: q for q in load("pilot")}
    reworded = load("reworded")
    assert set(Counter(q.kind for q in reworded).values()) == {5}
    assert {q.kind for q in reworded} == {q.kind for q in pilot.values()}
    for q in reworded:
        original = pilot[q.id.replace("reworded", "pilot")]
        assert replace(q, id=original.id, question=original.question) == original
        assert q.question != original.question
        assert sorted(re.findall(r"\d+", q.question)) == sorted(
            re.findall(r"\d+", original.question)
        )


def test_the_head_of_a_suite_is_a_suite_and_its_limit_gives_the_same_name() -> None:
    assert load("pilot-408") == load("pilot")[:408]
    assert load_first("pilot", 408) == ("pilot-408", load("pilot-408"))
    assert load_first("pilot-408", 100) == ("pilot-100", load("pilot-100"))
    assert load_first("pilot-hard", 60) == ("pilot-hard-60", load("pilot-hard-60"))


def test_a_limit_above_the_whole_is_the_whole_but_a_name_may_not_promise_more() -> None:
    assert load_first("pilot-hard", 5000) == ("pilot-hard", load("pilot-hard"))
    with pytest.raises(InvalidInput, match="pilot-hard has 300 questions; 5000"):
        load("pilot-hard-5000")
    with pytest.raises(InvalidInput, match="0 were asked for"):
        load_first("pilot", 0)


def test_a_file_of_ones_own_is_a_suite_and_keeps_its_name(tmp_path: Path) -> None:
    file = written(
        tmp_path / "mine-3.jsonl",
        {"question": "2 + 2?", "answer": "4"},
        {"question": "Line\u2028sign?", "answer": "Oslo", "domain": "data", "id": "x"},
    )
    first, second = load(file)
    assert (first.check, first.domain, first.id) == ("number", Domain.GENERAL, "q1")
    assert (second.check, second.domain, second.id) == ("text", Domain.DATA, "x")
    assert load_first(file, 1) == ("mine-3-1", [first])


def test_gsm8k_form_is_read_from_any_file(tmp_path: Path) -> None:
    (question,) = load(written(tmp_path / "test.jsonl", PROBLEM))
    assert (question.answer, question.check, question.domain) == ("1024", "number", Domain.MATH)
    assert is_correct("It is $1,024.00", question.answer, question.check)


def test_gsm8k_response_has_the_working_without_calculator_notes() -> None:
    response = gsm8k.response(PROBLEM["answer"])
    assert response == "She gives 48/2 = 24 away.\nThat leaves 24 pens.\nAnswer: 1024"
    assert gsm8k.response("just text") is gsm8k.final("just text") is None


def test_gsm8k_by_name_comes_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    written(tmp_path / "test.jsonl", PROBLEM, PROBLEM)
    monkeypatch.setattr(gsm8k, "HUB", (str(tmp_path),))
    assert [q.answer for q in load("gsm8k")] == ["1024", "1024"]
    assert load("gsm8k-1") == load("gsm8k")[:1]


def test_gsm8k_without_hub_or_package_says_how_to_name_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gsm8k, "HUB", (str(tmp_path / "absent"),))
    with pytest.raises(Unavailable, match=r"--suite FILE\.jsonl"):
        load("gsm8k")
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(Unavailable, match="pip install datasets"):
        load("gsm8k")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "q"}, "line 2: field answer must be text"),
        ({"question": " ", "answer": "4"}, "field question must be text"),
        ([1], "a question is an object"),
        ({"question": "q", "answer": "4", "domain": "art"}, "domain must be one of general"),
        ({"question": "q", "answer": "4", "check": "sum"}, "check must be one of number"),
    ],
)
def test_a_faulty_line_is_told_with_its_place(tmp_path: Path, row: Any, said: str) -> None:
    file = written(tmp_path / "a.jsonl", {"question": "q", "answer": "4"}, row)
    with pytest.raises(InvalidInput, match=said):
        load(file)


def test_what_is_no_suite_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="one of office, pilot, pilot-hard, reworded, gsm8k"):
        load("absent")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InvalidInput, match="no questions"):
        load(str(tmp_path / "empty.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "\xe9"}\n')
    for file in (tmp_path / "latin.jsonl", tmp_path):
        with pytest.raises(InvalidInput, match="cannot be read"):
            load(str(file))


def test_suites_in_the_folder_are_known_by_name() -> None:
    assert suites.known() == ["office", "pilot", "pilot-hard", "reworded", "gsm8k"]

"""Laws that every generated task keeps, over thousands of draws."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.scoring import CHECKS, LABEL_SETS, is_correct
from evaluation.working import holds, statements
from tasks.data import DATA
from tasks.messages import MAILS, TICKETS
from tasks.mix import DOMAINS, KINDS, WEIGHTS, stream
from tasks.types import SPLITS, Kind, Task, worded
from tasks.wordings_business import BUSINESS_WORDINGS
from tasks.wordings_data import DATA_WORDINGS
from tasks.wordings_math import MATH_WORDINGS

ALL_KINDS = [kind for kinds in KINDS.values() for kind in kinds]
NUMBER = r"(-?\d+)"
PERCENT_STEP = re.compile(rf"{NUMBER}% of {NUMBER} = {NUMBER}")
OPERATOR_STEP = re.compile(rf"{NUMBER} ([-+x/]) {NUMBER} = {NUMBER}")
COMPARE_STEP = re.compile(rf"{NUMBER} ([<>]) {NUMBER}")
LISTED = {
    "count_over", "count_under", "count_word", "extreme", "best_quote",
    "sort_up", "sort_down", "sort_words", "reverse",
}  # fmt: skip
"""Kinds whose working goes through a list: their own test says what its lines must be."""


def draw(count: int, split: str, seed: int = 7) -> list[Task]:
    return list(islice(stream(seed, split), count))


def is_true_step(line: str) -> bool:
    if match := PERCENT_STEP.fullmatch(line):
        percent, whole, part = map(int, match.groups())
        return percent * whole == 100 * part
    if match := COMPARE_STEP.fullmatch(line):
        left, right = int(match[1]), int(match[3])
        return left > right if match[2] == ">" else left < right
    match = OPERATOR_STEP.fullmatch(line)
    if match is None:
        return False
    left, right, result = int(match[1]), int(match[3]), int(match[4])
    results = {"+": left + right, "-": left - right, "x": left * right}
    return right * result == left if match[2] == "/" else results[match[2]] == result


@pytest.mark.parametrize("split", SPLITS)
def test_every_task_scores_its_own_response_as_correct(split: str) -> None:
    for task in draw(4000, split):
        assert is_correct(task.response, task.answer, task.check), task


def test_the_response_of_one_task_is_wrong_for_another_answer() -> None:
    for check in CHECKS:
        answers = [task for task in draw(3000, "train") if task.check == check]
        for task, other in pairwise(answers):
            if task.answer != other.answer:
                assert not is_correct(task.response, other.answer, check), (task, other)


@pytest.mark.parametrize("split", SPLITS)
def test_every_line_of_working_is_true(split: str) -> None:
    for task in draw(4000, split):
        if task.kind not in LISTED:
            for line in task.response.splitlines()[:-1]:
                assert is_true_step(line), task


@pytest.mark.parametrize("split", SPLITS)
def test_working_through_a_list_leaves_nothing_out_and_states_what_holds(split: str) -> None:
    for task in draw(6000, split):
        if task.kind not in LISTED:
            continue
        lines = task.response.splitlines()[:-1]
        assert holds(task.response), task
        if task.kind.startswith(("sort", "reverse")):
            assert sorted(re.findall(r"\w+", task.answer)) == sorted(items_of(lines[-1])), task
            assert task.kind == "reverse" or statements(lines[-1])[0].text == lines[-1], task
            continue
        if task.kind in ("extreme", "best_quote"):
            aim = lines.pop(0)
            assert aim in ("largest", "highest", "smallest", "lowest"), task
            assert aim in task.question, task
        if task.kind == "best_quote":
            assert lines[-1].split(": ")[1].startswith(f"{task.answer} "), task
            lines = [re.sub(r"\b[A-Z]\w+ ", "", line) for line in lines]
        else:
            assert task.answer == lines[-1].split(": ")[1], task
        listed = [line.split()[0].rstrip(":") for line in lines]
        assert all(re.search(rf"\b{item}\b", task.question) for item in listed), task
        if task.kind != "count_word":
            assert all(re.match(r"\d+ [<>=] \d+: \d+$", line) for line in lines), task


def items_of(line: str) -> list[str]:
    """What a line of working puts in order: without places and the list as it was given."""
    words = re.findall(r"\w+", line.split(": ")[-1])
    return words[1::2] if line[:1].isdigit() and ":" not in line else words


@pytest.mark.parametrize("split", SPLITS)
def test_word_problems_end_in_the_result_of_their_last_step(split: str) -> None:
    for task in draw(4000, split):
        if task.domain == "math":
            steps = task.response.splitlines()[:-1]
            assert steps, task
            assert steps[-1].split("= ")[-1] == task.answer, task


def test_the_working_uses_only_numbers_given_or_computed_before() -> None:
    split_by_place = {"add", "subtract", "multiply"}
    for task in draw(4000, "train") + draw(4000, "heldout"):
        if task.domain != "math" or task.kind in split_by_place:
            continue
        known = set(re.findall(r"\d+", task.question))
        for line in task.response.splitlines()[:-1]:
            given, _, result = line.rpartition("= ")
            assert set(re.findall(r"\d+", given)) <= known, task
            known.add(result)


@pytest.mark.parametrize("split", SPLITS)
def test_the_question_gives_every_number_that_the_working_starts_from(split: str) -> None:
    for task in draw(4000, split):
        first = task.response.splitlines()[0]
        if COMPARE_STEP.fullmatch(first):
            assert set(re.findall(r"\d+", first)) <= set(re.findall(r"\d+", task.question)), task


@pytest.mark.parametrize("split", SPLITS)
def test_data_answers_agree_with_a_second_computation(split: str) -> None:
    for task in draw(6000, split):
        numbers = [int(n) for n in re.findall(r"\d+", task.question)]
        answer = task.answer.split(", ")
        if task.kind in ("sort_up", "sort_down"):
            found = [int(n) for n in answer]
            assert found == sorted(numbers, reverse=task.kind == "sort_down"), task
        elif task.kind == "extreme":
            wanted = min if re.search("smallest|lowest", task.question) else max
            assert int(task.answer) == wanted(numbers), task
        elif task.kind == "sort_words":
            assert answer == sorted(answer), task
            assert all(word in task.question for word in answer), task
        elif task.kind == "reverse":
            assert ", ".join(answer[::-1]) in task.question, task
        elif task.kind == "dedupe":
            assert len(answer) == len(set(answer)), task
        elif task.kind == "count_word":
            counted = [line.split(": ") for line in task.response.splitlines()[:-1]]
            assert ", ".join(word for word, _ in counted) in task.question, task
            word = next(word for word, count in counted if count == "1")  # where it first rises
            assert len(re.findall(rf"\b{word}\b", task.question)) - 1 == int(task.answer), task


def test_wordings_of_the_two_splits_are_disjoint() -> None:
    for kind in ALL_KINDS:
        assert not set(kind.train) & set(kind.heldout), kind.name
        assert len(kind.train) >= 8, kind.name
        assert len(kind.heldout) >= 3, kind.name
    templates = [{task.template for task in draw(5000, split)} for split in SPLITS]
    assert not templates[0] & templates[1]


def test_wordings_added_for_training_share_no_three_words_in_a_row_with_held_out_ones() -> None:
    """Of their kind: they were written when it was known what fails."""
    by_name = {kind.name: kind for kind in ALL_KINDS}
    for more in (MATH_WORDINGS, DATA_WORDINGS, BUSINESS_WORDINGS):
        for name, wordings in more.items():
            held_out = set[tuple[str, ...]]().union(*map(runs_of, by_name[name].heldout))
            for text in wordings:
                assert not held_out & runs_of(text), (name, text)


def runs_of(text: str) -> set[tuple[str, ...]]:
    """Three words in a row; not "how much is" and the like, nor where something is filled in."""
    words = re.findall(r"\{\w+\}|[a-z]+", text.lower())
    common = {"how", "much", "many", "is", "was", "each", "yyyy", "mm", "dd"}
    runs = zip(words, words[1:], words[2:], strict=False)
    return {run for run in runs if not set(run) <= common and "{" not in "".join(run)}


def test_more_wordings_of_a_kind_that_is_none_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown kinds: sort_upwards"):
        worded(DATA, {"sort_upwards": ("Sort {list}.",)})


def test_message_fragments_of_the_two_splits_are_disjoint() -> None:
    for messages, labels in ((TICKETS, LABEL_SETS[0]), (MAILS, LABEL_SETS[1])):
        for label in labels:
            assert not set(messages["train"][label]) & set(messages["heldout"][label])


def test_every_placeholder_of_every_wording_is_filled() -> None:
    for kind in ALL_KINDS:
        for split, wordings in (("train", kind.train), ("heldout", kind.heldout)):
            rng = Random(3)
            seen = {kind(rng, split).template for _ in range(40 * len(wordings))}
            assert len(seen) == len(wordings), kind.name


@pytest.mark.parametrize("split", SPLITS)
def test_questions_and_responses_stay_short(split: str) -> None:
    tasks = draw(4000, split)
    assert max(len(task.question) for task in tasks) <= 240
    assert max(len(task.response) for task in tasks) <= 180
    assert sum(len(task.question) for task in tasks) / len(tasks) <= 110
    assert sum(len(task.response) for task in tasks) / len(tasks) <= 42


@pytest.mark.parametrize("split", SPLITS)
def test_at_least_95_percent_of_5000_questions_are_distinct(split: str) -> None:
    assert len({task.question for task in draw(5000, split)}) >= 4750


def test_every_response_ends_in_its_answer_line() -> None:
    for task in draw(2000, "train"):
        assert task.response.splitlines()[-1] == f"Answer: {task.answer}"


@given(seed=st.integers(), split=st.sampled_from(SPLITS))
def test_same_seed_gives_the_same_tasks(seed: int, split: str) -> None:
    assert draw(5, split, seed) == draw(5, split, seed)


def test_different_seeds_give_different_tasks() -> None:
    assert draw(20, "train", 1) != draw(20, "train", 2)


def test_domains_come_equally_often_and_can_be_chosen() -> None:
    counts = [sum(t.domain == domain for t in draw(6000, "train")) for domain in DOMAINS]
    assert max(counts) - min(counts) < 300
    assert {task.domain for task in islice(stream(1, "train", ("data",)), 200)} == {"data"}


def test_every_kind_is_drawn_and_every_weight_names_a_kind() -> None:
    names = {kind.name for kind in ALL_KINDS}
    assert {task.kind for task in draw(4000, "train")} == names
    assert len(names) == len(ALL_KINDS)
    assert set(WEIGHTS) <= names


def test_yes_and_no_are_about_equally_frequent() -> None:
    answers = [task.answer for task in draw(9000, "train") if task.answer in ("yes", "no")]
    assert 0.4 < answers.count("yes") / len(answers) < 0.6


def test_an_unknown_split_or_domain_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="train, heldout"):
        stream(0, "test")
    with pytest.raises(ValueError, match="math, data, business"):
        stream(0, "train", ("poetry",))
    kind: Kind = ALL_KINDS[0]
    with pytest.raises(ValueError, match="train, heldout"):
        kind(Random(0), "test")

"""Adapters over reasoning-gym give tasks of our form; a missing package is explained."""

from __future__ import annotations

import sys
from itertools import islice

import pytest

from evaluation.scoring import is_correct
from tasks.reasoning import ADAPTERS, reasoning_stream


@pytest.mark.parametrize("kind", ADAPTERS)
def test_adapted_tasks_score_their_own_response_and_repeat_by_seed(kind: str) -> None:
    pytest.importorskip("reasoning_gym")
    tasks = list(islice(reasoning_stream(1, "train", kind), 30))
    assert tasks == list(islice(reasoning_stream(1, "train", kind), 30))
    assert all(is_correct(task.response, task.answer, task.check) for task in tasks)


@pytest.mark.parametrize("kind", ADAPTERS)
def test_adapted_splits_share_neither_question_nor_template(kind: str) -> None:
    pytest.importorskip("reasoning_gym")
    train, heldout = (
        list(islice(reasoning_stream(1, split, kind), 50)) for split in ("train", "heldout")
    )
    assert not {task.question for task in train} & {task.question for task in heldout}
    assert not {task.template for task in train} & {task.template for task in heldout}


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(RuntimeError, match=r"requirements-dev\.txt"):
        reasoning_stream(0, "train", "chain_sum")


def test_an_unknown_kind_or_split_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="chain_sum"):
        reasoning_stream(0, "train", "chess")
    with pytest.raises(ValueError, match="heldout"):
        reasoning_stream(0, "test", "chain_sum")

"""Training data: three kinds of sources, mixed by weight, endless, the same every time."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import datasets
import pytest
import yaml

from app.commands.sources import Mixture, Source, example_of, read_sources
from model.errors import ConfigError
from policies.errors import InvalidInput, Unavailable
from training.data import Example
from training.schedule import TrainConfig

CHAT = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "2 + 2?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "and 3 more?"},
        {"role": "assistant", "content": "7"},
    ],
    "label": "math",
}


def written(file: Path, records: list[Any]) -> str:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(file)


def numbers(count: int) -> list[dict[str, str]]:
    return [{"question": f"q{i}", "response": f"r{i}"} for i in range(count)]


def taken(mixture: Mixture, count: int, seed: int = 0) -> list[Example]:
    return list(islice(mixture.stream(seed), count))


def test_no_source_means_the_built_in_tasks() -> None:
    mixture = Mixture(read_sources(()))
    assert {x.label for x in taken(mixture, 50)} == {"math", "data", "business"}
    assert len(mixture.held_out(5)) == 5


def test_a_conversation_keeps_its_turns_its_system_message_and_its_class() -> None:
    assert example_of(CHAT, Source("chat.jsonl"), 0) == Example(
        "and 3 more?", "7", "math", (("2 + 2?", "4"),), "Be brief."
    )


@pytest.mark.parametrize("key", ["response", "answer"])
def test_question_and_response_are_an_example_with_the_label_of_its_source(key: str) -> None:
    record = {"question": "q", key: "r"}
    assert example_of(record, Source("a.jsonl", label="math"), 0) == Example("q", "r", "math")
    labelled = record | {"label": "data"}
    assert example_of(labelled, Source("a.jsonl", label="math"), 0).label == "data"
    assert example_of(record, Source("a.jsonl"), 0).label is None


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"question": "q"}, "example 2: text is needed under `question` and `response`"),
        ({"question": "q", "response": 3}, "text is needed"),
        ([1], r"an object is needed, got \[1\]"),
        ({"messages": []}, "user and assistant in turn.*got none"),
        ({"messages": [{"role": "user", "content": "q"}]}, "in turn.*got user"),
        ({"messages": [{"role": "user"}]}, "needs `role` and `content`"),
        ({"messages": 3}, "needs `role` and `content`"),
        (
            {
                "messages": [
                    {"role": "user", "content": "q"},
                    {"role": "assistant", "content": None},
                ]
            },
            "`content` must be text",
        ),
    ],
)
def test_a_record_that_is_no_example_is_refused_with_its_place(
    tmp_path: Path, record: Any, said: str
) -> None:
    file = written(tmp_path / "a.jsonl", [*numbers(1), record])
    with pytest.raises(InvalidInput, match=said):
        Mixture([Source(file)])


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.jsonl").write_text('{"question": "q", "response": "r"}\n{"quest')
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "\xe9"}\n')
    for name in ("broken", "empty", "latin", "absent"):
        with pytest.raises(InvalidInput, match=name):
            Mixture([Source(str(tmp_path / f"{name}.jsonl"))])


def test_a_pass_through_a_file_uses_every_row_once_and_the_next_in_another_order(
    tmp_path: Path,
) -> None:
    mixture = Mixture([Source(written(tmp_path / "a.jsonl", numbers(100)))])
    held_out = {x.question for x in mixture.held_out(64)}
    both = [x.question for x in taken(mixture, 196)]
    first, second = both[:98], both[98:]
    assert set(first) == set(second) == {f"q{i}" for i in range(100)} - held_out
    assert len(held_out) == 2
    assert first != second


def test_stream_is_the_same_for_a_seed_and_another_for_another(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", numbers(60))
    sources = [Source(file), Source("tasks", weight=0.5)]
    first, again = (taken(Mixture(sources), 200) for _ in range(2))
    assert first == again
    assert taken(Mixture(sources), 200, seed=1) != first


def test_sources_are_drawn_by_their_weights_and_held_out_too(tmp_path: Path) -> None:
    many = written(tmp_path / "a.jsonl", numbers(4000))
    mixture = Mixture([Source(many, weight=3, label="file"), Source("tasks", weight=1)])
    count = Counter(x.label == "file" for x in taken(mixture, 2000))
    assert count[True] / 2000 == pytest.approx(0.75, abs=0.05)
    held_out = Counter(x.label == "file" for x in mixture.held_out(64))
    assert held_out == {True: 48, False: 16}


def test_what_an_earlier_part_of_training_saw_is_skipped_and_the_rest_keeps_its_order(
    tmp_path: Path,
) -> None:
    file = written(tmp_path / "a.jsonl", numbers(60))
    whole = taken(Mixture([Source(file)]), 100)
    assert taken(Mixture([Source(file, skip=30)]), 70) == whole[30:]
    held_out = Mixture([Source(file, skip=30)]).held_out(64)
    assert held_out == Mixture([Source(file)]).held_out(64)


@pytest.mark.parametrize("saved", [True, False])
def test_a_data_set_folder_is_a_source(tmp_path: Path, saved: bool) -> None:
    folder = tmp_path / "set"
    if saved:
        datasets.Dataset.from_list([CHAT, CHAT]).save_to_disk(str(folder))
    else:
        folder.mkdir()
        written(folder / "train.jsonl", [CHAT, CHAT])
    examples = taken(Mixture([Source(str(folder))]), 3)
    assert examples == [example_of(CHAT, Source(), 0)] * 3


def test_a_data_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"data set .*absent cannot be read"):
        Mixture([Source(str(tmp_path / "absent"))])


def test_without_the_package_a_data_set_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(Unavailable, match="pip install datasets"):
        Mixture([Source("some/data")])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"sauce": "tasks"}, r"data\[0\].*unknown key 'sauce'; known: source, weight"),
        ({"source": "tasks", "weight": "3"}, r"data\[0\].*weight must be a number.*got '3'"),
        ({"source": "tasks", "weight": 0}, "weight of tasks must be above 0, got 0"),
        ({"source": "tasks", "skip": -1}, "skip of tasks must be at least 0, got -1"),
        ("tasks", r"data\[0\].*keys and values"),
    ],
)
def test_a_wrong_entry_is_named(entry: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_sources([entry])


CONFIGS = Path(__file__).resolve().parents[3] / "model" / "configs"


@pytest.mark.parametrize("file", sorted(CONFIGS.glob("*.yaml")), ids=lambda file: file.name)
def test_every_shipped_configuration_is_understood(file: Path) -> None:
    config = TrainConfig.from_dict(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert read_sources(config.data)


def test_a_later_part_skips_just_what_the_parts_before_saw() -> None:
    """The card of the shipped adapter tells how many steps each part had."""
    card = json.loads((CONFIGS.parent / "adapters" / "pilot" / "card.json").read_text("utf-8"))
    second, third, fourth, fifth = (
        yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
        for name in ("own-reading", "with-gsm8k", "written-out", "more-wordings")
    )
    assert card["training"]["init_from"] == fifth["init_from"]
    after_fourth = card["begun_from"]
    after_third = after_fourth["begun_from"]
    skips = [after_third["begun_from"]["steps"] * second["batch_size"], 0]
    assert third["data"][0]["skip"] == skips[0]
    for part, its_card, next_ in ((third, after_third, fourth), (fourth, after_fourth, fifth)):
        rng, weights = Random("0/mixture"), [source["weight"] for source in part["data"]]
        seen = its_card["steps"] * part["batch_size"]
        drawn = [rng.choices((0, 1), weights)[0] for _ in range(seen)]
        skips = [skip + drawn.count(place) for place, skip in enumerate(skips)]
        assert [source["skip"] for source in next_["data"]] == skips

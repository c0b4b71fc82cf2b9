"""Training data: built once, resumable, distinct; nothing of it gives a held-out question away."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.commands import data_build
from app.commands.data import write_answers
from app.commands.data_build import Building, Part, finite, generated, of_answers, of_gsm8k
from app.commands.data_shards import MANIFEST, Record, read_shards
from app.commands.sources import Mixture, Source
from evaluation.overlap import Asked, HeldOut, plain
from policies.errors import InvalidInput
from policies.types import Domain, Plan, Rung, Solver
from tasks.general import general_questions
from tasks.mix import stream
from tests.fakes import FakeEngine
from training.data import Spelling

ANSWERED = [
    Record("What is a comet?", "A ball of ice.", None, "general"),
    Record("What is jazz?", "A music.", None, "general"),
]


class Letters:
    """A tokenizer: an id a character. Counts what it spells."""

    shift, spelled = 0, 0

    def prompt(self, question: str, system: str | None = None) -> list[int]:
        self.spelled += 1
        return [ord(c) + self.shift for c in (system or "") + question] + [1]

    def follow(self, question: str) -> list[int]:
        return [0, *self.prompt(question)]

    def answer(self, text: str) -> list[int]:
        self.spelled += 1
        return [*(ord(c) + self.shift for c in text), 2]


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_build, "SHARD", 40)


def parts(tasks: int = 100) -> list[Part]:
    return [generated("tasks", tasks, 0), generated("office", 30, 0), finite("general", ANSWERED)]


def build(
    folder: Path,
    held_out: HeldOut | None = None,
    plan: dict[str, Any] | None = None,
    stop_after: str = "",
    of: list[Part] | None = None,
) -> dict[str, Any]:
    def tell(text: str) -> None:
        if stop_after and text.startswith(stop_after):
            raise KeyboardInterrupt

    building = Building(folder, Letters(), held_out or HeldOut([]), plan or {"seed": 0}, tell)
    return building.run(of or parts())


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.mark.parametrize("stop_after", ["tasks-0000", "tasks-0002", "office-0000"])
def test_a_build_that_was_stopped_goes_on_to_the_same_bytes(
    tmp_path: Path, stop_after: str
) -> None:
    build(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "stopped", stop_after=stop_after)
    before = bytes_of(tmp_path / "stopped")
    with pytest.raises(InvalidInput, match="is not finished"):
        read_shards(tmp_path / "stopped")
    build(tmp_path / "stopped")
    assert bytes_of(tmp_path / "stopped") == bytes_of(tmp_path / "whole")
    assert all(bytes_of(tmp_path / "stopped")[n] == b for n, b in before.items() if n != MANIFEST)


def test_examples_are_distinct_labelled_and_counted(tmp_path: Path) -> None:
    manifest = build(tmp_path / "mix")
    rows = read_shards(tmp_path / "mix").rows
    assert len({plain(row["question"]) for row in rows}) == len(rows) == 132
    labels = Counter(row["label"] for row in rows)
    assert set(labels) == {"math", "data", "business", None}
    assert labels[None] == 2
    assert manifest["examples"]["all"] == 132
    assert manifest["examples"]["general"] == 2


def test_a_held_out_question_and_its_like_are_kept_out_and_counted(tmp_path: Path) -> None:
    first = list(islice(stream(0, "train"), 200))
    held_out = HeldOut(Asked(task.question, task.answer, task.kind) for task in first[:60])
    manifest = build(tmp_path / "mix", held_out, of=[generated("tasks", 40, 0)])
    rows = read_shards(tmp_path / "mix").rows
    assert manifest["shards"]["tasks-0000.jsonl"]["left_out"]["exact"] >= 60
    assert not {row["question"] for row in rows} & {task.question for task in first[:60]}
    kept = [task.question for task in first[60:]]
    assert rows[0]["question"] in kept


def test_data_check_finds_a_planted_question_and_passes_clean_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(tmp_path / "clean")
    held_out = tmp_path / "held.jsonl"
    (row, *_) = read_shards(tmp_path / "clean").rows
    held_out.write_text(json.dumps({"question": "Quite another?", "answer": "4"}) + "\n")
    call = ["data", "check", str(tmp_path / "clean"), "--held-out", str(held_out)]
    assert main([*call, "--json"]) == 0
    assert not any(json.loads(capsys.readouterr().out)["faults"].values())
    planted = {"question": row["question"].upper(), "answer": "4"}
    held_out.write_text(json.dumps(planted) + "\n")
    assert main(call) == 1
    assert "FAIL exact" in capsys.readouterr().out


def test_a_folder_of_another_plan_is_not_mixed_with(tmp_path: Path) -> None:
    build(tmp_path / "mix")
    with pytest.raises(InvalidInput, match=r"another plan.*name another folder"):
        build(tmp_path / "mix", plan={"seed": 1})


def test_more_distinct_examples_than_there_are_is_told_not_waited_for(tmp_path: Path) -> None:
    def draw(_shard: int) -> Iterator[Record]:
        while True:
            yield from ANSWERED

    with pytest.raises(InvalidInput, match=r"no 5 distinct examples: shard 0 came to 2 of 5"):
        build(tmp_path / "mix", of=[Part("few", 5, draw)])


def test_a_build_that_goes_on_knows_what_earlier_shards_hold(tmp_path: Path) -> None:
    """Every shard draws the same questions first: only what was seen keeps them apart."""

    def draw(_shard: int) -> Iterator[Record]:
        return (Record(f"What is {i}?", f"{i}.", "math", "k") for i in count())

    part = Part("same", 120, draw)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "mix", stop_after="same-0001", of=[part])
    manifest = build(tmp_path / "mix", of=[part])
    rows = read_shards(tmp_path / "mix").rows
    assert {row["question"] for row in rows} == {f"What is {i}?" for i in range(120)}
    left_out = [shard["left_out"] for shard in manifest["shards"].values()]
    assert left_out == [{}, {"repeated": 40}, {"repeated": 80}]


def test_a_built_folder_is_a_source_whole_or_by_part(tmp_path: Path) -> None:
    build(tmp_path / "mix")
    whole = Mixture([Source(str(tmp_path / "mix"))])
    assert {x.label for x in islice(whole.stream(0), 130)} == {"math", "data", "business", None}
    general = Mixture([Source(str(tmp_path / "mix"), split="general")])
    assert {x.question for x in islice(general.stream(0), 4)} == {r.question for r in ANSWERED}
    with pytest.raises(InvalidInput, match=r"no part 'chat'; it has train \(all\), tasks, office"):
        Mixture([Source(str(tmp_path / "mix"), split="chat")])


def test_what_was_spelled_is_not_spelled_again_and_is_the_same(tmp_path: Path) -> None:
    build(tmp_path / "mix")
    mixture, tokens = Mixture([Source(str(tmp_path / "mix"))]), Letters()
    known = mixture.spelled(tokens)
    examples = list(islice(mixture.stream(0), 130))
    before = tokens.spelled
    rows = [Spelling(known, ("math",)).row(example) for example in examples]
    assert tokens.spelled == before
    assert rows == [Spelling(Letters(), ("math",)).row(example) for example in examples]
    assert known.prompt("new", "system") == Letters().prompt("new", "system")
    assert known.follow("new") == Letters().follow("new")


def test_spelling_of_another_tokenizer_is_not_used(tmp_path: Path) -> None:
    build(tmp_path / "mix")
    mixture, other = Mixture([Source(str(tmp_path / "mix"))]), Letters()
    other.shift = 7
    (example,) = islice(mixture.stream(0), 1)
    known = mixture.spelled(other)
    assert known.prompt(example.question) == other.prompt(example.question)
    assert known.answer(example.response) == other.answer(example.response)


def test_sources_without_shards_keep_the_tokenizer_they_are_given() -> None:
    tokens = Letters()
    assert Mixture([Source()]).spelled(tokens) is tokens


def test_answers_that_were_cut_off_or_empty_are_left_out() -> None:
    rows = [
        {"question": "a?", "response": "A.", "finish": "stop"},
        {"question": "b?", "response": "B and", "finish": "length"},
        {"question": "c?", "response": " ", "finish": "stop"},
    ]
    assert of_answers(rows, "f") == [Record("a?", "A.", None, "general")]
    with pytest.raises(InvalidInput, match="f, line 2: no answer"):
        of_answers([rows[0], {"question": "a?", "answer": "A."}], "f")


def test_gsm8k_problems_are_of_the_math_class_and_a_faulty_one_is_named() -> None:
    good = {"question": "q", "answer": "1+1=<<1+1=2>>2\n#### 2"}
    assert of_gsm8k([good], "f") == [Record("q", "1+1=2\nAnswer: 2", "math", "gsm8k")]
    for bad in ({"question": "q", "answer": "2"}, {"question": 1, "answer": good["answer"]}):
        with pytest.raises(InvalidInput, match="f, example 2"):
            of_gsm8k([good, bad], "f")


def test_a_folder_that_is_no_build_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no training data"):
        read_shards(tmp_path)
    build(tmp_path / "mix")
    (tmp_path / "mix" / "tasks-0000.jsonl").write_text('{"question": "q"}\n{"quest')
    with pytest.raises(InvalidInput, match=r"tasks-0000\.jsonl, line 2"):
        read_shards(tmp_path / "mix")


def test_answers_go_on_behind_the_last_whole_line_and_are_asked_once(tmp_path: Path) -> None:
    file, engine = tmp_path / "answers.jsonl", FakeEngine()
    write_answers(engine, file, 70, 0)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    write_answers(engine, file, 100, 0)
    assert file.read_bytes().startswith(whole)
    assert [job.question for job in engine.jobs[:70]] == general_questions(0)[:70]
    assert [job.question for job in engine.jobs[70:]] == general_questions(0)[69:100]
    assert {job.plan for job in engine.jobs} == {
        Plan(Domain.GENERAL, Rung(Solver.BASE, 0, 1.0, 96))
    }
    assert len(of_answers(map(json.loads, file.read_text().splitlines()), "f")) == 100


def test_answers_to_other_questions_are_not_gone_on_with(tmp_path: Path) -> None:
    file, engine = tmp_path / "answers.jsonl", FakeEngine()
    write_answers(engine, file, 3, 0)
    with pytest.raises(InvalidInput, match="other questions"):
        write_answers(engine, file, 5, 1)
    with pytest.raises(InvalidInput, match="general questions, got 999999"):
        write_answers(engine, file, 999_999, 0)
    assert len(engine.jobs) == 3


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--tasks", "-1"), "--tasks must be at least 0, got -1"),
        (("--tasks", "0", "--office", "0", "--reasoning", "0"), "nothing to build"),
        (("--gsm8k", "absent.jsonl"), "absent.jsonl cannot be read"),
        (("--gsm8k", "torn.jsonl"), "torn.jsonl, line 2, is no JSON"),
        (("--general", "list.jsonl"), r"list.jsonl, line 1: an object is needed, got [1]"),
        (("--held-out", "absent"), "suite 'absent' is neither"),
    ],
)
def test_a_build_that_cannot_be_says_so_before_it_writes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("app.commands.data.Prompter.load", lambda _folder: Letters())
    Path("torn.jsonl").write_text('{"question": "q", "answer": "#### 1"}\n{"quest')
    Path("list.jsonl").write_text("[1]\n")
    assert main(["data", "build", "--out", "mix", *flags]) == 1
    assert said in capsys.readouterr().err
    assert not Path("mix").exists()

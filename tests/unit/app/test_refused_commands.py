"""What is typed wrong ends in one clear line, before the model takes its seconds to load."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli
from app.commands import asking, batch, measuring, serving

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command in a folder of its own, on a machine where no model can be loaded."""

    def no_model(_settings: object) -> None:
        raise AssertionError("the model was loaded for what is refused")

    for module in (asking, batch, measuring, serving):
        monkeypatch.setattr(module, "load_engine", no_model)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("L2D_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("L2D_AUTH", "off")

    def command(*words: str) -> tuple[int, str, str]:
        status = cli.main(words)
        said = capsys.readouterr()
        return status, said.out, said.err

    return command


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("ask", "   "), "the question is empty"),
        (("ask", "x" * 4001), "4001 characters, at most 4000"),
        (("ask", "a\x07b"), "control"),
        (("evaluate", "--suite", "no-such-suite"), "pilot"),
        (("evaluate", "--budgets", "three"), "whole number"),
        (("evaluate", "--budgets", ","), "name at least one"),
        (("evaluate", "--importance", "top"), "importance must be one of"),
        (("evaluate", "--importance", "high", "--gate", "0.5"), "leave out --gate 0.5"),
        (("evaluate", "--gate", "2"), "gate"),
        (("evaluate", "--max-new-tokens", "0"), "max_new_tokens"),
        (("policy", "validate", "no-such-file"), "cannot be read"),
        (("model", "check-golden", "."), "golden"),
        (("serve", "--host", "0.0.0.0"), "loopback"),
    ],
)
def test_bad_input_ends_in_one_clear_line(run: Run, args: tuple[str, ...], says: str) -> None:
    status, out, err = run(*args)
    assert (status, out) == (1, "")
    assert says in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 1: not JSON"),
        ('{"q": "Why?"}', "an object with a question"),
        ('{"question": " "}', "line 1: the question is empty"),
        ('{"question": "Why?", "importance": "top"}', "importance must be one of"),
        ('{"question": "Why?", "seed": "x"}', "seed must be a whole number"),
        ('{"question": "Why?", "answer": "42"}', "unknown field answer"),
        ('{"question": "Why?", "id": 1}\n{"question": "How?", "id": 1}', "more than once"),
        ("", "has no questions"),
    ],
)
def test_a_line_that_is_no_question_is_named(
    run: Run, tmp_path: Path, line: str, says: str
) -> None:
    (tmp_path / "questions.jsonl").write_text(line)
    status, out, err = run("ask-all", "questions.jsonl")
    assert (status, out) == (1, "")
    assert says in err
    assert err.count("\n") == 1

"""The permission walk of the shell: no command prints a word of an answer that is withheld."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app import cli
from app.commands import asking
from policies.types import Importance
from tests.fakes import FakeEngine
from tests.reviews import MARKER

WORDS = ("The", MARKER, "is", "secret")
Shell = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """`python app.py …` with a model that writes the marker instead of one that takes weights."""
    from policies.prices import load
    from tests.samples import MODEL

    info = dataclasses.replace(MODEL, model=load("builtin")[0].model)
    engine = FakeEngine(words=WORDS, model=info)
    monkeypatch.setattr(asking, "load_engine", lambda _settings: engine)
    monkeypatch.setenv("L2D_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*args: str) -> tuple[int, str, str]:
        status = cli.main(args)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.mark.parametrize("importance", [Importance.HIGH, Importance.CRITICAL])
def test_ask_of_what_waits_is_pending_and_empty_until_it_is_decided(
    shell: Shell, importance: Importance
) -> None:
    ask = ("ask", "How much?", "--importance", importance.value, "--key", "k", "--user", "ann")
    status, out, err = shell(*ask)
    assert (status, out) == (0, "")
    assert "pending_review" in err
    _, out, _ = shell(*ask, "--json")
    said = json.loads(out)
    assert (said["status"], said["answer"], said["replayed"]) == ("pending_review", "", True)
    assert MARKER not in err
    answer_id = said["answer_id"]
    for reviewer in ("bob", "eve")[: said["approvals"]]:
        assert shell("review", "approve", answer_id, "--user", reviewer)[0] == 0
    said = json.loads(shell(*ask, "--json")[1])
    assert (said["status"], said["answer"]) == ("released", " ".join(WORDS))


@pytest.mark.parametrize("approvals", [0, 1])
def test_no_command_prints_a_word_to_anyone_who_may_not_review_it(
    shell: Shell, tmp_path: Path, approvals: int
) -> None:
    """Before anybody decided, and between the two approvals."""
    ask = ("ask", "How much?", "--importance", "critical", "--key", "k", "--user", "ann")
    answer_id = json.loads(shell(*ask, "--json")[1])["answer_id"]
    for reviewer in ("bob", "eve")[:approvals]:
        assert shell("review", "approve", answer_id, "--user", reviewer)[0] == 0
    draft = tmp_path / "draft.yaml"
    draft.write_text(
        (Path(__file__).parents[2] / "policies/presets/pilot.yaml").read_text(encoding="utf-8"),
        encoding="utf-8",
    )
    told = ""
    for line in (
        (*ask, "--json"),
        ("review", "status", answer_id, "--user", "ann"),
        ("review", "show", answer_id, "--user", "ann"),
        ("review", "claim", answer_id, "--user", "ann"),
        ("review", "correct", answer_id, "words", "--user", "ann"),
        ("review", "list", "--user", "ann", "--json"),
        ("review", "figures", "--user", "ann", "--json"),
        ("policy", "simulate", str(draft), "--json"),
        ("policy", "show"),
        ("price", "show"),
        ("budget", "show", "--json"),
        ("ledger", "verify"),
        ("audit", "verify"),
        ("audit", "show", "--json"),
        ("audit", "export", "--format", "csv"),
        ("audit", "export", "--format", "jsonl"),
        ("user", "list", "--json"),
    ):
        _, out, err = shell(*line)
        told += out + err
    assert MARKER not in told
    assert len(told) > 1000
    assert MARKER in shell("review", "show", answer_id, "--user", "kim")[1]

"""Recording the results page again: what another adapter was measured with, a curve at a time."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import recorded
from scripts.generate_results import PAGE, ROOT
from scripts.record_results import measure, stale
from tests.unit.app.test_results import Found, measured

OURS, THEIRS = "a" * 64, "c" * 64
CURVE = [*measured(0, 2, 5), *measured(3, 30, 6), *measured(15, 31, 5)]


def page(folder: Path, files: dict[str, Found], *sections: dict[str, Any]) -> Path:
    for name, found in files.items():
        recorded.write(folder / name, found)
    file = folder / "page.yaml"
    file.write_text(yaml.safe_dump({"title": "T", "intro": "I", "sections": list(sections)}))
    return file


def by(adapter: str, found: Found) -> Found:
    return [(replace(m, adapter_sha256=adapter), rows) for m, rows in found]


def test_every_curve_of_another_adapter_is_measured_once_by_its_own_command(
    tmp_path: Path,
) -> None:
    gated = measured(7, 9, 9, suite="pilot --gate 0.9")
    file = page(
        tmp_path,
        {"a.json": [*CURVE, *gated], "b.json": gated, "c.json": CURVE[:3], "d.json": CURVE[:3]},
        {"title": "Curve", "curve": {"file": "a.json", "suite": "pilot"}},
        {
            "title": "Others",
            "over": {"label": "ours", "file": "a.json", "suite": "pilot", "budget": 3},
            "others": [
                {"label": "gated", "file": "b.json"},
                {"label": "the same", "file": "a.json", "suite": "pilot --gate 0.9"},
                {"label": "LoRA", "file": "c.json", "command": "python b.py"},
                {
                    "label": "first",
                    "file": "d.json",
                    "command": "python app.py evaluate --suite x --limit 9 --budgets 0,1 --seed 3",
                },
            ],
        },
    )
    asked = "python app.py evaluate --suite"
    found = list(stale(file, tmp_path, OURS))
    assert [one.file.name for one in found] == ["a.json", "b.json", "a.json", "d.json"]
    assert [one.command for one in found] == [
        f"{asked} pilot --budgets 0,3,15 --seed 3",
        f"{asked} pilot --budgets 7 --gate 0.9 --seed 3",
        f"{asked} pilot --budgets 7 --gate 0.9 --seed 3",
        f"{asked} x --limit 9 --budgets 0 --seed 3",
    ]
    assert list(stale(file, tmp_path, THEIRS)) == []


def test_what_was_measured_stands_where_the_old_stood_and_is_not_measured_again(
    tmp_path: Path,
) -> None:
    other = measured(3, 1, 1, suite="pilot --checked")
    file = page(tmp_path, {"a.json": [*CURVE, *other]}, {"title": "C", "curve": {"file": "a.json"}})
    new = by(OURS, [*measured(0, 1, 9), *measured(3, 20, 20), *measured(15, 30, 9)])
    (before,) = stale(file, tmp_path, OURS)
    measure(before, lambda _command, record: recorded.write(record, new))
    assert recorded.read(tmp_path / "a.json") == [*new, *other]
    assert list(stale(file, tmp_path, OURS)) == []


def test_a_curve_of_which_some_is_old_is_measured_whole(tmp_path: Path) -> None:
    file = page(
        tmp_path,
        {"a.json": [*by(OURS, CURVE[:3]), *CURVE[3:]]},
        {"title": "C", "curve": {"file": "a.json"}},
    )
    (left,) = stale(file, tmp_path, OURS)
    assert "--budgets 0,3,15 " in left.command


def test_a_command_that_measures_something_else_changes_no_file(tmp_path: Path) -> None:
    file = page(tmp_path, {"a.json": CURVE}, {"title": "C", "curve": {"file": "a.json"}})
    kept = (tmp_path / "a.json").read_bytes()
    other = by(OURS, measured(0, 1, 1, suite="pilot-9"))
    with pytest.raises(SystemExit, match="measures pilot-9, "):
        measure(
            next(stale(file, tmp_path, OURS)),
            lambda _command, record: recorded.write(record, other),
        )
    assert (tmp_path / "a.json").read_bytes() == kept


def test_a_run_that_fails_keeps_what_was_there(tmp_path: Path) -> None:
    file = page(tmp_path, {"a.json": CURVE}, {"title": "C", "curve": {"file": "a.json"}})
    kept = (tmp_path / "a.json").read_bytes()

    def fail(_command: str, _record: Path) -> None:
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        measure(next(stale(file, tmp_path, OURS)), fail)
    assert (tmp_path / "a.json").read_bytes() == kept


def test_all_that_the_committed_page_shows_of_evaluate_can_be_measured_again() -> None:
    """With a new adapter: every file of the adapter's own, and no baseline."""
    left = list(stale(PAGE, ROOT, "another"))
    files = {one.file.name for one in left}
    assert {"measurements.json", "pilot-hard.json", "gsm8k.json", "steady.json"} <= files
    assert not files & {"lora.json", "lora-checked.json", "few-shot.json", "base-vote.json"}

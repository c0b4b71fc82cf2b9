"""The record of overspend races: what was run is not run again, unless the code is another."""

import json
from pathlib import Path

import pytest

from tests import overspend

SMALL = (
    "--seeds", "1", "--processes", "1", "--threads", "2", "--submits", "3", "--kills", "0",
    "--dialects", "sqlite",
)  # fmt: skip


def test_a_race_is_run_once_by_the_same_code_and_its_faults_are_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "record.jsonl"

    def lines() -> list[dict[str, object]]:
        overspend.main((*SMALL, "--record", str(record)))
        return [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines()]

    first = lines()
    assert [line["code"] for line in first] == [overspend.version()]
    assert lines() == first
    monkeypatch.setattr(overspend, "version", lambda: "another code")
    assert [line["code"] for line in lines()] == [first[0]["code"], "another code"]
    faulty = first[0] | {"code": "another code", "faults": ["a fault"]}
    record.write_text(json.dumps(faulty) + "\n", encoding="utf-8")
    assert overspend.main((*SMALL, "--record", str(record))) == 1

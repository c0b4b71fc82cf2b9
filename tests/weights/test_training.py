"""`train` on real weights: begun, stopped, resumed, refused, and answered with what it made."""

import json
from pathlib import Path

import pytest

from tests.weights.conftest import Command

CONFIG = """
adapter: {lora_rank: 2, flow_dim: 16, time_dim: 16, encoder_dim: 16}
data:
- {source: %s, label: math}
- {source: tasks, weight: 0.5}
total_draws: %d
batch_size: 2
draws: {per_token: 1}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Rows as GSM8K's."""
    file = tmp_path / "word_problems.jsonl"
    rows = [
        {"question": f"What is {i} + 1?", "answer": f"It is {i + 1}.\n#### {i + 1}"}
        for i in range(60)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_a_run_is_stopped_resumed_and_not_begun_twice(
    command: Command, tmp_path: Path, data: Path
) -> None:
    config = tmp_path / "run.yaml"
    words = ["train", "--config", str(config), "--minutes", "5", "--out", str(tmp_path / "runs")]
    config.write_text(CONFIG % (data, 1))
    first = command(*words)
    assert first.returncode == 0, first.stderr
    folder = Path(first.stdout.strip())
    assert folder == tmp_path / "runs" / "run" / "adapter"
    assert "held-out loss at t" in first.stderr
    again = command(*words)
    assert again.returncode == 1
    assert "--resume" in again.stderr
    config.write_text(CONFIG % (data, 60))
    resumed = command(*words, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    card = json.loads((folder / "card.json").read_text())
    assert card["draws"] >= 60
    assert card["training"]["data"][0]["source"] == str(data)
    assert card["changes"][0]["total_draws"] == [1, 60]

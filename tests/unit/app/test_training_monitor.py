"""A run on the screen: lines in a log, a bar on a terminal, curves that TensorBoard reads."""

import io
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from app.commands.monitor import Monitor
from training.train import Progress

AT = Progress(10, 500, 1000, 1.25, 1e-3, 42.0, None)
CHECKED = Progress(20, 1000, 1000, float("nan"), 1e-6, 40.0, {"0": 1.5, "0.9": 0.5})


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(folder: Path, stream: io.StringIO) -> str:
    monitor = Monitor(folder, stream)
    monitor(AT)
    monitor(CHECKED)
    monitor.close()
    return stream.getvalue()


def test_a_log_gets_a_line_a_report(tmp_path: Path) -> None:
    lines = shown(tmp_path, io.StringIO()).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("step 10: 500 of 1000 draws, loss 1.250")
    assert "held-out loss at t {'0': 1.5, '0.9': 0.5}" in lines[1]


def test_a_terminal_gets_a_bar_and_the_lines_of_checkpoints(tmp_path: Path) -> None:
    said = shown(tmp_path, Terminal())
    assert "500/1000" in said
    assert "1000/1000" in said
    assert said.count("held-out loss") == 1


def test_tensorboard_reads_the_curves(tmp_path: Path) -> None:
    shown(tmp_path, io.StringIO())
    curves = EventAccumulator(str(tmp_path / "tensorboard"))
    curves.Reload()
    read = {
        name: [(e.step, e.tensor_proto.float_val[0]) for e in curves.Tensors(name)]
        for name in curves.Tags()["tensors"]
    }
    assert read["loss"] == [(10, 1.25)]  # the mean of no losses is left out
    assert read["held out/t=0.9"] == [(20, 0.5)]
    assert [step for step, _ in read["rate"]] == [10, 20]


def test_a_run_that_says_nothing_leaves_nothing(tmp_path: Path) -> None:
    Monitor(tmp_path, io.StringIO()).close()
    assert list(tmp_path.iterdir()) == []


def test_without_tensorboard_there_are_no_curves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.commands.monitor.find_spec", lambda _: None)
    shown(tmp_path, io.StringIO())
    assert list(tmp_path.iterdir()) == []

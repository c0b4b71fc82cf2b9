"""Shows a training run: a bar on a terminal, lines elsewhere, curves where TensorBoard is there."""

import importlib
from importlib.util import find_spec
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from training.train import Progress


class Monitor:
    """Takes the reports of one run; close it at the end."""

    def __init__(self, folder: Path, stream: TextIO) -> None:
        self.folder, self.stream = folder, stream
        self.bar: Any = None
        self.curves: Any = None

    def __call__(self, at: Progress) -> None:
        self._draw(at)
        text = (
            f"step {at.step}: {at.draws} of {at.total_draws} draws, loss {at.loss:.3f}, "
            f"rate {at.lr:.1e}, {at.draws_per_second:.0f} draws a second"
        )
        held_out = f"  held-out loss at t {at.held_out}" if at.held_out else ""
        if not self.stream.isatty():
            self.stream.write(f"{text}{held_out}\n")
            self.stream.flush()
            return
        if self.bar is None:
            self.bar = tqdm(total=at.total_draws, unit=" draws", file=self.stream)
            self.bar.initial = at.draws
        if at.held_out:
            self.bar.write(text + held_out, file=self.stream)
        self.bar.n = min(at.draws, at.total_draws)
        self.bar.set_postfix_str(f"loss {at.loss:.3f}, rate {at.lr:.1e}")

    def close(self) -> None:
        for open_ in (self.bar, self.curves):
            if open_ is not None:
                open_.close()

    def _draw(self, at: Progress) -> None:
        if find_spec("tensorboard") is None:
            return
        if self.curves is None:
            summary = importlib.import_module("tensorboard.summary")
            self.curves = summary.Writer(str(self.folder / "tensorboard"))
        values = {"loss": at.loss, "rate": at.lr, "draws a second": at.draws_per_second}
        values |= {f"held out/t={t}": loss for t, loss in (at.held_out or {}).items()}
        for name, value in values.items():
            if isfinite(value):
                self.curves.add_scalar(name, value, at.step)
        self.curves.flush()

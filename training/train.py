"""Trains a path: resumable to the draw, checkpoints often, tells its progress. L2D.md section 4.

A run folder holds state.pt (to resume), log.jsonl (a line a report) and adapter/ (to use). Examples
come as an endless stream that the caller can start again; on resume the used part is skipped.
"""

import copy
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from model import checkpoint
from model.backbone import Backbone
from model.config import L2DConfig
from model.errors import CheckpointError
from model.l2d import FlowPath
from training.data import Batch, Example, Row, Spelling, Tokens, collate, steps
from training.loss import Draws, Objective, losses_at
from training.parallel import add_up, agreed, rank_and_count
from training.schedule import TrainConfig as TrainConfig

PROBE_TIMES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97)
FREE = (
    "total_draws", "peak_lr", "floor_lr", "warmup_steps", "decay_from", "accumulate", "packed_to",
    "ema_decay", "init_from", "checkpoint_minutes",
)  # fmt: skip
"""Settings a resumed run may change: they say where its rate goes, or change nothing so far."""


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Denormal numbers are zero meanwhile: softmax tails of a sure model are, and cost fourfold.

    The setting is the processor's, so whatever comes next would have it too: it goes back.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a run."""

    step: int
    draws: int
    total_draws: int
    loss: float
    lr: float
    draws_per_second: float
    held_out: dict[str, float] | None
    """Cross-entropy in nats at PROBE_TIMES, x_t from the truth; only with a checkpoint."""


class Trainer:
    """One run in one folder. What is trained is float32, whatever the precision of the frozen LM.

    The rows of a step are shared among processes, and a process does its share in `accumulate`
    parts. Every part draws the noise of the whole step, takes its own, and weighs as much as it has
    response tokens: so the gradients add up to those of one process doing all at once.
    """

    def __init__(
        self,
        backbone: Backbone,
        tokens: Tokens,
        config: TrainConfig,
        folder: Path,
        report: Callable[[Progress], None],
    ) -> None:
        self.backbone, self.config = backbone, config
        self.folder, self.report = folder, report
        self.spelling = Spelling(tokens, config.adapter.classes, config.max_tokens)
        torch.manual_seed(config.seed)
        self.path = FlowPath(config.adapter, backbone).to(backbone.device)
        self.saved = copy.deepcopy(self.path) if config.ema_decay else self.path
        self.optimizer = torch.optim.AdamW(
            self.path.parameters(), lr=config.peak_lr, weight_decay=0.0
        )
        self.generator = torch.Generator()
        self.objective = Objective(backbone, self.path, config.draws, self.generator)
        self.step = self.draws = 0
        self.changes: list[dict[str, Any]] = []
        """Settings changed by resumed runs: the step, and of each key what was and what is."""

    def run(
        self,
        train: Iterable[Example],
        held_out: list[Example],
        minutes: float,
        resume: bool = False,
    ) -> Path:
        """Train until total_draws or for `minutes`; returns the adapter's folder."""
        with denormals_flushed():
            return self._run(train, held_out, minutes, resume)

    def _run(
        self, train: Iterable[Example], held_out: list[Example], minutes: float, resume: bool
    ) -> Path:
        self._begin(resume)
        config, device = self.config, self.backbone.device
        stop, saved, log = time.monotonic() + 60 * minutes, time.monotonic(), _Meter(self.draws)
        spelled = steps(held_out, self.spelling, config.batch_size, config.seed)
        probe = [collate(rows).to(device) for rows in spelled]
        stream = steps(train, self.spelling, config.batch_size, config.seed, skip=self.step)
        while self.draws < config.total_draws and agreed(time.monotonic() < stop, device):
            log.losses.append(self._one_step(next(stream)))
            due = agreed(time.monotonic() - saved > 60 * config.checkpoint_minutes, device)
            if due:
                self._save()
                saved = time.monotonic()
            if due or self.step % 10 == 0:
                self._tell(log, probe if due else [])
        self._save()
        self._tell(log, probe)
        return self.folder / "adapter"

    def _begin(self, resume: bool) -> None:
        state = self.folder / "state.pt"
        if state.exists() and not resume:
            raise CheckpointError(
                f"{self.folder} holds a run; use --resume to go on or another folder"
            )
        if state.exists():
            self._restore(state)
        elif self.config.init_from:
            begin_from(self.path, Path(self.config.init_from))
            self.saved.load_state_dict(self.path.state_dict())
        self.folder.mkdir(parents=True, exist_ok=True)

    def _one_step(self, rows: list[Row]) -> float:
        config, (rank, count) = self.config, rank_and_count()
        for group in self.optimizer.param_groups:
            group["lr"] = config.lr(self.step, self.draws)
        self.optimizer.zero_grad()
        parts = count * config.accumulate
        loss = torch.zeros((), device=self.backbone.device)
        for part in range(rank, min(parts, len(rows)), count):
            batch = collate(rows, config.packed_to, part, parts).to(loss.device)
            self.generator.manual_seed(((config.seed << 32) + self.step) % 2**63)
            share = self.objective.loss(batch) * (batch.tokens / batch.total)
            share.backward()
            loss += share.detach()
        loss = add_up(self.path.parameters(), loss)
        torch.nn.utils.clip_grad_norm_(self.path.parameters(), config.clip_norm)
        self.optimizer.step()
        self.step += 1
        self.draws += sum(len(row.at) for row in rows) * config.draws.per_token
        if self.saved is not self.path:
            decay = min(config.ema_decay, self.step / (self.step + 9))  # a young mean has no tail
            for mean, now in zip(self.saved.parameters(), self.path.parameters(), strict=True):
                mean.data.lerp_(now.data, 1 - decay)
        return float(loss)

    def _probe(self, held_out: list[Batch]) -> dict[str, float]:
        """Held-out loss with noise of its own, so that reports can be compared along a run."""
        generator = torch.Generator().manual_seed(12345)
        objective = Objective(self.backbone, self.saved, self.config.draws, generator)
        rows = [(b.tokens, losses_at(objective, b, PROBE_TIMES)) for b in held_out]
        total = sum(n for n, _ in rows)
        mean = [sum(n * losses[i] for n, losses in rows) / total for i in range(len(PROBE_TIMES))]
        return {f"{t:g}": round(x, 4) for t, x in zip(PROBE_TIMES, mean, strict=True)}

    def _tell(self, log: "_Meter", probe: list[Batch]) -> None:
        if rank_and_count()[0]:
            return
        loss, rate = log.take(self.draws)
        progress = Progress(
            step=self.step,
            draws=self.draws,
            total_draws=self.config.total_draws,
            loss=round(loss, 4),
            lr=self.config.lr(self.step, self.draws),
            draws_per_second=round(rate, 1),
            held_out=self._probe(probe) if probe else None,
        )
        with (self.folder / "log.jsonl").open("a") as file:
            file.write(json.dumps(asdict(progress)) + "\n")
        self.report(progress)

    def _save(self) -> None:
        if rank_and_count()[0]:
            return
        settings = asdict(self.config)
        adapter = self.config.adapter.to_dict()
        checkpoint.save_state(
            self.folder / "state.pt",
            {
                "path": self.path.state_dict(),
                "ema": None if self.saved is self.path else self.saved.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step,
                "draws": self.draws,
                "adapter": adapter,
                "batch_size": self.config.batch_size,
                "seed": self.config.seed,
                "settings": settings,
                "changes": self.changes,
            },
        )
        card = {"draws": self.draws, "steps": self.step, "training": settings}
        card |= {"changes": self.changes} if self.changes else {}
        base = checkpoint.base_of(self.backbone)
        checkpoint.save(self.folder / "adapter", self.saved, base, card)

    def _restore(self, file: Path) -> None:
        state = checkpoint.load_state(file)
        before = {key: state[key] for key in ("batch_size", "seed")} | state.get("settings", {})
        before["adapter"] = asdict(L2DConfig.from_dict(state["adapter"]))
        before["draws"] = asdict(Draws()) | before.get("draws", asdict(self.config.draws))
        now = asdict(self.config)
        changed = {key for key in before.keys() & now.keys() if before[key] != now[key]}
        if fixed := sorted(changed.difference(FREE)):
            told = ", ".join(f"{key} {before[key]}, not {now[key]}" for key in fixed)
            raise CheckpointError(
                f"the run in {self.folder} has {told}; a resumed run may change {', '.join(FREE)}"
            )
        self.path.load_state_dict(state["path"])
        if self.saved is not self.path:
            self.saved.load_state_dict(state.get("ema") or state["path"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.draws = state["step"], state["draws"]
        self.changes = list(state.get("changes", []))
        if changed:
            told_of = {key: [before[key], now[key]] for key in sorted(changed)}
            self.changes.append({"step": self.step} | told_of)


def begin_from(path: FlowPath, folder: Path) -> None:
    """Put an adapter's weights into a path; tensors that it lacks stay as they were born.

    Raises CheckpointError where it has a tensor that the path lacks, or one of another shape.
    """
    try:
        tensors = load_file(folder / checkpoint.WEIGHTS)
        path.load_state_dict(path.state_dict() | tensors)
    except (OSError, SafetensorError, RuntimeError) as err:  # the last names tensor and shapes
        raise CheckpointError(f"no run can begin from the adapter in {folder}: {err}") from err


class _Meter:
    """Mean loss and speed since the last report."""

    def __init__(self, draws: int) -> None:
        self.losses, self.draws, self.since = list[float](), draws, time.monotonic()

    def take(self, draws: int) -> tuple[float, float]:
        now = time.monotonic()
        loss = sum(self.losses) / len(self.losses) if self.losses else float("nan")
        rate = (draws - self.draws) / (now - self.since)
        self.losses, self.draws, self.since = [], draws, now
        return loss, rate

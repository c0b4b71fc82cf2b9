"""Trains a path: resumable to the draw, checkpoints often, tells its progress. L2D.md section 4.

A run folder holds state.pt (to resume), log.jsonl (a line a report) and adapter/ (to use). Examples
come as an endless stream that the caller can start again; on resume the used part is skipped.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from model import checkpoint
from model.backbone import Backbone
from model.config import L2DConfig
from model.data import Batch, Example, Tokens, batches
from model.errors import CheckpointError, ConfigError
from model.l2d import FlowPath
from model.loss import Draws, Objective, losses_at

PROBE_TIMES = (0.0, 0.25, 0.5, 0.75, 0.9, 0.97)


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One run. A draw is one token at one time; cost and schedule are counted in draws."""

    adapter: L2DConfig = field(default_factory=L2DConfig)
    draws: Draws = field(default_factory=Draws)
    total_draws: int = 1_000_000
    """Where the learning rate reaches its floor and the run ends."""
    batch_size: int = 16
    """Examples a step."""
    peak_lr: float = 1e-3
    floor_lr: float = 1e-6
    warmup_steps: int = 100
    decay_from: float = 0.0
    """Share of total_draws after which the rate falls; 0 is the paper's decay from the start."""
    clip_norm: float = 1.0
    seed: int = 0
    checkpoint_minutes: float = 3.0

    def __post_init__(self) -> None:
        if self.total_draws < 1 or self.batch_size < 1:
            raise ConfigError("total_draws and batch_size must be at least 1")
        if self.warmup_steps < 1:
            raise ConfigError(f"warmup_steps must be at least 1, got {self.warmup_steps}")
        if not 0.0 <= self.decay_from < 1.0:
            raise ConfigError(f"decay_from must be in [0, 1), got {self.decay_from}")

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TrainConfig":
        try:
            adapter = L2DConfig.from_dict(values.get("adapter", {}))
            draws = Draws(**values.get("draws", {}))
            return cls(**(values | {"adapter": adapter, "draws": draws}))
        except TypeError as err:
            raise ConfigError(f"the training configuration is not understood: {err}") from err

    def lr(self, step: int, draws: int) -> float:
        """Warm-up by steps, then linear by draws from `decay_from` to the end."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        left = (1 - draws / self.total_draws) / (1 - self.decay_from)
        return self.floor_lr + (self.peak_lr - self.floor_lr) * warm * min(1.0, max(0.0, left))


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
    """One run in one folder."""

    def __init__(
        self,
        backbone: Backbone,
        tokens: Tokens,
        config: TrainConfig,
        folder: Path,
        report: Callable[[Progress], None],
    ) -> None:
        self.backbone, self.tokens, self.config = backbone, tokens, config
        self.folder, self.report = folder, report
        torch.manual_seed(config.seed)
        torch.set_flush_denormal(True)  # softmax tails of a sure model are, and cost fourfold
        self.path = FlowPath(config.adapter, backbone)
        self.optimizer = torch.optim.AdamW(
            self.path.parameters(), lr=config.peak_lr, weight_decay=0.0
        )
        self.generator = torch.Generator().manual_seed(config.seed)
        self.objective = Objective(backbone, self.path, config.draws, self.generator)
        self.step = self.draws = 0

    def run(
        self,
        train: Iterable[Example],
        held_out: list[Example],
        minutes: float,
        resume: bool = False,
    ) -> Path:
        """Train until total_draws or for `minutes`; returns the adapter's folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = self.folder / "state.pt"
        if state.exists() and not resume:
            raise CheckpointError(
                f"{self.folder} holds a run; use --resume to go on or another folder"
            )
        if resume and state.exists():
            self._restore(state)
        stop, saved, log = time.monotonic() + 60 * minutes, time.monotonic(), _Meter(self.draws)
        probe = self._probe_batch(held_out)
        stream = itertools.islice(self._batches(train), self.step, None)
        while self.draws < self.config.total_draws and time.monotonic() < stop:
            loss = self._one_step(next(stream))
            log.add(loss)
            due = time.monotonic() - saved > 60 * self.config.checkpoint_minutes
            if due:
                self._save()
                saved = time.monotonic()
            if due or self.step % 10 == 0:
                self._tell(log, probe if due else None)
        self._save()
        self._tell(log, probe)
        return self.folder / "adapter"

    def _one_step(self, batch: Batch) -> float:
        lr = self.config.lr(self.step, self.draws)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        loss = self.objective.loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.path.parameters(), self.config.clip_norm)
        self.optimizer.step()
        self.step += 1
        self.draws += batch.tokens * self.config.draws.per_token
        return float(loss.detach())

    def _batches(self, examples: Iterable[Example]) -> Iterator[Batch]:
        index = {name: i for i, name in enumerate(self.config.adapter.classes)}
        return batches(examples, self.tokens, index, self.config.batch_size, self.config.seed)

    def _probe_batch(self, held_out: list[Example]) -> list[Batch]:
        return list(self._batches(held_out))

    def _probe(self, held_out: list[Batch]) -> dict[str, float]:
        """Held-out loss with noise of its own, so that reports can be compared along a run."""
        generator = torch.Generator().manual_seed(12345)
        objective = Objective(self.backbone, self.path, self.config.draws, generator)
        rows = [(b.tokens, losses_at(objective, b, PROBE_TIMES)) for b in held_out]
        total = sum(n for n, _ in rows)
        mean = [sum(n * losses[i] for n, losses in rows) / total for i in range(len(PROBE_TIMES))]
        return {f"{t:g}": round(x, 4) for t, x in zip(PROBE_TIMES, mean, strict=True)}

    def _tell(self, log: "_Meter", probe: list[Batch] | None) -> None:
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
        checkpoint.save_state(
            self.folder / "state.pt",
            {
                "path": self.path.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),
                "step": self.step,
                "draws": self.draws,
                "adapter": self.config.adapter.to_dict(),
                "batch_size": self.config.batch_size,
                "seed": self.config.seed,
            },
        )
        card = {"draws": self.draws, "steps": self.step, "training": asdict(self.config)}
        base = checkpoint.base_of(self.backbone)
        checkpoint.save(self.folder / "adapter", self.path, base, card)

    def _restore(self, file: Path) -> None:
        state = checkpoint.load_state(file)
        for key, now in (
            ("adapter", self.config.adapter.to_dict()),
            ("batch_size", self.config.batch_size),
            ("seed", self.config.seed),
        ):
            if state[key] != now:
                raise CheckpointError(f"the run in {self.folder} has {key} {state[key]}, not {now}")
        self.path.load_state_dict(state["path"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.generator.set_state(state["generator"])
        self.step, self.draws = state["step"], state["draws"]


class _Meter:
    """Mean loss and speed since the last report."""

    def __init__(self, draws: int) -> None:
        self.losses, self.draws, self.since = list[float](), draws, time.monotonic()

    def add(self, loss: float) -> None:
        self.losses.append(loss)

    def take(self, draws: int) -> tuple[float, float]:
        now = time.monotonic()
        loss = sum(self.losses) / len(self.losses) if self.losses else float("nan")
        rate = (draws - self.draws) / (now - self.since)
        self.losses, self.draws, self.since = [], draws, now
        return loss, rate

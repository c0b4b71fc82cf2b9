"""Baseline: a LoRA fine-tune of the base (peft), with as many trained parameters as the adapter.

It sees the examples of the adapter's own training in the same order, part after part, as many steps
of as many, by the same loss: cross-entropy of response tokens (each counts once a step, where the
adapter may have several draws of it). As there, every part has a schedule and optimizer of its own.
Then it answers as the base does; with --checked N lines whose sums do not hold are written again,
as at a cap of N, from the fine-tune's own distribution.
Usage: python benchmarks/baseline_lora.py --part model/configs/pilot.yaml 1131 --minutes 60
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
import yaml
from safetensors import safe_open
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from app.commands.sources import Mixture, read_sources
from app.loading import choose_precision
from app.settings import Settings, read
from benchmarks.baseline_fewshot import PLAIN
from benchmarks.baseline_lora_loss import GROUPED, loss_of
from benchmarks.baseline_shared import MAX_NEW_TOKENS, Recording, arguments, engine_on, say
from model.hf import Prompter, read_backbone
from policies.types import Rung, Solver
from training.data import Row, Spelling, steps
from training.schedule import TrainConfig
from training.train import denormals_flushed

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CHECKPOINT_SECONDS = 120
STATE = "state.pt"


def trained_parameters(adapter: Path) -> int:
    """Numbers in an adapter's file."""
    with safe_open(adapter / "adapter.safetensors", "pt") as file:
        shapes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118
    return sum(int(torch.tensor(shape).prod()) for shape in shapes)


def rank_for(lm: Any, parameters: int) -> int:
    """The rank at which LoRA of every layer's matrices comes nearest to so many parameters."""
    one = sum(
        sum(m.weight.shape) for name, m in lm.named_modules() if name.split(".")[-1] in TARGETS
    )
    return max(1, round(parameters / one))


def again(cap: int) -> Rung:
    """What the shipped rungs do with a cap; the evaluations are of a path that adds nothing."""
    return Rung(Solver.EULER, cap, 1.0, MAX_NEW_TOKENS, temperature=0.7, checked=True)


@dataclass(frozen=True, slots=True)
class Part:
    """So many steps through the examples of one training configuration, by its schedule."""

    steps: int
    config: TrainConfig

    @classmethod
    def read(cls, file: str, steps: str) -> Self:
        """Raises ConfigError, ValueError if `steps` is no number."""
        said = yaml.safe_load(Path(file).read_text("utf-8"))
        return cls(int(steps), TrainConfig.from_dict(said))

    def rate(self, step: int, peak: float) -> float:
        """The adapter's own shape of schedule: warm-up, then linear to the part's end."""
        warm = min(1.0, (step + 1) / self.config.warmup_steps)
        return peak * warm * min(1.0, (1 - step / self.steps) / (1 - self.config.decay_from))


class Run:
    """A training run in a folder: state.pt to go on from, log.jsonl, and the result."""

    def __init__(self, args: argparse.Namespace, settings: Settings) -> None:
        self.args, self.settings, self.folder = args, settings, Path(args.out)
        self.parts = [Part.read(*part) for part in args.part]
        self.steps = sum(part.steps for part in self.parts)
        torch.manual_seed(self.parts[0].config.seed)
        dtype = choose_precision(settings.precision)
        base: Any = AutoModelForCausalLM.from_pretrained(
            settings.base_dir, dtype=dtype, attn_implementation=GROUPED
        )
        parameters = trained_parameters(args.adapter)
        self.rank = args.rank or rank_for(base, parameters)
        lora = LoraConfig(
            r=self.rank, lora_alpha=self.rank, target_modules=TARGETS, task_type="CAUSAL_LM"
        )
        self.lm: Any = get_peft_model(base.to(settings.device), lora, autocast_adapter_dtype=False)
        self.computed = [p for p in self.lm.parameters() if p.requires_grad]
        self.trained = [p.detach().float() for p in self.computed]  # what small steps add up in
        count = sum(p.numel() for p in self.trained)
        say(f"rank {self.rank}: {count} trained parameters beside {parameters} of the adapter")
        self.plan = {"rank": self.rank, "lr": args.lr, "parts": args.part}
        self.optimizer = self._new_optimizer()
        self.step = 0
        self._restore()

    def train(self) -> bool:
        """Until the last step or for --minutes; whether it is done."""
        with denormals_flushed():
            return self._train()

    def _train(self) -> bool:
        until, first = time.monotonic() + 60 * self.args.minutes, 0
        for part in self.parts:
            if self.step < first + part.steps:
                self._train_part(part, first, until)
            first += part.steps
            if self.step < first:
                return False
        return True

    def _train_part(self, part: Part, first: int, until: float) -> None:
        """The part whose first step is number `first` of the run."""
        if self.step == first:
            self.optimizer = self._new_optimizer()
        saved, losses = time.monotonic(), list[float]()
        rows = self._rows(part, self.step - first)
        while self.step < first + part.steps and time.monotonic() < until:
            rate = part.rate(self.step - first, self.args.lr)
            losses.append(self._one_step(next(rows), rate, part.config.clip_norm))
            if self.step % 10 == 0 or self.step == first + part.steps:
                self._tell(sum(losses) / len(losses), rate)
                losses = []
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = time.monotonic()
        self._save()

    def _new_optimizer(self) -> torch.optim.AdamW:
        return torch.optim.AdamW(self.trained, lr=self.args.lr, weight_decay=0.0)

    def _rows(self, part: Part, skip: int) -> Iterator[list[Row]]:
        config, mixture = part.config, Mixture(read_sources(part.config.data))
        tokens = mixture.spelled(Prompter.load(self.settings.base_dir))
        spelling = Spelling(tokens, config.adapter.classes, config.max_tokens)
        return steps(
            mixture.stream(config.seed), spelling, config.batch_size, config.seed, skip=skip
        )

    def _one_step(self, rows: list[Row], rate: float, clip_norm: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = loss_of(self.lm, rows)
        grads = torch.autograd.grad(loss, self.computed)
        for own, grad in zip(self.trained, grads, strict=True):
            own.grad = grad.float()
        torch.nn.utils.clip_grad_norm_(self.trained, clip_norm)
        self.optimizer.step()
        self._compute_with(self.trained)
        self.step += 1
        return float(loss.detach())

    def _compute_with(self, values: Iterable[Tensor]) -> None:
        with torch.no_grad():
            for p, value in zip(self.computed, values, strict=True):
                p.copy_(value)

    def _tell(self, loss: float, rate: float) -> None:
        line = {"step": self.step, "loss": round(loss, 4), "lr": rate}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        say(f"step {self.step} of {self.steps}: loss {loss:.3f}, rate {rate:.1e}")

    def _save(self) -> None:
        part = self.folder / f"{STATE}.part"
        state = {
            "trained": self.trained,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "plan": self.plan,
        }
        torch.save(state, part)
        part.replace(self.folder / STATE)

    def _restore(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / STATE
        if not file.exists():
            return
        state = torch.load(file, weights_only=True)
        if state["plan"] != self.plan:
            raise SystemExit(
                f"{file} is of a run with {state['plan']}, not {self.plan}; name another --out"
            )
        for own, value in zip(self.trained, state["trained"], strict=True):
            own.copy_(value)
        self._compute_with(self.trained)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]
        say(f"going on from step {self.step}")

    def answer(self) -> None:
        """The suite, by the product's engine on the merged weights."""
        checked, name = self.args.checked, f"lora-{self.rank}-{self.step}-at-{self.args.lr}"
        recording = Recording(self.args, f"{name}-checked-{checked}" if checked else name)
        for p, value in zip(self.computed, self.trained, strict=True):
            p.data = value  # merged as precisely as it was trained
        backbone = read_backbone(self.lm.merge_and_unload())
        prompter = Prompter.load(self.settings.base_dir)
        engine = engine_on(backbone, prompter, self.settings, recording.name)
        recording.ask(engine, again(checked) if checked else PLAIN)
        engine.close()
        recording.write()


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument(
        "--part",
        nargs=2,
        action="append",
        required=True,
        metavar=("CONFIG", "STEPS"),
        help="a configuration of `train` and how long; again for each that follows",
    )
    parser.add_argument("--adapter", help="folder of the one to be equal to; the shipped one")
    parser.add_argument("--rank", type=int, help="instead of the adapter's parameters")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--checked", type=int, default=0, help="writings of a token at most")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", default="runs/lora", help="folder of the run; goes on there")
    args, settings = parser.parse_args(), read()
    args.adapter = Path(args.adapter or settings.adapter)
    run = Run(args, settings)
    if not run.train():
        say(f"stopped at step {run.step} of {run.steps}; the same command goes on")
        return 0
    run.answer()
    return 0


if __name__ == "__main__":
    sys.exit(main())

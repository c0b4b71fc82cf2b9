"""`train`: an adapter on the built-in tasks; resumable, tells its progress."""

import argparse
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import yaml

from app.commands.output import progress, result
from app.gateways import choose_precision
from app.settings import Settings
from model.data import Example
from model.errors import ModelError
from model.hf import Prompter, load_backbone
from model.train import Progress, TrainConfig, Trainer
from policies.errors import InvalidInput, Unavailable
from tasks.mix import stream

HELD_OUT_SEED = 1
HELD_OUT_QUESTIONS = 64


def train(settings: Settings, args: argparse.Namespace) -> int:
    """Ends at the configured number of draws or after --minutes; prints the adapter's folder."""
    file = Path(args.config)
    try:
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        config = TrainConfig.from_dict(raw)
        backbone = load_backbone(settings.base_dir, choose_precision(settings.precision))
        tokens = Prompter.load(settings.base_dir)
    except (OSError, yaml.YAMLError) as err:
        raise InvalidInput(f"the training configuration {file} cannot be read: {err}") from err
    except ModelError as err:
        raise Unavailable(str(err)) from err
    trainer = Trainer(backbone, tokens, config, Path(args.out) / file.stem, _tell)
    held_out = list(islice(examples("heldout", HELD_OUT_SEED), HELD_OUT_QUESTIONS))
    try:
        folder = trainer.run(examples("train", config.seed), held_out, args.minutes, args.resume)
    except ModelError as err:
        raise InvalidInput(str(err)) from err
    result(str(folder))
    return 0


def examples(split: str, seed: int) -> Iterator[Example]:
    for task in stream(seed, split):
        yield Example(task.question, task.response, task.domain)


def _tell(at: Progress) -> None:
    held_out = f"  held-out loss at t {at.held_out}" if at.held_out else ""
    progress(
        f"step {at.step}: {at.draws} of {at.total_draws} draws, loss {at.loss:.3f}, "
        f"rate {at.lr:.1e}, {at.draws_per_second:.0f} draws a second{held_out}"
    )

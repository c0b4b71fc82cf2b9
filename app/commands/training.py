"""`train`: an adapter on generated tasks, files and data sets; resumable, tells its progress.

Alone, or as one of the processes that `accelerate launch` or torchrun start.
"""

import argparse
import sys
from pathlib import Path

import yaml

from app.commands.monitor import Monitor
from app.commands.output import result
from app.commands.sources import Mixture, read_sources
from app.loading import choose_precision
from app.settings import Settings
from model.errors import ConfigError, ModelError
from model.hf import Prompter, load_backbone
from policies.errors import InvalidInput, Unavailable
from training import parallel
from training.train import TrainConfig, Trainer

HELD_OUT_QUESTIONS = 64


def train(settings: Settings, args: argparse.Namespace) -> int:
    """Ends at the configured number of draws or after --minutes; prints the adapter's folder."""
    file = Path(args.config)
    try:
        config = TrainConfig.from_dict(yaml.safe_load(file.read_text(encoding="utf-8")))
        mixture = Mixture(read_sources(config.data))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as err:
        raise InvalidInput(f"the training configuration {file} cannot be read: {err}") from err
    except ConfigError as err:
        raise InvalidInput(f"{file}: {err}") from err
    rank, local_rank = parallel.join()
    folder = Path(args.out) / file.stem
    monitor = Monitor(folder, sys.stderr)
    try:
        trainer = _trainer(settings, config, folder, monitor, local_rank, mixture)
        held_out = mixture.held_out(HELD_OUT_QUESTIONS)
        adapter = trainer.run(mixture.stream(config.seed), held_out, args.minutes, args.resume)
    except ModelError as err:
        raise InvalidInput(str(err)) from err
    finally:
        monitor.close()
        parallel.leave()
    if rank == 0:
        result(str(adapter))
    return 0


def _trainer(
    settings: Settings,
    config: TrainConfig,
    folder: Path,
    monitor: Monitor,
    local_rank: int,
    mixture: Mixture,
) -> Trainer:
    device = f"cuda:{local_rank}" if settings.device == "cuda" else settings.device
    try:
        backbone = load_backbone(settings.base_dir, choose_precision(settings.precision))
        tokens = mixture.spelled(Prompter.load(settings.base_dir))
    except ModelError as err:
        raise Unavailable(str(err)) from err
    return Trainer(backbone.to(device=device), tokens, config, folder, monitor)

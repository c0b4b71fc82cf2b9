"""What the processes of a training test run: the tests' run on the tiny model, shared by all."""

import sys
from pathlib import Path

import torch

from tests.tiny import Letters, tiny_backbone
from tests.unit.training.test_training import CONFIG, HELD_OUT, quiet, stream
from training import parallel
from training.train import Trainer

if __name__ == "__main__":
    torch.set_num_threads(1)
    parallel.join()
    run = Trainer(tiny_backbone(), Letters(), CONFIG, Path(sys.argv[1]), quiet)
    run.run(stream(), HELD_OUT, minutes=5)
    parallel.leave()

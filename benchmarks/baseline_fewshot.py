"""Baseline: the base model with worked examples before each question.

The examples are training tasks of the question's domain, as earlier turns of the conversation.
Usage: python benchmarks/baseline_fewshot.py --shots 4 --suite pilot
"""

import sys
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.loading import choose_precision
from app.settings import read
from benchmarks.baseline_shared import MAX_NEW_TOKENS, Recording, arguments, engine_on
from model.hf import Prompter, load_backbone
from policies.types import Domain, Rung, Solver
from tasks.mix import stream
from tasks.types import Task

SHOTS_SEED = 77
PLAIN = Rung(Solver.BASE, 0, 1.0, MAX_NEW_TOKENS)


class Shown:
    """Frames a question behind worked examples."""

    def __init__(self, prompter: Prompter, shots: list[Task]) -> None:
        self.prompter, self.ids = prompter, list[int]()
        for number, task in enumerate(shots):
            self.ids += (prompter.follow if number else prompter.prompt)(task.question)
            self.ids += prompter.answer(task.response)

    def prompt(self, question: str) -> list[int]:
        return (
            [*self.ids, *self.prompter.follow(question)]
            if self.ids
            else (self.prompter.prompt(question))
        )

    def text(self, ids: list[int]) -> str:
        return self.prompter.text(ids)


def shots(domain: Domain, number: int) -> list[Task]:
    """Training tasks of one domain, each of another kind."""
    by_kind = dict[str, Task]()
    if domain is not Domain.GENERAL:
        for task in islice(stream(SHOTS_SEED, "train", (domain.value,)), 50 * number):
            by_kind.setdefault(task.kind, task)
    return list(by_kind.values())[:number]


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--shots", type=int, default=4)
    args, settings = parser.parse_args(), read()
    recording = Recording(args, f"few-shot-{args.shots}")
    backbone = load_backbone(settings.base_dir, choose_precision(settings.precision))
    prompter = Prompter.load(settings.base_dir)
    for domain in sorted({question.domain for _, question in recording.left()}):
        shown = Shown(prompter, shots(domain, args.shots))
        engine = engine_on(backbone.to(device=settings.device), shown, settings, recording.name)
        recording.ask(engine, PLAIN, domain)
        engine.close()
    recording.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the baselines share: questions, an engine on any weights, a resumable record of answers.

A record is what `evaluate --record` writes, so that baselines and adapters are compared question by
question; the rows under way lie beside it and are gone on with.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from app import recorded
from app.gateways import LocalEngine
from app.ports import Job, Measured, Measurement, ModelInfo, Outcome
from app.settings import Settings
from evaluation import suites
from evaluation.scoring import is_correct
from evaluation.stats import wilson
from evaluation.suites import Question
from kernels.passes import CompiledPasses, supports
from model.backbone import Backbone
from model.config import L2DConfig
from model.l2d import FlowPath
from model.prepared import PreparedPath
from model.sampler import Sampler
from policies import prices
from policies.pricing import in_force, price
from policies.types import Domain, Plan, PriceList, Rung, Units

MODEL = "SmolLM2-135M-Instruct"
MAX_NEW_TOKENS = 96
CLASSES = ("math", "data", "business")


def arguments(text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--suite", default="pilot", help="name of a suite or a JSON-lines file")
    parser.add_argument("--limit", type=int, help="only the first N questions")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", help="the file with the measurement, as evaluate --record")
    return parser


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def engine_on(backbone: Backbone, prompter: Any, settings: Settings, name: str) -> LocalEngine:
    """The product's engine on the language model alone: its path, as born, adds nothing.

    `prompter` may be anything that frames a question as `model.hf.Prompter` does.
    """
    path = FlowPath(L2DConfig(), backbone).to(backbone.device)
    threads = settings.threads or torch.get_num_threads()
    info = ModelInfo(MODEL, MODEL, "", name, "", settings.device, "", ())
    prepared = PreparedPath(backbone, path)
    passes = CompiledPasses(prepared, threads) if supports(backbone) else None
    return LocalEngine(Sampler(prepared), prompter, info, threads, passes)


class Recording:
    """Answers of one baseline to one suite. What was answered before is not asked again."""

    def __init__(self, args: argparse.Namespace, name: str) -> None:
        self.suite, self.questions = suites.load_first(args.suite, args.limit)
        self.args, self.name = args, name
        self.file = Path(args.record or f"runs/baselines/{name}-{self.suite}.json")
        self.under_way = self.file.with_name(f"{self.file.stem}.{name}-{args.seed}.rows.jsonl")
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.rows = {row["id"]: row for row in self._read()}

    def _read(self) -> list[dict[str, Any]]:
        """A line that a kill left half is dropped, and the file with it made whole."""
        if not self.under_way.exists():
            return []
        rows = []
        for line in self.under_way.read_text(encoding="utf-8").split("\n"):
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        whole = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        self.under_way.write_text(whole, encoding="utf-8")
        return rows

    def left(self, domain: Domain | None = None) -> list[tuple[int, Question]]:
        """Questions still to be answered, with their places in the suite."""
        return [
            (place, question)
            for place, question in enumerate(self.questions)
            if question.id not in self.rows and domain in (None, question.domain)
        ]

    def ask(self, engine: LocalEngine, rung: Rung, domain: Domain | None = None) -> None:
        """All that is left (of a domain), by one rung; a row is written as its answer ends."""
        left = self.left(domain)
        jobs = [Job(q.question, Plan(q.domain, rung), self.args.seed + place) for place, q in left]
        with self.under_way.open("a", encoding="utf-8") as out:

            def ended(place: int, outcome: Outcome) -> None:
                question, u = left[place][1], outcome.units
                right = is_correct(outcome.text, question.answer, question.check)
                row = {
                    "id": question.id,
                    "correct": right,
                    "units": [u.prompt_tokens, u.decode_tokens, 0],  # no path is needed
                    "text": outcome.text,
                }
                self.rows[question.id] = row
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                out.flush()
                if len(self.rows) % 20 == 0 or len(self.rows) == len(self.questions):
                    right_so_far = sum(row["correct"] for row in self.rows.values())
                    say(f"{len(self.rows)} of {len(self.questions)} answered, {right_so_far} right")

            engine.run_batch(jobs, lambda: False, ended)

    def write(self) -> None:
        """The measurement, once every question is answered; the rows under way go."""
        list_ = price_list()
        rows = [_measured(q, self.rows[q.id], list_) for q in self.questions]
        found = [_measurement(self, rows, None, list_)]
        domains = sorted({row.domain for row in rows})
        found += [_measurement(self, rows, domain, list_) for domain in domains]
        recorded.write(self.file, [(m, rows if m.domain is None else []) for m in found])
        self.under_way.unlink()
        for m in found:
            part = m.domain.value if m.domain else "all"
            say(f"{part:10} {m.accuracy:6.1%} [{m.ci_low:.1%}, {m.ci_high:.1%}] n={m.n}")
        sys.stdout.write(f"{self.file}\n")


def price_list() -> PriceList:
    """Of the built-in model, in force now."""
    return in_force(prices.load("builtin"), MODEL, datetime.now(UTC))


def _measured(question: Question, row: dict[str, Any], prices_: PriceList) -> Measured:
    units = Units(*row["units"])
    return Measured(question.id, question.domain, row["correct"], units, price(units, prices_))


def _measurement(
    of: Recording, rows: Sequence[Measured], domain: Domain | None, prices_: PriceList
) -> Measurement:
    mine = [row for row in rows if domain in (None, row.domain)]
    rate = wilson(sum(row.correct for row in mine), len(mine))
    return Measurement(
        suite=of.suite,
        budget=0,
        importance=None,
        domain=domain,
        accuracy=rate.value,
        ci_low=rate.low,
        ci_high=rate.high,
        n=rate.n,
        nfe_per_token=0.0,
        cost_nanos_per_answer=sum(row.cost_nanos for row in mine) // len(mine),
        currency=prices_.currency,
        adapter_sha256=of.name,
        seed=of.args.seed,
        measured_at=datetime.now(UTC),
        shipped=False,
    )

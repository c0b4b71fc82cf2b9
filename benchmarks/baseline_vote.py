"""Baseline: the base model answers several times, and what most answers say is the answer.

As many samples as cost what a given number of evaluations a token costs by the price list.
Usage: python benchmarks/baseline_vote.py --equal-to 15 --suite pilot
"""

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from app.loading import choose_precision
from app.settings import read
from benchmarks.baseline_fewshot import PLAIN, Shown, shots
from benchmarks.baseline_shared import Recording, arguments, engine_on, price_list
from model.hf import Prompter, load_backbone


def samples(nfe: int) -> int:
    """Answers whose tokens cost as much as those of one answer at `nfe` evaluations a token."""
    prices = price_list()
    refined = prices.decode_token_nanos + nfe * prices.nfe_nanos
    return max(1, round(refined / prices.decode_token_nanos))


def main() -> int:
    parser = arguments(__doc__ or "")
    parser.add_argument("--equal-to", type=int, default=15, help="evaluations a token")
    parser.add_argument("--temperature", type=float, default=0.7)
    parser.add_argument("--shots", type=int, default=0, help="worked examples before the question")
    args, settings = parser.parse_args(), read()
    number = samples(args.equal_to)
    behind = f"-shots-{args.shots}" if args.shots else ""
    recording = Recording(args, f"vote-{number}-at-{args.temperature}{behind}")
    backbone = load_backbone(settings.base_dir, choose_precision(settings.precision))
    prompter = Prompter.load(settings.base_dir)
    rung = replace(PLAIN, candidates=number, temperature=args.temperature)
    for domain in sorted({question.domain for _, question in recording.left()}):
        shown = Shown(prompter, shots(domain, args.shots)) if args.shots else prompter
        engine = engine_on(backbone.to(device=settings.device), shown, settings, recording.name)
        recording.ask(engine, rung, domain)
        engine.close()
    recording.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())

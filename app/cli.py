"""The commands: what can be typed, and what does it. Errors end in one clear line and exit 1."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from app import (
    account_arguments,
    data_arguments,
    ledger_arguments,
    review_arguments,
    rule_arguments,
)
from app import settings as config
from app.arguments import as_json, command, group, person
from app.services.spent import PLAIN
from policies.errors import PilotError
from policies.types import Domain, Importance, Solver


def main(argv: Sequence[str]) -> int:
    """Run one command; no name means `serve`. Returns the exit status."""
    args = _parser().parse_args(list(argv) or ["serve"])
    module, function = args.does.split(":")
    try:
        # Imported only now: `policy show` need not wait seconds for torch and Gradio.
        run = getattr(importlib.import_module(f"app.commands.{module}"), function)
        status: int = run(config.read(), args)
    except PilotError as err:
        numbers = ", ".join(f"{k} {v}" for k, v in err.values.items() if v != "")
        sys.stderr.write(f"error: {err}" + (f" ({numbers})" if numbers else "") + "\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="app.py", description="L2D Pilot: spend compute where it matters."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    serve = command(commands, "serve", "start the app (also with no command)", "serving:serve")
    serve.add_argument("--host", help="L2D_HOST if left out")
    serve.add_argument("--port", type=int, help="L2D_PORT if left out")

    ask = command(commands, "ask", "one question through the whole path", "asking:ask")
    ask.add_argument("question")
    ask.add_argument("--importance", choices=list(Importance), default=Importance.STANDARD)
    ask.add_argument("--domain", choices=list(Domain), default=Domain.GENERAL)
    person(ask, "asks")
    ask.add_argument("--team", default="", help="whose budget it counts against")
    ask.add_argument("--seed", type=int, help="of the starting noise; random if not given")
    ask.add_argument("--quote", action="store_true", help="say what it can cost and stop")
    ask.add_argument("--key", help="idempotency key: the same key never runs or charges twice")
    as_json(ask)

    several = command(commands, "ask-all", "many questions, held as one decision", "batch:ask_all")
    several.add_argument(
        "file", help="JSON lines of question and, where wanted, id, importance, domain, seed"
    )
    several.add_argument(
        "--importance",
        choices=list(Importance),
        default=Importance.STANDARD,
        help="of the lines that name none",
    )
    several.add_argument("--domain", choices=list(Domain), default=Domain.GENERAL)
    person(several, "asks")
    several.add_argument("--team", default="", help="whose budget it counts against")
    several.add_argument("--quote", action="store_true", help="say what all can cost and stop")
    several.add_argument(
        "--key", help="idempotency key: sent again with it, what has its answer is not run again"
    )

    measure = command(
        commands, "evaluate", "measure a suite at several budgets", "measuring:evaluate"
    )
    measure.add_argument("--suite", default="pilot", help="name of a suite or a JSON-lines file")
    what = measure.add_mutually_exclusive_group()
    what.add_argument("--importance", help="rungs of the policy, as routine,critical")
    what.add_argument(
        "--budgets", default="0,3,7,15", help="caps of evaluations a token, as 0,3,7,15"
    )
    solvers = [solver for solver in Solver if solver is not Solver.BASE]
    measure.add_argument("--solver", choices=solvers)
    measure.add_argument("--guidance", type=float)
    measure.add_argument(
        "--gate", type=float, help="do not refine words of which the reading is this sure, as 0.95"
    )
    measure.add_argument(
        "--steady", type=int, help="end a token's refinement after so many equal guesses, as 2"
    )
    measure.add_argument("--candidates", type=int, help="answers drawn for each vote")
    measure.add_argument(
        "--checked",
        action="store_true",
        help="evaluations write lines of working again that state what does not hold",
    )
    measure.add_argument("--temperature", type=float, help="of each token's draw, as 0.7")
    measure.set_defaults(**PLAIN)
    measure.add_argument(
        "--max-new-tokens", type=int, help="of an answer; if left out, as the policy's longest rung"
    )
    measure.add_argument("--limit", type=int, help="only the first N questions")
    person(measure, "measures")
    measure.add_argument("--seed", type=int, default=0)
    measure.add_argument("--record", help="also write the measurements to this file, to ship them")
    as_json(measure)

    train = command(commands, "train", "train an adapter", "training:train")
    train.add_argument("--config", required=True, help="YAML, as model/configs/pilot.yaml")
    train.add_argument("--minutes", type=float, default=60.0)
    train.add_argument("--resume", action="store_true", help="go on where an earlier run stopped")
    train.add_argument("--out", default="runs", help="folder of the runs")

    data_arguments.add(commands)

    bench = command(commands, "bench", "times of the model on this machine", "bench:bench")
    bench.add_argument("--tokens", type=int, default=16, help="tokens an answer")
    as_json(bench)

    model = group(commands, "model", "weights and adapters")
    command(model, "pull", "download and prepare the base weights", "models:pull")
    as_json(command(model, "info", "the adapter's card and hashes", "models:info"))
    golden = command(model, "check-golden", "compare with golden tensors", "models:check_golden")
    golden.add_argument("folder")
    take = command(
        model, "import-reference", "take over a reference checkpoint", "models:import_reference"
    )
    take.add_argument("folder", help="its config.json and .safetensors or .bin files")
    take.add_argument("--out", required=True, help="the adapter's folder, to be made")
    take.add_argument("--noise-scale", type=float, help="if config.json lacks noise_rescaling")
    take.add_argument("--lora-alpha", type=float, help="if config.json lacks flow_lora_alpha")

    rule_arguments.add(commands)
    ledger_arguments.add(commands)
    account_arguments.add(commands)
    review_arguments.add(commands)
    command(
        group(commands, "db", "the database"), "upgrade", "migrate it", "storing:upgrade_database"
    )
    return parser

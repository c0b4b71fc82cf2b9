"""`data ...` as it is typed."""

from typing import TYPE_CHECKING

from app.arguments import as_json, command, group

if TYPE_CHECKING:
    from app.arguments import Commands


def add(commands: "Commands") -> None:
    data = group(commands, "data", "training data")
    build = command(data, "build", "draw, spell and write a training mixture", "data:build")
    build.add_argument("--out", required=True, help="its folder; an unfinished one goes on")
    build.add_argument("--tasks", type=int, default=180_000, help="of the built-in generators")
    build.add_argument("--office", type=int, default=18_000, help="units, times, tables, SQL")
    build.add_argument("--reasoning", type=int, default=24_000, help="of reasoning-gym")
    build.add_argument("--gsm8k", help="its training split: a JSON-lines file, or `hub`")
    build.add_argument("--general", help="a file that `data answers` wrote")
    build.add_argument("--seed", type=int, default=0)
    check = command(data, "check", "is a held-out question in the data?", "data:check")
    check.add_argument("folder")
    as_json(check)
    for parser in (build, check):
        parser.add_argument(
            "--held-out",
            nargs="+",
            default=["pilot", "pilot-hard", "office", "reworded"],
            help="suites and files of which nothing may stand in the data",
        )
    answers = command(
        data, "answers", "what the base model says to general questions", "data:answers"
    )
    answers.add_argument("--out", required=True, help="a JSON-lines file; goes on where it ends")
    answers.add_argument("--number", type=int, default=3000)
    answers.add_argument("--seed", type=int, default=0)

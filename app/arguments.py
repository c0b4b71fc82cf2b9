"""Small words for building the command line, shared by its parts."""

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def group(commands: Commands, name: str, help_: str) -> Commands:
    return commands.add_parser(name, help=help_).add_subparsers(metavar="COMMAND", required=True)


def command(commands: Commands, name: str, help_: str, does: str) -> argparse.ArgumentParser:
    """`does` names the function as module:function, below app.commands."""
    parser = commands.add_parser(name, help=help_)
    parser.set_defaults(does=does)
    return parser


def as_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def person(parser: argparse.ArgumentParser, does: str) -> None:
    parser.add_argument(
        "--user",
        "--as",
        dest="user",
        default="",
        metavar="NAME",
        help=f"name of the person who {does}; the system's own user if left out",
    )

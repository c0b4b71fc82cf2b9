"""What can be typed after `user` and `audit`. What it does is in app.commands.users and .audit."""

import argparse
from typing import TYPE_CHECKING

from app.arguments import as_json, command, group, person
from policies.roles import Role

if TYPE_CHECKING:
    from app.arguments import Commands

TEAM = "pilot"


def add(commands: "Commands") -> None:
    _users(group(commands, "user", "accounts"))
    _audit(group(commands, "audit", "who changed what and when"))


def _users(user: "Commands") -> None:
    new = command(user, "add", "make an account and print its one-time link", "users:add")
    new.add_argument("name", metavar="NAME")
    _roles(new)
    new.add_argument("--team", default=TEAM)
    roles = command(user, "roles", "give other roles instead", "users:roles")
    roles.add_argument("name", metavar="NAME")
    _roles(roles)
    team = command(user, "team", "move to another team", "users:team")
    team.add_argument("name", metavar="NAME")
    team.add_argument("team")
    for name, help_ in (
        ("link", "a new one-time link, for a password forgotten or never chosen"),
        ("disable", "end sessions and links, and let nobody in by this name"),
        ("enable", "let them in again"),
    ):
        command(user, name, help_, f"users:{name}").add_argument("name", metavar="NAME")
    command(user, "list", "accounts with their teams and roles", "users:list_")
    for parser in user.choices.values():
        person(parser, "manages accounts")
        as_json(parser)


def _roles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        dest="roles",
        action="append",
        required=True,
        type=Role,
        choices=list(Role),
        help="may be given more than once",
    )


def _audit(audit: "Commands") -> None:
    verify = command(audit, "verify", "check that no entry was changed or removed", "audit:verify")
    verify.add_argument(
        "--head", default="", metavar="NUMBER:HASH", help="also that this earlier head is in it"
    )
    as_json(verify)
    show = command(audit, "show", "entries, the newest first", "audit:show")
    show.add_argument("--limit", type=int, default=50)
    as_json(show)
    export = command(audit, "export", "all entries to a file, the oldest first", "audit:export")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl")
    export.add_argument("--out", default="", help="a file; standard output if left out")
    for parser in (show, export):
        parser.add_argument("--by", default="", help="only of this person")
        parser.add_argument("--action", default="", help="as policy.approve, or policy. for all")
        parser.add_argument("--subject", default="", help="a version, an answer, a scope, a user")
        parser.add_argument("--since", default="", help="first day, as 2026-11-01")
        parser.add_argument("--until", default="", help="last day, included")
        person(parser, "reads it")

"""`user ...`: accounts. A link is printed once; whoever has it first chooses the password."""

import argparse
from datetime import UTC, datetime
from typing import Any

from app.bootstrap import load_policy, open_storage, people
from app.commands.address import address
from app.commands.output import as_json, result, show
from app.commands.who import speaker
from app.ports import Account
from app.services.accounts import People, canonical
from app.settings import Settings
from policies.roles import Actor


def _now() -> datetime:
    return datetime.now(UTC)


def _desk(settings: Settings, args: argparse.Namespace) -> tuple[People, Actor]:
    """The use cases, and the person for whom they are used."""
    uow, reader = open_storage(settings, load_policy(settings.policy), _now)
    actor = speaker(settings, args, uow, reader, _now)
    return people(settings, uow, reader, _now), actor


def add(settings: Settings, args: argparse.Namespace) -> int:
    desk, actor = _desk(settings, args)
    link = desk.add(actor, args.name, args.roles, args.team)
    _said(settings, desk, args, link)
    return 0


def link(settings: Settings, args: argparse.Namespace) -> int:
    desk, actor = _desk(settings, args)
    _said(settings, desk, args, desk.link(actor, args.name))
    return 0


def roles(settings: Settings, args: argparse.Namespace) -> int:
    desk, actor = _desk(settings, args)
    desk.set_roles(actor, args.name, args.roles)
    show({"user": canonical(args.name), "roles": ", ".join(sorted(args.roles))}, args.json)
    return 0


def team(settings: Settings, args: argparse.Namespace) -> int:
    desk, actor = _desk(settings, args)
    desk.set_team(actor, args.name, args.team)
    show({"user": canonical(args.name), "team": args.team}, args.json)
    return 0


def disable(settings: Settings, args: argparse.Namespace) -> int:
    desk, actor = _desk(settings, args)
    desk.disable(actor, args.name)
    show({"user": canonical(args.name), "state": "disabled"}, args.json)
    return 0


def enable(settings: Settings, args: argparse.Namespace) -> int:
    desk, actor = _desk(settings, args)
    desk.enable(actor, args.name)
    show({"user": canonical(args.name), "state": "enabled"}, args.json)
    return 0


def list_(settings: Settings, args: argparse.Namespace) -> int:
    desk, actor = _desk(settings, args)
    accounts = desk.all(actor)
    if args.json:
        as_json({"users": [_fields(account) for account in accounts]})
        return 0
    for account in accounts:
        result(
            f"{account.user:16}  team {account.team:12}  {', '.join(sorted(account.roles))}"
            f"  ({_state(account)})"
        )
    if not accounts:
        result("no accounts yet; `serve` makes the first admin, `user add` any other")
    return 0


def _said(settings: Settings, desk: People, args: argparse.Namespace, token: str) -> None:
    link = f"{address(settings.host, settings.port)}/welcome?link={token}"
    hours = int(desk.link_life.total_seconds() // 3600)
    named = {"user": canonical(args.name), "link": link, "valid_hours": hours}
    show(named, args.json)


def _state(account: Account) -> str:
    if account.disabled_at:
        return f"disabled {account.disabled_at:%Y-%m-%d}"
    return "active" if account.password_hash else "no password chosen yet"


def _fields(account: Account) -> dict[str, Any]:
    return {
        "user": account.user,
        "team": account.team,
        "roles": sorted(account.roles),
        "state": _state(account),
        "created_at": account.created_at.isoformat(),
    }

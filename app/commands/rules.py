"""`policy ...`: what is in force, and how another one comes into force."""

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.bootstrap import load_policy, open_storage
from app.commands.output import as_json, result
from app.commands.output import show as named
from app.commands.who import speaker
from app.ports import PolicyVersion
from app.services.policy import Entry, PolicyDesk, faults, valid_now
from app.settings import Settings
from policies import document, prices
from policies.document import Policy
from policies.errors import InvalidPolicy
from policies.roles import Actor


def now() -> datetime:
    return datetime.now(UTC)


def desk(settings: Settings, args: argparse.Namespace) -> tuple[PolicyDesk, Actor]:
    """The use cases, and the person for whom they are used."""
    uow, reader = open_storage(settings, load_policy(settings.policy), now)
    return PolicyDesk(uow, reader, now), speaker(settings, args, uow, reader, now)


def show(settings: Settings, args: argparse.Namespace) -> int:
    policies, actor = desk(settings, args)
    found = policies.get(actor, args.version) if args.version else policies.current(actor)
    if args.source:
        result(found.source)
    elif args.json:
        as_json(_fields(found) | {"policy": json.loads(found.text)})
    else:
        result(
            f"{found.version}\n{json.dumps(json.loads(found.text), indent=1, ensure_ascii=False)}"
        )
    return 0


def validate(settings: Settings, args: argparse.Namespace) -> int:
    """1 and every fault with its line; 0 and the version that it would have."""
    file = Path(args.file)
    lists = valid_now(prices.load(settings.prices, settings.zone), now())
    policy, found = faults(document.read_file(file), file.name, lists)
    if args.json:
        version = policy.version if policy and not found else None
        as_json({"valid": not found, "version": version, "faults": [asdict(f) for f in found]})
        return 1 if found else 0
    if policy is None or found:
        raise InvalidPolicy(*found)
    result(f"{args.file} is valid: {policy.version}")
    return 0


def propose(settings: Settings, args: argparse.Namespace) -> int:
    file = Path(args.file)
    policies, actor = desk(settings, args)
    kept = policies.propose(actor, document.read_file(file), file.name, args.note)
    named({"version": kept.version, "state": "draft", "proposed_by": actor.user}, args.json)
    return 0


def approve(settings: Settings, args: argparse.Namespace) -> int:
    policies, actor = desk(settings, args)
    policies.approve(actor, args.version)
    named({"version": args.version, "state": "approved", "approved_by": actor.user}, args.json)
    return 0


def activate(settings: Settings, args: argparse.Namespace) -> int:
    policies, actor = desk(settings, args)
    policies.activate(actor, args.version, args.note)
    named({"version": args.version, "state": "active", "activated_by": actor.user}, args.json)
    return 0


def rollback(settings: Settings, args: argparse.Namespace) -> int:
    policies, actor = desk(settings, args)
    version = policies.rollback(actor, args.to, args.note)
    named({"version": version, "state": "active", "activated_by": actor.user}, args.json)
    return 0


def history(settings: Settings, args: argparse.Namespace) -> int:
    policies, actor = desk(settings, args)
    entries = policies.history(actor)
    if args.json:
        as_json({"versions": [_entry(entry) for entry in entries]})
        return 0
    for entry in entries:
        v = entry.version
        approved = f", approved by {v.approved_by}" if v.approved_by else ""
        result(
            f"{entry.state:8}  {v.version}  proposed by {v.proposed_by} "
            f"{v.proposed_at:%Y-%m-%d %H:%M}Z{approved}  {v.note}".rstrip()
        )
        for each in entry.activations:
            result(
                f"          activated {each.activated_at:%Y-%m-%d %H:%M}Z by {each.activated_by}"
                f"  {each.note}".rstrip()
            )
    return 0


def diff(settings: Settings, args: argparse.Namespace) -> int:
    """A line for every field that differs; `before` alone is compared with what is in force."""
    policies, actor = desk(settings, args)
    before = _named(policies, actor, args.before)
    after = _named(policies, actor, args.after or policies.current(actor).version)
    found = policies.diff(before, after)
    if args.json:
        changed = [asdict(change) for change in found]
        as_json({"before": before.version, "after": after.version, "changes": changed})
        return 0
    result(f"{before.version} -> {after.version}")
    for change in found:
        result(f"{change.field}: {_said(change.before)} -> {_said(change.after)}")
    if not found:
        result("they say the same")
    return 0


def _named(policies: PolicyDesk, actor: Actor, name: str) -> Policy:
    """A file where there is one of that name, else a version."""
    file = Path(name)
    return document.load(file) if file.exists() else document.stored(policies.get(actor, name).text)


def _said(value: Any) -> str:
    return "(default)" if value is None else json.dumps(value, ensure_ascii=False)


def _fields(version: PolicyVersion) -> dict[str, Any]:
    return {
        "version": version.version,
        "name": version.name,
        "note": version.note,
        "proposed_by": version.proposed_by,
        "proposed_at": version.proposed_at.isoformat(),
        "approved_by": version.approved_by,
        "approved_at": version.approved_at.isoformat() if version.approved_at else None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    activations = [
        asdict(a) | {"activated_at": a.activated_at.isoformat()} for a in entry.activations
    ]
    return _fields(entry.version) | {"state": entry.state.value, "activations": activations}

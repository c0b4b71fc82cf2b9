"""`policy`, `price`, `ledger`, `db`: what is in force, whether it holds, migrations."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from app.bootstrap import load_policy, open_storage
from app.commands.output import progress, result
from app.settings import Settings
from policies import document, prices


def _now() -> datetime:
    return datetime.now(UTC)


def show_policy(settings: Settings, args: argparse.Namespace) -> int:
    policy = load_policy(settings.policy)
    result(f"{policy.version}\n{json.dumps(json.loads(policy.text), indent=1)}")
    return 0


def validate_policy(settings: Settings, args: argparse.Namespace) -> int:
    """Faults are raised as InvalidPolicy, which names each."""
    result(f"{args.file} is valid: {document.load(Path(args.file)).version}")
    return 0


def show_prices(settings: Settings, args: argparse.Namespace) -> int:
    for p in prices.load(settings.prices):
        result(
            f"{p.version}: {p.model}, {p.currency} nanos a prompt token {p.prompt_token_nanos}, "
            f"a written token {p.decode_token_nanos}, an evaluation {p.nfe_nanos}, "
            f"valid from {p.valid_from.isoformat()}"
        )
    return 0


def verify_ledger(settings: Settings, args: argparse.Namespace) -> int:
    """0 when every invariant holds, else 1 and the rows that break one."""
    uow, _ = open_storage(settings, load_policy(settings.policy), _now)
    with uow() as work:
        broken = work.ledger.verify()
    for line in broken:
        result(line)
    if not broken:
        result("every invariant of the ledger holds")
    return 1 if broken else 0


def upgrade_database(settings: Settings, args: argparse.Namespace) -> int:
    open_storage(settings, load_policy(settings.policy), _now)
    progress(f"the database {settings.database_url} is up to date")
    return 0

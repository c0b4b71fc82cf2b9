"""`db upgrade`: the database as this release needs it."""

import argparse
from datetime import UTC, datetime

from app.bootstrap import load_policy, open_storage
from app.commands.output import progress
from app.settings import Settings


def _now() -> datetime:
    return datetime.now(UTC)


def upgrade_database(settings: Settings, args: argparse.Namespace) -> int:
    open_storage(settings, load_policy(settings.policy), _now)
    progress(f"the database {settings.database_url} is up to date")
    return 0

"""Who a command speaks for: `--user NAME`, else the system's own user as a local admin."""

import argparse
import getpass

from app.bootstrap import people
from app.ports import Clock, OpenUnitOfWork
from app.services.accounts import LOCAL
from app.settings import Settings
from policies.roles import Actor


def speaker(
    settings: Settings,
    args: argparse.Namespace,
    uow: OpenUnitOfWork,
    reader: OpenUnitOfWork,
    clock: Clock,
) -> Actor:
    """Raises NotFound for a name that has no account here."""
    return people(settings, uow, reader, clock).at_shell(args.user, system_user())


def system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return LOCAL.user

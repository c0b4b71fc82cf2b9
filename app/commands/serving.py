"""`serve`: the pages; without sign-in on this machine only, with accounts wherever one says."""

import argparse
import ipaddress
import os
import socket
import threading
from types import FrameType
from typing import TYPE_CHECKING

from app.bootstrap import Pilot, build, recover_forever
from app.commands.address import address
from app.commands.output import progress
from app.loading import load_engine
from app.services.accounts import Auth
from app.settings import Settings
from policies.errors import InvalidInput

if TYPE_CHECKING:
    from app.views.shell import Desks

STOP_SECONDS = 10
"""What runs may end within so long after Ctrl-C; then it is settled to the work done."""


def serve(settings: Settings, args: argparse.Namespace) -> int:
    """Runs until interrupted. Running answers are settled to the work done when it stops."""
    host = settings.host if args.host is None else args.host
    port = settings.port if args.port is None else args.port
    if settings.auth == Auth.OFF and not _is_loopback(host):
        raise InvalidInput(
            f"without sign-in (L2D_AUTH=off) only this machine may connect, and {host} is no "
            "loopback address: use 127.0.0.1, or L2D_AUTH=local for accounts"
        )
    listener = _listen(host, port)
    progress("loading the model")
    engine = load_engine(settings)
    stop = threading.Event()
    try:
        pilot = build(settings, engine)
        recover_forever(pilot, stop)
        _run(pilot, listener, address(host, port))
    finally:
        stop.set()
        engine.close()
        listener.close()
    return 0


def _run(pilot: Pilot, listener: socket.socket, found_at: str) -> None:
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read by gradio when it is imported
    import uvicorn

    from app.views.launch import application
    from app.views.shell import build as build_pages
    from app.views.who import of_accounts

    pages = build_pages(desks(pilot), pilot.engine.info(), of_accounts(pilot.sign_in))
    app = application(pages, pilot.sign_in)
    progress(f"policy {pilot.policy.version}, data in {pilot.settings.data_dir}")
    _say_who(pilot, found_at)
    progress(f"ready: {found_at}  (Ctrl-C stops)")
    # Its access log would hold the addresses of one-time links.
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=STOP_SECONDS
    )
    server = uvicorn.Server(config)
    ends = server.handle_exit

    def end(sig: int, frame: FrameType | None) -> None:
        app.stop()  # or it would wait for whoever has a page open
        ends(sig, frame)

    server.handle_exit = end  # type: ignore[method-assign]
    server.run(sockets=[listener])


def desks(pilot: Pilot) -> "Desks":
    """What the pages are built on."""
    from app.views.shell import Desks

    return Desks(
        pilot.ask,
        pilot.dashboard,
        pilot.budgets,
        pilot.drafts,
        pilot.reviewing,
        pilot.audit,
        pilot.people,
        pilot.own,
    )


def _say_who(pilot: Pilot, found_at: str) -> None:
    if pilot.sign_in.auth is Auth.OFF:
        progress("nobody signs in (L2D_AUTH=off): one local person, who may act as others")
    elif link := pilot.people.first_admin():
        hours = int(pilot.people.link_life.total_seconds() // 3600)
        progress(f"first admin: {found_at}/welcome?link={link}")
        progress(f"  chooses a password there; the link works once, for {hours} hours")


def _listen(host: str, port: int) -> socket.socket:
    """Before the model is loaded: a port that is taken is said at once."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as err:
        raise InvalidInput(f"cannot serve on {host}:{port}: {err}") from err


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

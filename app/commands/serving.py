"""`serve`: the pages, on this machine only until accounts exist."""

import argparse
import ipaddress
import os
import threading

from app.bootstrap import build, recover_forever
from app.commands.output import progress
from app.loading import load_engine
from app.settings import Settings
from policies.errors import InvalidInput


def serve(settings: Settings, args: argparse.Namespace) -> int:
    """Runs until interrupted. Running answers are settled to the work done when it stops."""
    _refuse_strangers(args.host)
    progress("loading the model")
    engine = load_engine(settings)
    pilot = build(settings, engine)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read by gradio when it is imported
    from app.views.launch import launch_options
    from app.views.shell import build as build_pages

    stop = threading.Event()
    recover_forever(pilot, stop)
    pages = build_pages(pilot.ask, pilot.dashboard, pilot.engine.info())
    progress(f"policy {pilot.policy.version}, data in {settings.data_dir}")
    progress(f"ready: http://{args.host}:{args.port}  (Ctrl-C stops)")
    try:
        pages.launch(server_name=args.host, server_port=args.port, quiet=True, **launch_options())
    except OSError as err:
        raise InvalidInput(f"cannot serve on {args.host}:{args.port}: {err}") from err
    finally:
        stop.set()
        engine.close()
    return 0


def _refuse_strangers(host: str) -> None:
    """There is no sign-in yet, so nobody but this machine may connect."""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise InvalidInput(f"{host} is not a loopback address; without accounts use 127.0.0.1")

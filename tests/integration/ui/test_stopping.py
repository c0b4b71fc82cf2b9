"""`serve` that is told to stop while pages are open stops at once, and complains of nothing."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

PAGES = 3
SERVES = """
import sys
from dataclasses import fields
from pathlib import Path
from socket import create_server
from types import SimpleNamespace

from app.commands import serving
from app.services.accounts import Auth
from tests.pages import now, pages
from tests.serving import sign_in

made = pages(Path(sys.argv[2]))
desks = {each.name: getattr(made.desks, each.name) for each in fields(made.desks)}
door = sign_in(made.uow, now, Auth.OFF)
rest = {"policy": SimpleNamespace(version="v"), "settings": SimpleNamespace(data_dir="")}
pilot = SimpleNamespace(engine=made.engine, sign_in=door, **rest, **desks)
serving._run(pilot, create_server(("127.0.0.1", int(sys.argv[1]))), "here")
"""


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVES, str(port), str(folder)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr
            for line in process.stderr:
                if line.startswith("ready"):
                    break
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def test_it_waits_for_no_open_page(tmp_path: Path) -> None:
    with serving(tmp_path) as (process, address), ExitStack() as open_:
        for tab in range(PAGES):
            beat = httpx.stream("GET", f"{address}/gradio_api/heartbeat/{tab}", timeout=60)
            stream = open_.enter_context(beat)
            assert "ALIVE" in next(stream.iter_text())
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=60)
        assert time.monotonic() - began < 8  # it would give them ten seconds
    assert "Traceback" not in complaints
    assert "ERROR" not in complaints

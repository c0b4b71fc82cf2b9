"""For every test: nothing leaves this machine, and a slow machine fails no example.

Tests may run in several processes (pytest-xdist); what these counted comes together here.
"""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

from tests.ran import RAN

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when gradio is imported
os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported

LOOPBACK = ("127.0.0.1", "::1", "localhost")

settings.register_profile("pilot", deadline=None, print_blob=True)
settings.load_profile("pilot")


@pytest.fixture(scope="session", autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    """A test that reaches for the network fails and says what it wanted."""
    connect = socket.socket.connect

    def local_only(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise AssertionError(f"a test tried to connect to {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", local_only)
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["ran"] = dict(RAN)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object | None) -> None:
    """A worker has ended; one that was lost told nothing."""
    if error is None:
        RAN.update(node.workeroutput["ran"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ran = ", ".join(f"{count} on {version}" for version, count in sorted(RAN.items()))
    terminalreporter.write_line(f"storage tests: {ran or 'none'}")

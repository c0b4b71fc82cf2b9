"""Alerts leave by log, webhook and mail, over real sockets; what fails is tried again."""

import json
import logging
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.notify import to_log, to_mail, to_webhook
from app.ports import Alert
from policies.errors import Unavailable
from policies.types import Window

NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
ALERT = Alert("team:sales", Window.DAY, "2025-11-03", 75, 1000, 760, "JPY", NOON)


class Hook(BaseHTTPRequestHandler):
    """Keeps the last body; answers as its server says."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.body = json.loads(self.rfile.read(length))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Relay(socketserver.StreamRequestHandler):
    """Enough of SMTP to take one mail."""

    def handle(self) -> None:
        self.say("220 relay")
        for line in self.rfile:
            command = line.split()[0].upper() if line.split() else b""
            if command == b"DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.mail = b"".join(lines).decode()  # type: ignore[attr-defined]
            self.say("221 bye" if command == b"QUIT" else "250 fine")
            if command == b"QUIT":
                return

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


def serving(server: socketserver.BaseServer) -> Iterator[socketserver.BaseServer]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hook() -> Iterator[socketserver.BaseServer]:
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.status = 204  # type: ignore[attr-defined]
    yield from serving(server)


@pytest.fixture
def relay() -> Iterator[socketserver.BaseServer]:
    yield from serving(socketserver.TCPServer(("127.0.0.1", 0), Relay))


def address(server: socketserver.BaseServer) -> tuple[str, int]:
    assert isinstance(server, socketserver.TCPServer)
    return "127.0.0.1", int(server.server_address[1])


def test_log_says_which_budget_and_how_much(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        to_log(ALERT)
    assert "75 % of the budget of team:sales, day 2025-11-03 is spent: 760 of 1000" in caplog.text


def test_webhook_gets_every_number(hook: socketserver.BaseServer) -> None:
    to_webhook("http://{}:{}/".format(*address(hook)))(ALERT)
    body = hook.body  # type: ignore[attr-defined]
    assert (body["scope"], body["window"], body["threshold"]) == ("team:sales", "day", 75)
    assert (body["committed_nanos"], body["limit_nanos"]) == (760, 1000)
    assert datetime.fromisoformat(body["reached_at"]) == NOON


def test_webhook_that_fails_is_said(hook: socketserver.BaseServer) -> None:
    hook.status = 500  # type: ignore[attr-defined]
    with pytest.raises(Unavailable, match="webhook"):
        to_webhook("http://{}:{}/".format(*address(hook)))(ALERT)


def test_mail_reaches_the_relay(relay: socketserver.BaseServer) -> None:
    to_mail(*address(relay), "l2d@localhost", "owner@example.com")(ALERT)
    mail = relay.mail  # type: ignore[attr-defined]
    assert "To: owner@example.com" in mail
    assert "75 % of the budget of team:sales" in mail


def test_mail_without_a_relay_is_said() -> None:
    with pytest.raises(Unavailable, match="mail"):
        to_mail("127.0.0.1", 1, "l2d@localhost", "owner@example.com")(ALERT)

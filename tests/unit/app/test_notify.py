"""Alerts leave by log, webhook and mail, over real sockets; what fails is tried again."""

import email
import email.policy
import json
import logging
import socket
import socketserver
import ssl
import subprocess
import threading
import typing
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.bootstrap import alert_senders
from app.notify import Relay, nowhere, to_log, to_mail, to_webhook
from app.ports import Alert
from app.settings import read
from policies.errors import Unavailable
from policies.form import AlertsForm
from policies.types import Window

NOON = datetime(2025, 11, 3, 12, tzinfo=UTC)
ALERT = Alert(
    "team:sales", Window.DAY, "2025-11-03", 75, 1_000_000_000, 760_000_000, "JPY", NOON, ("log",)
)


class Hook(BaseHTTPRequestHandler):
    """Keeps the last body; answers as its server says."""

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.body = json.loads(self.rfile.read(length))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Inbox:
    """What the mail server took."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


def vouch(
    _server: SMTP, _session: Session, _envelope: Envelope, _how: str, who: object
) -> AuthResult:
    known = isinstance(who, LoginPassword) and (who.login, who.password) == (b"pilot", b"secret")
    return AuthResult(success=known)


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
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def relay(inbox: Inbox) -> Iterator[Relay]:
    """A mail server that asks for nothing."""
    yield from mail_server(Controller(inbox, hostname="127.0.0.1", port=free_port()))


def mail_server(controller: Controller) -> Iterator[Relay]:
    controller.start()
    yield Relay("127.0.0.1", controller.port)
    controller.stop()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def guarded_relay(inbox: Inbox, certificate: ssl.SSLContext) -> Iterator[Relay]:
    """One that takes mail only over STARTTLS, from whoever has the password."""
    controller = Controller(
        inbox,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=certificate,
        require_starttls=True,
        auth_required=True,
        authenticator=vouch,
    )
    yield from mail_server(controller)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Of this machine's own address, trusted for the length of a test."""
    key, crt = tmp_path / "key.pem", tmp_path / "crt.pem"
    made = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {key} -out {crt} -days 1"
    name = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*made.split(), *name], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(crt))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    return context


def address(server: socketserver.BaseServer) -> tuple[str, int]:
    assert isinstance(server, socketserver.TCPServer)
    return "127.0.0.1", int(server.server_address[1])


def test_log_says_which_budget_and_how_much(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        to_log(ALERT)
    said = "75% of the budget of team sales (November 3) is spent: ¥0.76 of ¥1"
    assert said in caplog.text


def test_webhook_gets_every_number(hook: socketserver.BaseServer) -> None:
    to_webhook("http://{}:{}/".format(*address(hook)))(ALERT)
    body = hook.body  # type: ignore[attr-defined]
    assert (body["scope"], body["window"], body["threshold"]) == ("team:sales", "day", 75)
    assert (body["committed_nanos"], body["limit_nanos"]) == (760_000_000, 1_000_000_000)
    assert body["text"].startswith("75% of the budget of team sales")
    assert datetime.fromisoformat(body["reached_at"]) == NOON


def test_webhook_that_fails_is_said(
    hook: socketserver.BaseServer, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 500  # type: ignore[attr-defined]
    with pytest.raises(Unavailable, match="webhook"):
        to_webhook("http://{}:{}/".format(*address(hook)))(ALERT)
    assert "HTTP Error 500" in caplog.text


def test_mail_comes_in_both_languages(relay: Relay, inbox: Inbox) -> None:
    to_mail(relay, "l2d@localhost", "owner@example.com")(ALERT)
    (mail,) = inbox.mails
    assert (mail["From"], mail["To"]) == ("l2d@localhost", "owner@example.com")
    assert mail["Subject"].startswith("75% of the budget of team sales (November 3) is spent")
    text = mail.get_content()
    assert "¥0.76 of ¥1" in text
    assert "チーム「sales」の予算" in text
    assert "の75%を使用しました" in text


def test_mail_server_with_a_password_gets_it_over_tls_only(
    guarded_relay: Relay, inbox: Inbox
) -> None:
    with pytest.raises(Unavailable, match="mail"):
        to_mail(guarded_relay, "l2d@localhost", "owner@example.com")(ALERT)
    known = replace(guarded_relay, security="starttls", user="pilot", password="secret")
    to_mail(known, "l2d@localhost", "owner@example.com")(ALERT)
    assert len(inbox.mails) == 1
    wrong = replace(known, password="guess")
    with pytest.raises(Unavailable, match="mail"):
        to_mail(wrong, "l2d@localhost", "owner@example.com")(ALERT)
    assert "guess" not in repr(wrong)


def test_mail_server_with_an_unknown_certificate_gets_nothing(
    guarded_relay: Relay, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    known = replace(guarded_relay, security="starttls", user="pilot", password="secret")
    with pytest.raises(Unavailable, match="certificate"):
        to_mail(known, "l2d@localhost", "owner@example.com")(ALERT)
    assert inbox.mails == []


def test_mail_without_a_server_is_said() -> None:
    with pytest.raises(Unavailable, match="mail"):
        to_mail(Relay("127.0.0.1", 1), "l2d@localhost", "owner@example.com")(ALERT)


def test_channel_without_an_address_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    nowhere("email", "L2D_ALERT_MAIL_TO")(ALERT)
    assert "75% of the budget" in caplog.text
    assert "L2D_ALERT_MAIL_TO is not set" in caplog.text


def test_every_channel_that_a_policy_can_name_has_a_sender() -> None:
    senders = alert_senders(read({}, Path("no such file")))
    named = typing.get_args(AlertsForm.model_fields["to"].annotation)[0]
    assert set(senders) == set(typing.get_args(named)) - {"page"}

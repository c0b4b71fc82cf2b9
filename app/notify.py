"""Ways an alert leaves the app: the log, a webhook, e-mail. What it says is presenters' to know."""

import json
import logging
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage

from app.i18n import DEFAULT, texts
from app.presenters.notices import Said, headline, letter
from policies.errors import Unavailable

TIMEOUT_SECONDS = 10
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server and how it is spoken to."""

    host: str
    port: int
    security: str = "none"
    """`none`, `starttls`, or `tls` from the first byte. Certificates are checked."""
    user: str = ""
    """Empty: it asks for no password."""
    password: str = field(default="", repr=False)


Send = Callable[[Said], None]


def to_log(alert: Said) -> None:
    logger.warning(headline(alert, texts(DEFAULT)))


def to_webhook(url: str) -> Send:
    """One POST of one JSON object, amounts in nanos; anything but a 2xx answer is a failure."""

    def send(alert: Said) -> None:
        said = asdict(alert) | {"text": headline(alert, texts(DEFAULT))}
        body = json.dumps(said, default=str).encode()
        request = urllib.request.Request(
            url, body, {"Content-Type": "application/json"}, method="POST"
        )
        try:
            urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
        except (urllib.error.URLError, OSError) as err:
            raise _failed(f"the alert webhook could not be reached: {err}") from err

    return send


def to_mail(relay: Relay, sender: str, recipient: str) -> Send:
    def send(alert: Said) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, recipient
        mail["Subject"] = headline(alert, texts(DEFAULT))
        mail.set_content(letter(alert))
        try:
            _deliver(mail, relay)
        except (smtplib.SMTPException, OSError) as err:
            raise _failed(f"the alert mail could not be sent: {err}") from err

    return send


def nowhere(channel: str, setting: str) -> Send:
    """A policy names a channel that this installation has no address for: the log hears of it."""

    def send(alert: Said) -> None:
        logger.warning(
            "%s; not sent by %s, as %s is not set",
            headline(alert, texts(DEFAULT)),
            channel,
            setting,
        )

    return send


def _deliver(mail: EmailMessage, relay: Relay) -> None:
    with _connect(relay) as server:
        if relay.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if relay.user:
            server.login(relay.user, relay.password)
        server.send_message(mail)


def _connect(relay: Relay) -> smtplib.SMTP:
    if relay.security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(relay.host, relay.port, timeout=TIMEOUT_SECONDS, context=context)
    return smtplib.SMTP(relay.host, relay.port, timeout=TIMEOUT_SECONDS)


def _failed(message: str) -> Unavailable:
    """Said here: whoever tries again later does not say why it had to."""
    logger.warning(message)
    return Unavailable(message)

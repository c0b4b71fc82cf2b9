"""Ways an alert leaves the app: the log, a webhook, e-mail. Amounts stay nanos, as they are."""

import json
import logging
import smtplib
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import asdict
from email.message import EmailMessage

from app.ports import Alert
from policies.errors import Unavailable

TIMEOUT_SECONDS = 10
logger = logging.getLogger(__name__)

Send = Callable[[Alert], None]


def words(alert: Alert) -> str:
    where = f"{alert.scope}, {alert.window} {alert.window_start}".strip()
    return (
        f"{alert.threshold} % of the budget of {where} is spent: {alert.committed_nanos} of "
        f"{alert.limit_nanos} nanos {alert.currency}"
    )


def to_log(alert: Alert) -> None:
    logger.warning(words(alert))


def to_webhook(url: str) -> Send:
    """One POST of one JSON object; anything but a 2xx answer is a failure."""

    def send(alert: Alert) -> None:
        body = asdict(alert) | {"reached_at": alert.reached_at.isoformat(), "text": words(alert)}
        request = urllib.request.Request(
            url, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS).close()
        except (urllib.error.URLError, OSError) as err:
            raise Unavailable(f"the alert webhook could not be reached: {err}") from err

    return send


def to_mail(host: str, port: int, sender: str, recipient: str) -> Send:
    """By a relay that asks for no password, as one beside the app does."""

    def send(alert: Alert) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, recipient, words(alert)
        mail.set_content(f"{words(alert)}\nReached at {alert.reached_at.isoformat()}.\n")
        try:
            with smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS) as server:
                server.send_message(mail)
        except (smtplib.SMTPException, OSError) as err:
            raise Unavailable(f"the alert mail could not be sent: {err}") from err

    return send

"""Tells people what the ledger noted: each alert goes out once by each of its channels.

Alerts are written with the charge that reached them; sending happens afterwards, with no
transaction open, so that a slow mail server holds up nobody's answer. A channel that failed is
tried again, the others are not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.ports import Alert, Clock, OpenUnitOfWork
from policies.errors import Unavailable

Send = Callable[[Alert], None]
"""Raises Unavailable where it could not be sent."""


@dataclass(frozen=True)
class SendAlerts:
    uow: OpenUnitOfWork
    clock: Clock
    senders: Mapping[str, Send]
    """One for every channel that a policy can name, but for the page, which reads alerts itself."""

    def __call__(self) -> int:
        """How many went out by every channel that they were due at."""
        with self.uow() as uow:
            alerts = uow.alerts.take(self.clock())
            uow.commit()
        whole = 0
        for alert in alerts:
            told = [channel for channel in alert.due if self._sent(alert, channel)]
            with self.uow() as uow:
                uow.alerts.told(alert, told)
                uow.commit()
            whole += len(told) == len(alert.due)
        return whole

    def _sent(self, alert: Alert, channel: str) -> bool:
        try:
            self.senders[channel](alert)
        except Unavailable:
            return False
        return True

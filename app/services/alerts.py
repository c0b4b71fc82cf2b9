"""Tells people what the ledger noted: each alert goes out once, or is tried again later.

Alerts are written with the charge that reached them; sending happens afterwards, with no
transaction open, so that a slow mail server holds up nobody's answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.ports import Alert, Clock, OpenUnitOfWork
from policies.errors import Unavailable

Send = Callable[[Alert], None]
"""Raises Unavailable where it could not be sent."""


@dataclass(frozen=True)
class SendAlerts:
    uow: OpenUnitOfWork
    clock: Clock
    senders: Sequence[Send]

    def __call__(self) -> int:
        """How many went out to everyone. One that failed anywhere is given back whole."""
        with self.uow() as uow:
            alerts = uow.alerts.take(self.clock())
            uow.commit()
        failed = [alert for alert in alerts if not self._sent(alert)]
        if failed:
            with self.uow() as uow:
                for alert in failed:
                    uow.alerts.give_back(alert)
                uow.commit()
        return len(alerts) - len(failed)

    def _sent(self, alert: Alert) -> bool:
        try:
            for send in self.senders:
                send(alert)
        except Unavailable:
            return False
        return True

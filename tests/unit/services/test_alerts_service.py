"""Alerts are sent once each, after the charge that reached them, and again where sending failed."""

from app.ports import Alert
from app.services.alerts import Send, SendAlerts
from policies.errors import Unavailable
from tests.world import World


def sending(world: World, *senders: Send) -> SendAlerts:
    return SendAlerts(world.uow, world.clock, senders)


def spend_nine_tenths(world: World) -> None:
    """One answer of ninety tokens, 2260 nanos, under a ceiling of just its quote."""
    world.engine.words = ["word"] * 90
    world.limit(2410)
    world.receipt()


def test_nothing_is_sent_before_a_threshold(world: World) -> None:
    world.receipt()
    seen: list[Alert] = []
    assert sending(world, seen.append)() == 0
    assert seen == []


def test_alert_goes_to_every_sender_once(world: World) -> None:
    spend_nine_tenths(world)
    log: list[Alert] = []
    mail: list[Alert] = []
    send = sending(world, log.append, mail.append)
    assert [send(), send()] == [3, 0]
    assert [alert.threshold for alert in log] == [50, 75, 90]
    assert mail == log
    assert {(a.scope, a.committed_nanos, a.limit_nanos) for a in log} == {("pilot", 2260, 2410)}


def test_alert_that_failed_is_tried_again_and_the_others_are_not(world: World) -> None:
    spend_nine_tenths(world)
    seen: list[int] = []

    def fail_at_75(alert: Alert) -> None:
        if alert.threshold == 75 and 50 in seen and 90 not in seen:
            raise Unavailable("no mail today")
        seen.append(alert.threshold)

    send = sending(world, fail_at_75)
    assert [send(), send(), send()] == [2, 1, 0]
    assert seen == [50, 90, 75]


def test_alerts_are_sent_with_no_transaction_open(world: World) -> None:
    spend_nine_tenths(world)
    assert sending(world, lambda _: world.limit(5000))() == 3  # takes the lock of a writer

"""Alerts go out once by each channel, after the charge, and again where one failed."""

import json

from app.ports import Alert
from app.services.alerts import Send, SendAlerts
from policies.document import parse
from policies.errors import Unavailable
from tests.databases import POLICY
from tests.world import World


def sending(world: World, **senders: Send) -> SendAlerts:
    return SendAlerts(world.uow, world.clock, senders)


def spend_nine_tenths(world: World, *to: str) -> None:
    """One answer of ninety tokens, 2260 nanos, under a ceiling of just its quote."""
    if to:
        said = json.loads(POLICY.text) | {"alerts": {"thresholds": [50, 75, 90], "to": list(to)}}
        world.under(parse(json.dumps(said)))
    world.engine.words = ["word"] * 90
    world.limit(2410)
    world.receipt()


def test_nothing_is_sent_before_a_threshold(world: World) -> None:
    world.receipt()
    seen: list[Alert] = []
    assert sending(world, log=seen.append)() == 0
    assert seen == []


def test_alert_goes_out_once_by_every_channel_of_its_policy(world: World) -> None:
    spend_nine_tenths(world, "log", "email")
    log: list[Alert] = []
    mail: list[Alert] = []
    hook: list[Alert] = []
    send = sending(world, log=log.append, email=mail.append, webhook=hook.append)
    assert [send(), send()] == [3, 0]
    assert [alert.threshold for alert in log] == [50, 75, 90]
    assert mail == log
    assert hook == []  # the policy does not name it
    assert {(a.scope, a.committed_nanos, a.limit_nanos) for a in log} == {("pilot", 2260, 2410)}


def test_alert_for_the_page_alone_is_sent_nowhere(world: World) -> None:
    spend_nine_tenths(world, "page")
    assert sending(world)() == 0
    with world.uow() as uow:
        assert len(uow.alerts.latest(10, "page")) == 3


def test_channel_that_failed_is_tried_again_and_the_others_are_not(world: World) -> None:
    spend_nine_tenths(world, "log", "email")
    log: list[int] = []
    mail: list[int] = []
    down = [75]

    def post(alert: Alert) -> None:
        if alert.threshold in down:
            raise Unavailable("no mail today")
        mail.append(alert.threshold)

    send = sending(world, log=lambda alert: log.append(alert.threshold), email=post)
    assert send() == 2
    assert send() == 0
    down.clear()
    assert [send(), send()] == [1, 0]
    assert (log, mail) == ([50, 75, 90], [50, 90, 75])


def test_alerts_are_sent_with_no_transaction_open(world: World) -> None:
    spend_nine_tenths(world)
    assert sending(world, log=lambda _: world.limit(5000))() == 3  # takes the lock of a writer

"""All services around review, put together from what they share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.ports import Clock, Engine, NewId, OpenUnitOfWork
from app.services.review import IDLE, ReviewDesk
from app.services.review_evidence import ReviewEvidence
from app.services.review_figures import ReviewFigures
from app.services.review_sweep import SendNotice, Sweep
from app.services.review_time import BookTime
from app.services.review_waiting import Waiting
from app.services.run import Limits
from policies.document import Policy


@dataclass(frozen=True, slots=True)
class Reviewing:
    desk: ReviewDesk
    """For reviewers."""
    evidence: ReviewEvidence
    waiting: Waiting
    """For who asked."""
    figures: ReviewFigures
    """For the dashboard."""
    sweep: Sweep
    """Called now and then by the app itself."""


def reviewing(
    engine: Engine,
    uow: OpenUnitOfWork,
    reader: OpenUnitOfWork,
    policy: Policy,
    clock: Clock,
    new_id: NewId,
    limits: Limits,
    minute_nanos: int,
    senders: Mapping[str, SendNotice],
    idle: timedelta = IDLE,
) -> Reviewing:
    """`minute_nanos` is the price of a minute of a reviewer's time in the pilot's currency; `idle`
    how long an open page keeps a claim while its reviewer does nothing.
    """
    book = BookTime(uow, clock, minute_nanos)
    return Reviewing(
        desk=ReviewDesk(uow, reader, clock, book, idle=idle),
        evidence=ReviewEvidence(engine, uow, reader, policy, clock, new_id, limits),
        waiting=Waiting(uow, reader, clock),
        figures=ReviewFigures(reader),
        sweep=Sweep(uow, policy, clock, book, senders),
    )

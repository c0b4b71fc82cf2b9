"""What a draft would have done with the queries of the log, and what measurement says of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from math import sqrt

from app.ports import AnswerStatus, Logged, Measured, Measurement, OpenUnitOfWork
from app.services.spent import measures, suite_of
from evaluation.stats import Difference, paired
from policies.document import Policy
from policies.roles import Action, Actor, require
from policies.simulate import Move, NfePerToken, Past, Replay, replay
from policies.types import Domain, PriceList

Recorded = Sequence[tuple[Measurement, Sequence[Measured]]]


@dataclass(frozen=True, slots=True)
class MeasuredMove:
    """Queries whose rung would change, and the change of accuracy measured for that, if any."""

    move: Move
    queries: int
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Quality:
    """Change of the share answered correctly, over the moved queries whose move was measured."""

    moves: tuple[MeasuredMove, ...]
    measured: int
    unmeasured: int
    gain: float | None
    """Accuracy after less before, in [-1, 1]; None where no move was measured."""
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Simulated:
    since: datetime
    until: datetime
    currency: str
    replay: Replay
    quality: Quality
    cut: bool = False
    """Whether only the newest of the time asked for are in it."""


@dataclass(frozen=True)
class Simulate:
    """The use case: reads, never writes."""

    reader: OpenUnitOfWork
    zone: tzinfo
    adapter_sha256: str
    nfe_per_token: NfePerToken

    def __call__(
        self,
        actor: Actor,
        policy: Policy,
        since: datetime,
        until: datetime,
        most: int | None = None,
    ) -> Simulated:
        """Of all queries of that time, or of the newest `most`: for who waits for it."""
        require(actor, Action.PROPOSE_POLICY)
        with self.reader() as uow:
            lists = {prices.version: prices for prices in uow.prices()}
            first = since if most is None else uow.history.newest(since, until, most)
            logged = uow.history.logged(first, until)
            out = replay(_past(logged, lists), policy, self.zone, self.nfe_per_token)
            recorded = uow.history.measured(self.adapter_sha256)
        currency = next((prices.currency for prices in lists.values()), "")
        return Simulated(first, until, currency, out, quality(out, recorded), cut=first > since)


def quality(out: Replay, recorded: Recorded) -> Quality:
    """Each move by the questions of its domain that both rungs were measured on.

    Domains have questions of their own, so their errors add in squares; two moves of one domain
    share questions, so theirs add plainly: that is too wide rather than too narrow.
    """
    moves = tuple(
        MeasuredMove(move, n, _difference(move, recorded)) for move, n in out.moves.most_common()
    )
    known = [(each, d) for each in moves if (d := each.difference) is not None]
    measured = sum(each.queries for each, _ in known)
    unmeasured = sum(each.queries for each in moves) - measured
    if not measured:
        return Quality(moves, 0, unmeasured, None, None, None)
    halves: dict[Domain, float] = defaultdict(float)
    for each, d in known:
        halves[each.move.domain] += each.queries / measured * (d.high - d.low) / 2
    half = sqrt(sum(h * h for h in halves.values()))
    middle = sum(each.queries / measured * (d.high + d.low) / 2 for each, d in known)
    gain = sum(each.queries / measured * d.value for each, d in known)
    low, high = max(-1.0, middle - half), min(1.0, middle + half)
    return Quality(moves, measured, unmeasured, gain, low, high)


def _past(logged: Iterator[Logged], lists: dict[str, PriceList]) -> Iterator[Past]:
    for row in logged:
        yield Past(
            id=row.answer_id,
            request=row.request,
            granted=row.granted,
            rung=row.rung,
            approvals=row.approvals,
            ran=row.status is not AnswerStatus.REFUSED,
            units=row.units,
            cost_nanos=row.cost_nanos,
            prices=lists[row.price_version],
            created_at=row.created_at,
            finished_at=row.finished_at or row.created_at,
        )


def _difference(move: Move, recorded: Recorded) -> Difference | None:
    """Of the same questions from the same noise. The suite with most of them counts."""
    found = []
    for before, its_rows in recorded:
        for after, rows in recorded:
            if not (measures(before, move.before) and measures(after, move.after)):
                continue
            if (suite_of(before), before.seed) != (suite_of(after), after.seed):
                continue
            right = {row.question_id: row.correct for row in its_rows}
            pairs = [
                (right[row.question_id], row.correct)
                for row in rows
                if row.domain is move.domain and row.question_id in right
            ]
            if pairs:
                found.append(paired([a for a, _ in pairs], [b for _, b in pairs]))
    return max(found, key=lambda d: d.n, default=None)

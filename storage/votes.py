"""Votes on pairs of answers: only added, and read as counts by pairs of rungs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, Connection, func, or_, select

from app.ports.slice import Slice
from app.ports.votes import PairCount, PairVote, Preferred
from policies.types import Importance
from storage.dialect import keep
from storage.queries import day_of_instant
from storage.tables import answers, comparison_votes, decisions

Rungs = tuple[Importance, int, Importance, int]


class SqlVotes:
    """app.ports.votes.Votes of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def add(self, votes: Sequence[PairVote]) -> None:
        rows = [asdict(vote) | {"pilot_id": self._pilot_id} for vote in votes]
        keep(self._connection, comparison_votes, *rows)

    def pairs(self, chosen: Slice, window: int) -> list[PairCount]:
        v = comparison_votes.c
        newest = (
            select(v.less_id, v.more_id, v.preferred, v.blind)
            .where(v.pilot_id == self._pilot_id)
            .order_by(v.id.desc())
            .limit(window)
            .subquery()
        )
        less, more = decisions.alias("less"), decisions.alias("more")
        rungs = (less.c.granted, less.c.nfe_cap_per_token, more.c.granted, more.c.nfe_cap_per_token)
        kinds = (newest.c.preferred, newest.c.blind)
        query = (
            select(*rungs, *kinds, func.count())
            .join_from(newest, less, less.c.answer_id == newest.c.less_id)
            .join(more, more.c.answer_id == newest.c.more_id)
            .join(answers, answers.c.id == newest.c.more_id)
            .where(*self._chosen(chosen, less.c.granted, more.c.granted, more.c.domain))
            .group_by(*rungs, *kinds)
        )
        blind, seen = dict[Rungs, Counter[Preferred]](), Counter[Rungs]()
        for low, low_cap, high, high_cap, preferred, unseen, count in self._connection.execute(
            query
        ):
            rung = (Importance(low), low_cap, Importance(high), high_cap)
            counted = blind.setdefault(rung, Counter())
            if unseen:
                counted[Preferred(preferred)] += count
            else:
                seen[rung] += count
        order = sorted(blind, key=lambda r: (r[0].rank, r[1], r[2].rank, r[3]))
        return [_count(rung, blind[rung], seen[rung]) for rung in order]

    def _chosen(
        self,
        chosen: Slice,
        less: ColumnElement[str],
        more: ColumnElement[str],
        domain: ColumnElement[str],
    ) -> list[ColumnElement[bool]]:
        """Both answers of a pair have everything but their rung in common."""
        a, wanted = answers.c, list[ColumnElement[bool]]()
        asked_on = day_of_instant(self._connection, a.created_at)
        if chosen.first_day:
            wanted.append(asked_on >= chosen.first_day)
        if chosen.last_day:
            wanted.append(asked_on <= chosen.last_day)
        if chosen.importance:
            wanted.append(or_(less == chosen.importance.value, more == chosen.importance.value))
        pairs = ((a.team, chosen.team), (a.user_name, chosen.user), (domain, chosen.domain))
        return wanted + [column == str(value) for column, value in pairs if value]


def _count(rung: Rungs, counted: Counter[Preferred], seen: int) -> PairCount:
    less, more, tie, bad = (
        counted[kind] for kind in (Preferred.LESS, Preferred.MORE, Preferred.TIE, Preferred.BAD)
    )
    return PairCount(*rung, less, more, tie, bad, seen)

"""Traces of answers: one compact row each, beside the bodies that lists never read."""

from typing import Any

from sqlalchemy import Connection, insert, select

from app.ports.traces import NO_TRACE, TokenTrace, Trace
from storage.tables import answer_traces

NATS = 1000
"""Doubts are kept as whole thousandths of a nat."""


class SqlTraces:
    """app.ports.Traces of one pilot."""

    def __init__(self, connection: Connection, pilot_id: str) -> None:
        self._connection, self._pilot_id = connection, pilot_id

    def add(self, answer_id: str, trace: Trace) -> None:
        row = {"answer_id": answer_id, "pilot_id": self._pilot_id, "votes": list(trace.votes)}
        row["tokens"] = [_packed(token) for token in trace.tokens]
        self._connection.execute(insert(answer_traces), row)

    def get(self, answer_id: str) -> Trace:
        found = self._connection.execute(
            select(answer_traces.c.tokens, answer_traces.c.votes).where(
                answer_traces.c.pilot_id == self._pilot_id,
                answer_traces.c.answer_id == answer_id,
            )
        ).one_or_none()
        if found is None:
            return NO_TRACE
        return Trace(tuple(_unpacked(token) for token in found.tokens), tuple(found.votes))


def _packed(token: TokenTrace) -> list[Any]:
    """What is not as with most tokens stands behind: those are four short values."""
    other: list[Any] = []
    if token.base_text != token.text or token.writing > 1:
        other = [token.base_text, int(token.changed)]
    if token.writing > 1:
        other.append(token.writing)
    doubts = _thousandths(token.doubt_before), _thousandths(token.doubt)
    return [token.text, token.nfe, *doubts, *other]


def _unpacked(values: list[Any]) -> TokenTrace:
    text, nfe, before, after, *other = values
    base, changed, writing = other + [text, 0, 1][len(other) :]
    return TokenTrace(text, base, nfe, bool(changed), before / NATS, after / NATS, writing)


def _thousandths(nats: float) -> int:
    return round(nats * NATS)

"""Replays a policy over queries of the past: who would have been refused or reviewed, at what cost.

Pure. Queries come in the order they were asked; money is held and charged as it would have been,
for as long as each one ran. Of a rung that did not run it is taken that it writes as many tokens.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum

from policies.budget import Account, Payer, day_of, starts
from policies.ceilings import over_request_limit
from policies.decide import decide, steps_down
from policies.document import Policy
from policies.pricing import price
from policies.types import Decision, Domain, Importance, PriceList, Request, Rung, Units, Window

NfePerToken = Callable[[Rung], int]
"""Evaluations a token of the grid that a rung buys; of an adaptive one its cap."""
EXAMPLES = 20
"""Refused queries that are named."""


@dataclass(frozen=True, slots=True)
class Past:
    """A query as it was decided and charged, with the price list of that time."""

    id: str
    request: Request
    granted: Importance
    rung: Rung
    approvals: int
    ran: bool
    """False where it was refused: nothing is known of its length."""
    units: Units
    cost_nanos: int
    prices: PriceList
    created_at: datetime
    finished_at: datetime


class Basis(StrEnum):
    """How a cost is known."""

    CHARGED = "charged"
    """The same rung ran: what was charged, to the nano."""
    SAME_WORDS = "same_words"
    """Its units times their price, for as many tokens as were written."""
    AT_MOST = "at_most"
    """As before, but the rung may stop early or skip; or nothing ran, and it is the quote."""


@dataclass(frozen=True, slots=True)
class Move:
    """Queries of a domain that one rung answered and another one would."""

    domain: Domain
    before: Rung
    after: Rung


@dataclass
class Replay:
    """All that came of it. Costs are nanos of the pilot's currency."""

    queries: int = 0
    cost_before: int = 0
    cost_after: int = 0
    by_basis: Counter[Basis] = field(default_factory=Counter)
    cost_by_basis: Counter[Basis] = field(default_factory=Counter)
    """Parts of `cost_after`."""
    refused_before: int = 0
    refused_after: int = 0
    refused_by: Counter[tuple[str, Window]] = field(default_factory=Counter)
    """After, by the ceiling that had no room."""
    refused_examples: list[str] = field(default_factory=list)
    """Ids of queries that ran and would be refused."""
    reviewed_before: int = 0
    reviewed_after: int = 0
    approvals_before: int = 0
    approvals_after: int = 0
    raised: int = 0
    """By a rule, above what was asked."""
    stepped_down: int = 0
    importances: Counter[tuple[Importance, Importance | None]] = field(default_factory=Counter)
    """Before and after; None is refused."""
    moves: Counter[Move] = field(default_factory=Counter)


def replay(
    past: Iterable[Past], policy: Policy, zone: tzinfo, nfe_per_token: NfePerToken
) -> Replay:
    """Spend starts at nothing; limits set by hand and raises granted are not replayed."""
    out, book = Replay(), _Book(zone)
    for query in past:
        _note_before(out, query)
        book.settle(query.created_at)
        decision, refused_by = _admitted(query, policy, book)
        if decision is None:
            out.refused_after += 1
            out.refused_by[refused_by] += 1
            out.importances[query.granted, None] += 1
            if query.ran and len(out.refused_examples) < EXAMPLES:
                out.refused_examples.append(query.id)
            continue
        cost, basis = _cost(query, decision, nfe_per_token)
        book.hold(query, decision, cost)
        _note_after(out, query, decision, cost, basis)
    return out


def _note_before(out: Replay, query: Past) -> None:
    out.queries += 1
    out.cost_before += query.cost_nanos
    out.refused_before += not query.ran
    out.reviewed_before += query.ran and query.approvals > 0
    out.approvals_before += query.approvals if query.ran else 0


def _note_after(out: Replay, query: Past, decision: Decision, cost: int, basis: Basis) -> None:
    out.cost_after += cost
    out.by_basis[basis] += 1
    out.cost_by_basis[basis] += cost
    out.reviewed_after += decision.review.approvals > 0
    out.approvals_after += decision.review.approvals
    codes = {reason.code for reason in decision.reasons}
    out.raised += "reason.rule" in codes
    out.stepped_down += "reason.stepped_down" in codes
    out.importances[query.granted, decision.granted] += 1
    if query.ran and decision.plan.rung != query.rung:
        out.moves[Move(query.request.domain, query.rung, decision.plan.rung)] += 1


def _admitted(
    query: Past, policy: Policy, book: "_Book"
) -> tuple[Decision | None, tuple[str, Window]]:
    """The first decision that fits: the one asked for, then what the policy lets run instead."""
    first = decide(query.request, policy, query.prices)
    full = book.full(query, first)
    if full is None:
        return first, ("", Window.REQUEST)
    for lower in steps_down(query.request, policy, query.prices):
        if book.full(query, lower) is None:
            return lower, full
    return None, full


def _cost(query: Past, decision: Decision, nfe_per_token: NfePerToken) -> tuple[int, Basis]:
    rung = decision.plan.rung
    if not query.ran:
        return decision.quote.nanos, Basis.AT_MOST
    if rung == query.rung:
        return query.cost_nanos, Basis.CHARGED
    written = -(-query.units.decode_tokens // query.rung.candidates)
    cut = written >= query.rung.max_new_tokens and rung.max_new_tokens > written
    one = min(rung.max_new_tokens if cut else written, rung.max_new_tokens)
    tokens = rung.candidates * rung.writings * one
    units = Units(query.units.prompt_tokens, tokens, tokens * nfe_per_token(rung))
    stops_early = rung.solver.adaptive or rung.gate is not None or rung.steady is not None
    stops_early = stops_early or rung.checked or query.rung.checked
    basis = Basis.AT_MOST if cut or stops_early else Basis.SAME_WORDS
    return price(units, query.prices), basis


@dataclass
class _Book:
    """Counters of every account under a ceiling, and what is held until it ends."""

    zone: tzinfo
    committed: Counter[Account] = field(default_factory=Counter)
    held: Counter[Account] = field(default_factory=Counter)
    running: list[tuple[datetime, str, tuple[Account, ...], int, int]] = field(default_factory=list)

    def full(self, query: Past, decision: Decision) -> tuple[str, Window] | None:
        """The ceiling without room for the quote, or None where it fits under all."""
        if alone := over_request_limit(decision):
            return alone.scope, alone.window
        begun = starts(day_of(query.created_at, self.zone))
        for limit in decision.limits:
            if limit.window is not Window.REQUEST:
                account = Account(limit.scope, limit.window, begun[limit.window])
                used = self.committed[account] + self.held[account]
                if used + decision.quote.nanos > limit.limit_nanos:
                    return limit.scope, limit.window
        return None

    def hold(self, query: Past, decision: Decision, cost: int) -> None:
        begun = starts(day_of(query.created_at, self.zone))
        payer = Payer(query.request.user, query.request.team, decision.granted)
        accounts = tuple(Account(s, w, start) for s in payer.scopes() for w, start in begun.items())
        for account in accounts:
            self.held[account] += decision.quote.nanos
        ends = max(query.finished_at, query.created_at)
        heapq.heappush(self.running, (ends, query.id, accounts, decision.quote.nanos, cost))

    def settle(self, now: datetime) -> None:
        """Charge what has ended until now and give the rest of its hold back."""
        while self.running and self.running[0][0] <= now:
            _, _, accounts, quote, cost = heapq.heappop(self.running)
            for account in accounts:
                self.held[account] -= quote
                self.committed[account] += cost

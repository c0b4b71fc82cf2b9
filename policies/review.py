"""Review: who may read, claim and decide, and what verdicts come to. Pure: no clock, no I/O.

Nobody decides over their own answer and nobody twice over one; the database holds that as well.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from policies.errors import InvalidInput
from policies.roles import Action, Actor, may
from policies.types import Importance, Review, Rung

OPEN_TO_READ = "released"
"""The one status in which an answer that needs approvals may be read."""
MOST_NFE = 1000
"""Evaluations a token, as the form of a policy has it."""
EVIDENCE = "evidence"
"""The status of what was run for a reviewer only."""


class VerdictKind(StrEnum):
    APPROVE = "approve"
    CORRECT = "correct"
    """Released in other words; what the model wrote is kept."""
    REJECT = "reject"


class ItemKind(StrEnum):
    REQUIRED = "required"
    """Withheld until decided."""
    AUDIT = "audit"
    """Drawn at random from answers that went out at once; they stay out."""


class ItemState(StrEnum):
    WAITING = "waiting"
    ASKED = "asked"
    """The requester was asked something and has not replied."""
    DECIDED = "decided"


class OutcomeKind(StrEnum):
    APPROVED = "approved"
    CORRECTED = "corrected"
    REJECTED = "rejected"


class Bar(StrEnum):
    """What keeps a person from claiming an item."""

    ROLE = "role"
    NOT_NAMED = "not_named"
    """The policy names reviewers, and this is none of them."""
    OWN = "own"
    AGAIN = "again"
    """They decided over this answer already."""
    DECIDED = "decided"
    ASKED = "asked"
    TAKEN = "taken"
    """Someone else has a live claim."""


class Answer(Protocol):
    """What decides who may read an answer; app.ports.AnswerRow is one."""

    @property
    def user(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def review(self) -> Review: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one person said of one answer. Never changed, never taken back."""

    reviewer: str
    kind: VerdictKind
    given_at: datetime
    correction: str = ""
    """The words to release instead; of CORRECT only."""
    reason: str = ""
    source: str = ""
    """The rerun whose words were taken over, if any."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What verdicts came to."""

    outcome: OutcomeKind
    correction: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim. From `until` on it is nobody's."""

    holder: str
    until: datetime

    def live(self, now: datetime) -> bool:
        return now < self.until


def withheld(answer: Answer) -> bool:
    """Whether only reviewers may read it: until released, however it ended otherwise."""
    if answer.status == EVIDENCE:
        return True
    return answer.review.approvals > 0 and answer.status != OPEN_TO_READ


def readable(actor: Actor, answer: Answer) -> bool:
    """Whether the answer's text may be handed to this person. The one place that says so."""
    own = actor.user == answer.user
    if withheld(answer):
        return not own and may_review(actor, answer.review)
    return may(actor, Action.READ_ALL) or (own and may(actor, Action.READ_OWN))


def may_review(actor: Actor, review: Review) -> bool:
    """By role, and by name where the policy names reviewers."""
    named = not review.reviewers or actor.user in review.reviewers
    return named and may(actor, Action.REVIEW)


def bar_to_claim(
    actor: Actor,
    requester: str,
    review: Review,
    state: ItemState,
    decided_by: Collection[str],
    lease: Lease | None,
    now: datetime,
) -> Bar | None:
    """The first thing that keeps this person from claiming, or None. Their own claim is no bar."""
    if not may(actor, Action.REVIEW):
        return Bar.ROLE
    if not may_review(actor, review):
        return Bar.NOT_NAMED
    if actor.user == requester:
        return Bar.OWN
    if actor.user in decided_by:
        return Bar.AGAIN
    if state is ItemState.DECIDED:
        return Bar.DECIDED
    if state is ItemState.ASKED:
        return Bar.ASKED
    if lease is not None and lease.live(now) and lease.holder != actor.user:
        return Bar.TAKEN
    return None


def settle(approvals: int, verdicts: Sequence[Verdict]) -> Settled | None:
    """What the verdicts come to; None where another person is needed.

    Words go out once as many people as needed stand behind the same words. Two who disagree are
    followed by a third; if even then no two agree, nothing goes out.
    """
    behind = Counter(
        v.correction.strip() if v.kind is VerdictKind.CORRECT else None
        for v in verdicts
        if v.kind is not VerdictKind.REJECT
    )
    for words, count in behind.most_common():
        if count >= approvals:
            return Settled(OutcomeKind.CORRECTED, words) if words else Settled(OutcomeKind.APPROVED)
    rejected = len(verdicts) - behind.total()
    if rejected >= approvals or len(verdicts) > approvals:
        return Settled(OutcomeKind.REJECTED)
    return None


def seen_by(
    user: str, approvals: int, decided: bool, verdicts: Sequence[Verdict]
) -> tuple[Verdict, ...]:
    """Verdicts that a reviewer may know of: first ones stay blind until all of them are in."""
    if decided or len(verdicts) >= approvals:
        return tuple(verdicts)
    return tuple(v for v in verdicts if v.reviewer == user)


def queue_key(
    importance: Importance, due_at: datetime, opened_at: datetime, answer_id: str
) -> tuple[int, datetime, datetime, str]:
    """What matters most comes first, then what is due, then what is oldest."""
    return -importance.rank, due_at, opened_at, answer_id


def more_compute(rungs: Mapping[Importance, Rung], importance: Importance, times: int) -> Rung:
    """The rung of an importance with its evaluations doubled so many times, and one more each.

    Where it has none, that of the next importance that has. Raises InvalidInput where no rung
    refines, or nothing is left to add.
    """
    refining = [
        rungs[i] for i in Importance if i.rank >= importance.rank and rungs[i].max_nfe_per_token
    ]
    if not refining:
        raise InvalidInput("no rung of this policy refines more", reason="review_no_more")
    rung, own = refining[0], rungs[importance].max_nfe_per_token > 0
    nfe = rung.max_nfe_per_token
    for _ in range(times if own else times - 1):
        nfe = 2 * nfe + 1
    if nfe > MOST_NFE:
        raise InvalidInput(
            f"{nfe} evaluations a token are more than the {MOST_NFE} a rung may have",
            reason="review_no_more",
        )
    return replace(rung, max_nfe_per_token=nfe, points=None)


def sampled(answer_id: str, share: float) -> bool:
    """Whether an answer that went out unreviewed is drawn for the random audit.

    By the hash of its id, which nobody who asks can choose; each is drawn with chance `share`,
    from 0 to 1, independently of the others.
    """
    digest = hashlib.sha256(b"audit:" + answer_id.encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64

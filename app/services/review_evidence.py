"""What a reviewer judges by: the answer and all that led to it, others beside it, the past.

Others are run on demand, under the ceilings of who asked, and never go out by themselves.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.ports import (
    AnswerRow,
    AnswerStatus,
    AnswerText,
    AuditEvent,
    Cancelled,
    Clock,
    Draft,
    Engine,
    Linked,
    LinkKind,
    Message,
    NewAnswer,
    NewId,
    OpenUnitOfWork,
    Past,
    ReviewItem,
    Trace,
    UnitOfWork,
)
from app.services.policy import in_force
from app.services.review import LEASE
from app.services.review_words import lost
from app.services.run import Admitted, Limits, Run
from policies.alike import most_alike
from policies.ceilings import limits_of
from policies.document import Policy
from policies.errors import Forbidden, NotFound
from policies.pricing import in_force as price_in_force
from policies.pricing import quote
from policies.review import Verdict, may_review, more_compute, readable, seen_by
from policies.roles import Action, Actor
from policies.types import Decision, Plan, PriceList, Reason, Request, Rung, Solver

LOOKED_THROUGH, ALIKE = 300, 5
"""Decided answers that are compared by their questions, and how many are shown."""


@dataclass(frozen=True, slots=True)
class Other:
    """An answer to hold beside the one under review."""

    linked: Linked
    row: AnswerRow
    text: AnswerText
    trace: Trace


@dataclass(frozen=True, slots=True)
class Similar:
    """A decided answer to a question that is much alike."""

    likeness: float
    """From 0 to 1."""
    past: Past
    text: AnswerText
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything on the page of one item."""

    item: ReviewItem
    row: AnswerRow
    text: AnswerText
    trace: Trace
    reasons: tuple[Reason, ...]
    """Of the policy."""
    others: tuple[Other, ...]
    verdicts: tuple[Verdict, ...]
    """Those this reviewer may know of."""
    messages: tuple[Message, ...]
    draft: Draft | None
    """Their own."""
    similar: tuple[Similar, ...]
    guidelines: str
    seconds: int
    """Of review so far, by everyone, in claims that have ended."""
    review_nanos: int = 0
    """Of that time, as far as it is in the ledger: a part of the row's cost."""

    @property
    def compute_nanos(self) -> int:
        """What computing the answer cost."""
        return self.row.cost_nanos - self.review_nanos


@dataclass(frozen=True)
class ReviewEvidence:
    """The use cases of the review page beside deciding."""

    engine: Engine
    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    policy: Policy
    clock: Clock
    new_id: NewId
    limits: Limits = field(default_factory=Limits)
    lease: timedelta = LEASE

    def of(self, actor: Actor, answer_id: str) -> Evidence:
        """Raises Forbidden, NotFound."""
        with self.reader() as uow:
            return evidence(uow, self.policy, actor, answer_id)

    def base(self, actor: Actor, answer_id: str, cancelled: Cancelled = lambda: False) -> Other:
        """What the base model says by itself; run once. Raises as `rerun`."""
        with self.reader() as uow:
            _reviewable(uow, actor, answer_id)
            for other in _others(uow, actor, answer_id):
                if other.linked.kind is LinkKind.BASE:
                    return other
        return self._run(actor, answer_id, LinkKind.BASE, cancelled)

    def rerun(self, actor: Actor, answer_id: str, cancelled: Cancelled = lambda: False) -> Other:
        """The same question with more compute, by whoever holds the item.

        Raises Forbidden, InvalidInput where there is no more or the claim is over, OverCeiling,
        NotFound.
        """
        return self._run(actor, answer_id, LinkKind.MORE, cancelled)

    def _run(self, actor: Actor, answer_id: str, kind: LinkKind, cancelled: Cancelled) -> Other:
        admitted = self._admit(actor, answer_id, kind)
        new_id, beaten = admitted.answer.id, self.clock()
        run = Run(self.engine, self.uow, self.clock, self.limits, admitted, cancelled)
        for _ in run.events():  # a long run must not cost its reviewer the claim
            if (now := self.clock()) - beaten > self.lease / 4:
                beaten = now
                with self.uow() as uow:
                    uow.reviews.beat(answer_id, actor.user, now, now, self.lease)
                    uow.commit()
        with self.reader() as uow:
            for other in _others(uow, actor, answer_id):
                if other.linked.answer_id == new_id:
                    return other
        raise NotFound("the run was stopped before its end", answer_id=new_id)

    def _admit(self, actor: Actor, answer_id: str, kind: LinkKind) -> Admitted:
        """Held under the ceilings of who asked, linked and in the audit log, or nothing of it."""
        now = self.clock()
        with self.uow() as uow:
            item, row = _reviewable(uow, actor, answer_id)
            lease = item.lease
            if lease is None or lease.holder != actor.user or not lease.live(now):
                raise lost(item)
            earlier = [k for k in uow.review_notes.linked(answer_id) if k.kind is kind]
            policy = in_force(uow, self.policy)
            prices = price_in_force(uow.prices(), self.engine.info().model, now)
            rung = _rung(kind, policy, row, len(earlier))
            request = self._request(uow, row)
            decision = _decision(request, row, policy, prices, rung, kind)
            nfe_per_token = self.engine.nfe_per_token(decision.plan)
            key = f"review:{answer_id}:{kind}:{len(earlier)}"
            answer = NewAnswer(
                id=self.new_id(),
                request=request,
                decision=decision,
                seed=row.seed,
                idempotency_key=key,
                request_sha256=hashlib.sha256(key.encode()).hexdigest(),
                model=self.engine.info(),
                created_at=now,
            )
            uow.answers.add(answer, AnswerStatus.RUNNING)
            until = now + self.limits.lease
            hold = uow.ledger.reserve(answer.id, decision.quote.nanos, until, now, decision.limits)
            uow.review_notes.link(Linked(answer.id, answer_id, kind, actor.user, now))
            details = {"kind": kind.value, "run": answer.id, "quote_nanos": decision.quote.nanos}
            uow.audit.append(AuditEvent(actor.user, "review.run", answer_id, details, now))
            uow.commit()
        return Admitted(actor, answer, prices, hold, nfe_per_token, evidence=True)

    def _request(self, uow: UnitOfWork, row: AnswerRow) -> Request:
        question = uow.answers.question(row.id)
        tokens = self.engine.count_prompt_tokens(question)
        return Request(question, row.granted, row.domain, row.user, row.team, tokens)


def evidence(uow: UnitOfWork, policy: Policy, actor: Actor, answer_id: str) -> Evidence:
    """What is known by now; runs nothing. Raises Forbidden, NotFound."""
    item, row = _reviewable(uow, actor, answer_id)
    text, decided = uow.answers.text(answer_id), item.outcome is not None
    verdicts, claims = uow.reviews.verdicts(answer_id), uow.reviews.claims(answer_id)
    return Evidence(
        item=item,
        row=row,
        text=text,
        trace=uow.traces.get(answer_id),
        reasons=uow.answers.reasons(answer_id),
        others=tuple(_others(uow, actor, answer_id)),
        verdicts=seen_by(actor.user, item.approvals, decided, verdicts),
        messages=tuple(uow.review_notes.messages(answer_id)),
        draft=uow.review_notes.draft(answer_id, actor.user),
        similar=tuple(_similar(uow, actor, answer_id, text.question)),
        guidelines=in_force(uow, policy).reviewing.guidelines,
        seconds=sum(claim.seconds for claim in claims),
        review_nanos=sum(claim.nanos for claim in claims),
    )


def _reviewable(uow: UnitOfWork, actor: Actor, answer_id: str) -> tuple[ReviewItem, AnswerRow]:
    item = uow.reviews.get(answer_id)
    if not may_review(actor, item.review) or item.requester == actor.user:
        raise Forbidden(
            f"{actor.user} may not review answer {answer_id}",
            user=actor.user,
            action=Action.REVIEW.value,
        )
    return item, uow.answers.get(answer_id)


def _rung(kind: LinkKind, policy: Policy, row: AnswerRow, earlier: int) -> Rung:
    if kind is LinkKind.BASE:
        tokens = policy.rungs[row.granted].max_new_tokens
        return Rung(Solver.BASE, 0, 1.0, tokens)
    return more_compute(policy.rungs, row.granted, earlier + 1)


def _decision(
    request: Request,
    row: AnswerRow,
    policy: Policy,
    prices: PriceList,
    rung: Rung,
    kind: LinkKind,
) -> Decision:
    """At the importance of the answer under review, so that the same ceilings hold."""
    plan = Plan(request.domain, rung)
    return Decision(
        asked=row.asked,
        granted=row.granted,
        plan=plan,
        quote=quote(plan, request.prompt_tokens, prices),
        reasons=(Reason("reason.evidence", {"kind": kind.value, "answer": row.id}),),
        policy_version=policy.version,
        price_version=prices.version,
        limits=limits_of(policy.ceilings, request.team, request.user, row.granted),
        review=replace(row.review, approvals=max(1, row.review.approvals)),
    )


def _others(uow: UnitOfWork, actor: Actor, answer_id: str) -> Iterator[Other]:
    """Those that were written to their end."""
    for linked in uow.review_notes.linked(answer_id):
        row = uow.answers.get(linked.answer_id)
        if row.status is AnswerStatus.EVIDENCE and readable(actor, row):
            yield Other(linked, row, uow.answers.text(row.id), uow.traces.get(row.id))


def _similar(uow: UnitOfWork, actor: Actor, answer_id: str, question: str) -> Iterator[Similar]:
    decided = uow.review_figures.decided(LOOKED_THROUGH)
    others = ((past, past.question) for past in decided if past.answer_id != answer_id)
    for likeness, past in most_alike(question, others, ALIKE):
        row = uow.answers.get(past.answer_id)
        if readable(actor, row):
            verdicts = tuple(uow.reviews.verdicts(past.answer_id))
            yield Similar(likeness, past, uow.answers.text(past.answer_id), verdicts)

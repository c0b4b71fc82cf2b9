"""One question from decision to receipt. Orders the steps: decide, hold, run, settle.

A hold outlives its process by its lease at most.
"""

import hashlib
import json
import random
import unicodedata
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime

from app.ports import (
    AnswerStatus,
    Cancelled,
    Clock,
    Engine,
    NewAnswer,
    NewId,
    OpenUnitOfWork,
    UnitOfWork,
)
from app.services.policy import in_force
from app.services.prices import expected_of
from app.services.reading import text_for
from app.services.run import Admitted, Event, Limits, Receipt, Run, Started, Written
from policies.budget import Payer
from policies.decide import decide, offers, steps_down
from policies.document import Policy
from policies.errors import InvalidInput, KeyReused, NotFound, OverCeiling
from policies.expected import Expected
from policies.pricing import in_force as price_in_force
from policies.review import readable, sampled
from policies.roles import Action, Actor, require
from policies.types import Ceiling, Decision, Domain, Importance, PriceList, Request

__all__ = [
    "Ask", "AskForm", "Event", "Limits", "Preview", "Receipt", "Started", "Written", "clean",
]  # fmt: skip

SEEDS = 2**63
"""Seeds are from 0 up to here: what a generator and a database column take."""


@dataclass(frozen=True, slots=True)
class AskForm:
    """A question as a person or program puts it."""

    question: str
    importance: Importance = Importance.STANDARD
    domain: Domain = Domain.GENERAL
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be decided now, and the ceilings it would have to fit under. Nothing is held."""

    decision: Decision
    nfe_per_token: int
    ceilings: tuple[Ceiling, ...]
    expected: Expected | None = None
    """From earlier answers on this rung; None where there are too few."""


@dataclass(frozen=True)
class Ask:
    """The use case. Everything from outside is an argument."""

    engine: Engine
    uow: OpenUnitOfWork
    reader: OpenUnitOfWork
    """For what only reads: it waits for no writer."""
    policy: Policy
    """Decides until one is activated; then that is read anew with every request."""
    clock: Clock
    new_id: NewId
    limits: Limits = field(default_factory=Limits)
    new_seed: Callable[[], int] = lambda: random.SystemRandom().randrange(2**31)

    def preview(self, actor: Actor, form: AskForm) -> Preview:
        """The quote before sending, without waiting for a writer.

        Raises Forbidden, InvalidInput, Unpriced.
        """
        request = self._request(actor, form)
        with self.reader() as uow:
            prices, now = self._prices(uow), self.clock()
            decision = decide(request, in_force(uow, self.policy), prices)
            likely = expected_of(uow, decision, prices)
            payer = Payer(request.user, request.team, decision.granted)
            ceilings = tuple(uow.ledger.ceilings_of(payer, decision.limits, prices.currency, now))
        return Preview(decision, self.engine.nfe_per_token(decision.plan), ceilings, likely)

    def __call__(
        self,
        actor: Actor,
        form: AskForm,
        idempotency_key: str,
        cancelled: Cancelled = lambda: False,
    ) -> Generator[Event, None, None]:
        """Started, Written…, Receipt. Closing the iterator early cancels, settles to the work done.

        Raises Forbidden, InvalidInput, Unpriced, OverCeiling (with the numbers and the rung that
        would fit), KeyReused, Unavailable. Once Started was given, the answer is settled whatever
        happens.
        """
        request = self._request(actor, form)
        _check_name("idempotency key", idempotency_key, self.limits.name_characters)
        admitted = self._replay_or_admit(actor, form, request, idempotency_key)
        if isinstance(admitted, Receipt):
            yield admitted
            return
        run = Run(self.engine, self.uow, self.clock, self.limits, admitted, cancelled)
        yield from run.events()

    def rate(self, actor: Actor, answer_id: str, rating: int) -> None:
        """Thumbs of the person who asked: +1 or -1. Raises Forbidden, InvalidInput, NotFound."""
        require(actor, Action.READ_OWN)
        if rating not in (1, -1):
            raise InvalidInput(f"a rating is 1 or -1, got {rating}", rating=rating)
        with self.uow() as uow:
            row = uow.answers.get(answer_id)
            if row.user != actor.user or not readable(actor, row):
                raise NotFound(f"there is no answer {answer_id} that {actor.user} may rate")
            uow.answers.rate(answer_id, rating, self.clock())
            uow.commit()

    def read(self, actor: Actor, answer_id: str) -> Receipt:
        """A settled or running answer; of one that waits for review its asker gets no text.

        Raises NotFound, also for another's.
        """
        with self.uow() as uow:
            row = uow.answers.get(answer_id)
            return Receipt(row, text_for(uow, actor, row))

    def recover(self) -> list[str]:
        """Settle what dead processes left behind; returns the answers concerned."""
        with self.uow() as uow:
            expired = uow.ledger.expire(self.clock())
            uow.commit()
        return expired

    def _request(self, actor: Actor, form: AskForm) -> Request:
        require(actor, Action.ASK)
        question = clean(form.question, self.limits.question_characters)
        _check_name("user", actor.user, self.limits.name_characters)
        _check_name("team", actor.team, self.limits.name_characters)
        if form.seed is not None and not 0 <= form.seed < SEEDS:
            raise InvalidInput(f"a seed is from 0 to {SEEDS - 1}, got {form.seed}")
        tokens = self.engine.count_prompt_tokens(question)
        if tokens > self.limits.prompt_tokens:
            raise InvalidInput(
                f"the question has {tokens} tokens, at most {self.limits.prompt_tokens} are taken",
                reason="question_tokens",
                tokens=tokens,
                limit=self.limits.prompt_tokens,
            )
        return Request(question, form.importance, form.domain, actor.user, actor.team, tokens)

    def _prices(self, uow: UnitOfWork) -> PriceList:
        return price_in_force(uow.prices(), self.engine.info().model, self.clock())

    def _replay_or_admit(
        self, actor: Actor, form: AskForm, request: Request, key: str
    ) -> Receipt | Admitted:
        digest = _digest(request, form.seed)
        if replay := self._replay(actor, key, digest):
            return replay
        try:
            return self._admit(actor, form, request, key, digest)
        except KeyReused:
            if replay := self._replay(actor, key, digest):
                return replay  # a parallel submit with this key was admitted since we looked
            raise

    def _admit(
        self, actor: Actor, form: AskForm, request: Request, key: str, digest: str
    ) -> Admitted:
        """As decided, or at the first lower rung that fits where the policy steps down.

        Raises OverCeiling, the refusal recorded; KeyReused where the key has an answer.
        """
        refused, instead = None, None
        while True:
            now = self.clock()
            with self.uow() as uow:
                prices = self._prices(uow)
                policy = in_force(uow, self.policy)  # with the ceilings it is held under
                decision = instead or decide(request, policy, prices)
                # May raise: nothing is held yet.
                nfe_per_token = self.engine.nfe_per_token(decision.plan)
                answer = self._new_answer(form, request, decision, key, digest, now)
                uow.answers.add(answer, AnswerStatus.RUNNING)
                try:
                    hold = uow.ledger.reserve(
                        answer.id,
                        decision.quote.nanos,
                        now + self.limits.lease,
                        now,
                        decision.limits,
                    )
                except OverCeiling as err:
                    if refused is None:
                        err.values["fits"] = self._offer(uow, request, policy, prices, now)
                        refused = answer, err
                    instead = _next_step(request, policy, prices, decision)
                else:
                    uow.commit()
                    audited = sampled(answer.id, policy.reviewing.audit_share)
                    return Admitted(actor, answer, prices, hold, nfe_per_token, audited)
            if instead is None:
                self._record_refusal(refused[0])  # only now is what tried to hold rolled back
                raise refused[1]

    def _new_answer(
        self,
        form: AskForm,
        request: Request,
        decision: Decision,
        key: str,
        digest: str,
        now: datetime,
    ) -> NewAnswer:
        return NewAnswer(
            id=self.new_id(),
            request=request,
            decision=decision,
            seed=self.new_seed() if form.seed is None else form.seed,
            idempotency_key=key,
            request_sha256=digest,
            model=self.engine.info(),
            created_at=now,
        )

    def _offer(
        self, uow: UnitOfWork, request: Request, policy: Policy, prices: PriceList, now: datetime
    ) -> str:
        """The highest lower importance that would fit under each of its own ceilings, or empty."""
        for decision in offers(request, policy, prices):
            payer = Payer(request.user, request.team, decision.granted)
            over = uow.ledger.ceilings_of(payer, decision.limits, prices.currency, now)
            if all(decision.quote.nanos <= ceiling.headroom_nanos for ceiling in over):
                return decision.asked.value
        return ""

    def _record_refusal(self, answer: NewAnswer) -> None:
        """In a transaction of its own: the one that tried to hold is rolled back whole."""
        with self.uow() as uow:
            uow.answers.add(answer, AnswerStatus.REFUSED)
            uow.commit()

    def _replay(self, actor: Actor, key: str, digest: str) -> Receipt | None:
        with self.uow() as uow:
            earlier = uow.answers.find_key(actor.user, key)
            if earlier is None:
                return None
            if earlier.request_sha256 != digest:
                raise KeyReused(
                    "this idempotency key was used for another request", answer_id=earlier.answer_id
                )
            row = uow.answers.get(earlier.answer_id)
            return Receipt(row, text_for(uow, actor, row), replayed=True)


def _next_step(
    request: Request, policy: Policy, prices: PriceList, last: Decision
) -> Decision | None:
    """The next lower rung that the policy lets run instead of what did not fit."""
    lower = (d for d in steps_down(request, policy, prices) if d.granted.rank < last.granted.rank)
    return next(lower, None)


def clean(question: str, limit: int) -> str:
    """The question without surrounding blanks. Raises InvalidInput where it cannot be asked."""
    text = unicodedata.normalize("NFC", question).strip()
    if not text:
        raise InvalidInput("the question is empty", reason="empty_question")
    if len(text) > limit:
        raise InvalidInput(
            f"the question has {len(text)} characters, at most {limit} are taken",
            reason="question_characters",
            characters=len(text),
            limit=limit,
        )
    printable = text.translate(dict.fromkeys(map(ord, "\n\r\t")))
    bad = sum(1 for c in printable if unicodedata.category(c) in ("Cc", "Cs", "Co"))
    if bad:
        raise InvalidInput(
            f"the question has {bad} control or undefined characters; paste it as plain text",
            reason="control_characters",
            count=bad,
        )
    return text


def _check_name(what: str, name: str, limit: int) -> None:
    bad = any(unicodedata.category(c) in ("Cc", "Cs") for c in name)
    if not name.strip() or len(name) > limit or bad:
        raise InvalidInput(
            f"the {what} must have 1 to {limit} characters, none of them a control character"
        )


def _digest(asked: Request, seed: int | None) -> str:
    """What an idempotency key is bound to: all that was asked, nothing that the service chose."""
    body = [asked.question, asked.importance, asked.domain, asked.user, asked.team, seed]
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()

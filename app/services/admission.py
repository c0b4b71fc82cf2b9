"""What comes before a run: is it one that may be asked, was it asked before, does it fit?

Whoever is admitted has the worst case of its answer held. One question steps down where its policy
says so; several are one decision: all of them are held as decided, or nothing.
"""

import hashlib
import json
import random
import unicodedata
from collections.abc import Callable, Sequence
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
    Reservation,
    UnitOfWork,
)
from app.services.policy import in_force
from app.services.reading import Receipt, receipt_for
from app.services.run import Admitted, Limits, Run
from policies.budget import Payer
from policies.decide import decide, offers, steps_down
from policies.document import Policy
from policies.errors import InvalidInput, KeyReused, OverCeiling
from policies.plain import check_plain
from policies.pricing import in_force as price_in_force
from policies.review import sampled
from policies.roles import Action, Actor, require
from policies.types import Decision, Domain, Hold, Importance, PriceList, Request

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
class _Asked:
    """A form that may be asked, and what its idempotency key is bound to."""

    request: Request
    seed: int | None
    key: str
    digest: str


@dataclass(frozen=True)
class Admission:
    """Everything from outside is an argument."""

    engine: Engine
    uow: OpenUnitOfWork
    policy: Policy
    """Decides until one is activated; then that is read anew with every request."""
    clock: Clock
    new_id: NewId
    limits: Limits = field(default_factory=Limits)
    new_seed: Callable[[], int] = lambda: random.SystemRandom().randrange(2**31)

    def one(self, actor: Actor, form: AskForm, key: str) -> Receipt | Admitted:
        """As decided, or at the first lower rung that fits where the policy steps down.

        Raises Forbidden, InvalidInput, Unpriced, OverCeiling (the refusal recorded), KeyReused,
        Unavailable.
        """
        asked = self._asked(actor, form, key)
        if replay := self._replay(actor, asked):
            return replay
        try:
            return self._admit(actor, asked)
        except KeyReused:
            if replay := self._replay(actor, asked):
                return replay  # a parallel submit with this key was admitted since we looked
            raise

    def all(self, actor: Actor, wanted: Sequence[tuple[AskForm, str]]) -> list[Receipt | Admitted]:
        """Each form with its key, in their order; held together or not at all.

        What was asked before is only given again. Nothing steps down. Raises what `one` raises.
        """
        asked = [self._asked(actor, form, key) for form, key in wanted]
        keys = {one.key for one in asked}
        if len(keys) < len(asked):
            raise InvalidInput(f"{len(asked)} questions of a batch have {len(keys)} keys")
        try:
            return self._admit_all(actor, asked)
        except KeyReused:
            return self._admit_all(actor, asked)  # a parallel one took a key: it is a replay now

    def run(self, admitted: Admitted, cancelled: Cancelled) -> Run:
        """What was admitted, written under the same limits."""
        return Run(self.engine, self.uow, self.clock, self.limits, admitted, cancelled)

    def request(self, actor: Actor, form: AskForm) -> Request:
        """What the form asks. Raises Forbidden, InvalidInput."""
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

    def prices(self, uow: UnitOfWork) -> PriceList:
        """Those in force now for the model that runs. Raises Unpriced."""
        return price_in_force(uow.prices(), self.engine.info().model, self.clock())

    def _asked(self, actor: Actor, form: AskForm, key: str) -> _Asked:
        request = self.request(actor, form)
        _check_name("idempotency key", key, self.limits.name_characters)
        return _Asked(request, form.seed, key, _digest(request, form.seed))

    def _replay(self, actor: Actor, asked: _Asked) -> Receipt | None:
        with self.uow() as uow:
            earlier = uow.answers.find_key(actor.user, asked.key)
            if earlier is None:
                return None
            if earlier.request_sha256 != asked.digest:
                raise KeyReused(
                    "this idempotency key was used for another request", answer_id=earlier.answer_id
                )
            return receipt_for(uow, actor, uow.answers.get(earlier.answer_id), replayed=True)

    def _admit(self, actor: Actor, asked: _Asked) -> Admitted:
        refused, instead, request = None, None, asked.request
        while True:
            now = self.clock()
            with self.uow() as uow:
                prices = self.prices(uow)
                policy = in_force(uow, self.policy)  # with the ceilings it is held under
                decision = instead or decide(request, policy, prices)
                answer, nfe_per_token = self._placed(uow, asked, decision, now)
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
                    return _admitted(actor, answer, prices, hold, nfe_per_token, policy)
            if instead is None:
                self._record_refusals([refused[0]])  # only now is what tried to hold rolled back
                raise refused[1]

    def _admit_all(self, actor: Actor, asked: Sequence[_Asked]) -> list[Receipt | Admitted]:
        found: dict[str, Receipt | Admitted] = {}
        for one in asked:
            if replay := self._replay(actor, one):
                found[one.key] = replay
        new = [one for one in asked if one.key not in found]
        if new:
            held = self._hold_all(actor, new)
            found |= {one.key: admitted for one, admitted in zip(new, held, strict=True)}
        return [found[one.key] for one in asked]

    def _hold_all(self, actor: Actor, asked: Sequence[_Asked]) -> list[Admitted]:
        now = self.clock()
        with self.uow() as uow:
            prices, policy = self.prices(uow), in_force(uow, self.policy)
            placed = [
                self._placed(uow, one, decide(one.request, policy, prices), now) for one in asked
            ]
            wanted = [
                Reservation(answer.id, answer.decision.quote.nanos, tuple(answer.decision.limits))
                for answer, _ in placed
            ]
            try:
                holds = uow.ledger.reserve_all(wanted, now + self.limits.lease, now)
            except OverCeiling as err:
                err.values["batch"] = len(asked)
                refused = err
            else:
                uow.commit()
                return [
                    _admitted(actor, answer, prices, hold, nfe_per_token, policy)
                    for (answer, nfe_per_token), hold in zip(placed, holds, strict=True)
                ]
        self._record_refusals([answer for answer, _ in placed])
        raise refused

    def _placed(
        self, uow: UnitOfWork, asked: _Asked, decision: Decision, now: datetime
    ) -> tuple[NewAnswer, int]:
        """Its row, and the evaluations a token that its plan makes on this engine."""
        nfe_per_token = self.engine.nfe_per_token(decision.plan)  # may raise: nothing is held yet
        answer = NewAnswer(
            id=self.new_id(),
            request=asked.request,
            decision=decision,
            seed=self.new_seed() if asked.seed is None else asked.seed,
            idempotency_key=asked.key,
            request_sha256=asked.digest,
            model=self.engine.info(),
            created_at=now,
        )
        uow.answers.add(answer, AnswerStatus.RUNNING)
        return answer, nfe_per_token

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

    def _record_refusals(self, answers: Sequence[NewAnswer]) -> None:
        """In a transaction of their own: the one that tried to hold is rolled back whole."""
        with self.uow() as uow:
            for answer in answers:
                uow.answers.add(answer, AnswerStatus.REFUSED)
            uow.commit()


def _admitted(
    actor: Actor, answer: NewAnswer, prices: PriceList, hold: Hold, nfe: int, policy: Policy
) -> Admitted:
    audited = sampled(answer.id, policy.reviewing.audit_share)
    return Admitted(actor, answer, prices, hold, nfe, audited)


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
    check_plain(text)
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

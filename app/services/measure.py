"""Measures budgets on a suite: the same questions and noise at every budget, all rows stored.

Measurement is not pilot spend: it is priced with the list in force so that budgets can be
compared, and leaves the ledger alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from app.ports import (
    AuditEvent,
    Cancelled,
    Clock,
    Detail,
    Engine,
    Job,
    Measured,
    Measurement,
    OpenUnitOfWork,
    Outcome,
)
from app.services.spent import flags, spends
from evaluation.scoring import is_correct
from evaluation.stats import wilson
from evaluation.suites import Question
from evaluation.working import every_line_holds
from policies.document import Policy
from policies.pricing import in_force, price
from policies.roles import Action, Actor, require
from policies.types import Domain, Importance, Plan, PriceList, Rung, Solver


@dataclass(frozen=True, slots=True)
class Budget:
    """What to measure: a cap of evaluations a token, or a rung of the policy."""

    rung: Rung
    importance: Importance | None = None
    said: str = ""
    """How the cap is spent, as the suite's name is kept with."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """How far a measurement is."""

    budget: int
    done: int
    of: int
    correct: int


Progress = Callable[[Measuring], None]
_Row = tuple[Measured, int]
"""With the tokens of the answer that was given."""


@dataclass(slots=True)
class _Standing:
    """Answers of checked caps with nothing to write again: a larger cap leaves them as they are."""

    found: dict[Rung, dict[int, tuple[int, _Row]]] = field(default_factory=dict)

    def under(self, rung: Rung) -> dict[int, _Row]:
        """Those that are this rung's too, by question."""
        mine = self.found.get(replace(rung, max_nfe_per_token=0), {})
        return {i: row for i, (cap, row) in mine.items() if cap <= rung.max_nfe_per_token}

    def add(self, rung: Rung, i: int, row: _Row, text: str) -> None:
        """If it is one."""
        if rung.checked and rung.candidates == 1 and every_line_holds(text):
            mine = self.found.setdefault(replace(rung, max_nfe_per_token=0), {})
            mine[i] = rung.max_nfe_per_token, row


def budget_of(max_nfe: int, like: Rung, said: str = "") -> Budget:
    """A rung like another with at most `max_nfe` evaluations a token; 0 is the base model alone."""
    if max_nfe == 0:
        return Budget(Rung(Solver.BASE, 0, 1.0, like.max_new_tokens), said=said)
    return Budget(replace(like, max_nfe_per_token=max_nfe), said=said)


@dataclass(frozen=True)
class Measure:
    engine: Engine
    uow: OpenUnitOfWork
    policy: Policy
    clock: Clock

    def importances(self, names: Iterable[Importance]) -> list[Budget]:
        """The rungs of the policy. Those that can stand on one curve do: that of the dearest."""
        rungs = {i: self.policy.rungs[i] for i in names}
        dearest = flags(max(rungs.values(), key=lambda rung: rung.max_nfe_per_token))
        return [
            Budget(rung, i, dearest if spends(rung, dearest) else flags(rung))
            for i, rung in rungs.items()
        ]

    def __call__(
        self,
        actor: Actor,
        suite: str,
        questions: Sequence[Question],
        budgets: Sequence[Budget],
        seed: int,
        progress: Progress = lambda _: None,
        cancelled: Cancelled = lambda: False,
    ) -> list[tuple[Measurement, list[Measured]]]:
        """For each budget the whole suite with its rows, then each domain; all of it stored.

        A budget is stored as soon as it is measured, so that stopping loses only the one under way.
        What a smaller cap has shown to be the same at a larger one is not drawn again.
        """
        require(actor, Action.MEASURE)
        with self.uow() as uow:
            prices = in_force(uow.prices(), self.engine.info().model, self.clock())
        measured, standing = [], _Standing()
        for budget in budgets:
            rows = self._rows(questions, budget, seed, prices, standing, progress, cancelled)
            found = self._summaries(suite + budget.said, budget, rows, seed, prices)
            with self.uow() as uow:
                for measurement, its_rows in found:
                    uow.measurements.add(measurement, its_rows)
                uow.audit.append(_event(found[0][0], actor))
                uow.commit()
            measured += found
        return measured

    def _rows(
        self,
        questions: Sequence[Question],
        budget: Budget,
        seed: int,
        prices: PriceList,
        standing: _Standing,
        progress: Progress,
        cancelled: Cancelled,
    ) -> list[_Row]:
        """In the order of the questions. Like lengths run together, to pad little."""
        rung, rows = budget.rung, standing.under(budget.rung)
        by_length = sorted(range(len(questions)), key=lambda i: (len(questions[i].question), i))
        left = [i for i in by_length if i not in rows]

        def tell() -> None:
            correct = sum(row.correct for row, _ in rows.values())
            progress(Measuring(rung.max_nfe_per_token, len(rows), len(questions), correct))

        def ended(place: int, outcome: Outcome) -> None:
            i = left[place]
            rows[i] = _measured(questions[i], outcome, prices), len(outcome.trace.tokens)
            standing.add(rung, i, rows[i], outcome.text)
            tell()

        if rows:
            tell()
        jobs = [Job(questions[i].question, Plan(questions[i].domain, rung), seed + i) for i in left]
        self.engine.run_batch(jobs, cancelled, ended)
        return [rows[i] for i in range(len(questions))]

    def _summaries(
        self,
        suite: str,
        budget: Budget,
        measured: list[_Row],
        seed: int,
        prices: PriceList,
    ) -> list[tuple[Measurement, list[Measured]]]:
        """The whole suite with its rows first, then each domain; rows are stored once."""
        domains: list[Domain | None] = [None, *sorted({row.domain for row, _ in measured})]
        out = []
        for domain in domains:
            mine = [each for each in measured if domain in (None, each[0].domain)]
            part, tokens = [row for row, _ in mine], sum(given for _, given in mine)
            rate = wilson(sum(row.correct for row in part), len(part))
            measurement = Measurement(
                suite=suite,
                budget=budget.rung.max_nfe_per_token,
                importance=budget.importance,
                domain=domain,
                accuracy=rate.value,
                ci_low=rate.low,
                ci_high=rate.high,
                n=rate.n,
                nfe_per_token=sum(row.units.nfe for row in part) / max(1, tokens),
                cost_nanos_per_answer=sum(row.cost_nanos for row in part) // len(part),
                currency=prices.currency,
                adapter_sha256=self.engine.info().adapter_sha256,
                seed=seed,
                measured_at=self.clock(),
                shipped=False,
            )
            out.append((measurement, part if domain is None else []))
        return out


def _event(whole: Measurement, actor: Actor) -> AuditEvent:
    details: dict[str, Detail] = {
        "budget": whole.budget,
        "n": whole.n,
        "adapter_sha256": whole.adapter_sha256,
    }
    return AuditEvent(actor.user, "measure", whole.suite[:200], details, whole.measured_at)


def _measured(question: Question, outcome: Outcome, prices: PriceList) -> Measured:
    return Measured(
        question_id=question.id,
        domain=question.domain,
        correct=is_correct(outcome.text, question.answer, question.check),
        units=outcome.units,
        cost_nanos=price(outcome.units, prices),
    )

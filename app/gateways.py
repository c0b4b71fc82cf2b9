"""The model behind the Engine port: plans become sampler settings, tokens text and counted units.

Jobs of all callers run at once, on one thread that owns the model.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from queue import Empty, SimpleQueue
from typing import get_args

import torch

from app.candidates import candidates, vote
from app.engine_thread import EngineThread
from app.ports import (
    Cancelled,
    Ended,
    Finish,
    Job,
    ModelInfo,
    Outcome,
    Piece,
    Queue,
    Trace,
    untold,
)
from app.writing import Writing
from evaluation.scoring import extract
from evaluation.working import holds
from kernels.passes import CompiledPasses
from model.config import Choice, Gate, Method, SamplerConfig
from model.engine import Engine
from model.errors import ModelError
from model.hf import Prompter
from model.request import Fault, Request
from model.sampler import Row, Sampler, Token
from model.writing import Again, Recipe
from policies.errors import Busy, InvalidInput, Unavailable
from policies.types import Domain, Importance, Plan, Rung, Solver, Units

_POLL_SECONDS = 0.05
"""How often a job that hears nothing asks whether it was cancelled and tells its work."""
_MEASUREMENT = -1_000_000
"""Measurements let every question of a user go first, however long they have waited."""
LINE_LIMIT = 32
"""Requests that may wait before another one; with more it is refused."""
_Event = Token | Again | Fault | None

TOLERANCE = 1e-2
"""Of an adaptive solver where the policy names none, relative to the state and absolute."""
_METHODS: dict[Solver, Method] = {Solver(method): method for method in get_args(Method)}

_CHECKS = {Domain.MATH: "number", Domain.DATA: "list"}
"""How the candidates of a domain are read to be counted as equal; the others as text."""


@dataclass
class LocalEngine:
    """app.ports.Engine in this process."""

    sampler: Sampler
    prompter: Prompter
    model_info: ModelInfo
    threads: int | None = None
    """Of the model's own thread; None leaves them as they are."""
    passes: CompiledPasses | None = None
    """None: by torch."""
    _thread: EngineThread = field(init=False)

    def __post_init__(self) -> None:
        pairs = zip(self.prompter.prompt("a"), self.prompter.prompt("0"), strict=False)
        prefix = [a for a, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]
        engine = Engine(self.sampler.prepared, prefix=prefix, passes=self.passes)
        self._thread = EngineThread(engine, self._begin)

    def _begin(self) -> None:
        if self.threads is not None:
            # beside threads of the passes' own, torch's workers would be in the way
            torch.set_num_threads(1 if self.passes else self.threads)

    def info(self) -> ModelInfo:
        return self.model_info

    def close(self) -> None:
        """End the thread. What still runs, and what comes later, ends as Unavailable."""
        self._thread.close()
        if self.passes is not None:
            self.passes.close()

    def count_prompt_tokens(self, question: str) -> int:
        return len(self.prompter.prompt(question))

    def nfe_per_token(self, plan: Plan) -> int:
        return self._recipe(plan).grid.nfe

    def queue(self, importance: Importance) -> Queue:
        engine, level = self._thread.engine, importance.rank
        return Queue(len(engine.line.ahead(level)), LINE_LIMIT, engine.wait(level))

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        """Pieces, then one Outcome; after a cancel that Outcome comes within one evaluation.

        Of several candidates nothing is shown before their vote: the pieces until then are empty.
        So are those that only tell the work of a token that takes long. A line that may be written
        again is shown once it stands. Raises Busy, before any work, where the waiting line is full.
        """
        self._refuse_if_full(job.importance)
        inbox: SimpleQueue[_Event] = SimpleQueue()
        writings = self._writings(job)
        request = self._request(job, inbox.put, job.importance.rank)
        ended, told = cancelled(), Units()
        error: Exception | None = None
        try:
            if not ended:
                self._thread.submit(request)
            while not ended:
                request.stopped = request.stopped or cancelled()
                text = ""
                try:
                    event = inbox.get(timeout=_POLL_SECONDS)
                except Empty:
                    pass
                else:
                    ended = event is None
                    if isinstance(event, Token):
                        text = self._write(writings[event.row], event)
                    elif isinstance(event, Again):
                        writings[event.row].back(event.kept)
                    elif isinstance(event, Fault):
                        error, request.stopped = error or event.error, True
                shown, units = "" if len(writings) > 1 else text, _units(request)
                if shown or units != told:
                    told = units
                    yield Piece(shown, units)
        finally:
            request.stopped = True
        if error is not None:
            raise error
        outcome = _outcome(job, request, writings)
        rest = outcome.text if len(writings) > 1 else writings[0].rest()
        if rest:
            yield Piece(rest, outcome.units)
        yield outcome

    def run_batch(
        self, jobs: Sequence[Job], cancelled: Cancelled, ended: Ended = untold
    ) -> list[Outcome]:
        """All jobs at once: the engine takes the next as one ends. They must share a rung.

        Raises Unavailable if cancelled.
        """
        if any(job.plan.rung != jobs[0].plan.rung for job in jobs):
            raise InvalidInput("the jobs of a batch must share one rung")
        inbox: SimpleQueue[tuple[int, _Event]] = SimpleQueue()
        writings, requests = [self._writings(job) for job in jobs], list[Request]()
        outcomes = dict[int, Outcome]()
        for i, job in enumerate(jobs):
            tell = _marked(inbox, i)
            requests.append(self._request(job, tell, _MEASUREMENT))
        try:
            self._thread.submit(*requests)
            while len(outcomes) < len(jobs):
                if cancelled():
                    raise Unavailable("the measurement was stopped")
                try:
                    i, event = inbox.get(timeout=_POLL_SECONDS)
                except Empty:
                    continue
                if isinstance(event, Token):
                    self._write(writings[i][event.row], event)
                elif isinstance(event, Again):
                    writings[i][event.row].back(event.kept)
                elif isinstance(event, Fault):
                    raise event.error
                else:
                    outcomes[i] = _outcome(jobs[i], requests[i], writings[i])
                    ended(i, outcomes[i])
        finally:
            for request in requests:
                request.stopped = True
        return [outcomes[i] for i in range(len(jobs))]

    def _refuse_if_full(self, importance: Importance) -> None:
        line = self.queue(importance)
        if line.waiting >= line.limit:
            raise Busy(
                f"{line.waiting} requests wait, at most {line.limit} may; the last of them begins "
                f"within {line.seconds:.0f} seconds",
                waiting=line.waiting,
                limit=line.limit,
                seconds=round(line.seconds),
            )

    def _recipe(self, plan: Plan) -> Recipe:
        try:
            return Recipe.of(self.sampler.prepared, _config(plan.rung))
        except ModelError as err:
            raise InvalidInput(f"this adapter cannot run the plan: {err}") from err

    def _request(self, job: Job, tell: Callable[[_Event], None], level: int) -> Request:
        return Request(self._rows(job), self._recipe(job.plan), tell, level=level)

    def _writings(self, job: Job) -> list["Writing"]:
        rung = job.plan.rung
        return [Writing(self.prompter, rung.checked) for _ in range(rung.candidates)]

    def _rows(self, job: Job) -> list[Row]:
        label = None if job.plan.domain is Domain.GENERAL else job.plan.domain.value
        rung, prompt = job.plan.rung, tuple(self.prompter.prompt(job.question))
        check = self._line_holds if rung.checked else None
        return candidates(Row(prompt, job.seed, label, check=check), rung.candidates)

    def _line_holds(self, ids: Sequence[int], ended: bool) -> bool | None:
        """Where a line ends, whether what it states holds."""
        text = self.prompter.text(list(ids))
        if not ended and not text.endswith("\n"):
            return None
        return holds(text.rstrip("\n").rpartition("\n")[2])

    def _write(self, writing: "Writing", token: Token) -> str:
        if token.id in self.sampler.prepared.backbone.eos_ids:
            writing.finish = Finish.STOP
        return writing.add(token)


def _outcome(job: Job, request: Request, writings: list[Writing]) -> Outcome:
    finished = all(w.ended for w in writings)
    # Of candidates cut short the first is kept: a vote among halves would say nothing.
    winner, votes = _elected(writings if finished else writings[:1], job.plan.domain)
    return Outcome(
        winner.text,
        _units(request),
        winner.finish if finished else Finish.CANCELLED,
        request.recipe.grid.nfe,
        sum(w.changed for w in writings),
        request.work.seconds,
        votes,
        Trace(tuple(winner.tokens), votes),
    )


def _units(request: Request) -> Units:
    work = request.work  # once: the engine's thread goes on counting
    return Units(work.prompt_tokens, work.decode_tokens, work.nfe)


def _marked(inbox: "SimpleQueue[tuple[int, _Event]]", mark: int) -> Callable[[_Event], None]:
    return lambda event: inbox.put((mark, event))


def _elected(writings: list[Writing], domain: Domain) -> tuple[Writing, tuple[int, ...]]:
    """The candidate most others agree with, and the votes; a single one needs none."""
    if len(writings) == 1:
        return writings[0], ()
    check = _CHECKS.get(domain, "text")
    found = vote([w.text for w in writings], lambda text: extract(text, check))
    return writings[found.winner], found.votes


def _config(rung: Rung) -> SamplerConfig:
    if rung.solver is Solver.BASE:
        choice = Choice(temperature=rung.temperature)
        return SamplerConfig(
            max_nfe=0, choice=choice, max_new_tokens=rung.max_new_tokens, trace=True
        )
    return SamplerConfig(
        trace=True,
        max_nfe=1 if rung.checked else rung.max_nfe_per_token,
        method=_METHODS[rung.solver],
        points=rung.points,
        rtol=rung.tolerance or TOLERANCE,
        atol=rung.tolerance or TOLERANCE,
        guidance=rung.guidance,
        gate=None if rung.gate is None else Gate(rung.gate),
        steady=rung.steady,
        tries=rung.writings,
        choice=Choice(temperature=rung.temperature),
        max_new_tokens=rung.max_new_tokens,
    )

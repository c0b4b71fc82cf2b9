"""Stand-ins for what is slow or outside. They keep their port's promises, exactly."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from app.ports import (
    Cancelled,
    Ended,
    Finish,
    Job,
    ModelInfo,
    Outcome,
    Piece,
    Queue,
    TokenTrace,
    Trace,
    untold,
)
from policies.errors import InvalidInput, Unavailable
from policies.types import Importance, Plan, Solver, Units

MODEL = ModelInfo(
    model="fake",
    base="fake-base",
    base_sha256="b" * 64,
    adapter="fake-adapter",
    adapter_sha256="a" * 64,
    device="cpu",
    precision="float32",
    classes=("math", "data", "business"),
)
WORDS = ("forty", "two", "pens", "are", "left")


def _nothing(_evaluation: int) -> None:
    """What happens before an evaluation, unless a test has other plans."""


@dataclass
class FakeEngine:
    """Writes the scripted words, one a token, and counts every evaluation where it is made.

    `before` is called with the number of each evaluation of a run, from 1, just before it: tests
    raise, block or cancel there. A base plan has no evaluations; its tokens are numbered instead.
    """

    words: Sequence[str] = WORDS
    before: Callable[[int], None] = _nothing
    model: ModelInfo = MODEL
    echo: bool = False
    """Writes the question back instead of the words."""
    jobs: list[Job] = field(default_factory=list)
    """Every job that was run, in the order they began."""
    evaluations: int = 0
    """Of all runs together."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def info(self) -> ModelInfo:
        return self.model

    def count_prompt_tokens(self, question: str) -> int:
        return len(question.split())

    def nfe_per_token(self, plan: Plan) -> int:
        """The finest grid under the cap, or the points given; the read-out is one evaluation."""
        rung = plan.rung
        if rung.solver is Solver.BASE:
            return 0
        step = (2 if rung.solver is Solver.MIDPOINT else 1) * (1 if rung.guidance == 1.0 else 2)
        steps = (rung.max_nfe_per_token - 1) // step if rung.points is None else rung.points - 1
        nfe = steps * step + 1
        if steps < 1 or nfe > rung.max_nfe_per_token:
            raise InvalidInput(f"no grid of {rung.solver} fits {rung.max_nfe_per_token}")
        return nfe

    def queue(self, importance: Importance) -> Queue:  # noqa: ARG002
        return Queue(waiting=0, limit=32, seconds=0.0)

    def run(self, job: Job, cancelled: Cancelled) -> Iterator[Piece | Outcome]:
        with self._lock:
            self.jobs.append(job)
        nfe = self.nfe_per_token(job.plan)
        units, text = Units(self.count_prompt_tokens(job.question)), ""
        said = job.question.split() if self.echo else self.words
        written = said[: job.plan.rung.max_new_tokens]
        for token, word in enumerate(written, start=1):
            for done in range(max(nfe, 1)):
                if cancelled():
                    yield self._outcome(text, units, Finish.CANCELLED, nfe)
                    return
                self.before((token - 1) * max(nfe, 1) + done + 1)
                if nfe:
                    self._count()
                    units += Units(nfe=1)
            units += Units(decode_tokens=1)
            text += (" " if text else "") + word
            yield Piece((" " if token > 1 else "") + word, units)
        finish = Finish.STOP if len(written) == len(said) else Finish.LENGTH
        yield self._outcome(text, units, finish, nfe)

    def run_batch(
        self, jobs: Sequence[Job], cancelled: Cancelled, ended: Ended = untold
    ) -> list[Outcome]:
        outcomes = []
        for place, job in enumerate(jobs):
            *_, outcome = self.run(job, cancelled)
            assert isinstance(outcome, Outcome)
            if outcome.finish is Finish.CANCELLED:
                raise Unavailable("the measurement was stopped")
            outcomes.append(outcome)
            ended(place, outcome)
        return outcomes

    def _count(self) -> None:
        with self._lock:
            self.evaluations += 1

    def _outcome(self, text: str, units: Units, finish: Finish, nfe: int) -> Outcome:
        return Outcome(
            text, units, finish, nfe, units.decode_tokens // 2, 0.25, trace=self._trace(units, nfe)
        )

    def _trace(self, units: Units, nfe: int) -> Trace:
        """Every second word of a refined answer was another; the third of three is unsure."""
        tokens = []
        for place, word in enumerate(self.words[: units.decode_tokens]):
            changed = nfe > 0 and place % 2 == 1
            text = f" {word}" if place else word
            doubt = (0.02, 0.7, 1.9)[place % 3]
            base = " other" if changed else text
            tokens.append(TokenTrace(text, base, nfe, changed, doubt + 0.5, doubt))
        return Trace(tuple(tokens))

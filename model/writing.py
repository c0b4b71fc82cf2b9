"""One answer on its way: from the LM's logits at a place to its token, place after place.

A `Writing` makes no pass itself. It asks whoever runs it for what it needs next, so that many of
them can share passes; its state, generators and counts are its own. arXiv 2501.15781, section 3.3.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

import torch

from model.adaptive import ADAPTIVE, Adaptive, Ending
from model.choice import Logits, Stop, chance_of, choose, sure
from model.config import Choice, SamplerConfig
from model.errors import ConfigError
from model.prepared import PreparedPath
from model.refinement import Ask, Refinement
from model.solvers import Grid, finest_grid
from model.untried import Untried

_ESTIMATE_STREAM, _CHOICE_STREAM = 0x9E3779B9, 0x7F4A7C15
"""Keep the generators of sampled estimates and of choices apart from that of noise, which is the
same at any budget."""


Check = Callable[[Sequence[int], bool], bool | None]
"""Of an answer, as ids, and whether it has come to its end: None while a passage is under way, and
where one ends with the newest token whether it stands."""


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to draw."""

    prompt: tuple[int, ...]
    seed: int
    label: str | None = None
    """Guidance class; None or a name the adapter does not know means no class."""
    max_new_tokens: int | None = None
    """Below the sampler's own limit, if given."""
    stop: Stop | None = None
    """Asked after every token whether the answer ends with it."""
    check: Check | None = None
    """Asked after every token where there is more than one try."""

    def limit(self, config: SamplerConfig) -> int:
        """The most tokens it may have."""
        return min(self.max_new_tokens or config.max_new_tokens, config.max_new_tokens)

    def most(self, config: SamplerConfig) -> int:
        """The most tokens that can be drawn for it, those written over included."""
        return self.limit(config) * (1 if self.check is None else config.tries)


@dataclass(frozen=True, slots=True)
class Token:
    """One token drawn for one row, what it took and what refinement made of it."""

    row: int
    id: int
    base_id: int
    """The first choice at this place before refinement, of what reads: the LM, or the path."""
    nfe: int
    """Evaluations spent on it, each guided one counted twice, read-out included."""
    last: bool
    ending: Ending = Ending.FINISHED
    """Capped where an adaptive method ran out of evaluations before its tolerance was met."""
    gated: bool = False
    """The base LM was sure enough: not refined, its own distribution was used."""
    entropy_before: float | None = None
    """In nats, of the LM's distribution; None where no trace was asked for."""
    entropy_after: float | None = None
    """In nats, of the read-out's; the same as before where nothing was evaluated."""

    @property
    def changed(self) -> bool:
        """Whether the token was refined and is not the LM's first choice."""
        return self.nfe > 0 and self.id != self.base_id


@dataclass(frozen=True, slots=True)
class Again:
    """A passage did not stand: the answer goes on behind its first tokens, in place of the rest."""

    row: int
    kept: int


@dataclass(slots=True)
class Passages:
    """Where an answer may go back to, and how often yet. Counts every token drawn."""

    row: Row
    config: SamplerConfig
    start: int = 0
    base: Logits | None = None
    """The LM's logits at the start of the passage under way."""
    tries: int = 1
    """That its writing under way is."""
    drawn: int = 0
    untried: Untried = field(default_factory=Untried)

    @property
    def choice(self) -> Choice:
        """First the most likely tokens, however the later ones are drawn."""
        first = self.row.check is not None and self.tries == 1
        return replace(self.config.choice, temperature=0.0) if first else self.config.choice

    def draw(self, logits: Logits, written: Sequence[int], choices: torch.Generator) -> int:
        """The next token behind what is written."""
        token = int(choose(logits, self.choice, [written], [choices], self.untried.spent))
        if self.row.check is not None and self.config.tries > 1:
            self.untried.drawn(token, chance_of(token, logits, self.config.choice, written))
        return token

    def fails(self, written: Sequence[int], ended: bool) -> bool:
        """Whether the passage that ends here is to be written again.

        Never where what is left could then not be written to the answer's limit.
        """
        self.drawn += 1
        if self.row.check is None or self.config.tries == 1:
            return False
        stands = self.row.check(written, ended)
        if stands is None:
            return False
        left = self.row.most(self.config) - self.drawn
        rest = self.row.limit(self.config) - self.start
        if not stands and self.tries < self.config.tries and left >= rest:
            self.tries += 1
            self.untried.failed()
            return True
        self.start, self.base, self.tries, self.untried = len(written), None, 1, Untried()
        return False


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the rows of one call are drawn, worked out for one prepared path."""

    prepared: PreparedPath
    config: SamplerConfig
    grid: Grid | Adaptive

    @classmethod
    def of(cls, prepared: PreparedPath, config: SamplerConfig) -> "Recipe":
        """Raises ConfigError where this adapter or this cap cannot do it.

        Guidance costs two passes an evaluation. A cap of 0 is a grid without points: the base LM
        alone.
        """
        guided = config.guidance != 1.0
        if guided and not prepared.config.classes:
            raise ConfigError("guidance needs an adapter trained with classes; this one has none")
        passes = 2 if guided else 1
        if config.method in ADAPTIVE:
            return cls(prepared, config, _adaptive(config, passes))
        if config.points is None:
            return cls(prepared, config, finest_grid(config.method, config.max_nfe, passes))
        grid = Grid(config.method, config.points, passes)
        if grid.nfe > config.max_nfe:
            raise ConfigError(
                f"{config.points} points of {config.method} take {grid.nfe} evaluations a token, "
                f"the cap is {config.max_nfe}"
            )
        return cls(prepared, config, grid)

    @property
    def own(self) -> bool:
        """Whether the path reads for itself: never where there is no evaluation."""
        return self.prepared.reads_itself and bool(self.grid.nfe)

    def write(
        self, place: int, row: Row, base: Logits
    ) -> Generator[Ask | Token | Again, Logits, None]:
        """Draws a row whose prompt came to the LM's logits `base` (1, 1, V).

        Asks for evaluations and is sent their logits; gives tokens and is sent the LM's logits
        behind each. The last token says so; it waits for no answer, and neither does `Again`.
        """
        noise, draws, choices = (
            torch.Generator().manual_seed(row.seed ^ stream)
            for stream in (0, _ESTIMATE_STREAM, _CHOICE_STREAM)
        )
        label = torch.tensor([[self.prepared.config.class_index(row.label)]])
        config, written, ended = self.config, list[int](), False
        passages = Passages(row, config)
        while not ended:
            passages.base = base if passages.base is None else passages.base
            work = Refinement(self.prepared, label, config, [draws])
            logits, gated = base, False
            if self.grid.nfe:
                x_0 = self.prepared.noise(noise)  # gated or not, so that it does not depend on it
                gated = config.gate is not None and sure(base, config.gate)
                if not gated:
                    _, logits = yield from work.asks(self.grid, x_0, base)
            _check(base, logits, place, len(written))
            id_ = passages.draw(logits, written, choices)
            written.append(id_)
            done = id_ in self.prepared.backbone.eos_ids
            done = (row.stop is not None and row.stop(written)) or done
            if passages.fails(written, done):
                base, written = passages.base, written[: passages.start]
                yield Again(place, len(written))
                continue
            ended = done or len(written) >= row.limit(config)
            before = float(base.entropy) if config.trace else None
            after = float(logits.entropy) if config.trace else None
            base_id = int(base.best)
            base = yield Token(
                place, id_, base_id, work.nfe, ended, work.ending, gated, before, after
            )


def _check(base: Logits, logits: Logits, row: int, token: int) -> None:
    for name, x in (("language model", base), ("read-out", logits)):
        if not x.finite:
            raise FloatingPointError(f"row {row}, token {token}: the {name} gave no finite logits")


def _adaptive(config: SamplerConfig, passes: int) -> Grid | Adaptive:
    if config.points is not None:
        raise ConfigError(
            f"{config.method} chooses its own steps: leave points out, got {config.points}"
        )
    if config.steady is not None:
        raise ConfigError(f"{config.method} ends by itself: leave steady out")
    if config.max_nfe < 1:
        return Grid("euler", 0, passes)
    return Adaptive(
        config.method,
        config.max_nfe,
        passes,
        config.rtol,
        config.atol,
        config.first_step,
        config.min_step,
    )

"""What is asked of an engine, what it costs, and the line in which it waits.

Higher importance goes first, yet nothing waits for ever: a level is worth a head start in time.
"""

import heapq
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple

from model.writing import Again, Recipe, Row, Token

HEAD_START = 10.0
"""Seconds in line that a level of importance is worth: later than that, the lower one is first."""


class Hooks(NamedTuple):
    """What the caller wants to know: asked before every pass, told after every evaluation."""

    before: Callable[[], None] = lambda: None
    """May raise to stop before the next pass."""
    after: Callable[[int], None] = lambda _nfe: None
    """Told the evaluations just made, over all rows of the request."""


NO_HOOKS = Hooks()


class Work(NamedTuple):
    """What was done for a request, counted as it happens."""

    prompt_tokens: int = 0
    """Each prompt once, however many rows share it; a prefix the engine had read counts as read."""
    decode_tokens: int = 0
    nfe: int = 0
    seconds: float = 0.0
    """Its share by rows of the time of its passes."""


class Fault(NamedTuple):
    """An error that ended a row, or with no row the whole request."""

    row: int | None
    error: Exception


@dataclass(eq=False)
class Request:
    """Rows drawn by one recipe.

    `tell` gets their tokens, what is taken back of them, faults, and None at the end.
    """

    rows: Sequence[Row]
    recipe: Recipe
    tell: Callable[[Token | Again | Fault | None], None]
    hooks: Hooks = NO_HOOKS
    level: int = 0
    """Importance; higher goes first."""
    stopped: bool = False
    """Set by anyone: it ends before its next pass."""
    work: Work = field(default=Work(), init=False)
    left: int = field(init=False)
    """Rows that have not ended."""

    def __post_init__(self) -> None:
        self.left = len(self.rows)

    @property
    def calls(self) -> int:
        """The most passes of the path in a row that one token can take, and at least one tick."""
        grid = self.recipe.grid
        return max(1, (grid.nfe - 1) // grid.passes + 1)

    @property
    def ticks(self) -> int:
        """The most that its longest row can take."""
        return self.calls * max(row.most(self.recipe.config) for row in self.rows)

    @property
    def positions(self) -> int:
        """The most tokens one of its rows can come to, its prompt included."""
        return max(len(row.prompt) + row.limit(self.recipe.config) for row in self.rows)

    def add(self, prompt: int = 0, decoded: int = 0, nfe: int = 0, seconds: float = 0.0) -> None:
        was = self.work
        self.work = Work(
            was.prompt_tokens + prompt,
            was.decode_tokens + decoded,
            was.nfe + nfe,
            was.seconds + seconds,
        )


class Line:
    """Requests that wait, the next one first. Safe between threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock, self._numbers = clock, threading.Lock(), count()
        self._waiting: list[tuple[float, int, Request]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def push(self, request: Request) -> None:
        with self._lock:
            entry = (self._rank(request.level), next(self._numbers), request)
            heapq.heappush(self._waiting, entry)

    def ahead(self, level: int) -> list[Request]:
        """Those that would go before one that came now, in their order."""
        rank = self._rank(level)
        with self._lock:
            return [request for at, _, request in sorted(self._waiting) if at <= rank]

    def _rank(self, level: int) -> float:
        return self._clock() - HEAD_START * level

    def pop(self, rows: int) -> Request | None:
        """The next one, if it has at most this many rows: a large one is not passed by."""
        with self._lock:
            if not self._waiting or len(self._waiting[0][2].rows) > rows:
                return None
            return heapq.heappop(self._waiting)[2]

    def leave(self, every: bool = False) -> list[Request]:
        """Those that were stopped, or all, leave the line."""
        with self._lock:
            gone = [entry for entry in self._waiting if every or entry[2].stopped]
            if gone:
                self._waiting = [entry for entry in self._waiting if entry not in gone]
                heapq.heapify(self._waiting)
        return [request for _, _, request in gone]

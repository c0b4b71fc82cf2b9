"""Continuous batching at the level of evaluations: rows of many requests share every pass.

Rows may differ in rung, time, token, class and solver. A tick reads a piece of the waiting
prompts, makes one base pass for the rows that need the logits behind their newest token, and one
pass of the path for those that need an evaluation. A row's tokens do not depend on who shares its
passes, and its fault ends it alone.
"""

import heapq
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from model.choice import Logits
from model.errors import ConfigError
from model.passes import Passes, TorchPasses
from model.prepared import PreparedPath
from model.reading import Desk, Prompt
from model.refinement import Ask
from model.request import Fault, Line, Request
from model.slots import Slots
from model.writing import Again, Token

_FIRST_PACE = 0.05
"""Seconds a tick is taken to last before one was measured."""
ASKING, OWN, BASE = range(3)
"""An evaluation, a token read by the path itself, a token read by the LM."""


@dataclass(eq=False, slots=True)
class _Row:
    """A row whose prompt was read: where it stands and what it waits for."""

    request: Request
    place: int
    """Among the rows of its request."""
    slot: int
    writing: Generator[Ask | Token | Again, Logits, None]
    token: int
    """Its newest id."""
    length: int
    """Tokens in its slot."""
    hidden: Tensor  # H (1, 1, h)
    carried: Tensor  # (1, Q, h), what its newest evaluation came to; before the first, H
    ask: Ask | None = None
    """None: it waits for the LM to read its token."""
    before: list[Tensor] = field(default_factory=list)
    """H in front of every token written, where there is more than one try: it may go back there."""

    @property
    def kind(self) -> int:
        """What it waits for; rows of a kind stand side by side, in this order."""
        return ASKING if self.ask is not None else OWN if self.request.recipe.own else BASE

    @property
    def ticks(self) -> int:
        """The most that it can still take, as if nothing had been written over yet."""
        request, row = self.request, self.request.rows[self.place]
        most = row.most(request.recipe.config) + len(row.prompt)
        return request.calls * (most - self.length)

    def back(self, kept: int) -> None:
        """To stand behind its first tokens again; what follows in its slot is written over."""
        self.length -= len(self.before) - kept
        if kept < len(self.before):
            self.hidden = self.before[kept]
            del self.before[kept:]
        self.carried = self.hidden


class Engine:
    """Draws the rows of all requests. `submit` from any thread, the rest from one at a time."""

    def __init__(
        self,
        prepared: PreparedPath,
        slots: int = 64,
        prefix: Sequence[int] = (),
        chunk: int = 256,
        passes: Passes | None = None,
    ) -> None:
        """`slots` rows at once; `prefix` begins most prompts; `chunk` prompt tokens a tick."""
        self.passes = passes or TorchPasses(prepared)
        self.prepared, self.backbone = prepared, prepared.backbone
        self.slots, self.chunk, self.line = slots, chunk, Line()
        self._pace: float | None = None  # seconds a tick, of late
        self._kv, self._rows = Slots(self.backbone), list[_Row]()
        readers = (OWN, BASE) if prepared.reads_itself else (BASE,)
        self._desks = {
            kind: Desk(self.backbone, self.passes, prefix, kind == OWN) for kind in readers
        }

    def submit(self, request: Request) -> None:
        """Into the waiting line. Raises ConfigError where it can never be drawn."""
        if not request.rows or any(not row.prompt for row in request.rows):
            raise ConfigError("every row needs a prompt of at least one token")
        if len(request.rows) > self.slots:
            raise ConfigError(f"at most {self.slots} rows a request, got {len(request.rows)}")
        self.line.push(request)

    @property
    def busy(self) -> bool:
        """Whether there is anything to tick for."""
        return bool(self._rows or self._prompts or len(self.line))

    @property
    def _prompts(self) -> list[Prompt]:
        """Those that wait and those being read."""
        return [prompt for desk in self._desks.values() for prompt in desk.prompts]

    @torch.no_grad()
    def tick(self) -> None:
        """Every row moves on by one base pass and one evaluation at most."""
        began = time.perf_counter()
        self._admit()
        for kind, desk in self._desks.items():
            self._read(desk)
            self._decode(kind)
        self._evaluate()
        seconds = time.perf_counter() - began
        self._pace = seconds if self._pace is None else 0.9 * self._pace + 0.1 * seconds

    def wait(self, level: int = 0) -> float:
        """Seconds until a row of this importance that came now would begin.

        At most, at the pace of late: answers may end before their limit, and tokens take less than
        their cap. 0 where a slot is free. From any thread.
        """
        ends = [row.ticks for row in list(self._rows)]
        ends += [p.request.ticks for p in self._prompts for _ in p.places]
        ends += [0] * (self.slots - len(ends))
        heapq.heapify(ends)
        for request in self.line.ahead(level):
            begins = max(heapq.heappop(ends) for _ in request.rows)
            for _ in request.rows:
                heapq.heappush(ends, begins + request.ticks)
        return ends[0] * (_FIRST_PACE if self._pace is None else self._pace)

    def close(self, error: Exception | None = None) -> None:
        """End everything: what runs, what waits."""
        running, reading = [r.request for r in self._rows], [p.request for p in self._prompts]
        for request in (*running, *reading, *self.line.leave(every=True)):
            self._end(request, error)

    def _admit(self) -> None:
        """From the line as many as have room."""
        for gone in self.line.leave():
            self._end(gone)
        taken = len(self._rows) + sum(len(prompt.places) for prompt in self._prompts)
        while (request := self.line.pop(self.slots - taken)) is not None:
            prompts = dict[tuple[int, ...], list[int]]()
            for place, row in enumerate(request.rows):
                prompts.setdefault(row.prompt, []).append(place)
            desk = self._desks[OWN if request.recipe.own else BASE]
            desk.prompts += [Prompt(request, *prompt) for prompt in prompts.items()]
            taken += len(request.rows)
            self._kv.reserve(taken, request.positions)

    def _read(self, desk: Desk) -> None:
        """One pass over the prompts, of so few tokens that answers under way hardly wait."""
        self._ask(dict.fromkeys(prompt.request for prompt in desk.prompts))
        began = time.perf_counter()
        parts = desk.read(self.chunk if self._rows else 8 * self.chunk)
        seconds, tokens = time.perf_counter() - began, sum(part.new for part in parts)
        for prompt, new, hidden, base, slot in parts:
            prompt.request.add(prompt=new, seconds=seconds * new / tokens)
            if prompt.read < len(prompt.ids):
                continue
            for place in prompt.places:
                self._kv.enter(len(self._rows), desk.kv, slot, prompt.read)
                self._begin(prompt, place, hidden, base)
            desk.leave(prompt)

    def _begin(self, prompt: Prompt, place: int, hidden: Tensor, base: Logits) -> None:
        slot, request, length = len(self._rows), prompt.request, prompt.read
        writing = request.recipe.write(place, request.rows[place], base)
        last = prompt.ids[-1]
        row = _Row(request, place, slot, writing, last, length, hidden, hidden)
        self._rows.append(row)
        self._advance(row, None)

    def _decode(self, kind: int) -> None:
        """One base pass: logits behind every token just drawn, of the LM or as the path reads."""
        rows = self._ready(kind)
        if not rows:
            return
        began = time.perf_counter()
        hidden, logits = self.passes.decode(self._kv, rows, kind == OWN)
        seconds = (time.perf_counter() - began) / len(rows)
        for i, row in enumerate(rows):
            row.length += 1
            row.hidden = row.carried = hidden[i : i + 1]
            row.request.add(seconds=seconds)
        for row, its in zip(rows, logits, strict=True):
            self._advance(row, its)

    def _evaluate(self) -> None:
        """One pass of the path, every row at its own time, class and place."""
        rows = self._ready(ASKING)
        if not rows:
            return
        began = time.perf_counter()
        asks = [row.ask for row in rows if row.ask is not None]
        states, logits = self.passes.evaluate(self._kv, rows, asks)
        seconds, made = (time.perf_counter() - began) / len(rows), dict[Request, int]()
        for row, state in zip(rows, states, strict=True):
            row.carried, q = state, state.shape[1]
            row.request.add(nfe=q, seconds=seconds)
            made[row.request] = made.get(row.request, 0) + q
        for request, nfe in made.items():
            request.hooks.after(nfe)
        for row, its in zip(rows, logits, strict=True):
            self._advance(row, its)

    def _ready(self, kind: int) -> list[_Row]:
        """The rows of a kind, side by side in the cache.

        Those whose requests want no more have left.
        """
        self._ask(dict.fromkeys(row.request for row in self._rows if row.kind == kind))
        front, at, back = 0, 0, len(self._rows) - 1
        while at <= back:
            here = self._rows[at].kind
            if here == BASE and self._rows[back].kind != BASE:
                self._exchange(at, back)
            elif here == BASE:
                back -= 1
            else:
                if here == ASKING:
                    self._exchange(at, front)
                    front += 1
                at += 1
        return [row for row in self._rows if row.kind == kind]

    def _exchange(self, i: int, j: int) -> None:
        """Two rows change their slots."""
        if i != j:
            a, b = self._rows[i], self._rows[j]
            self._kv.swap(i, j, max(a.length, b.length))
            self._rows[i], self._rows[j], a.slot, b.slot = b, a, j, i

    def _ask(self, requests: Iterable[Request]) -> None:
        """Those that were stopped, or now say so by raising, end."""
        for request in requests:
            try:
                if not request.stopped:
                    request.hooks.before()
            except Exception as err:
                self._end(request, err)
            if request.stopped:
                self._end(request)

    def _advance(self, row: _Row, answer: Logits | None) -> None:
        """Give a row what it waited for. Whatever it raises is its own fault."""
        try:
            want = row.writing.send(answer)  # type: ignore[arg-type]  # None begins it
            while isinstance(want, Again):
                row.back(want.kept)
                row.request.tell(want)
                want = next(row.writing)
        except Exception as err:
            self._leave(row, err)
            return
        row.ask = None if isinstance(want, Token) else want
        if isinstance(want, Token):
            row.token = want.id
            if row.request.recipe.config.tries > 1:
                row.before.append(row.hidden)
            row.request.add(decoded=1)
            row.request.tell(want)
            if want.last:
                self._leave(row)

    def _leave(self, row: _Row, error: Exception | None = None) -> None:
        """The last row takes its slot, so that the slots in use stay side by side."""
        row.writing.close()
        last = self._rows.pop()
        if last is not row:
            self._kv.move(last.slot, row.slot)
            self._rows[row.slot], last.slot = last, row.slot
        row.request.left -= 1
        if error is not None:
            row.request.tell(Fault(row.place, error))
        if not row.request.left:
            row.request.tell(None)

    def _end(self, request: Request, error: Exception | None = None) -> None:
        """All of its rows leave at once, those too that did not begin."""
        request.stopped = True
        if request.left and error is not None:
            request.tell(Fault(None, error))
        for row in [row for row in self._rows if row.request is request]:
            self._leave(row)
        for desk in self._desks.values():
            for prompt in [prompt for prompt in desk.prompts if prompt.request is request]:
                desk.leave(prompt)
        if request.left:
            request.left = 0
            request.tell(None)

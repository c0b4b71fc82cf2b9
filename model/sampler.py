"""Draws answers token by token: the LM's pass once, then the path as often as the grid says.

One call is one request on an engine of its own: weights are shared, state is not.
"""

from collections import deque
from collections.abc import Generator, Sequence

from model.adaptive import Adaptive
from model.config import SamplerConfig
from model.engine import Engine
from model.errors import ConfigError
from model.prepared import PreparedPath
from model.request import NO_HOOKS, Fault, Hooks, Request
from model.solvers import Grid
from model.writing import Again, Recipe, Row, Token

__all__ = ["Row", "Sampler", "Token"]


class Sampler:
    """Draws answers from a prepared path. Safe to share: every call has its own state."""

    def __init__(self, prepared: PreparedPath) -> None:
        self.prepared = prepared

    def grid(self, config: SamplerConfig) -> Grid | Adaptive:
        """What a configuration buys with this adapter. Raises ConfigError where it cannot be."""
        return Recipe.of(self.prepared, config).grid

    def generate(
        self, rows: Sequence[Row], config: SamplerConfig, hooks: Hooks = NO_HOOKS
    ) -> Generator[Token, None, None]:
        """Tokens of all rows in the order they are drawn; a row's do not depend on its batch.

        `hooks.before` is called before every pass and may raise to stop; `hooks.after` is told of
        every evaluation once it was made. An error in one row is raised and ends all.
        """
        recipe = Recipe.of(self.prepared, config)
        if config.tries > 1:
            raise ConfigError("what was given away cannot be taken back: tries need an Engine")
        told: deque[Token | Again | Fault | None] = deque()
        engine = Engine(self.prepared, slots=max(1, len(rows)))
        engine.submit(Request(rows, recipe, told.append, hooks))
        try:
            while True:
                while not told:
                    engine.tick()
                event = told.popleft()
                if event is None:
                    return
                if isinstance(event, Fault):
                    raise event.error
                if isinstance(event, Token):
                    yield event
        finally:
            engine.close()

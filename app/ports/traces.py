"""How an answer came to be, token by token: read on demand, never with lists."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TokenTrace:
    """One token of an answer and what refinement made of it."""

    text: str
    """What it adds to the answer; empty while half a character waits for its other half."""
    base_text: str
    """What stood here before any evaluation: the first choice of what read, the base model or a
    path that reads for itself."""
    nfe: int
    """Evaluations spent on it; 0 where it was not refined."""
    changed: bool
    """Refined, and no longer the first choice."""
    doubt_before: float = field(compare=False)
    """Entropy of the distribution before any evaluation, in nats: 0 is certain. In its last digits
    it depends on who shares the pass, so it tells no two tokens apart."""
    doubt: float = field(compare=False)
    """Of the distribution that the token was taken from."""
    writing: int = 1
    """Which writing of its line it is of: above 1, what the ones before state does not hold."""


@dataclass(frozen=True, slots=True)
class Trace:
    tokens: tuple[TokenTrace, ...] = ()
    """Of the answer that was given; of several candidates, the winner."""
    votes: tuple[int, ...] = ()
    """For each candidate, how many gave its answer; empty where only one was drawn."""


NO_TRACE = Trace()


class Traces(Protocol):
    def add(self, answer_id: str, trace: Trace) -> None: ...

    def get(self, answer_id: str) -> Trace:
        """An empty one where none was kept, as of answers from before traces were."""
        ...

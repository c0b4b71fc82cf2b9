"""What a browser tab and its runs need to remember. No Gradio, no services."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock


def new_key() -> str:
    return secrets.token_hex(16)


@dataclass
class Form:
    """One tab's question on its way. Its key stays until the answer came: see `sent`."""

    key: str | None = None
    """Idempotency key; None where a program asks without the page."""
    refused: bool = False
    """The last question sent cannot be asked; nothing runs."""
    answer_id: str = ""
    offer: str = ""
    """The lower importance that would have fit under the ceiling."""
    before: str = ""
    """The answer that this one is shown beside: the same question with less compute."""
    seed: int | None = None
    """Of the answer before, so that only the compute differs."""
    again: bool = False
    """The next question sent is the one before with more compute."""
    halted: bool = False
    """There is nothing to ask again; the next step runs nothing."""

    def sent(self) -> "Form":
        """A second press while the first is on its way keeps the key, and so runs nothing again."""
        key = self.key or new_key()
        return Form(key=key, before=self.before, seed=self.seed) if self.again else Form(key=key)


REPLIES = 20
"""Half-written replies that a browser remembers; the oldest are forgotten first."""


@dataclass
class Replies:
    """What one has begun to write to reviewers, by answer. It is sent nowhere by this.

    The browser keeps the drafts, so that no reload loses one; the tab knows what stands in its box.
    """

    answer_id: str = ""
    """The answer whose reply stands in the box."""
    drafts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def kept(cls, answer_id: str, drafts: object) -> "Replies":
        """`drafts` come from a browser: pairs of strings, or nothing of ours."""
        found = drafts.items() if isinstance(drafts, dict) else ()
        pairs = [(key, text) for key, text in found if isinstance(key, str)]
        return cls(answer_id, {key: text for key, text in pairs if isinstance(text, str)})

    def turn(self, answer_id: str, typed: str) -> str:
        """Puts away what stands in the box; what stands there for another answer."""
        self.keep(typed)
        self.answer_id = answer_id
        return self.drafts.get(answer_id, "")

    def sent(self, answer_id: str) -> None:
        self.drafts.pop(answer_id, None)

    def keep(self, typed: str) -> None:
        """What stands in the box now."""
        if not self.answer_id:
            return
        self.drafts.pop(self.answer_id, None)
        if typed.strip():
            self.drafts[self.answer_id] = typed
        while len(self.drafts) > REPLIES:
            del self.drafts[next(iter(self.drafts))]


class Running:
    """Stop flags of what runs, by browser session; shared by the threads that serve them."""

    def __init__(self) -> None:
        self._flags: dict[str, Event] = {}
        self._lock = Lock()

    def sent(self, session: str) -> Event:
        """From here on it can be stopped, also while it waits for its turn."""
        with self._lock:
            return self._flags.setdefault(session, Event())

    def stop(self, session: str) -> None:
        with self._lock:
            flag = self._flags.get(session)
        if flag:
            flag.set()

    @contextmanager
    def run(self, session: str) -> Iterator[Event]:
        flag = self.sent(session)
        try:
            yield flag
        finally:
            with self._lock:
                self._flags.pop(session, None)

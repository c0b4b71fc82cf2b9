"""The one thread that owns the model: ticks the engine while there is work, sleeps otherwise."""

import threading
from collections.abc import Callable

from model.engine import Engine
from model.request import Request
from policies.errors import Unavailable


class EngineThread:
    """Takes requests from any thread. Begins with the first, ends with close()."""

    def __init__(self, engine: Engine, begin: Callable[[], None] = lambda: None) -> None:
        """`begin` is called first, in the thread itself."""
        self.engine, self._begin, self._closed = engine, begin, False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def submit(self, *requests: Request) -> None:
        """All of them before the next tick, so that they begin together."""
        with self._changed:
            if self._closed:
                raise Unavailable("the engine was closed")
            for request in requests:
                self.engine.submit(request)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        self._begin()
        while self._wanted():
            try:
                self.engine.tick()
            except Exception as err:  # of a pass, so of no row alone: everyone hears of it
                self.engine.close(err)
        self.engine.close(Unavailable("the engine was closed"))

    def _wanted(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.engine.busy)
            return not self._closed

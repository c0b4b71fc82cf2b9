"""Threads that run one compiled function together, each its share, and meet between its parts.

They meet by counting in memory: a meeting takes a fraction of a microsecond where all are awake,
and a pass has 150 of them.
"""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types

from kernels.bits import add_to, look_at, pause

_yield = types.ExternalFunction("sched_yield", types.int32())
_SPINS = 5000
"""Looks before a thread offers its core to others, as more may run than there are cores."""
_LINE = 64
"""Bytes of a cache line: the two counters lie on lines of their own."""


@njit(nogil=True)
def meet(team, threads):
    """Nobody goes on before all of the threads are here. `team` is the address of two counters."""
    if threads > 1:
        round_ = look_at(team + _LINE)
        if add_to(team, 1) == threads - 1:
            add_to(team, -threads)
            add_to(team + _LINE, 1)
        else:
            spins = 0
            while look_at(team + _LINE) == round_:
                spins += 1
                if spins > _SPINS:
                    _yield()


_PATIENCE = 20_000
"""Looks for the next job, about a millisecond, before a thread goes to sleep: waking takes longer
than a pass can spare, and the next pass mostly comes at once."""


@njit(nogil=True)
def _come(address, seen):
    """Waits a little for the number at this address to be another one than `seen`."""
    looks = 0
    while look_at(address) == seen and looks < _PATIENCE:
        pause()
        looks += 1


class Team:
    """The caller of `run` and `threads - 1` others that wait for it. One caller at a time."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._memory = np.zeros(4 * _LINE // 8, np.int64)
        self._counters = -(-self._memory.ctypes.data // _LINE) * _LINE
        self._number = (self._counters - self._memory.ctypes.data + 2 * _LINE) // 8
        """Where in memory the number of the newest job is, on a line of its own."""
        self._job: tuple[Callable[..., None], tuple[Any, ...]] | None = None
        self._asleep = [False] * (threads - 1)
        self._wake = [threading.Semaphore(0) for _ in range(threads - 1)]
        if threads > 1:
            _come(self._counters + 2 * _LINE, 1)  # compiled before anybody needs it
        for i in range(threads - 1):
            work = threading.Thread(target=self._work, args=(i,), name=f"kernel-{i + 1}")
            work.daemon = True
            work.start()

    def run(self, function: Callable[..., None], *args: Any) -> None:
        """function(rank, threads, counters, *args) in every thread. It must end with a meeting.

        Raises nothing of its own: compiled code that was called before has nothing to raise.
        """
        self._call((function, args))
        function(0, self.threads, self._counters, *args)

    def close(self) -> None:
        """End the others."""
        self._call(None)

    def _call(self, job: tuple[Callable[..., None], tuple[Any, ...]] | None) -> None:
        self._job = job
        self._memory[self._number] += 1
        for i, asleep in enumerate(self._asleep):
            if asleep:
                self._asleep[i] = False
                self._wake[i].release()

    def _work(self, i: int) -> None:
        seen = 0
        while True:
            _come(self._counters + 2 * _LINE, seen)
            while self._memory[self._number] == seen:
                self._asleep[i] = True
                if self._memory[self._number] == seen:  # else it was called meanwhile
                    self._wake[i].acquire()
            seen += 1
            if self._job is None:
                return
            function, args = self._job
            function(i + 1, self.threads, self._counters, *args)

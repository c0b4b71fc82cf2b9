"""How one way of changing something is written down: what comes before, the act, its entries."""

from collections.abc import Callable
from typing import NamedTuple

from tests.reviews import ReviewWorld

Act = Callable[[ReviewWorld], object]
Prepare = Callable[[ReviewWorld], Act]


class Way(NamedTuple):
    """How something is changed, and the entries that it leaves."""

    prepare: Prepare
    entries: tuple[str, ...]
    apart: tuple[str, ...] = ()
    """Tables that change by themselves."""

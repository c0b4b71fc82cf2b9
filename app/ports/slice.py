"""Which answers a page is about: what its filters say."""

from dataclasses import dataclass

from policies.plain import check_plain
from policies.types import Domain, Importance


@dataclass(frozen=True, slots=True)
class Slice:
    """Which answers are looked at; empty or None is no restriction."""

    first_day: str = ""
    """In the pilot's time zone, as 2026-11-24; both days are included."""
    last_day: str = ""
    team: str = ""
    user: str = ""
    importance: Importance | None = None
    domain: Domain | None = None

    def __post_init__(self) -> None:
        check_plain(self.first_day, self.last_day, self.team, self.user)

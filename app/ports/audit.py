"""The audit log: who changed what and when, chained so that a changed row shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from policies.plain import check_plain

Detail = str | int | bool | None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One change. Details never hold the text of a question or an answer."""

    by: str
    """The person, or `system` for what the service does by itself."""
    action: str
    """Dotted, as `policy.approve`."""
    subject: str
    """What was changed: a version, an answer's id, a scope, a user; empty where there is none."""
    details: Mapping[str, Detail]
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An event in its place. `number` counts from 1 without a gap."""

    number: int
    event: AuditEvent
    hash: str
    """SHA-256 of the entry before and of this one, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Empty fields take everything."""

    by: str = ""
    actions: tuple[str, ...] = ()
    """Any of these, exactly, or by its first part with its dot, as `policy.`."""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """Not included."""

    def __post_init__(self) -> None:
        check_plain(self.by, *self.actions, self.subject)


EVERYTHING = AuditFilter()


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The last entry's number and hash. What a report prints pins everything before it."""

    count: int
    hash: str


class AuditLog(Protocol):
    """Entries are only added."""

    def append(self, event: AuditEvent) -> None:
        """In the caller's transaction: the change and its entry come together or not at all.

        Raises InvalidInput for what no canonical text can hold.
        """
        ...

    def entries(self, only: AuditFilter = EVERYTHING) -> Iterator[AuditEntry]:
        """Oldest first, read as they are used."""
        ...

    def latest(self, limit: int, only: AuditFilter = EVERYTHING) -> list[AuditEntry]:
        """Newest first."""
        ...

    def head(self) -> AuditHead: ...

    def hash_at(self, number: int) -> str | None:
        """Of one entry; None where there is none."""
        ...

    def verify(self) -> list[str]:
        """Every changed, missing or added row, naming its number; empty when the chain is whole."""
        ...

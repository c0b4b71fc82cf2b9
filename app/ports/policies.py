"""Versions of the policy and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """A policy as it was proposed, and whether someone else approved it."""

    version: str
    name: str
    text: str
    """Canonical: what `policies.document.stored` reads."""
    source: str
    """As its author wrote it."""
    note: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """From when on a version was in force, until the next one."""

    version: str
    activated_by: str
    activated_at: datetime
    note: str


class Policies(Protocol):
    """Versions never change. What may follow what is a constraint of the database."""

    def propose(self, proposal: PolicyVersion) -> None:
        """Raises InvalidInput where this version was proposed before."""
        ...

    def approve(self, version: str, by: str, now: datetime) -> None:
        """Once, by someone other than its author. Raises InvalidInput, NotFound."""
        ...

    def activate(self, activation: Activation) -> None:
        """Raises InvalidInput for a version that nobody approved, NotFound."""
        ...

    def get(self, version: str) -> PolicyVersion:
        """Raises NotFound."""
        ...

    def in_force(self) -> PolicyVersion | None:
        """That of the last activation; None before the first."""
        ...

    def versions(self) -> list[PolicyVersion]:
        """Newest first."""
        ...

    def activations(self) -> list[Activation]:
        """Newest first."""
        ...

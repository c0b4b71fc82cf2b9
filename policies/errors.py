"""Errors whose message is safe to show a user. Anything else is a bug and stays loud.

PilotError
├── InvalidInput        a question, importance, domain, file or setting is not acceptable
│   └── InvalidPolicy   a policy document has faults; says where, what and what is legal
├── OverCeiling         the worst case does not fit under a ceiling; carries the numbers
├── Unpriced            no price is valid for this model now: it does not run
├── KeyReused           an idempotency key came back with another request
├── NotFound            nothing by that id, or not for this person
├── Unauthenticated     nobody has signed in, or no longer
├── Forbidden           the person's roles do not include this action
├── Unavailable         storage or model cannot serve now; nothing was charged that was not done
└── Busy                the waiting line is full; carries how long to wait

Each has a `code` (a message in the catalogue of every language) and `values` for its placeholders.
"""

from typing import ClassVar

from policies.written import Fault


class PilotError(Exception):
    """What happened, the numbers, what to do."""

    code: ClassVar[str] = "error.general"

    def __init__(self, message: str, **values: str | int) -> None:
        super().__init__(message)
        self.values = values


class InvalidInput(PilotError):
    code = "error.invalid_input"

    def __init__(self, message: str, reason: str = "", **values: str | int) -> None:
        """`reason` names a more exact catalogue message, as `empty_question`."""
        super().__init__(message, **values)
        self.reason = reason


class InvalidPolicy(InvalidInput):
    """`faults`: each with source, line, field, problem, got; the message has them all."""

    code = "error.invalid_policy"

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class OverCeiling(PilotError):
    """`values`: scope, window, window_start, limit_, committed_, held_, quote_nanos, currency.

    `fits` is the highest lower importance whose worst case would fit everywhere, or empty. Where
    several answers were one decision it is missing, and `batch` says how many.
    """

    code = "error.over_ceiling"


class Unpriced(PilotError):
    code = "error.unpriced"


class KeyReused(PilotError):
    code = "error.key_reused"


class NotFound(PilotError):
    code = "error.not_found"


class Unauthenticated(PilotError):
    """`reason` names a more exact catalogue message, as `locked`."""

    code = "error.unauthenticated"

    def __init__(self, message: str, reason: str = "", **values: str | int) -> None:
        super().__init__(message, **values)
        self.reason = reason


class Forbidden(PilotError):
    """`values`: user and action, one of policies.roles.Action."""

    code = "error.forbidden"


class Unavailable(PilotError):
    code = "error.unavailable"


class Busy(PilotError):
    code = "error.busy"

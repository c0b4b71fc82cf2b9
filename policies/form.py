"""The form of a policy document: every field with its legal set. What fields must not say together
is in contradictions.py.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from policies.types import AtCeiling, Domain, Importance, Rung, Solver, Window
from policies.wording import Language, phrase

T = TypeVar("T")
MAX_AMOUNT = 9_000_000_000
"""Of the currency: whole nanos of more do not fit 64 bits."""
_AMOUNT = r"^\d{1,10}(\.\d{1,9})? [A-Z]{3}$"


def nanos(amount: str) -> int:
    """Whole nanos of an amount as the form takes it, exact."""
    whole, _, fraction = amount.partition(" ")[0].partition(".")
    return int(whole) * 10**9 + int(fraction.ljust(9, "0"))


def currency(amount: str) -> str:
    return amount.partition(" ")[2]


def _amount(written: Any) -> str:
    """In one way only, so that 5 USD and 5.00 USD are the same policy."""
    if not isinstance(written, str) or not re.fullmatch(_AMOUNT, written):
        raise ValueError("an amount is a number with up to nine decimals and a currency, as 5 USD")
    if nanos(written) > MAX_AMOUNT * 10**9:
        raise ValueError(f"an amount is at most {MAX_AMOUNT}")
    number = Decimal(written.partition(" ")[0]).normalize()
    return f"{number:f} {currency(written)}"


def _set(values: Sequence[T]) -> tuple[T, ...]:
    """In one order, whatever was written; a word said twice is a slip."""
    if twice := sorted({str(v) for v in values if list(values).count(v) > 1}):
        raise ValueError(f"each may stand here once, {', '.join(twice)} stands here again")
    return tuple(sorted(values, key=str))


def _phrase(written: str) -> str:
    phrase(written)
    return written


Amount = Annotated[
    str, BeforeValidator(_amount), Field(json_schema_extra={"pattern": _AMOUNT}, max_length=30)
]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Names = Annotated[tuple[Name, ...], AfterValidator(_set), Field(min_length=1, max_length=100)]
Phrase = Annotated[str, AfterValidator(_phrase), Field(min_length=1, max_length=200)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReviewForm(_Form):
    """Who must approve an answer before anyone else sees it."""

    approvals: int = Field(ge=1, le=2, strict=True, description="by as many different people")
    reviewers: Names | None = Field(default=None, description="who may; left out, every reviewer")
    due_hours: int | None = Field(default=None, ge=1, le=720, strict=True)


class RungForm(_Form):
    """What one importance buys, and the rules that come with it."""

    solver: Solver
    max_nfe_per_token: int = Field(
        ge=0, le=1000, strict=True, description="most refinement passes a token, read-out included"
    )
    guidance: float = Field(default=1.0, ge=0.0, le=10.0, strict=True)
    max_new_tokens: int = Field(ge=1, le=2048, strict=True)
    points: int | None = Field(default=None, ge=2, le=1000, strict=True)
    tolerance: float | None = Field(default=None, gt=0.0, le=1.0, strict=True)
    gate: float | None = Field(
        default=None, gt=0.0, le=1.0, strict=True, description="no refinement where already so sure"
    )
    steady: int | None = Field(
        default=None, ge=2, le=1000, strict=True, description="ends once so many guesses are equal"
    )
    candidates: int = Field(default=1, ge=1, le=16, strict=True)
    checked: bool = Field(
        default=False,
        strict=True,
        description="passes write lines of working again that state what does not hold",
    )
    temperature: float = Field(default=0.0, ge=0.0, le=2.0, strict=True)
    at_ceiling: AtCeiling = AtCeiling.REFUSE
    review: ReviewForm | None = None

    def rung(self) -> Rung:
        """What it buys, without the rules."""
        return Rung(**self.model_dump(exclude={"at_ceiling", "review"}))

    @model_validator(mode="after")
    def base_spends_nothing(self) -> "RungForm":
        knobs = (self.points, self.tolerance, self.gate, self.steady)
        refining = self.candidates > 1 or self.checked or any(knob is not None for knob in knobs)
        if self.solver is Solver.BASE and (
            self.max_nfe_per_token or self.guidance != 1.0 or refining
        ):
            raise ValueError(
                "solver base takes max_nfe_per_token 0, guidance 1, one candidate, and no points, "
                "tolerance, gate, steady or checked"
            )
        if self.solver is not Solver.BASE and self.max_nfe_per_token < 1:
            raise ValueError("max_nfe_per_token must be at least 1: the read-out")
        return self

    @model_validator(mode="after")
    def steps_are_chosen_once(self) -> "RungForm":
        if self.solver.adaptive and self.points is not None:
            raise ValueError(f"solver {self.solver} chooses its own steps: leave points out")
        if self.solver.adaptive and self.steady is not None:
            raise ValueError(f"solver {self.solver} ends by itself: leave steady out")
        if self.tolerance is not None and not self.solver.adaptive:
            raise ValueError(f"solver {self.solver} has no tolerance; adaptive ones have")
        return self

    @model_validator(mode="after")
    def candidates_differ(self) -> "RungForm":
        if self.candidates > 1 and not self.temperature:
            raise ValueError(
                f"{self.candidates} candidates at temperature 0 hardly differ: give a temperature"
            )
        return self

    @model_validator(mode="after")
    def checked_lines_differ(self) -> "RungForm":
        if not self.checked:
            return self
        if not self.temperature:
            raise ValueError(
                "a line written again at temperature 0 is the same: give a temperature"
            )
        others = (self.points, self.steady, self.tolerance)
        if (
            self.solver is not Solver.EULER
            or self.guidance != 1.0
            or self.candidates > 1
            or any(other is not None for other in others)
        ):
            raise ValueError(
                "checked takes solver euler, guidance 1 and one candidate, and no points, steady "
                "or tolerance: its passes go into writing lines again"
            )
        return self


class WhenForm(_Form):
    """What a request must be like. All fields given must hold; in each list any one is enough."""

    domain: Annotated[tuple[Domain, ...], AfterValidator(_set)] | None = Field(
        default=None, min_length=1
    )
    team: Names | None = None
    role: Names | None = None
    language: Annotated[tuple[Language, ...], AfterValidator(_set)] | None = Field(
        default=None, min_length=1, description="as far as the writing tells"
    )
    wording: (
        Annotated[tuple[Phrase, ...], AfterValidator(_set), Field(min_length=1, max_length=200)]
        | None
    ) = Field(default=None, description="phrases; * stands for any text, case does not matter")
    longer_than: int | None = Field(
        default=None, ge=0, le=1_000_000, strict=True, description="characters of the question"
    )

    @model_validator(mode="after")
    def says_something(self) -> "WhenForm":
        if not self.model_fields_set:
            raise ValueError(f"names no condition; known: {', '.join(type(self).model_fields)}")
        return self


class RuleForm(_Form):
    """Raises requests of some kind to an importance; one that asks for more keeps it."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[a-z0-9][a-z0-9-]*$")
    when: WhenForm
    raise_to: Literal["standard", "high", "critical"] = Field(
        description="nothing is below routine, so nothing can be raised to it"
    )
    because: str = Field(min_length=1, max_length=200, description="shown with the answer")


class CeilingForm(_Form):
    """The most a scope may spend in a window, in the time zone of the pilot."""

    scope: Literal["pilot", "team", "user", "importance", "request"]
    name: Name | None = Field(
        default=None, description="of one team, user or importance; left out, of each"
    )
    window: Window
    limit: Amount

    @model_validator(mode="after")
    def scope_takes_the_name(self) -> "CeilingForm":
        if self.scope in ("pilot", "request") and self.name is not None:
            raise ValueError(f"scope {self.scope} has no name; team, user and importance have")
        if (
            self.scope == "importance"
            and self.name is not None
            and self.name not in list(Importance)
        ):
            raise ValueError(f"name must be one of {', '.join(Importance)}, got {self.name!r}")
        return self

    @model_validator(mode="after")
    def scope_takes_the_window(self) -> "CeilingForm":
        if self.scope == "request" and self.window is not Window.REQUEST:
            raise ValueError("scope request goes with window request")
        if self.scope == "pilot" and self.window is Window.REQUEST:
            raise ValueError("scope pilot takes window day, month or whole; else use scope request")
        return self


class AlertsForm(_Form):
    """When someone hears that a ceiling comes near, once for each threshold and window."""

    thresholds: tuple[Annotated[int, Field(ge=1, le=100, strict=True)], ...] = Field(
        default=(50, 75, 90, 100), max_length=10, description="per cent of a limit, rising"
    )
    to: Annotated[tuple[Literal["page", "log", "webhook", "email"], ...], AfterValidator(_set)] = (
        "log",
        "page",
    )

    @model_validator(mode="after")
    def thresholds_rise(self) -> "AlertsForm":
        if list(self.thresholds) != sorted(set(self.thresholds)):
            raise ValueError(f"thresholds must rise, got {list(self.thresholds)}")
        return self


class ReviewingForm(_Form):
    """How people look at answers, whatever their importance."""

    audit_share: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        strict=True,
        description="of the answers that go out unreviewed, drawn at random for a later look",
    )
    guidelines: str = Field(default="", max_length=10_000, description="shown to reviewers")


class RungsForm(_Form):
    """One rung for each importance, least first."""

    routine: RungForm
    standard: RungForm
    high: RungForm
    critical: RungForm

    def of(self, importance: Importance) -> RungForm:
        rung: RungForm = getattr(self, importance.value)
        return rung


class PolicyForm(_Form):
    """What importance buys, what raises it, what it may cost and who must look at it."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f/]*$")
    rungs: RungsForm
    rules: tuple[RuleForm, ...] = Field(default=(), max_length=100)
    ceilings: tuple[CeilingForm, ...] = Field(default=(), max_length=1000)
    alerts: AlertsForm = AlertsForm()
    reviewing: ReviewingForm = ReviewingForm()

"""The words everything else speaks: requests, plans, units, prices, decisions. Frozen data only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Self


class Importance(StrEnum):
    """How much a request matters, least first."""

    ROUTINE = "routine"
    STANDARD = "standard"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Importance).index(self)


class Domain(StrEnum):
    """What a request is about. All but `general` are guidance classes of the built-in adapter."""

    GENERAL = "general"
    MATH = "math"
    DATA = "data"
    BUSINESS = "business"


class Solver(StrEnum):
    """How the evaluations of a token are spent; `base` is the language model alone."""

    BASE = "base"
    EULER = "euler"
    MIDPOINT = "midpoint"
    HEUN2 = "heun2"
    HEUN3 = "heun3"
    RK4 = "rk4"
    ADAPTIVE_HEUN = "adaptive_heun"
    FEHLBERG2 = "fehlberg2"
    BOSH3 = "bosh3"
    DOPRI5 = "dopri5"

    @property
    def adaptive(self) -> bool:
        """Whether it takes the evaluations a tolerance asks for, the cap being the most."""
        return self in (Solver.ADAPTIVE_HEUN, Solver.FEHLBERG2, Solver.BOSH3, Solver.DOPRI5)


class Window(StrEnum):
    """How long a ceiling counts before it starts again, in the pilot's time zone."""

    REQUEST = "request"
    """One request: nothing adds up, its quote must fit."""
    DAY = "day"
    MONTH = "month"
    WHOLE = "whole"
    """The pilot from its first day to its last."""


class AtCeiling(StrEnum):
    """What becomes of a request that does not fit under a ceiling."""

    REFUSE = "refuse"
    STEP_DOWN = "step_down"
    """It runs at the next lower importance that fits, and its answer says so."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question as it came in; the engine counts `prompt_tokens` before anything is decided."""

    question: str
    importance: Importance
    domain: Domain
    user: str
    team: str
    prompt_tokens: int
    role: str = "requester"
    """Of the user, in this pilot."""


@dataclass(frozen=True, slots=True)
class Rung:
    """What one importance buys."""

    solver: Solver
    max_nfe_per_token: int
    """Hard cap on evaluations a token, read-out included, each guided one counted twice."""
    guidance: float
    """w; 1 is plain, other values cost two passes an evaluation."""
    max_new_tokens: int
    points: int | None = None
    """Grid points; None takes the finest grid that fits the cap."""
    tolerance: float | None = None
    """Of an adaptive solver; None leaves it to the engine."""
    gate: float | None = None
    """Where the language model gives its first choice at least this chance, it is not refined."""
    steady: int | None = None
    """A token's refinement ends once so many evaluations in a row gave the same guess."""
    candidates: int = 1
    """Answers drawn from as many seeds; what most of them say is the answer."""
    temperature: float = 0.0
    """Of the draw of each token; 0 takes the most likely one. Above, candidates differ.

    Where the working is checked it is that of a line's later writings; its first takes the most
    likely tokens.
    """
    checked: bool = False
    """The evaluations go into the working: every writing takes one for a token, and a line whose
    sums do not hold is written again while the cap allows."""

    @property
    def writings(self) -> int:
        """How often an answer's tokens may be written at most."""
        return self.max_nfe_per_token if self.checked else 1

    @property
    def most_tokens(self) -> int:
        """That an answer can take, those of every candidate and of lines written again included."""
        return self.candidates * self.writings * self.max_new_tokens

    @property
    def most_nfe(self) -> int:
        """Evaluations that an answer can take."""
        return self.candidates * self.max_new_tokens * self.max_nfe_per_token


@dataclass(frozen=True, slots=True)
class Plan:
    """A rung applied to one request: all the engine may know of it."""

    domain: Domain
    rung: Rung


@dataclass(frozen=True, slots=True)
class Units:
    """Work that has a price. Counts, never estimates."""

    prompt_tokens: int = 0
    decode_tokens: int = 0
    """Tokens written; each took one pass of the base model."""
    nfe: int = 0
    """Evaluations of the diffusion path, one pass for one token each."""

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.prompt_tokens + other.prompt_tokens,
            self.decode_tokens + other.decode_tokens,
            self.nfe + other.nfe,
        )

    def within(self, limit: Self) -> bool:
        return (
            self.prompt_tokens <= limit.prompt_tokens
            and self.decode_tokens <= limit.decode_tokens
            and self.nfe <= limit.nfe
        )


@dataclass(frozen=True, slots=True)
class PriceList:
    """Integer nanos (1e-9) of the currency a unit, valid from an instant on, for one model."""

    version: str
    currency: str
    model: str
    prompt_token_nanos: int
    decode_token_nanos: int
    nfe_nanos: int
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class Quote:
    """The most a plan can come to: its units at the caps, and their price."""

    units: Units
    nanos: int
    currency: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a decision is as it is: a code of the message catalogue, values for its placeholders."""

    code: str
    values: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limit:
    """A ceiling that a request counts against: the most its scope may spend in a window."""

    scope: str
    """`request`, `pilot`, or `team:NAME`, `user:NAME`, `importance:NAME`."""
    window: Window
    limit_nanos: int
    currency: str


@dataclass(frozen=True, slots=True)
class Review:
    """Who must approve an answer before anyone else sees it."""

    approvals: int = 0
    """By as many different people; 0 lets the answer out at once."""
    reviewers: tuple[str, ...] = ()
    """Only these may; empty lets everyone with the role."""
    due_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a policy says of a request, with every reason and the versions it rests on."""

    asked: Importance
    granted: Importance
    """Whose rung is run: as asked, raised by rules, or stepped down at a ceiling."""
    plan: Plan
    quote: Quote
    reasons: tuple[Reason, ...]
    policy_version: str
    price_version: str
    limits: tuple[Limit, ...] = ()
    """Every ceiling of the policy that this request counts against."""
    review: Review = Review()
    at_ceiling: AtCeiling = AtCeiling.REFUSE


@dataclass(frozen=True, slots=True)
class Ceiling:
    """State of one budget: `committed` only grows by real cost, `held` is what may be needed."""

    scope: str
    limit_nanos: int
    committed_nanos: int
    held_nanos: int
    currency: str
    window: Window = Window.WHOLE
    window_start: str = ""
    """The local day or month it counts; empty for a request and for the whole pilot."""

    @property
    def headroom_nanos(self) -> int:
        return self.limit_nanos - self.committed_nanos - self.held_nanos


@dataclass(frozen=True, slots=True)
class Hold:
    """A lease on part of a budget. After `expires_at` anyone may settle it to the work recorded."""

    id: str
    answer_id: str
    nanos: int
    expires_at: datetime

"""Rows, previews and measurements as the services give them, for tests that need no service."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.ports import AnswerRow, AnswerStatus, AnswerText, Measurement, ModelInfo, SpendPoint
from app.services.ask import Preview, Receipt, Started
from policies.decide import decide
from policies.document import preset
from policies.types import Ceiling, Domain, Importance, PriceList, Request, Units

MODEL = ModelInfo(
    model="smollm2-135m-l2d",
    base="SmolLM2-135M-Instruct",
    base_sha256="b" * 64,
    adapter="pilot-tasks-1",
    adapter_sha256="3f9c1e77ab42" + "0" * 52,
    device="cpu",
    precision="float32",
    classes=("math", "data", "business"),
)
PRICES = PriceList(
    "list-2025-11", "USD", MODEL.model, 210, 1_480, 365, datetime(2025, 1, 1, tzinfo=UTC)
)
NOON = datetime(2025, 11, 24, 3, 0, tzinfo=UTC)
"""In Tokyo."""
PILOT = Ceiling("pilot", 5_000_000_000, 600_000, 391_560, "USD")
ROW = AnswerRow(
    id="a-17",
    user="local",
    team="pilot",
    asked=Importance.HIGH,
    granted=Importance.HIGH,
    domain=Domain.MATH,
    status=AnswerStatus.RELEASED,
    solver="midpoint",
    nfe_cap_per_token=7,
    nfe_per_token=7,
    units=Units(19, 11, 77),
    quote_nanos=391_560,
    cost_nanos=48_375,
    currency="USD",
    policy_version="pilot-0123456789ab",
    price_version=PRICES.version,
    adapter_sha256=MODEL.adapter_sha256,
    seed=4711,
    changed_tokens=3,
    device_seconds=1.25,
    rating=None,
    created_at=NOON,
    finished_at=NOON + timedelta(seconds=2.4),
)


def row(**changes: object) -> AnswerRow:
    return replace(ROW, **changes)  # type: ignore[arg-type]


def receipt(answer: str = "301", replayed: bool = False, **changes: object) -> Receipt:
    return Receipt(row(**changes), AnswerText("How much?", answer), replayed)


def preview(importance: Importance = Importance.HIGH, *ceilings: Ceiling) -> Preview:
    request = Request("How much?", importance, Domain.MATH, "local", "pilot", 19)
    decision = decide(request, preset("full"), PRICES)
    return Preview(decision, decision.plan.rung.max_nfe_per_token, ceilings)


def started(importance: Importance = Importance.HIGH) -> Started:
    seen = preview(importance)
    return Started("a-17", seen.decision, seen.nfe_per_token, 4711)


def spend_points(*charges: int) -> list[SpendPoint]:
    return [
        SpendPoint(NOON + timedelta(minutes=i), f"a-{i}", nanos, Importance.HIGH)
        for i, nanos in enumerate(charges)
    ]


def measurement(
    budget: int, accuracy: float, domain: Domain | None = None, n: int = 136, **changes: object
) -> Measurement:
    values: dict[str, object] = {
        "suite": "pilot",
        "budget": budget,
        "importance": None,
        "domain": domain,
        "accuracy": accuracy,
        "ci_low": max(accuracy - 0.08, 0.0),
        "ci_high": min(accuracy + 0.08, 1.0),
        "n": n,
        "nfe_per_token": float(budget),
        "cost_nanos_per_answer": 18_000 + 4_400 * budget,
        "currency": PRICES.currency,
        "adapter_sha256": MODEL.adapter_sha256,
        "seed": 7,
        "measured_at": NOON - timedelta(days=2),
        "shipped": True,
    }
    return Measurement(**(values | changes))  # type: ignore[arg-type]


def measured() -> list[Measurement]:
    """Accuracy that rises with the budget, differently in each domain."""
    rates = {
        None: (0.42, 0.55, 0.64, 0.69, 0.71),
        Domain.MATH: (0.21, 0.38, 0.52, 0.61, 0.64),
        Domain.DATA: (0.47, 0.58, 0.65, 0.68, 0.69),
        Domain.BUSINESS: (0.58, 0.69, 0.75, 0.78, 0.80),
    }
    extra = {None: 0, Domain.MATH: -3_000, Domain.DATA: 6_000, Domain.BUSINESS: -1_000}
    return [
        measurement(
            budget, rate, domain, 408 if domain is None else 136,
            cost_nanos_per_answer=int((1 + extra[domain] / 30_000) * (18_000 + 4_400 * budget)),
        )
        for domain, found in rates.items()
        for budget, rate in zip((0, 3, 7, 15, 31), found, strict=True)
    ]  # fmt: skip

"""Price lists that a pilot keeps, and what a request will probably cost.

A list never changes; new prices come under a new name.
"""

from collections.abc import Iterable
from datetime import datetime

from app.ports import AuditEvent, UnitOfWork
from policies.errors import InvalidInput
from policies.expected import Expected, expected
from policies.types import Decision, PriceList

EARLIER = 200
"""Answers that an expectation looks back on."""


def keep_prices(uow: UnitOfWork, lists: Iterable[PriceList], by: str, now: datetime) -> None:
    """Raises InvalidInput where a list is there under this name and says something else."""
    known = {each.version: each for each in uow.prices()}
    for each in lists:
        if each.version not in known:
            uow.audit.append(_event(each, by, now))
        if known.setdefault(each.version, each) != each:
            raise InvalidInput(
                f"price list {each.version} is in use with other prices; answers were charged by "
                "it, so give the new prices a new version and a later valid_from",
                version=each.version,
            )
        uow.add_prices(each, now)


def expected_of(uow: UnitOfWork, decision: Decision, prices: PriceList) -> Expected | None:
    """From the latest answers on the same rung, at these prices; None where there are too few."""
    earlier = uow.history.like(decision.plan.rung, decision.granted, EARLIER)
    return expected(decision, earlier, prices)


def _event(prices: PriceList, by: str, now: datetime) -> AuditEvent:
    details: dict[str, str | int] = {
        "model": prices.model,
        "currency": prices.currency,
        "prompt_token_nanos": prices.prompt_token_nanos,
        "decode_token_nanos": prices.decode_token_nanos,
        "nfe_nanos": prices.nfe_nanos,
        "valid_from": prices.valid_from.isoformat(),
    }
    return AuditEvent(by, "price.set", prices.version, details, now)

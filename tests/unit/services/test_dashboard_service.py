"""The dashboard's numbers are those of one moment."""

from dataclasses import replace

import pytest

from app.ports import AnswerStatus, Measurement
from app.services.dashboard import Dashboard
from policies.errors import OverCeiling
from policies.types import Importance
from tests.databases import PRICES, START
from tests.fakes import MODEL
from tests.world import World


def test_overview_agrees_with_the_ledger(world: World) -> None:
    for key, importance in enumerate(Importance):
        world.receipt(str(key), importance=importance)
    spent = world.ceiling().committed_nanos
    world.limit(spent)
    with pytest.raises(OverCeiling):
        world.events("refused")
    overview = Dashboard(world.engine, world.uow).overview()
    assert [point.importance for point in overview.spend] == list(Importance)
    assert sum(point.cost_nanos for point in overview.spend) == spent
    assert [ceiling.committed_nanos for ceiling in overview.ceilings] == [spent]
    assert len(overview.answers) == 5
    assert {row.status for row in overview.answers} == {AnswerStatus.RELEASED, AnswerStatus.REFUSED}


def test_measurements_of_another_adapter_are_not_shown(world: World) -> None:
    ours = Measurement(
        suite="pilot",
        budget=3,
        importance=None,
        domain=None,
        accuracy=0.5,
        ci_low=0.1,
        ci_high=0.9,
        n=2,
        nfe_per_token=3.0,
        cost_nanos_per_answer=10,
        currency=PRICES.currency,
        adapter_sha256=MODEL.adapter_sha256,
        seed=1,
        measured_at=START,
        shipped=False,
    )
    with world.uow() as uow:
        uow.measurements.add(ours, [])
        uow.measurements.add(replace(ours, adapter_sha256="c" * 64), [])
        uow.commit()
    assert Dashboard(world.engine, world.uow).overview().measurements == [ours]

"""The dashboard's numbers are those of one moment."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.ports import AnswerStatus, Calibration, Measured, Measurement
from app.services.dashboard import Dashboard, Site
from app.services.review import ReviewDesk
from app.services.review_time import BookTime
from policies.errors import OverCeiling
from policies.review import VerdictKind
from policies.types import Domain, Importance, Units
from tests.actors import ANN, SPONSOR
from tests.databases import PRICES, START
from tests.fakes import MODEL
from tests.reviews import EVE, LEASE
from tests.samples import measurement
from tests.world import World


def test_overview_agrees_with_the_ledger(world: World) -> None:
    for key, importance in enumerate(Importance):
        world.receipt(str(key), importance=importance)
    spent = world.ceiling().committed_nanos
    world.limit(spent)
    with pytest.raises(OverCeiling):
        world.events("refused")
    overview = Dashboard(world.engine, world.uow).overview(SPONSOR)
    assert [point.importance for point in overview.points] == list(Importance)
    assert sum(point.cost_nanos for point in overview.points) == spent
    assert [ceiling.committed_nanos for ceiling in overview.ceilings] == [spent]
    assert len(overview.answers) == 5
    assert {row.status for row in overview.answers} == {
        AnswerStatus.RELEASED,
        AnswerStatus.PENDING_REVIEW,
        AnswerStatus.REFUSED,
    }


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
    assert Dashboard(world.engine, world.uow).overview(SPONSOR).measurements == [ours]


QUERIES = 20


def test_each_suite_says_for_itself_up_to_where_compute_pays(world: World) -> None:
    rights = {"pilot": {0: 2, 7: 20, 15: 20}, "pilot --checked": {0: 2, 7: 20, 15: 38}}
    with world.uow() as uow:
        for suite, by_budget in rights.items():
            for budget, right in by_budget.items():
                one = measurement(
                    budget, right / 40, n=40, suite=suite, adapter_sha256=MODEL.adapter_sha256
                )
                rows = [
                    Measured(f"q{i}", Domain.MATH, i < right, Units(5, 2, 6), 55) for i in range(40)
                ]
                uow.measurements.add(one, rows)
        uow.commit()
    pays = Dashboard(world.engine, world.uow).overview(SPONSOR).pays
    best = {
        suite: [(each.domain, each.best.budget) for each in found] for suite, found in pays.items()
    }
    assert best == {
        "pilot": [(None, 7), (Domain.MATH, 7)],
        "pilot --checked": [(None, 15), (Domain.MATH, 15)],
    }


def test_a_page_takes_few_queries_however_much_it_shows(world: World) -> None:
    for key, importance in enumerate(Importance):
        world.receipt(str(key), importance=importance)
    board = Dashboard(world.engine, world.uow, world.clock)
    with world.uow() as uow:
        engine = uow._connection.engine  # type: ignore[attr-defined]
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    board.overview(SPONSOR)
    assert 0 < len(said) <= QUERIES


def test_a_forecast_leads_from_the_latest_whole_days_to_the_end(world: World) -> None:
    for day in range(7):
        world.receipt(str(day))
        world.clock.advance(timedelta(days=1))
    end = (world.clock() + timedelta(days=10)).date()
    found = Dashboard(world.engine, world.uow, world.clock, Site(ends_on=end)).overview(SPONSOR)
    assert found.coming is not None
    assert (found.coming.ahead, found.coming.n) == (10, 7)
    assert found.coming.nanos == 10 * world.charges()[0]
    over = Dashboard(
        world.engine, world.uow, world.clock, Site(ends_on=world.clock().date() - timedelta(days=3))
    )
    ended = over.overview(SPONSOR).coming
    assert ended is not None
    assert ended.nanos == 0


def test_idle_time_is_what_answers_leave_and_carbon_needs_watts_and_a_factor(world: World) -> None:
    world.receipt("a")
    world.clock.advance(timedelta(hours=1))
    site = Site(grams_per_kwh=500)
    plain = Dashboard(world.engine, world.uow, world.clock, site).overview(SPONSOR).use
    assert plain is not None
    assert plain.idle_share == pytest.approx(1 - plain.busy_seconds / 3600)
    assert plain.energy is None
    record = {"rates_seconds": {"watts": {"median": 36.0}}}
    with world.uow() as uow:
        uow.history.add_calibration(
            Calibration(world.engine.info().model, "cpu", world.clock(), record)
        )
        uow.commit()
    metered = Dashboard(world.engine, world.uow, world.clock, site).overview(SPONSOR).use
    assert metered is not None
    assert metered.energy is not None
    assert metered.energy.joules == pytest.approx(36 * metered.busy_seconds)
    assert metered.energy.grams == pytest.approx(metered.energy.joules / 3.6e6 * 500)


def test_behind_a_point_only_what_one_may_read_is_read(world: World) -> None:
    world.receipt("a")
    board = Dashboard(world.engine, world.uow, world.clock)
    chosen, cap = board.overview(ANN).chosen, world.only_row().nfe_cap_per_token
    (own,) = board.behind(ANN, chosen, cap)
    (anothers,) = board.behind(SPONSOR, chosen, cap)
    assert own.text is not None
    assert anothers.text is None


def test_first_days_of_a_period_are_whole_days_of_the_pilot(world: World) -> None:
    board = Dashboard(world.engine, world.uow, world.clock)
    assert board.first_day(None) == ""
    assert board.first_day(1) == world.clock().date().isoformat()
    assert board.first_day(7) == (world.clock().date() - timedelta(days=6)).isoformat()


def test_reviews_are_told_as_they_wait_and_as_they_were_decided(world: World) -> None:
    decided = world.receipt("decided", importance=Importance.HIGH).row.id
    world.receipt("open", importance=Importance.HIGH)
    world.receipt("fresh", importance=Importance.CRITICAL)
    began = world.clock()
    world.clock.advance(timedelta(hours=2))
    desk = ReviewDesk(world.uow, world.uow, world.clock, BookTime(world.uow, world.clock, 0), LEASE)
    desk.claim(EVE, decided)
    desk.decide(EVE, decided, VerdictKind.APPROVE)
    world.clock.advance(timedelta(hours=4))
    found = Dashboard(world.engine, world.uow, world.clock).overview(SPONSOR).levels
    high, critical = found
    assert (high.importance, high.waiting, high.overdue, high.oldest_at) == (
        Importance.HIGH,
        1,
        0,
        began,
    )
    assert (high.in_time, high.took_seconds, high.approved) == (1, (7200.0,), 1)
    assert (critical.waiting, critical.took_seconds) == (1, ())
    world.clock.advance(timedelta(days=1))
    high, critical = Dashboard(world.engine, world.uow, world.clock).overview(SPONSOR).levels
    assert (high.overdue, critical.overdue) == (1, 1)

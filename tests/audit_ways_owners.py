"""The ways in which those who own money and rules change something."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, timedelta

from app.ports import AuditFilter
from app.services.audit import Audit, Format
from app.services.bookings import Bookings
from app.services.budgets import Budgets
from app.services.calibrate import Calibrate
from app.services.measure import Measure, budget_of
from app.services.policy import PolicyDesk, begin
from app.services.prices import keep_prices
from evaluation.suites import Question
from policies.calibrate import DeviceCost
from policies.roles import Role
from policies.types import Domain, Rung, Solver, Window
from tests.actors import ANN, FINN, person
from tests.audit_way import Act, Prepare, Way
from tests.databases import POLICY, PRICES, Ids
from tests.fakes import MODEL
from tests.reviews import ReviewWorld
from tests.unit.policies.policies import policy, written

EMI = person("emi", Role.BUDGET_OWNER)
CHO = person("cho", Role.POLICY_OWNER)


def budgets(world: ReviewWorld) -> Budgets:
    return Budgets(world.uow, world.uow, world.clock, Ids("r"), UTC, MODEL.model)


def raises(granted: bool) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        wanted = budgets(world).ask_raise(ANN, "pilot", Window.WHOLE, 9, "more", 5)
        return lambda w: budgets(w).decide_raise(EMI, wanted.id, granted)

    return prepare


def books(kind: str) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        answer_id = world.receipt().row.id
        return lambda w: getattr(Bookings(w.uow, w.clock), kind)(EMI, answer_id, 1, "late", "k")

    return prepare


def new_prices(world: ReviewWorld) -> None:
    later = replace(PRICES, version="prices-2", valid_from=world.clock() + timedelta(days=9))
    with world.uow() as work:
        keep_prices(work, [later], "finn", world.clock())
        work.commit()


def exports(world: ReviewWorld) -> None:
    list(Audit(world.uow, world.uow, world.clock).export(FINN, AuditFilter(), Format.CSV))


def measures(world: ReviewWorld) -> None:
    measure = Measure(world.engine, world.uow, POLICY, world.clock)
    question = Question("q", "How many?", "301", Domain.MATH, "text")
    measure(FINN, "s", [question], [budget_of(0, Rung(Solver.EULER, 0, 1.0, 5))], 5)


def calibrates(world: ReviewWorld) -> None:
    calibrate = Calibrate(
        world.engine, world.uow, world.clock, lambda: None, DeviceCost(3600 * 10**9)
    )
    calibrate(FINN, 1, 12, "m-1", "JPY", world.clock(), dict)


def longer(world: ReviewWorld) -> Act:
    world.engine.words = ("word",) * 30
    return calibrates


MONEY = {
    "limit": Way(
        lambda _: lambda w: budgets(w).set_limit(EMI, "pilot", 10**9, "JPY"), ("budget.limit",)
    ),
    "ask for a raise": Way(
        lambda _: lambda w: budgets(w).ask_raise(ANN, "pilot", Window.WHOLE, 9, "more", 5),
        ("raise.ask",),
    ),
    "grant it": Way(raises(True), ("raise.grant",)),
    "decline it": Way(raises(False), ("raise.decline",)),
    "refund": Way(books("refund"), ("ledger.refund",)),
    "correct a charge": Way(books("correct"), ("ledger.correction",)),
    "prices": Way(lambda _: new_prices, ("price.set",)),
    "export": Way(lambda _: exports, ("export",)),
    "calibrate": Way(longer, ("price.calibrate",)),
    "measure": Way(lambda _: measures, ("measure",)),
}


def rules(world: ReviewWorld) -> PolicyDesk:
    return PolicyDesk(world.uow, world.uow, world.clock)


def draft(world: ReviewWorld, steps: int) -> str:
    """A version that went so far: proposed, approved, in force."""
    with world.uow() as work:
        begin(work, POLICY, world.clock())
        work.commit()
    for step in (
        lambda: rules(world).propose(FINN, LOWER, "p.yaml"),
        lambda: rules(world).approve(CHO, VERSION),
        lambda: rules(world).activate(CHO, VERSION),
    )[:steps]:
        step()
    return VERSION


def ruled(steps: int, act: Callable[[PolicyDesk], object]) -> Prepare:
    def prepare(world: ReviewWorld) -> Act:
        draft(world, steps)
        return lambda w: act(rules(w))

    return prepare


LOWER = written("low", critical={"max_nfe_per_token": 9})
VERSION = policy("low", critical={"max_nfe_per_token": 9}).version
POLICIES = {
    "propose": Way(ruled(0, lambda d: d.propose(FINN, LOWER, "p.yaml")), ("policy.propose",)),
    "approve a policy": Way(ruled(1, lambda d: d.approve(CHO, VERSION)), ("policy.approve",)),
    "activate": Way(ruled(2, lambda d: d.activate(CHO, VERSION)), ("policy.activate",)),
    "roll back": Way(ruled(3, lambda d: d.rollback(CHO)), ("policy.rollback",)),
}

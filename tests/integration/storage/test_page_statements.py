"""What pages read: a bounded number of statements, and no scan of what grows with every answer."""

import re
from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.ports import AuditFilter, OpenUnitOfWork
from app.ports.board import By
from app.ports.slice import Slice
from app.services.ask import AskForm
from app.services.audit import Audit
from app.services.budgets import Budgets
from app.services.dashboard import Dashboard
from app.services.drafts import Drafts
from app.services.mine import Mine
from app.services.policy import PolicyDesk
from app.services.simulate import Simulate
from policies.document import preset
from policies.types import Importance
from storage.unit_of_work import open_reader, open_writer
from tests.actors import LOCAL
from tests.databases import PILOT, PRICES, Ids, engine_of
from tests.fakes import MODEL
from tests.serving import people
from tests.statements import counted
from tests.world import World

MOST = 20
GROWING = ("answers", "answer_bodies", "decisions", "holds", "ledger_entries")

Page = Callable[[World], object]


def budgets(world: World) -> Budgets:
    return Budgets(world.uow, world.uow, world.clock, Ids(), UTC, PRICES.model)


def dashboard(world: World) -> Dashboard:
    return Dashboard(world.engine, world.uow, world.clock)


def drafts(world: World) -> Drafts:
    simulate = Simulate(world.uow, UTC, MODEL.adapter_sha256, lambda r: r.max_nfe_per_token)
    desk = PolicyDesk(world.uow, world.uow, world.clock)
    return Drafts(desk, simulate, world.uow, world.clock, MODEL.model)


PAGES: dict[str, Page] = {
    "dashboard": lambda world: dashboard(world).overview(LOCAL),
    "dashboard of a user": lambda world: dashboard(world).overview(
        LOCAL, Slice(user="ann"), By.DOMAIN
    ),
    "is anything new": lambda world: dashboard(world).pulse(LOCAL),
    "answers behind a point": lambda world: dashboard(world).behind(LOCAL, Slice(), 3),
    "quote of every importance": lambda world: world.ask().previews(
        LOCAL, AskForm("How many?", Importance.STANDARD)
    ),
    "own questions": lambda world: Mine(world.uow).search(LOCAL, "pens"),
    "own questions, no hit": lambda world: Mine(world.uow).search(LOCAL, "nothing like it"),
    "trial of a draft": lambda world: drafts(world).trial(LOCAL, preset("full").text, "draft", 30),
    "versions of the policy": lambda world: drafts(world).desk.history(LOCAL),
    "audit log": lambda world: Audit(world.uow, world.uow, world.clock).latest(
        LOCAL, AuditFilter(by="nobody"), 100
    ),
    "budgets": lambda world: budgets(world).overview(LOCAL),
    "accounts on the settings page": lambda world: people(world.uow, world.clock).all(LOCAL),
}


@pytest.mark.parametrize("page", PAGES)
def test_page_needs_few_statements_however_many_answers_there_are(
    engine: Engine, uow: OpenUnitOfWork, page: str
) -> None:
    asking = World(uow)
    world = World(open_reader(engine, PILOT), asking.engine)
    asking.receipt("first")
    with counted(engine) as few:
        PAGES[page](world)
    for number in range(12):
        asking.receipt(f"key {number}")
    with counted(engine) as many:
        PAGES[page](world)
    assert 0 < len(many) <= MOST
    if page != "answers behind a point":  # each of its ten texts is asked for by itself
        assert len(many) <= len(few)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_scans_what_grows_with_every_answer(file: Path, page: str) -> None:
    """By SQLite's plans: PostgreSQL scans small tables by choice."""
    engine = engine_of(file)
    World(open_writer(engine, PILOT)).receipt()
    with counted(engine) as statements:
        PAGES[page](World(open_reader(engine, PILOT)))
    with engine.connect() as connection:
        for statement, values in statements:
            explained = f"EXPLAIN QUERY PLAN {statement}"
            plan = [row[3] for row in connection.exec_driver_sql(explained, values)]
            scans = [line for line in plan if re.fullmatch(rf"SCAN ({'|'.join(GROWING)})", line)]
            assert not scans, statement
            sorts = "USE TEMP B-TREE FOR ORDER BY" in plan and "ledger_entries" in " ".join(plan)
            assert not sorts, statement
    engine.dispose()

"""What the Budgets page reads of the ledger: ceilings with the raises that count, open holds."""

from datetime import timedelta

from app.ports import AnswerStatus, BudgetRaise, OpenUnitOfWork
from app.services.dashboard import Dashboard
from policies.types import Importance, Units, Window
from tests.actors import ANN
from tests.databases import LIMIT_NANOS, START, new_answer
from tests.world import World

LATER = START + timedelta(hours=1)
MORE = BudgetRaise("r-1", "pilot", Window.WHOLE, 500, "Closing", "ann", START, LATER)


def limit_at(uow: OpenUnitOfWork, after: timedelta) -> int:
    with uow() as unit:
        (pilot,) = unit.ledger.ceilings_at(START + after)
    return pilot.limit_nanos


def test_a_granted_raise_counts_at_once_and_only_until_it_ends(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.raises.ask(MORE)
        unit.commit()
    assert limit_at(uow, timedelta(0)) == LIMIT_NANOS
    with uow() as unit:
        unit.raises.decide("r-1", True, "bob", START)
        unit.commit()
    assert limit_at(uow, timedelta(0)) == LIMIT_NANOS + 500
    assert limit_at(uow, timedelta(hours=1)) == LIMIT_NANOS


def test_the_line_on_every_page_says_the_limit_that_the_budgets_page_says(
    uow: OpenUnitOfWork,
) -> None:
    with uow() as unit:
        unit.raises.ask(MORE)
        unit.raises.decide("r-1", True, "bob", START)
        unit.commit()
    world = World(uow)
    dashboard = Dashboard(world.engine, world.uow, world.clock)
    assert [c.limit_nanos for c in dashboard.ceilings(ANN)] == [LIMIT_NANOS + 500]
    assert dashboard.overview(ANN).ceilings == dashboard.ceilings(ANN)


def test_open_holds_say_whose_money_is_set_aside_oldest_first(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        for number in (1, 2):
            answer = new_answer(f"a-{number}", Importance.HIGH)
            unit.answers.add(answer, AnswerStatus.RUNNING)
            begun = START + timedelta(seconds=number)
            hold = unit.ledger.reserve(answer.id, 700 * number, LATER, begun)
        unit.ledger.heartbeat(hold, Units(5, 1, 7), LATER)
        unit.commit()
    with uow() as unit:
        found = unit.ledger.open_holds(10)
        assert [(h.answer_id, h.user, h.team, h.nanos) for h in found] == [
            ("a-1", "ann", "sales", 700),
            ("a-2", "ann", "sales", 1_400),
        ]
        assert found[1].done == Units(5, 1, 7)
        assert unit.ledger.open_holds(1) == found[:1]


def test_what_was_settled_is_held_no_more(uow: OpenUnitOfWork) -> None:
    with uow() as unit:
        unit.answers.add(new_answer("a-1"), AnswerStatus.RUNNING)
        hold = unit.ledger.reserve("a-1", 700, LATER, START)
        unit.ledger.release(hold, AnswerStatus.CANCELLED, START)
        assert unit.ledger.open_holds(10) == []

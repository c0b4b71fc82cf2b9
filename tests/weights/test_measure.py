"""A ladder of caps draws a question again only where a larger cap could change its answer."""

from dataclasses import replace

from app.bootstrap import Pilot
from app.ports import Measured
from app.services.accounts import LOCAL
from app.services.measure import budget_of
from evaluation import suites
from policies.types import Importance


def test_a_ladder_measures_what_each_of_its_caps_measures_alone(pilot: Pilot) -> None:
    _, questions = suites.load_first("pilot", 24)
    like = replace(pilot.policy.rungs[Importance.CRITICAL], max_new_tokens=48)
    caps = [budget_of(cap, like) for cap in (1, 3, 5)]

    def rows(*of: int) -> list[list[Measured]]:
        budgets = [caps[i] for i in of]
        found = pilot.measure(LOCAL, "pilot", questions, budgets, 5)
        return [rows for m, rows in found if m.domain is None]

    ladder = rows(0, 1, 2)
    assert ladder == [rows(0)[0], rows(1)[0], rows(2)[0]]
    more = [sum(row.units.nfe for row in each) for each in ladder]
    assert more[0] < more[1] < more[2], "some line was written again, so that caps differ"

"""A ladder of caps draws a question again only where a larger cap could change its answer."""

from dataclasses import replace

from app.bootstrap import Pilot
from app.ports import Measured
from app.services.accounts import LOCAL
from app.services.measure import budget_of
from evaluation import suites
from policies.types import Importance


def test_a_ladder_measures_what_each_of_its_caps_measures_alone(pilot: Pilot) -> None:
    """Each question without company, whose rows may round its own otherwise in a last bit."""
    _, questions = suites.load_first("pilot", 24)
    like = replace(pilot.policy.rungs[Importance.CRITICAL], max_new_tokens=48)
    caps = [budget_of(cap, like) for cap in (1, 3, 5)]

    def rows(question: suites.Question, *of: int) -> list[Measured]:
        budgets = [caps[i] for i in of]
        found = pilot.measure(LOCAL, "pilot", [question], budgets, 5)
        return [row for _, rows in found for row in rows]

    spent = [0, 0, 0]
    for question in questions:
        ladder = rows(question, 0, 1, 2)
        assert ladder == [*rows(question, 0), *rows(question, 1), *rows(question, 2)]
        spent = [sum(pair) for pair in zip(spent, (row.units.nfe for row in ladder), strict=True)]
    assert spent[0] < spent[1] < spent[2], "some line was written again, so that caps differ"

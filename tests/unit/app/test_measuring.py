"""What `evaluate` measures: flags become rungs, and a stored name says how to measure it again."""

from argparse import Namespace
from dataclasses import replace
from typing import cast

import pytest

from app import cli
from app.bootstrap import Pilot
from app.commands.measuring import _against, _budgets, _comparison, _flags, _tell
from app.ports import Engine, OpenUnitOfWork
from app.services.compare import Comparison
from app.services.measure import Budget, Measure, Measuring, budget_of
from app.services.spent import flags as flags_of
from evaluation.stats import paired
from policies.document import preset
from policies.errors import InvalidInput
from policies.types import Importance, Rung, Solver
from tests.databases import START
from tests.samples import measurement


def typed(*flags: str) -> Namespace:
    return cli._parser().parse_args(["evaluate", *flags])


def pilot() -> Pilot:
    """All that budgets need of one: its policy."""
    return cast(Pilot, Namespace(policy=preset("full")))


def test_gate_and_candidates_reach_every_budget_but_that_of_the_base() -> None:
    args = typed(
        "--budgets",
        "0,7",
        "--gate",
        "0.9",
        "--candidates",
        "5",
        "--solver",
        "rk4",
        "--temperature",
        "0.7",
    )
    base, refined = (budget.rung for budget in _budgets(pilot(), args))
    assert base == Rung(Solver.BASE, 0, 1.0, 96)
    assert refined == Rung(Solver.RK4, 7, 1.0, 96, gate=0.9, candidates=5, temperature=0.7)


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--gate", "0.9"),
        ("--solver", "midpoint", "--guidance", "2.0"),
        ("--gate", "0.25", "--candidates", "2", "--temperature", "0.5"),
    ],
)
def test_stored_name_tells_measurements_apart_by_what_was_typed(flags: tuple[str, ...]) -> None:
    assert flags_of(typed(*flags)).split() == list(flags)


def test_answers_may_be_longer_than_those_of_the_policy_and_the_stored_name_says_so() -> None:
    args = typed("--budgets", "0,3", "--gate", "0.9", "--max-new-tokens", "192")
    assert [budget.rung.max_new_tokens for budget in _budgets(pilot(), args)] == [192, 192]
    assert _flags(args) == " --gate 0.9 --max-new-tokens 192"
    assert _flags(typed("--budgets", "0,3")) == ""
    with pytest.raises(InvalidInput, match=r"max_new_tokens: .*greater than or equal to 1"):
        _budgets(pilot(), typed("--max-new-tokens", "0"))
    with pytest.raises(InvalidInput, match=r"leave out --max-new-tokens 192"):
        _budgets(pilot(), typed("--importance", "high", "--max-new-tokens", "192"))


def test_rungs_bring_their_own_gate_and_candidates() -> None:
    with pytest.raises(InvalidInput, match=r"leave out --gate 0\.9"):
        _budgets(pilot(), typed("--importance", "high", "--gate", "0.9"))


def of_the_policy(*importances: Importance, **changes: Rung) -> list[Budget]:
    policy = preset("pilot")
    rungs = policy.rungs | {Importance(name): rung for name, rung in changes.items()}
    measure = Measure(
        cast(Engine, None),
        cast(OpenUnitOfWork, None),
        replace(policy, rungs=rungs),
        lambda: START,
    )
    return measure.importances(importances)


def test_rungs_of_one_policy_stand_on_one_curve_that_typed_flags_would_give() -> None:
    found = of_the_policy(*Importance)
    assert [each.importance for each in found] == list(Importance)
    assert {each.said for each in found} == {" --gate 0.9 --temperature 0.7 --checked"}
    typed_too = _budgets(
        pilot(), typed("--budgets", "15", "--gate", "0.9", "--temperature", "0.7", "--checked")
    )
    assert (typed_too[0].said, typed_too[0].rung.checked) == (found[-1].said, True)
    assert [each.said for each in of_the_policy(Importance.STANDARD)] == [" --gate 0.9"]


def test_a_rung_that_spends_otherwise_has_a_curve_of_its_own() -> None:
    other = Rung(Solver.RK4, 7, 1.0, 96)
    base, high, critical = of_the_policy(
        Importance.ROUTINE, Importance.HIGH, Importance.CRITICAL, high=other
    )
    assert (high.rung, high.said) == (other, " --solver rk4")
    assert base.said == critical.said == " --gate 0.9 --temperature 0.7 --checked"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--candidates", "0"), "candidates: .*greater than or equal to 1"),
        (("--candidates", "3"), "3 candidates at temperature 0 hardly differ"),
        (("--checked",), "a line written again at temperature 0 is the same"),
        (("--checked", "--temperature", "0.7", "--steady", "2"), "checked takes solver euler"),
        (("--checked", "--temperature", "0.7", "--solver", "rk4"), "checked takes solver euler"),
        (("--solver", "bosh3", "--steady", "2"), "bosh3 ends by itself"),
        (("--guidance", "-1"), "guidance: .*greater than or equal to 0"),
    ],
)
def test_what_no_policy_may_ask_for_is_not_measured(flags: tuple[str, ...], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        _budgets(pilot(), typed(*flags))


def test_a_budget_is_like_its_model_but_for_the_cap() -> None:
    like = Rung(Solver.BOSH3, 0, 2.0, 40, tolerance=0.1, gate=0.8, candidates=3)
    wanted = Rung(Solver.BOSH3, 9, 2.0, 40, tolerance=0.1, gate=0.8, candidates=3)
    assert budget_of(9, like).rung == wanted


def compared(gained: int, lost: int, same: int) -> Comparison:
    first = [False] * gained + [True] * lost + [True] * same
    second = [True] * gained + [False] * lost + [True] * same
    over, of = measurement(3, 0.5), measurement(7, 0.6)
    return Comparison(of, over, None, paired(first, second))


def test_a_comparison_is_told_with_its_interval_and_its_changes() -> None:
    found = _comparison(compared(gained=9, lost=1, same=40))
    assert found["difference"] == 0.16
    assert (found["ci_low"], found["ci_high"]) == (0.0302, 0.2775)
    assert (found["gained"], found["lost"], found["n"]) == (9, 1, 50)
    assert (found["p_value"], found["shown"]) == (0.021484, True)
    assert (found["budget"], found["over_budget"], found["domain"]) == (7, 3, None)
    line = _against(compared(gained=9, lost=1, same=40))
    assert "budget   7 over   3   +16.0 points  [+3.0, +27.8]  9 gained, 1 lost of n=50" in line


def test_where_the_interval_holds_zero_it_is_said() -> None:
    assert "no difference shown" not in _against(compared(gained=9, lost=1, same=40))
    assert _against(compared(gained=2, lost=1, same=40)).endswith("no difference shown")
    assert _comparison(compared(gained=2, lost=1, same=40))["shown"] is False


def test_progress_is_told_now_and_then_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    for done in range(1, 46):
        _tell(Measuring(7, done, 45, done // 3))
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in told] == [
        "20 of 45 questions, 6 right",
        "40 of 45 questions, 13 right",
        "45 of 45 questions, 15 right",
    ]

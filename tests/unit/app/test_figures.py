"""Charts by their data: what is drawn, where, and with which words."""

from datetime import timedelta
from itertools import pairwise

from app.figures import quality, spend, work
from app.i18n import texts
from app.ports import AnswerStatus
from app.ports.board import Sampled
from app.presenters import sheets
from app.presenters.parts import zone
from policies.document import preset
from policies.types import Ceiling, Domain, Importance, Rung, Solver, Units
from tests.samples import NOON, PILOT, measured, measurement, spend_points

EN, JA = texts("en"), texts("ja")
TOKYO = zone("Asia/Tokyo")
PLAIN = {
    importance: Rung(Solver.EULER if cap else Solver.BASE, cap, 1.0, 96)
    for importance, cap in zip(Importance, (0, 3, 7, 15), strict=True)
}
"""What `measured` has points of."""


def test_quality_has_a_line_for_each_domain_and_one_for_all() -> None:
    figure = quality(measured(), EN)
    names = [line.name for line in figure.data]
    assert names == ["Math", "Data", "Business", "All questions", "Efficient frontier"]


def test_a_quality_point_is_cost_against_accuracy_with_its_interval() -> None:
    figure = quality([measurement(3, 0.55, n=408)], EN)
    line = figure.data[0]
    assert list(line.x) == [0.0000312]
    assert list(line.y) == [0.55]
    assert [round(e, 6) for e in line.error_y.array] == [0.08]
    assert [round(e, 6) for e in line.error_y.arrayminus] == [0.08]
    assert list(line.text) == ["3"]
    assert "408 questions" in line.customdata[0]
    assert "$0.0000312" in line.customdata[0]


def test_quality_axes_carry_their_units_in_the_readers_language() -> None:
    for said_in in (EN, JA):
        layout = quality(measured(), said_in).layout
        assert "[USD]" in layout.xaxis.title.text
        assert layout.yaxis.title.text == said_in("figure.accuracy_axis")


def test_no_name_of_an_importance_lies_over_a_point_or_another_name() -> None:
    figure = quality(measured(), EN, PLAIN)
    highest = max(
        y + (above or 0)
        for line in figure.data
        if line.error_y.array is not None
        for y, above in zip(line.y, line.error_y.array, strict=True)
    )
    names = sorted((name.y, name.x, name.text) for name in figure.layout.annotations)
    assert {text for *_, text in names} == {"Routine", "Standard", "High", "Critical"}
    assert min(y for y, *_ in names) > highest
    assert max(y for y, *_ in names) < figure.layout.yaxis.range[1]
    end = max(max(line.x) for line in figure.data)
    for (y, x, _), (next_y, next_x, _) in pairwise(names):
        assert y != next_y or next_x - x >= 0.3 * end


def test_a_curve_names_only_what_the_policy_buys_of_it() -> None:
    bought = preset("pilot").rungs

    def names(suite: str) -> set[str]:
        points = [measurement(cap, 0.5, suite=suite) for cap in (0, 1, 7, 15)]
        return {name.text for name in quality(points, EN, bought).layout.annotations}

    everyone = {"Routine", "Standard", "High", "Critical"}
    assert names("pilot --gate 0.9 --temperature 0.7 --checked") == everyone
    assert names("pilot --gate 0.9") == {"Routine", "Standard"}
    assert names("pilot") == {"Routine"}
    assert names("pilot --gate 0.9 --max-new-tokens 192") == set()


def test_the_axis_of_what_is_right_never_promises_more_than_all() -> None:
    for best in (0.1, 0.3, 0.9, 1.0):
        axis = quality([measurement(3, best)], EN, PLAIN).layout.yaxis
        assert max(axis.tickvals) == 1
        assert axis.range[1] > best


def test_a_line_goes_from_less_refinement_to_more_whatever_it_cost() -> None:
    figure = quality([measurement(0, 0.1), measurement(3, 0.5), measurement(1, 0.4)], EN)
    assert list(figure.data[0].text) == ["0", "1", "3"]


def test_a_budget_measured_twice_is_drawn_once_as_measured_last() -> None:
    later = measurement(3, 0.6, measured_at=NOON)
    assert list(quality([later, measurement(3, 0.5)], EN).data[0].y) == [0.6]


def test_a_domain_alone_needs_no_whole() -> None:
    assert len(quality([measurement(3, 0.5, Domain.MATH)], EN).data) == 1


def test_spend_adds_up_to_what_the_ledger_has_committed() -> None:
    figure = spend(spend_points(100_000, 200_000, 50_000), PILOT, TOKYO, EN)
    assert [round(y * 10**9) for y in figure.data[0].y] == [350_000, 550_000, 600_000]


def test_spend_is_drawn_in_the_readers_time() -> None:
    figure = spend(spend_points(1), PILOT, TOKYO, EN)
    assert figure.data[0].x[0] == (NOON + timedelta(hours=9)).replace(tzinfo=None)


def test_a_far_limit_is_said_and_a_near_one_drawn_to_scale() -> None:
    far = spend(spend_points(1), PILOT, TOKYO, EN).layout
    assert far.annotations[0].text == "↑ Limit $5.00, &lt; 0.1% spent"
    assert far.yaxis.range is None
    near = spend(spend_points(900), Ceiling("pilot", 1_000, 900, 0, "USD"), TOKYO, EN).layout
    assert near.shapes[0].y0 == 1e-6
    assert near.yaxis.range[1] > 1e-6


def test_hover_text_has_every_digit() -> None:
    figure = spend(spend_points(48_375), PILOT, TOKYO, EN)
    assert "$0.000048375" in figure.data[0].customdata[0]


def took(nfe: int, tokens: int) -> Sampled:
    units = Units(40, tokens, nfe)
    return Sampled(
        Importance.STANDARD, Domain.MATH, 7, 1, 1, units, 0.5, 1.0, AnswerStatus.RELEASED, None
    )


def test_work_tells_apart_answers_that_skipped_words_and_counts_whole_passes_above() -> None:
    answers = [took(2, 26), took(0, 26), took(13, 26), took(25, 26), took(26, 26), took(83, 26)]
    (bars,) = work(answers, EN).data
    drawn = dict(zip(bars.x, bars.y, strict=True))
    assert drawn == {"0": 1, "0.1": 1, "0.5": 1, "1": 2, "3": 1}
    rows = sheets.work(answers, EN).rows
    assert [row[1:] for row in rows] == [[0, 1], [0.1, 1], [0.5, 1], [1, 2], [3, 1]]

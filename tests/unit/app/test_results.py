"""The results page: every figure from recorded rows, and "not here" where compute does not pay."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import recorded
from app.ports import Measured, Measurement
from app.services.compare import worth
from evaluation.stats import Rate, wilson
from policies.errors import InvalidInput
from policies.types import Domain, Units
from scripts.charts import Line, chart
from scripts.generate_results import ROOT, pages
from tests.databases import START

MATH, DATA = Domain.MATH, Domain.DATA
SVG = "{http://www.w3.org/2000/svg}"
Found = list[tuple[Measurement, list[Measured]]]


def measured(budget: int, math: int, data: int, of: int = 40, suite: str = "pilot") -> Found:
    """As many of `of` questions of each domain right: the first ones."""
    rows = [
        Measured(f"{domain}-{i}", domain, i < right, Units(1, 1), 100)
        for domain, right in ((MATH, math), (DATA, data))
        for i in range(of)
    ]
    out: Found = []
    for domain in (None, MATH, DATA):
        mine = [row for row in rows if domain in (None, row.domain)]
        rate = wilson(sum(row.correct for row in mine), len(mine))
        m = Measurement(
            suite, budget, None, domain, rate.value, rate.low, rate.high, rate.n, budget,
            1000 * (budget + 1), "USD", "c" * 64, 3, START, False,
        )  # fmt: skip
        out.append((m, rows if domain is None else []))
    return out


def page(folder: Path, files: dict[str, Found], *sections: dict[str, Any]) -> dict[str, str]:
    for name, found in files.items():
        recorded.write(folder / name, found)
    text = yaml.safe_dump({"title": "T", "intro": "I", "sections": list(sections)})
    (folder / "page.yaml").write_text(text)
    return pages(folder / "page.yaml", folder)


CURVE = [*measured(0, 2, 5), *measured(3, 30, 6), *measured(15, 31, 5)]


def test_the_committed_page_and_charts_are_what_the_recorded_files_say() -> None:
    for name, text in pages().items():
        assert (ROOT / "docs" / name).read_text("utf-8") == text, "run: make docs"


def test_a_domain_where_no_budget_is_shown_to_be_better_says_not_here(tmp_path: Path) -> None:
    section = {"title": "Curve", "curve": {"file": "a.json"}}
    text = page(tmp_path, {"a.json": CURVE}, section)["results.md"]
    (data,) = [line for line in text.splitlines() if line.startswith("- **data**")]
    (math,) = [line for line in text.splitlines() if line.startswith("- **math**")]
    assert "not here. No budget is better than the first (3: +2.5 [" in data
    assert "compute pays up to 3 (+70.0 [" in math
    assert "Above that, not here (15: +2.5 [" in math
    assert "python app.py evaluate --suite pilot --budgets 0,3,15 --seed 3" in text


def test_figures_change_with_the_rows_and_with_nothing_else(tmp_path: Path) -> None:
    section = {"title": "Curve", "curve": {"file": "a.json"}}
    first = page(tmp_path, {"a.json": CURVE}, section)
    assert page(tmp_path, {"a.json": CURVE}, section) == first
    other = page(tmp_path, {"a.json": [*CURVE[:6], *measured(15, 39, 30)]}, section)
    assert "compute pays up to 15 (+92.5 [" in other["results.md"]
    assert other["results/1.svg"] != first["results/1.svg"]


def test_flags_in_a_stored_name_come_back_in_the_command(tmp_path: Path) -> None:
    gated = [*measured(0, 1, 1, suite="pilot --gate 0.9"), *measured(7, 9, 9, suite="x")]
    text = page(tmp_path, {"a.json": gated}, {"title": "G", "curve": {"file": "a.json"}})
    assert "evaluate --suite pilot --budgets 0 --gate 0.9 --seed 3" in text["results.md"]


def test_a_comparison_is_paired_and_names_what_measures_it_again(tmp_path: Path) -> None:
    section = {
        "title": "Others",
        "over": {"label": "ours", "file": "a.json", "budget": 3},
        "others": [{"label": "LoRA", "file": "b.json", "command": "python b.py"}],
    }
    files = {"a.json": CURVE, "b.json": measured(0, 20, 6)}
    text = page(tmp_path, files, section)["results.md"]
    assert "| LoRA | 32.5% [23.2%, 43.4%] | $0.000001 | +12.5 [" in text
    assert "(n = 80)" in text
    assert "over LoRA: data +0.0 [-6.6, +6.6], not shown; math +25.0 [" in text
    assert "- LoRA: `python b.py`" in text
    assert "- ours: `python app.py evaluate --suite pilot --budgets 3 --seed 3`" in text


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"over": {"label": "o", "file": "a.json", "budget": 9}}, "no budget 9; it has 0, 3, 15"),
        ({"curve": {"file": "a.json", "suite": "x"}}, "no suite 'x'; it has pilot"),
        ({"curve": {"file": "none.json"}}, "holds no recorded measurements"),
        (
            {
                "over": {"label": "o", "file": "a.json"},
                "others": [{"label": "b", "file": "b.json"}],
            },
            "no question in common",
        ),
    ],
)
def test_a_page_that_asks_for_what_is_not_recorded_is_refused(
    tmp_path: Path, section: dict[str, Any], said: str
) -> None:
    strange = [(m, [replace(r, question_id="?") for r in rows]) for m, rows in measured(0, 1, 1)]
    with pytest.raises(InvalidInput, match=said):
        page(tmp_path, {"a.json": CURVE, "b.json": strange}, {"title": "T"} | section)


# --- what a budget is worth -----------------------------------------------------------------------


def worths(*of: tuple[int, int, int]) -> Sequence[tuple[int, bool]]:
    found = [x for each in of for x in measured(*each)]
    return [(w.best.budget, w.gain is not None) for w in (worth(found), worth(found, MATH))]


def test_compute_pays_up_to_the_last_budget_better_than_the_best_before() -> None:
    assert worths((0, 2, 2), (3, 20, 20), (15, 38, 38)) == [(15, True), (15, True)]
    assert worths((0, 2, 2), (3, 20, 20), (15, 21, 20)) == [(3, True), (3, True)]
    assert worths((0, 20, 20), (3, 5, 5), (15, 21, 20)) == [(0, False), (0, False)]
    assert worths((0, 20, 2), (3, 20, 30)) == [(3, True), (0, False)]


def test_many_steps_too_small_to_be_shown_add_up() -> None:
    """3 over 0 and 7 over 3 are not shown, but 7 over 0 is: it is measured against the best."""
    assert worths((0, 10, 0), (3, 13, 0), (7, 17, 0))[1] == (7, True)


# --- charts ---------------------------------------------------------------------------------------


def test_a_chart_is_well_formed_with_a_point_and_an_interval_for_each_rate() -> None:
    rate = Rate(0.25, 0.2, 0.3, 48)
    lines = [Line("a & <b>", [rate, None, rate]), Line("c", [rate] * 3)]
    drawn = ET.fromstring(chart("A < B", ["0", "3", "7"], "x", lines))
    points = drawn.findall(f"{SVG}circle")
    assert len(points) == 5
    assert points[0].findtext(f"{SVG}title") == "a & <b>: 25.0% [20.0%, 30.0%], n=48"
    assert all(0 < float(point.attrib["cy"]) < 380 for point in points)


def test_a_higher_rate_is_drawn_higher_and_a_whole_one_fits() -> None:
    low, high = Rate(0.1, 0.05, 0.2, 10), Rate(1.0, 0.7, 1.0, 10)
    drawn = ET.fromstring(chart("A", ["0", "3"], "x", [Line("a", [low, high])]))
    first, second = (float(point.attrib["cy"]) for point in drawn.findall(f"{SVG}circle"))
    assert 20 < second < first

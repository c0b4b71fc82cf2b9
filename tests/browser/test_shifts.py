"""Nothing jumps while a page fills: the layout shift that Chromium measures, on every page."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from app.services.ask import AskForm
from policies.types import Domain, Importance
from tests.browser.visits import SIZES, Visits
from tests.pages import Pages, keep_measurements, pages, served
from tests.people import AIKO, BEN

pytestmark = pytest.mark.browser
MOST = 0.1
"""Below it few people notice, by web.dev/cls."""
SETTLED_MS = 3000
STATES = ("empty", "used")
PAGES = ("", "compare", "review", "dashboard", "budgets", "policy", "audit", "settings")
SHIFTS = """() => new Promise(done => {
  const found = [];
  new PerformanceObserver(list => found.push(...list.getEntries()))
    .observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(found.filter(each => !each.hadRecentInput).map(each => [
    each.value, each.startTime, each.sources.map(s => {
      const n = s.node && (s.node.nodeType === 1 ? s.node : s.node.parentElement);
      const near = n && n.closest('[id]');
      const name = `${near ? near.id : ''} ${n ? n.className : ''}`;
      return `${name} ${s.previousRect.y}->${s.currentRect.y}`;
    })])), 200);
})"""

BACKWARDS = """(real => {
  let asked = 0;
  window.fetch = async (...all) => {
    const answer = await real(...all);
    if (String(all[0]).includes('/run/'))
      await new Promise(done => setTimeout(done, Math.max(0, 1500 - 300 * asked++)));
    return answer;
  };
})(window.fetch)"""
"""What a page asks for first is answered last."""

WAITS = "getComputedStyle(document.querySelector('main')).animationName"


def stays(page: Page) -> None:
    """Of everything since the page began: score, when, and what moved from where to where."""
    page.wait_for_timeout(SETTLED_MS)
    found = [tuple(each) for each in page.evaluate(SHIFTS)]
    assert page.evaluate(WAITS) == "none", "it is seen late, as something it waits for is empty"
    assert sum(score for score, *_ in found) < MOST, sorted(found, reverse=True)[:4]


def use(made: Pages) -> None:
    keep_measurements(made)
    for number in range(6):
        who = (AIKO, BEN)[number % 2]
        importance = (Importance.ROUTINE, Importance.HIGH, Importance.STANDARD)[number % 3]
        list(made.ask(who, AskForm(f"Question {number}?", importance, Domain.MATH), f"{number}"))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of two pilots, for a file that only looks."""
    made = {name: pages(tmp_path_factory.mktemp(name)) for name in STATES}
    use(made["used"])
    with served(made["empty"].demo) as empty, served(made["used"].demo) as used:
        yield {"empty": empty, "used": used}


@pytest.fixture
def looks(chromium: Browser, sites: dict[str, str]) -> Iterator[dict[str, Visits]]:
    opened = {name: Visits(chromium, address) for name, address in sites.items()}
    yield opened
    for visits in opened.values():
        visits.close()


@pytest.mark.parametrize("width", [SIZES["wide"], SIZES["phone"]])
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("state", STATES)
def test_nothing_jumps_while_a_page_fills(
    looks: dict[str, Visits], path: str, width: int, state: str
) -> None:
    stays(looks[state](path, width=width))


@pytest.mark.parametrize("path", PAGES)
def test_nothing_jumps_where_what_was_asked_first_is_answered_last(
    looks: dict[str, Visits], path: str
) -> None:
    stays(looks["used"](path, width=SIZES["phone"], script=BACKWARDS))

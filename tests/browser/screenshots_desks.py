"""Pictures of the pages for owners and reviewers: python -m tests.browser.screenshots_desks FOLDER.

In both languages at three widths, with what a first day leaves behind.
"""

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page

from app.services.ask import AskForm
from policies.errors import OverCeiling
from policies.review import VerdictKind
from policies.types import Domain, Importance, Window
from tests.browser.chrome import browser, screenshot
from tests.browser.visits import LOCALES, SIZES, Visits
from tests.pages import Pages, pages, served
from tests.people import AIKO, BEN, DAN, EMI, FINN

CAREFUL = """# More eyes on what matters, and a rule for refunds.
name: careful
rungs:
  routine:  {solver: base,     max_nfe_per_token: 0,  max_new_tokens: 96}
  standard: {solver: midpoint, max_nfe_per_token: 3,  max_new_tokens: 96, gate: 0.9}
  high:     {solver: midpoint, max_nfe_per_token: 15, max_new_tokens: 96, at_ceiling: step_down,
             review: {approvals: 1, due_hours: 24}}
  critical: {solver: midpoint, max_nfe_per_token: 31, max_new_tokens: 128, steady: 2,
             review: {approvals: 2, due_hours: 8}}
rules:
  - {name: refunds, when: {wording: ["refund*"], team: [sales]}, raise_to: high,
     because: Refunds go to the customer as they are.}
ceilings:
  - {scope: pilot, window: day, limit: 1 USD}
  - {scope: user, window: day, limit: 0.2 USD}
"""
WAGES = "A technician earns 32 each hour. How much after 8 hours and a tip of 45?"
PARCEL = "Which queue is right for a parcel that has not arrived?"


def take(folder: Path) -> None:
    """One file a page, language and width."""
    with tempfile.TemporaryDirectory() as data:
        made = pages(Path(data), limit_nanos=5_000_000)
        _first_day(made)
        with served(made.demo) as address, browser() as opened:
            visits = Visits(opened, address)
            for language in LOCALES:
                for size, width in SIZES.items():
                    for path, (person, act) in SHOWN.items():
                        page = visits(path, person, language, width)
                        act(page)
                        screenshot(page, folder / f"{language}-{size}-{path}.png")
                        page.context.close()


def _first_day(made: Pages) -> None:
    with made.uow() as work:
        work.ledger.set_limit("team:sales", 2_000_000, "USD")
        work.ledger.set_limit("importance:critical", 1_000_000, "USD")
        work.commit()
    desks = made.desks
    for number in range(16):
        who, question = (AIKO, WAGES) if number % 2 else (BEN, PARCEL)
        form = AskForm(question, list(Importance)[number % 4], Domain.MATH)
        with suppress(OverCeiling):
            list(made.ask(who, form, f"k-{number}"))
    desk = desks.reviewing.desk
    first = desk.queue(DAN)[-1].item.answer_id
    desk.claim(DAN, first)
    desk.decide(DAN, first, VerdictKind.APPROVE, reason="Checked by hand.")
    desks.budgets.ask_raise(AIKO, "team:sales", Window.MONTH, 5 * 10**9, "Closing.", 30)
    desks.budgets.ask_raise(EMI, "user:emi", Window.DAY, 10**8, "A day of invoices.", 5)
    granted = desks.budgets.ask_raise(BEN, "pilot", Window.WHOLE, 5 * 10**8, "Two more teams.", 90)
    desks.budgets.decide_raise(EMI, granted.id, True)
    desks.drafts.desk.propose(FINN, CAREFUL, "draft", "More eyes on high and critical.")


def _nothing(page: Page) -> None:
    page.wait_for_timeout(800)


def _policy(page: Page) -> None:
    page.click("#versions button[data-do=compare]")
    page.click("#versions button[data-do=load] >> nth=0")
    page.wait_for_selector("#draft-check .mark.good")
    page.click("button#draft-try")
    page.wait_for_selector("#trial .facts")


def _review(page: Page) -> None:
    page.click("#queue .entry >> nth=0")
    page.wait_for_selector("#evidence article")
    if page.locator("#evidence [data-do=base]").count():
        page.click("#evidence [data-do=base]")
        page.wait_for_function("document.querySelectorAll('#evidence .sides .text').length == 2")
    page.keyboard.press("c")
    page.fill("#correction textarea", "8 times 32 is 256 and 256 plus 45 is 301 in all")
    page.wait_for_selector("#changes ins")
    page.evaluate("scrollTo(0, 0)")


def _audit(page: Page) -> None:
    page.click("#check")
    page.wait_for_selector("#chain .mark")


def _compare(page: Page) -> None:
    page.fill("#compare-question textarea", WAGES)
    page.wait_for_selector("#compare-price .value")
    page.click("#compare-send")
    page.click(".votes button >> nth=0")
    page.wait_for_selector("#compared .cost")


SHOWN: dict[str, tuple[str, Callable[[Page], None]]] = {
    "budgets": ("emi", _nothing),
    "policy": ("gen", _policy),
    "review": ("chika", _review),
    "audit": ("finn", _audit),
    "compare": ("ben", _compare),
}
"""By whom each page is seen, and what they did before the picture."""

if __name__ == "__main__":
    take(Path(sys.argv[1]))

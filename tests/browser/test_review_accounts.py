"""Review where people sign in: a third after a disagreement, skipping, taking over, a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.services.accounts import Auth
from app.services.ask import AskForm
from app.views.review import REFRESH_SECONDS
from policies.review import VerdictKind
from policies.roles import Role
from policies.types import Domain, Importance
from tests.browser.sites import Site, site
from tests.browser.visits import SIZES, faults, scrolls_sideways, shot
from tests.pages import ANSWER

pytestmark = pytest.mark.browser
QUESTION = "A technician earns 32 each hour. How much after 8 hours and a tip of 45?"
WORDS = "The technician has earned 301. Just check: are cash and receipts counted?"
"""With every key that the page knows."""
TICK = (REFRESH_SECONDS + 15) * 1000
REVIEWERS = ("chika", "dan", "eve")


class Office:
    """People with accounts, each at a browser of their own."""

    def __init__(self, here: Site, chromium: Browser, tokens: dict[str, str] | None = None) -> None:
        self.here, self.chromium = here, chromium
        self.opened: list[Page] = []
        self.tokens = tokens or {
            "aiko": here.member("aiko"),
            **{name: here.member(name, Role.REVIEWER, team="quality") for name in REVIEWERS},
            "root": here.member("root", Role.ADMIN, Role.REVIEWER, team="operations"),
        }

    def __call__(self, name: str, path: str = "review", **look: object) -> Page:
        page = self.here.open(self.chromium, path, self.tokens[name], **look)  # type: ignore[arg-type]
        self.opened.append(page)
        return page

    def asked(self, importance: Importance) -> str:
        """An answer that waits; its id."""
        aiko = self.here.door.actor(self.tokens["aiko"])
        form = AskForm(QUESTION, importance, Domain.MATH)
        *_, last = self.here.made.ask(aiko, form, f"k-{importance}")
        return str(last.row.id)  # type: ignore[union-attr]

    def decided(self, name: str, answer_id: str, kind: VerdictKind, reason: str = "") -> None:
        desk, actor = self.here.made.desks.reviewing.desk, self.here.door.actor(self.tokens[name])
        desk.claim(actor, answer_id)
        desk.decide(actor, answer_id, kind, reason=reason)

    def close(self) -> None:
        for page in self.opened:
            page.context.close()


@pytest.fixture
def office(tmp_path: Path, chromium: Browser) -> Iterator[Office]:
    with site(tmp_path, Auth.LOCAL) as here:
        made = Office(here, chromium)
        yield made
        made.close()


def open_first(page: Page) -> None:
    page.click("#queue .entry >> nth=0")
    expect(page.locator("#decide")).to_be_visible()


def send(page: Page, verdict: str, words: str = "") -> None:
    page.locator(f"#verdict input[value={verdict}]").check()
    if words:
        page.fill("#reason textarea", words)
    page.click("#send-verdict")
    expect(page.locator("#review-notice .notice.info")).to_be_visible()


def write_correction(page: Page) -> None:
    page.keyboard.press("c")
    page.fill("#correction textarea", WORDS)
    expect(page.locator("#saved [role=status]")).to_be_visible()


@pytest.mark.parametrize(("language", "said"), [("en", "disagree"), ("ja", "3人目")])
def test_after_a_disagreement_a_third_sees_both_verdicts_and_decides_on_a_phone(
    office: Office, language: str, said: str
) -> None:
    answer_id = office.asked(Importance.CRITICAL)
    office.decided("chika", answer_id, VerdictKind.APPROVE)
    office.decided("dan", answer_id, VerdictKind.REJECT, "The tip is missing.")
    again = office("chika")
    expect(again.locator("#queue .entry")).to_be_visible()
    again.click("#queue .entry")
    expect(again.locator("#decide")).to_be_hidden()  # who decided once does not again
    eve = office("eve", language=language, width=SIZES["phone"])
    expect(eve.locator("#queue .entry")).to_contain_text(said)
    open_first(eve)
    for word in ("chika", "dan", "The tip is missing."):
        expect(eve.locator("#evidence")).to_contain_text(word)
    assert not scrolls_sideways(eve)
    assert faults(eve) == []
    shot(eve, f"third-{language}")
    send(eve, "approve")
    expect(eve.locator("#queue .entry")).to_have_count(0)
    aiko = office.here.door.actor(office.tokens["aiko"])
    assert office.here.made.ask.read(aiko, answer_id).text.answer == " ".join(ANSWER)


def test_what_was_skipped_comes_last_for_who_skipped_it_and_first_for_another(
    office: Office,
) -> None:
    for importance in (Importance.CRITICAL, Importance.HIGH):
        office.asked(importance)
    chika = office("chika")
    open_first(chika)
    chika.locator("#verdict input[value=skip]").check()
    chika.click("#send-verdict")
    expect(chika.locator("#review-notice [role=alert]")).to_be_visible()  # it needs a reason
    send(chika, "skip", "Not my field.")
    expect(chika.locator("#queue .entry >> nth=0 >> strong.high")).to_be_visible()
    expect(chika.locator("#queue .entry >> nth=1")).to_contain_text("you skipped it")
    dan = office("dan")
    expect(dan.locator("#queue .entry >> nth=0 >> strong.critical")).to_be_visible()
    expect(dan.locator("#queue")).not_to_contain_text("you skipped it")


def test_an_admin_takes_over_decides_and_whoever_held_it_is_told_and_keeps_the_draft(
    office: Office,
) -> None:
    office.asked(Importance.HIGH)
    dan = office("dan")
    open_first(dan)
    write_correction(dan)
    chika = office("chika")
    chika.click("#queue .entry")
    expect(chika.locator("#evidence article")).to_be_visible()
    expect(chika.locator("#evidence [data-do=take_over]")).to_have_count(0)
    root = office("root")
    expect(root.locator("#queue .entry")).to_contain_text("dan has it")
    root.click("#queue .entry")
    root.click("#evidence [data-do=take_over]")
    expect(root.locator("#decide")).to_be_visible()
    expect(root.locator("#queue")).not_to_contain_text("dan has it")
    expect(root.locator("#correction textarea")).to_have_value(" ".join(ANSWER))
    expect(dan.locator("#review-notice .notice")).to_be_visible(timeout=TICK)
    expect(dan.locator("#evidence header .mark")).to_contain_text("root has it")
    dan.click("#send-verdict")
    expect(dan.locator("#review-notice [role=alert]")).to_be_visible()
    expect(dan.locator("#correction textarea")).to_have_value(WORDS)
    send(root, "approve")
    with office.here.made.uow() as uow:
        events = [entry.event for entry in uow.audit.entries()]
    (taken,) = [each for each in events if each.action == "review.take_over"]
    assert (taken.by, taken.details["holder"]) == ("root", "dan")
    assert [each.by for each in events if each.action == "review.verdict"] == ["root"]


def test_a_draft_outlives_a_reload_and_a_restart_and_keys_are_off_while_it_is_typed(
    tmp_path: Path, chromium: Browser
) -> None:
    with site(tmp_path, Auth.LOCAL) as here:
        office = Office(here, chromium)
        office.asked(Importance.HIGH)
        page = office("chika")
        page.keyboard.press("j")
        expect(page.locator("#decide")).to_be_visible()
        page.keyboard.press("c")
        page.keyboard.press("Control+a")
        page.keyboard.type(WORDS)  # at once
        expect(page.locator("#correction textarea")).to_have_value(WORDS)
        expect(page.locator("#verdict input[value=correct]")).to_be_checked()
        expect(page.locator("#keys-help")).to_be_hidden()
        expect(page.locator("#changes ins").first).to_be_visible()
        expect(page.locator("#saved [role=status]")).to_be_visible()
        page.reload()
        open_first(page)
        expect(page.locator("#correction textarea")).to_have_value(WORDS)
        office.close()
    with site(tmp_path, Auth.LOCAL) as here:
        office = Office(here, chromium, office.tokens)
        page = office("chika")  # still signed in
        open_first(page)
        expect(page.locator("#correction textarea")).to_have_value(WORDS)
        expect(page.locator("#verdict input[value=correct]")).to_be_checked()
        page.locator("#correction textarea").blur()
        page.keyboard.press("a")
        expect(page.locator("#verdict input[value=approve]")).to_be_checked()
        office.close()

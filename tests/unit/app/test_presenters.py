"""What pages say of a quote, a run, a receipt and an error, in both languages."""

import re
from dataclasses import replace
from html import unescape

import pytest

from app.i18n import Texts, texts
from app.ports import AnswerStatus
from app.presenters import ask, frame
from app.presenters import dashboard as board
from app.presenters.card import card
from app.presenters.errors import error_text
from app.presenters.parts import percent, seconds, zone
from app.services.ask import Written
from policies.errors import InvalidInput, NotFound, OverCeiling, Unpriced
from policies.roles import Actor
from policies.types import Ceiling, Domain, Importance, Review, Units, Window
from tests.people import AIKO, CHIKA, EMI, EVERYONE
from tests.samples import MODEL, NOON, PILOT, measured, measurement, preview, receipt, row, started

EN, JA = texts("en"), texts("ja")
TOKYO = zone("Asia/Tokyo")
EVIL = "<img src=x onerror=alert(1)>"


def over_ceiling(
    fits: str, scope: str = "team:sales", window: Window = Window.DAY, start: str = "2025-11-24"
) -> OverCeiling:
    return OverCeiling(
        "over",
        scope=scope,
        window=window,
        window_start=start,
        limit_nanos=1_000_000,
        committed_nanos=700_000,
        held_nanos=100_000,
        quote_nanos=391_560,
        currency="USD",
        fits=fits,
    )


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


# --- before sending ------------------------------------------------------------------------------


def test_every_importance_says_what_it_means_buys_and_costs() -> None:
    choices = ask.importance_choices({i: preview(i) for i in Importance}, {}, True, EN)
    assert [value for _, value in choices] == list(Importance)
    routine, critical = choices[0][0].split("\n"), choices[3][0].split("\n")
    assert routine[0] == "Routine"
    assert routine[2] == "No refinement"
    assert critical[2:] == ["Up to 15 refinement passes a word", "At most $0.000672"]


def test_before_a_question_is_typed_a_price_is_only_a_from() -> None:
    shown = plain(ask.quote(preview(), False, EN))
    assert "From $0.000392" in shown
    assert "Type a question" in shown


def test_a_quote_shows_the_bound_rounded_up_and_the_exact_sum() -> None:
    shown = plain(ask.quote(preview(), True, EN))
    assert "At most $0.000392" in shown
    assert "$0.00039135 is set aside" in shown
    assert "96 words and 672 refinement passes" in shown


def test_a_quote_above_the_tightest_headroom_warns_before_sending() -> None:
    tight = Ceiling("importance:high", 400_000, 300_000, 0, "USD")
    shown = plain(ask.quote(preview(Importance.HIGH, PILOT, tight), True, EN))
    assert "$0.0001 is left in the budget for High" in shown
    assert "does not fit" not in ask.quote(preview(Importance.HIGH, PILOT), True, EN)


def test_the_note_names_only_tasks_the_adapter_was_trained_on() -> None:
    assert "arithmetic, tidying data" in ask.scope_note(MODEL, EN)
    assert ask.scope_note(replace(MODEL, classes=("unheard-of",)), EN) == ""


# --- while it runs -------------------------------------------------------------------------------


def test_the_meter_shows_passes_of_those_allowed_and_money_of_that_held() -> None:
    shown = plain(ask.meter(started(), Written("…", Units(19, 4, 28), 20_130), EN))
    assert "28 of at most 672" in shown
    assert "$0.0000201 of $0.000392 set aside" in shown


def test_the_meter_of_an_unrefined_answer_promises_no_passes() -> None:
    assert "none at this importance" in ask.meter(started(Importance.ROUTINE), None, EN)


@pytest.mark.parametrize("running", [True, False])
def test_an_answer_is_text_never_markup(running: bool) -> None:
    shown = ask.answer(EVIL, running, EN)
    assert "<img" not in shown
    assert "&lt;img" in shown


# --- the receipt ---------------------------------------------------------------------------------


def test_a_card_shows_the_exact_price_against_the_quote() -> None:
    shown = plain(card(receipt(), EN))
    assert "$0.000048375" in shown
    assert "12.3% of the quoted $0.000392" in shown
    assert "48,375 billionths of USD" in shown


def test_a_card_shows_passes_in_total_and_a_word_used_and_allowed() -> None:
    shown = plain(card(receipt(), EN))
    assert "77 of 77 allowed for these words" in shown
    assert "7 a word on average, 7 allowed" in shown
    assert "3 of 11 written" in shown


def test_a_card_says_what_words_took_on_average_where_some_were_skipped() -> None:
    whole = receipt()
    units = replace(whole.row.units, nfe=2)
    shown = plain(card(replace(whole, row=replace(whole.row, units=units)), EN))
    assert "0.182 a word on average, 7 allowed" in shown


def test_a_card_says_how_to_repeat_the_answer() -> None:
    shown = plain(card(receipt(), EN))
    for fact in ("pilot-0123456789ab", "list-2025-11", "4711", "3f9c1e77ab42", "a-17", "2.4 s"):
        assert fact in shown
    assert MODEL.adapter_sha256 not in shown


def test_passes_for_a_word_never_written_do_not_exceed_what_was_allowed() -> None:
    stopped = card(receipt(status=AnswerStatus.CANCELLED, units=Units(19, 0, 2)), EN)
    assert "2 of 7 allowed" in plain(stopped)
    assert "Only the work done" in stopped


def test_a_replay_says_that_nothing_was_charged_again() -> None:
    assert "a second time" in card(receipt(replayed=True), EN)


def test_receipt_of_a_reviewed_answer_has_computing_and_review_apart_and_their_sum() -> None:
    reviewed = replace(receipt(cost_nanos=1_048_375), review_seconds=170, review_nanos=1_000_000)
    shown = plain(card(reviewed, EN))
    assert "Price of computing $0.000048375" in shown
    assert "Price of review $0.001" in shown
    assert "3 min of reviewers" in shown
    assert "Price $0.001048375" in shown
    assert "Price of review" not in plain(card(receipt(), EN))
    waits = plain(card(receipt(review=Review(1)), JA))
    assert "レビューの費用" in waits


def test_a_raised_importance_shows_both() -> None:
    shown = card(receipt(asked=Importance.STANDARD, granted=Importance.CRITICAL), EN)
    assert "Critical (asked: Standard)" in plain(shown)


@pytest.mark.parametrize("status", list(AnswerStatus))
@pytest.mark.parametrize("language", [EN, JA], ids=["en", "ja"])
def test_every_status_has_a_card_and_a_row(status: AnswerStatus, language: Texts) -> None:
    assert "$0.000048375" in card(receipt(status=status, finished_at=None), language)
    assert language(f"status.{status}") in board.table([row(status=status)], TOKYO, language)


# --- errors --------------------------------------------------------------------------------------


def test_over_a_ceiling_every_number_and_the_rung_that_fits_are_named() -> None:
    shown = error_text(over_ceiling("routine"), EN)
    for part in ("team sales", "$0.001", "$0.0007", "$0.0001", "$0.0002", "$0.000392", "Routine"):
        assert part in shown
    assert "「日常」なら" in error_text(over_ceiling("routine"), JA)


@pytest.mark.parametrize(
    ("scope", "window", "start", "en", "ja"),
    [
        ("team:sales", Window.DAY, "2025-11-24", "team sales (November 24)", "11月24日"),
        ("user:ann", Window.MONTH, "2025-11", "budget of ann (November 2025)", "2025年11月"),
        ("pilot", Window.WHOLE, "", "pilot budget (whole pilot)", "パイロット全期間"),
        ("request", Window.REQUEST, "", "limit for one question has", "質問1件あたりの上限"),
    ],
)
def test_over_a_ceiling_says_which_window_of_it(
    scope: str, window: Window, start: str, en: str, ja: str
) -> None:
    refusal = over_ceiling("", scope, window, start)
    assert en in error_text(refusal, EN)
    assert ja in error_text(refusal, JA)


def test_over_a_ceiling_with_nothing_lower_sends_to_the_budget_owner() -> None:
    assert "budget owner" in error_text(over_ceiling(""), EN)


@pytest.mark.parametrize(
    ("err", "en", "ja"),
    [
        (InvalidInput("x", reason="empty_question"), "type a question", "質問を入力"),
        (
            InvalidInput("x", reason="question_characters", characters=9000, limit=4000),
            "9000 characters",
            "9000文字",
        ),
        (
            InvalidInput("x", reason="question_tokens", tokens=2000, limit=1024),
            "2000 word pieces",
            "長さ 2000",
        ),
        (InvalidInput("x", reason="control_characters", count=3), "3 invisible", "3個"),
        (InvalidInput("only this one", reason="unheard_of"), "only this one", "only this one"),
        (Unpriced("x", model="m-1"), "m-1", "m-1"),
        (NotFound("x"), "does not exist", "存在しない"),
        (ZeroDivisionError("secret/path.py"), "on our side", "システム側"),
    ],
)
def test_an_error_is_told_in_the_readers_words(err: Exception, en: str, ja: str) -> None:
    assert en in error_text(err, EN)
    assert ja in error_text(err, JA)
    assert "secret" not in error_text(err, EN)


# --- frame and dashboard -------------------------------------------------------------------------


def test_the_line_under_the_name_says_which_model_answers_and_what_is_left() -> None:
    shown = frame.line(MODEL, [PILOT], EN)
    assert "pilot-tasks-1" in shown
    assert "$4.99 left of $5.00" in shown
    assert "no budget set" in frame.line(MODEL, [], EN)


def test_a_forced_language_is_kept_by_every_way_to_go() -> None:
    session = frame.Session(EVERYONE)
    assert 'href="./dashboard?lang=en"' in frame.masthead("ask", session, EN, "en")
    assert 'href="./dashboard"' in frame.masthead("ask", session, EN, None)


def test_only_what_a_role_may_do_is_shown_the_way_to() -> None:
    def ways(actor: Actor) -> list[str]:
        return re.findall(
            r'href="\./(\w*)"', frame.masthead("budgets", frame.Session(actor), EN, None)
        )

    assert ways(AIKO) == ["", "compare", "dashboard", "budgets", "policy", "settings"]
    assert ways(CHIKA) == ["review", "dashboard", "budgets", "policy", "settings"]
    assert ways(EMI) == ["dashboard", "budgets", "policy", "audit", "settings"]


def test_a_page_that_is_not_for_a_role_says_for_whom_it_is() -> None:
    shown = plain(frame.masthead("review", frame.Session(AIKO), JA, None))
    assert "利用できる役割：レビュー担当" in shown  # noqa: RUF001
    assert 'class="onward"><a href="./"' in frame.masthead("review", frame.Session(AIKO), JA, None)
    assert "closed" not in frame.masthead("review", frame.Session(CHIKA), JA, None)


def test_one_may_switch_only_where_nobody_signs_in() -> None:
    acting = frame.masthead("ask", frame.Session(AIKO, (EVERYONE, AIKO)), EN, None)
    assert '<option value="aiko" selected>' in acting
    assert "sign-out" not in acting
    signed_in = frame.masthead("ask", frame.Session(AIKO, signs_out=True), EN, None)
    assert "act-as" not in signed_in
    assert 'action="./sign-out"' in signed_in


def test_names_from_outside_cannot_become_markup() -> None:
    evil = replace(MODEL, adapter=EVIL, base=EVIL, device=EVIL)
    shown = [
        frame.line(evil, [PILOT], EN),
        frame.masthead("ask", frame.Session(Actor(EVIL, EVIL, frozenset())), EN, None),
        card(receipt(policy_version=EVIL, price_version=EVIL, id=EVIL), EN),
        board.tiles([Ceiling(f"user:{EVIL}", 1, 0, 0, "USD")], EN),
        board.provenance([measurement(3, 0.5, suite=EVIL)], EN),
    ]
    assert not [html for html in shown if "<img" in html.lower()]


def test_tiles_show_limit_spent_held_and_left() -> None:
    shown = plain(board.tiles([PILOT], EN))
    for part in ("Limit $5.00", "Spent $0.0006", "questions $0.000392", "Left $4.99", "< 0.1%"):
        assert part in shown


def test_the_table_shows_figures_in_the_readers_time_and_no_bodies() -> None:
    shown = plain(board.table([row(rating=1), row(rating=-1), row()], TOKYO, EN))
    assert "Nov 24 12:00" in shown
    assert "1 1 · among the latest 3 answers" in plain(shown)
    assert "How much?" not in shown


def test_without_answers_the_table_says_what_to_do() -> None:
    assert "Ask a first question" in board.table([], TOKYO, EN)


def test_a_shipped_measurement_says_so_and_how_to_repeat_it() -> None:
    shown = plain(board.provenance(measured(), EN))
    assert "shipped with the adapter" in shown
    assert "python app.py evaluate --suite pilot --budgets 0,3,7,15,31 --seed 7" in shown
    own = board.provenance([measurement(3, 0.5, shipped=False)], EN)
    assert "Measured on this installation" in own


def test_without_a_measurement_the_page_names_the_command() -> None:
    assert "python app.py evaluate" in board.no_measurement(JA)


def test_the_suite_measured_here_last_comes_first_and_of_those_shipped_the_longest_curve() -> None:
    later = measurement(3, 0.5, suite="ours", measured_at=NOON)
    assert board.suites([later, *measured()]) == ["pilot", "ours"]
    assert board.suites([*measured(), replace(later, shipped=False)]) == ["ours", "pilot"]


@pytest.mark.parametrize(
    ("suite", "en", "ja"),
    [
        ("pilot", "pilot", "pilot"),
        (
            "pilot --temperature 0.7 --checked",
            "pilot · Checked working, Variety 0.7",
            "pilot · 検算、ばらつき 0.7",
        ),
        (
            "ours-9 --solver midpoint --guidance 2.0",
            "ours-9 · Method Midpoint, Guidance by domain 2.0",
            "ours-9 · 方式 中点法、分野による誘導 2.0",
        ),
        (
            "ours --max-new-tokens 192",
            "ours · Longest answer 192",
            "ours · 回答の長さの上限 192",
        ),
    ],
)
def test_a_question_set_is_named_in_the_readers_words(suite: str, en: str, ja: str) -> None:
    assert (board.suite_name(suite, EN), board.suite_name(suite, JA)) == (en, ja)


def test_numbers_are_honest_at_their_edges() -> None:
    assert percent(999_999, 1_000_000, EN) == "99.9%"
    assert percent(1, 10**9, EN) == "< 0.1%"
    assert percent(0, 10, EN) == percent(5, 0, EN) == "0%"
    assert percent(1, 1, JA) == "100%"
    assert (seconds(0.254, EN), seconds(12.34, EN)) == ("0.25", "12.3")


def test_an_unknown_time_zone_is_read_as_utc() -> None:
    assert str(zone("Nowhere/Atlantis")) == str(zone(None)) == "UTC"
    assert str(zone("../../etc/passwd")) == "UTC"


def test_domains_can_all_be_chosen() -> None:
    assert [value for _, value in ask.domain_choices(JA)] == [ask.AUTO, *Domain]

"""The pages without a server: what is on them, what is wired to what, what handlers give."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest

from app.i18n import texts
from app.ports.board import By
from app.presenters.ask import AUTO
from app.services.audit import Format
from app.views.dashboard_widgets import WRITTEN
from app.views.launch import launch_options
from app.views.state import Form
from policies.document import preset
from policies.review import ItemState, VerdictKind
from policies.types import Domain, Importance, Window
from tests.pages import Pages, keep_measurements
from tests.people import EVERYONE

ASK_IDS = """
header question notice lower importance domain quote send stop answer meter card rate rate-up
rate-down example-math example-data example-business example-invoice example-point difference more
how tokens search found tour
"""
DASHBOARD_IDS = """
header top refresh tiles suite quality provenance spend no-spend answers filter-period filter-team
filter-user filter-importance filter-domain points pays behind parts by work saved use usage
reviewed
"""
VALUES = {*Importance, *Domain, *By, *Window, *ItemState, *VerdictKind, *Format, AUTO}
CAP = preset("full").rungs[Importance.STANDARD].max_nfe_per_token
"""Passes a word at standard importance."""
NOTHING_CHOSEN = ("", "", "", "", "", "team", "", "")
"""Period, team, user, importance, domain, split, suite, point."""


def reader(language: str = "en") -> gr.Request:
    return gr.Request(
        headers={"accept-language": language}, query_params={}, session_hash="tab", username=None
    )


def handler(made: Pages, name: str) -> Callable[..., Any]:
    return next(f.fn for f in made.demo.fns.values() if f.name == name and f.fn is not None)


def ids_of(made: Pages, page: str) -> set[str]:
    config = made.demo.get_config_file()
    here = set(config["page"][page]["components"])
    found = (c["props"].get("elem_id") for c in config["components"] if c["id"] in here)
    return {name for name in found if name}


def test_both_pages_have_what_people_look_for(made: Pages) -> None:
    assert ids_of(made, "") >= set(ASK_IDS.split())
    assert ids_of(made, "dashboard") >= set(DASHBOARD_IDS.split())


def test_only_asking_is_open_to_programs(made: Pages) -> None:
    dependencies = made.demo.get_config_file()["dependencies"]
    public = [d["api_name"] for d in dependencies if d["api_visibility"] == "public"]
    assert public == ["ask"]


def test_asking_waits_in_line_and_many_run_at_once(made: Pages) -> None:
    """The engine shares its passes and orders those that wait; one lane would undo both."""
    asks = [f for f in made.demo.fns.values() if f.name == "on_ask" and f.queue]
    assert asks
    limits = [f.concurrency_limit for f in asks if f.concurrency_id == "model"]
    assert limits
    assert all(isinstance(limit, int) and limit >= 20 for limit in limits)


def test_every_word_on_the_pages_is_the_catalogues(made: Pages) -> None:
    known = set(texts("en").messages.values()) | VALUES
    for component in made.demo.get_config_file()["components"]:
        for name in ("label", "placeholder", "info", "value"):
            said = component["props"].get(name)
            if isinstance(said, str) and said and "translation_metadata" not in said:
                assert said in known, (component["type"], name, said)


def test_there_is_one_timer_on_the_dashboard(made: Pages) -> None:
    config = made.demo.get_config_file()
    here = set(config["page"]["dashboard"]["components"])
    timers = [c for c in config["components"] if c["type"] == "timer" and c["id"] in here]
    assert len(timers) == 1


def test_launch_options_suit_launch_and_mount() -> None:
    options = launch_options()
    assert set(options["i18n"].translations) == {"en", "ja"}
    assert options["footer_links"] == []
    assert "googleapis" not in options["theme"]._get_theme_css() + str(
        options["theme"]._stylesheets
    )


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("", "Please type a question"),
        ("x" * 4001, "4001 characters"),
        ("a\x00b", "1 invisible control"),
    ],
)
def test_a_bad_question_is_told_beside_the_form_and_never_runs(
    made: Pages, question: str, said: str
) -> None:
    asked = (question, "standard", "general")
    told, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    assert said in told
    assert form.refused
    list(handler(made, "on_ask")(*asked, form, reader()))
    assert made.engine.jobs == []


def test_the_quote_follows_the_importance(made: Pages) -> None:
    quote = handler(made, "on_quote")
    *_, routine, _ = quote("How much?", "routine", "math", reader())
    *_, critical, _ = quote("How much?", "critical", "math", reader())
    assert "without refinement" in routine
    assert "1,440 refinement passes" in critical


def test_an_answer_ends_with_its_card_and_a_second_press_runs_nothing(made: Pages) -> None:
    asked = ("How much?", "standard", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    first = list(handler(made, "on_ask")(*asked, form, reader()))[-1]
    again = list(handler(made, "on_ask")(*asked, form, reader()))[-1]
    assert "301" in first[0]
    assert "Receipt" in first[2]
    assert "a second time" in again[2]
    assert len(made.engine.jobs) == 1


def test_stop_ends_with_a_receipt_for_the_work_done(made: Pages) -> None:
    asked = ("How much?", "standard", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    seen = []
    for update in handler(made, "on_ask")(*asked, form, reader()):
        seen.append(update)
        if len(seen) == 3:  # started, two words
            handler(made, "on_stop")(reader())
    assert "Stopped." in seen[-1][2]
    assert made.engine.evaluations < CAP * 11


def test_a_closed_tab_gives_the_hold_back(made: Pages) -> None:
    asked = ("How much?", "standard", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    run = handler(made, "on_ask")(*asked, form, reader())
    next(run), next(run)
    run.close()
    ceiling = made.dashboard.ceilings(EVERYONE)[0]
    assert ceiling.held_nanos == 0
    assert ceiling.committed_nanos > 0


def test_over_the_ceiling_the_page_offers_the_rung_that_fits(made: Pages) -> None:
    with made.uow() as unit:
        unit.ledger.set_limit("pilot", 200_000, "USD")
        unit.commit()
    asked = ("How much?", "critical", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader("ja"))
    *_, told, form = list(handler(made, "on_ask")(*asked, form, reader("ja")))[-1]
    assert "パイロット予算" in told
    lower = handler(made, "on_finish")(form, reader("ja"))[4]
    assert lower["value"] == "「日常」に変更"
    assert handler(made, "on_lower")(form)[0] == "routine"
    assert made.engine.jobs == []


def test_an_example_fills_the_whole_form(made: Pages) -> None:
    text, importance, domain = handler(made, "on_example")(reader())
    assert "technician" in text
    assert (importance, domain) == ("standard", "math")


def shown(made: Pages, seen: str = "", chosen: tuple[str, ...] = NOTHING_CHOSEN) -> dict[str, Any]:
    found = handler(made, "on_refresh")("Asia/Tokyo", *chosen, seen, reader())
    return dict(zip(WRITTEN, found, strict=True))


def test_the_dashboard_shows_an_answer_once_it_is_there(made: Pages) -> None:
    empty = shown(made)
    assert "No spend yet" in empty["no_spend"]
    assert "python app.py evaluate" in empty["provenance"]
    assert shown(made, empty["seen"])["tiles"] == gr.skip()
    list(handler(made, "on_ask")("How much?", "standard", "math", Form(), reader()))
    keep_measurements(made)
    after = shown(made, empty["seen"])
    assert len(after["spend"]["value"].data[0].x) == 1
    assert after["table"].count("<tr>") == 2
    assert [line.name for line in after["quality"]["value"].data][:3] == [
        "Math",
        "Data",
        "Business",
    ]
    assert 'download="spend.csv"' in after["spend_take"]


def test_filters_hold_for_charts_and_lists(made: Pages) -> None:
    for importance in ("routine", "standard"):
        list(handler(made, "on_ask")("How much?", importance, "math", Form(), reader()))
    only = shown(made, chosen=("7", "", "", "routine", "", "importance", "", ""))
    assert only["table"].count("<tr>") == 2
    assert list(only["parts"]["value"].data[0].y) == ["Routine"]
    none = shown(made, chosen=("", "nobody's", "", "", "", "team", "", ""))
    assert "No spend yet" in none["no_spend"]


def test_a_point_shows_its_answers_to_read(made: Pages) -> None:
    list(handler(made, "on_ask")("How much <b>?", "standard", "math", Form(), reader()))
    behind = shown(made, chosen=(*NOTHING_CHOSEN[:7], f"{CAP}.math"))["behind"]
    assert "How much &lt;b&gt;?" in behind
    assert "301" in behind
    other = shown(made, chosen=(*NOTHING_CHOSEN[:7], f"{CAP}.data"))["behind"]
    assert "301" not in other


@pytest.mark.parametrize("point", ["x", "9" * 40, "-1.math", "3.<b>"])
def test_a_link_with_nonsense_shows_the_page(made: Pages, point: str) -> None:
    assert "<b>" not in shown(made, chosen=("x", "", "", "x", "x", "x", "x", point))["behind"]


def test_a_withheld_answer_shows_none_of_its_text(made: Pages) -> None:
    asked = ("How much?", "critical", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    seen = list(handler(made, "on_ask")(*asked, form, reader()))
    assert not any("plus 45" in str(part) for update in seen for part in update)
    assert "waits for its review" in seen[-1][0]
    assert "plus 45" not in handler(made, "on_search")("Asia/Tokyo", "", reader())
    assert "No record" in handler(made, "on_tokens")(form, reader())


def test_more_compute_asks_the_same_with_the_same_seed_beside_the_first(made: Pages) -> None:
    asked = ("How much?", "routine", "auto")
    begin, run = handler(made, "on_begin"), handler(made, "on_ask")
    _, form, *_ = begin(*asked, Form(), reader())
    list(run(*asked, form, reader()))
    question, importance, domain, again = handler(made, "on_more")(form, reader())
    assert (question, importance) == ("How much?", "standard")
    _, second, *_ = begin(question, importance, domain, again, reader())
    list(run(question, importance, domain, second, reader()))
    first, last = made.engine.jobs
    assert first.seed == last.seed
    done = handler(made, "on_finish")(second, reader())
    assert "Side by side" in done[5]
    _, plain, *_ = begin(*asked, done[1], reader())
    assert plain.before == ""


def test_nothing_more_to_ask_runs_nothing(made: Pages) -> None:
    *skipped, form = handler(made, "on_more")(Form(), reader())
    assert skipped == [gr.skip()] * 3
    _, halted, *_ = handler(made, "on_begin")("How much?", "standard", "math", form, reader())
    list(handler(made, "on_ask")("How much?", "standard", "math", halted, reader()))
    assert made.engine.jobs == []


def test_an_opened_answer_stands_with_its_question(made: Pages) -> None:
    asked = ("How much?", "standard", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    list(handler(made, "on_ask")(*asked, form, reader()))
    event = gr.EventData(None, {"do": "open", "id": form.answer_id})
    opened = handler(made, "on_open")(reader(), event)
    assert "How much?" in opened[0]
    assert "301" in opened[0]
    assert opened[-3:] == ("How much?", "standard", "math")

"""The pages without a server: what is on them, what is wired to what, what handlers give."""

from collections.abc import Callable
from typing import Any

import gradio as gr
import pytest

from app.i18n import texts
from app.views.launch import launch_options
from app.views.state import Form
from policies.types import Domain, Importance
from tests.pages import Pages, keep_measurements

ASK_IDS = """
header question notice lower importance domain quote send stop answer meter card rate rate-up
rate-down example-math example-data example-business example-invoice
"""
DASHBOARD_IDS = "header top refresh tiles suite quality provenance spend no-spend answers"
ENUMS = {*Importance, *Domain}


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


def test_only_asking_waits_in_line_and_one_at_a_time(made: Pages) -> None:
    queued = {f.name: f for f in made.demo.fns.values() if f.queue and f.fn and f.inputs}
    assert set(queued) == {"on_ask"}
    assert queued["on_ask"].concurrency_id == "model"
    assert queued["on_ask"].concurrency_limit == 1


def test_every_word_on_the_pages_is_the_catalogues(made: Pages) -> None:
    known = set(texts("en").messages.values()) | ENUMS
    for component in made.demo.get_config_file()["components"]:
        for name in ("label", "placeholder", "info", "value"):
            said = component["props"].get(name)
            if isinstance(said, str) and said and "translation_metadata" not in said:
                assert said in known, (component["type"], name, said)


def test_there_is_one_timer_and_it_is_on_the_dashboard(made: Pages) -> None:
    timers = [c for c in made.demo.get_config_file()["components"] if c["type"] == "timer"]
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
    _, routine, _ = quote("How much?", "routine", "math", reader())
    _, critical, _ = quote("How much?", "critical", "math", reader())
    assert "without refinement" in routine
    assert "1,440 refinement passes" in critical


def test_an_answer_ends_with_its_card_and_a_second_press_runs_nothing(made: Pages) -> None:
    asked = ("How much?", "high", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    first = list(handler(made, "on_ask")(*asked, form, reader()))[-1]
    again = list(handler(made, "on_ask")(*asked, form, reader()))[-1]
    assert "301" in first[0]
    assert "Receipt" in first[2]
    assert "a second time" in again[2]
    assert len(made.engine.jobs) == 1


def test_stop_ends_with_a_receipt_for_the_work_done(made: Pages) -> None:
    asked = ("How much?", "high", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    seen = []
    for update in handler(made, "on_ask")(*asked, form, reader()):
        seen.append(update)
        if len(seen) == 3:  # started, two words
            handler(made, "on_stop")(reader())
    assert "Stopped." in seen[-1][2]
    assert made.engine.evaluations < 7 * 11


def test_a_closed_tab_gives_the_hold_back(made: Pages) -> None:
    asked = ("How much?", "high", "math")
    _, form, *_ = handler(made, "on_begin")(*asked, Form(), reader())
    run = handler(made, "on_ask")(*asked, form, reader())
    next(run), next(run)
    run.close()
    ceiling = made.dashboard.overview().ceilings[0]
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
    assert (importance, domain) == ("high", "math")


def test_the_dashboard_shows_an_answer_once_it_is_there(made: Pages) -> None:
    refresh = handler(made, "on_refresh")
    empty = refresh("Asia/Tokyo", "", "", reader())
    assert "No spend yet" in empty[7]
    assert "python app.py evaluate" in empty[5]
    seen = empty[-1]
    assert refresh("Asia/Tokyo", "", seen, reader())[-1] == gr.skip()
    list(handler(made, "on_ask")("How much?", "high", "math", Form(), reader()))
    keep_measurements(made)
    after = refresh("Asia/Tokyo", "", seen, reader())
    assert len(after[6]["value"].data[0].x) == 1
    assert after[8].count("<tr>") == 2
    assert len(after[4]["value"].data) == 4

"""The Ask page: its widgets wired to its handlers."""

from typing import Any

import gradio as gr
from gradio.events import Dependency

from app.guarded import MODEL_QUEUE, QUIET
from app.ports import ModelInfo
from app.services.ask import Ask
from app.services.dashboard import Dashboard
from app.services.mine import Mine
from app.services.outlook import Outlook
from app.services.review_waiting import Waiting
from app.views import top
from app.views.ask_handlers import AskHandlers
from app.views.ask_later import LaterHandlers
from app.views.ask_standing import StandingHandlers
from app.views.ask_widgets import EXAMPLES, POINT, Entry, Past, Result, entry, past, result
from app.views.labels import Labels
from app.views.state import Form, Running
from app.views.tour import tour
from app.views.who import Sessions

SHOW_RESULT = """() => {
  document.getElementById("result").scrollIntoView({behavior: "smooth", block: "nearest"});
}"""


def build(
    page: gr.Blocks,
    ask: Ask,
    dashboard: Dashboard,
    waiting: Waiting,
    info: ModelInfo,
    sessions: Sessions,
) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    header = top.header(page)
    with gr.Row(elem_id="ask-page"):
        with gr.Column(scale=1, min_width=320, elem_id="form"):
            left = entry(info, labels)
        with gr.Column(scale=1, min_width=320, elem_id="result"):
            right = result(labels)
    with gr.Column(elem_id="mine"):
        below = past(labels)
    tour(labels)
    zone, form = gr.Textbox(visible=False), gr.State(Form())
    before = ask.admission
    outlook = Outlook(before.engine, ask.reader, before.policy, before.clock)
    handlers = AskHandlers(ask, dashboard, outlook, info, Running(), labels, sessions)
    later = LaterHandlers(ask, Mine(ask.reader), sessions)
    page.load(handlers.on_load, left.asked, [header, *left.quoted, *labels.components], **QUIET)
    page.unload(handlers.on_unload)
    _wire_quote(left, handlers)
    standing = StandingHandlers(waiting, later, sessions)
    _wire_later(zone, form, left, right, below, later, standing)
    _wire_review(zone, form, right, below, standing)
    page.load(later.on_search, [zone, below.words], [below.found], **top.IN_ZONE)
    run = _Run(header, zone, form, left, right, below, handlers, later, standing)
    sent = {"fn": handlers.on_begin, "inputs": run.asked, "outputs": run.begun, **QUIET}
    run.after(gr.on([left.send.click, left.question.submit], trigger_mode="once", **sent))
    again = right.more.click(later.on_more, [form], [*left.asked, form], **QUIET)
    run.after(again.then(trigger_mode="once", **sent))
    first = left.point.click(handlers.fill(POINT), None, left.asked, **QUIET)
    finished = run.after(first.then(trigger_mode="once", **sent))
    second = finished.then(later.on_more, [form], [*left.asked, form], **QUIET)
    run.after(second.then(**sent))
    for pressed in (left.send, left.point, right.more):
        pressed.click(None, js=SHOW_RESULT, api_visibility="private")
    left.stop.click(handlers.on_stop, None, [left.stop], **QUIET)
    left.lower.click(
        handlers.on_lower, [form], [left.importance, left.notice, left.lower], **QUIET
    ).then(handlers.on_quote, left.asked, left.quoted, **QUIET)


class _Run:
    """Check, run, put the form back: the same chain behind every way to ask."""

    def __init__(
        self,
        header: gr.HTML,
        zone: gr.Textbox,
        form: gr.State,
        left: Entry,
        right: Result,
        below: Past,
        handlers: AskHandlers,
        later: LaterHandlers,
        standing: StandingHandlers,
    ) -> None:
        self.left, self.right, self.handlers, self.later = left, right, handlers, later
        self.asked: list[Any] = [*left.asked, form]
        buttons = [left.send, left.stop, left.lower]
        self.begun = [left.notice, form, *buttons, right.after, right.meter, right.difference]
        self.finished = [header, form, *buttons, *right.rest]
        self.review = _reviewed(zone, form, right, standing)
        self.history, self.form = ([zone, below.words], [below.found]), form
        self._public = True

    def after(self, begun: Dependency) -> Dependency:
        """The key makes a second press harmless. Programs have one way in: the first chain's."""
        queue = MODEL_QUEUE | ({} if self._public else {"api_visibility": "private"})
        name, self._public = ("ask" if self._public else None), False
        right, left = self.right, self.left
        begun.then(*self.review, **top.IN_ZONE)
        asked = begun.then(
            self.handlers.on_ask,
            self.asked,
            [right.answer, right.meter, right.card, left.notice, self.form],
            api_name=name,
            trigger_mode="once",
            **queue,
        )
        finished: Dependency = asked.then(
            self.handlers.on_finish, [self.form], self.finished, **QUIET
        )
        finished.then(*self.review, **top.IN_ZONE)
        finished.then(
            self.handlers.on_requote,
            left.asked,
            [left.importance, left.domain, left.quote],
            **QUIET,
        ).then(self.later.on_search, *self.history, **top.IN_ZONE)
        return finished


def _wire_quote(left: Entry, handlers: AskHandlers) -> None:
    """The quote follows every change; while one is on its way, only the last waits."""
    gr.on(
        [left.question.change, left.importance.input, left.domain.input],
        handlers.on_quote,
        left.asked,
        left.quoted,
        trigger_mode="always_last",
        **QUIET,
    )
    for example, button in zip(EXAMPLES, left.examples, strict=True):
        button.click(handlers.fill(example), None, left.asked, **QUIET).then(
            handlers.on_quote, left.asked, left.quoted, **QUIET
        )


def _wire_later(
    zone: gr.Textbox,
    form: gr.State,
    left: Entry,
    right: Result,
    below: Past,
    later: LaterHandlers,
    standing: StandingHandlers,
) -> None:
    right.how.click(later.on_tokens, [form], [right.tokens], **QUIET)
    right.up.click(later.on_up, [form], [right.thanks], **QUIET)
    right.down.click(later.on_down, [form], [right.thanks], **QUIET)
    below.words.change(
        later.on_search,
        [zone, below.words],
        [below.found],
        trigger_mode="always_last",
        **top.IN_ZONE,
    )
    shown = [*_shown(form, right), left.notice, *left.asked]
    review = _reviewed(zone, form, right, standing)
    below.found.click(later.on_open, None, shown, **QUIET).then(*review, **top.IN_ZONE)
    below.found.click(None, js=SHOW_RESULT, api_visibility="private")


def _reviewed(
    zone: gr.Textbox, form: gr.State, right: Result, standing: StandingHandlers
) -> tuple[Any, list[Any], list[Any]]:
    """Function, inputs and outputs that show the review of the answer that is shown now."""
    review = right.review
    typed = [review.reply, review.box, review.drafts]
    return standing.on_show, [zone, form, *typed], review.all


def _shown(form: gr.State, right: Result) -> list[Any]:
    """As `LaterHandlers.shown` fills it."""
    return [right.answer, right.meter, right.card, form, *right.rest]


def _wire_review(
    zone: gr.Textbox,
    form: gr.State,
    right: Result,
    below: Past,
    standing: StandingHandlers,
) -> None:
    review = right.review
    typed = [review.reply, review.box, review.drafts]
    review.reply.change(  # `input` is told of keys alone, not of what is pasted
        standing.on_typed, typed, [review.drafts], trigger_mode="always_last", **QUIET
    )
    review.timer.tick(
        standing.on_tick,
        [zone, below.words, form, review.last],
        [*review.state, review.notice, below.found, *_shown(form, right)],
        **top.IN_ZONE,
    )
    review.send.click(
        standing.on_reply,
        [zone, below.words, form, *typed],
        [*review.all, below.found],
        trigger_mode="once",
        **top.IN_ZONE,
    )

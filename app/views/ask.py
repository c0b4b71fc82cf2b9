"""The Ask page: its widgets wired to its handlers."""

import gradio as gr

from app.guarded import MODEL_QUEUE, QUIET
from app.ports import ModelInfo
from app.services.ask import Ask
from app.services.dashboard import Dashboard
from app.views import top
from app.views.ask_handlers import AskHandlers
from app.views.ask_widgets import EXAMPLES, Entry, Result, entry, result
from app.views.labels import Labels
from app.views.state import Form, Running

SHOW_RESULT = """() => {
  document.getElementById("result").scrollIntoView({behavior: "smooth", block: "nearest"});
}"""


def build(page: gr.Blocks, ask: Ask, dashboard: Dashboard, info: ModelInfo) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    header = top.header(page)
    with gr.Row(elem_id="ask-page"):
        with gr.Column(scale=1, min_width=320, elem_id="form"):
            left = entry(info, labels)
        with gr.Column(scale=1, min_width=320, elem_id="result"):
            right = result(labels)
    handlers = AskHandlers(ask, dashboard, info, Running(), labels)
    form = gr.State(Form())
    page.load(handlers.on_load, left.asked, [header, *left.quoted, *labels.components], **QUIET)
    page.unload(handlers.on_unload)
    _wire_quote(left, handlers)
    _wire_run(header, form, left, right, handlers)
    right.up.click(handlers.on_up, [form], [right.thanks], **QUIET)
    right.down.click(handlers.on_down, [form], [right.thanks], **QUIET)


def _wire_quote(left: Entry, handlers: AskHandlers) -> None:
    """The quote follows every change; while one is on its way, only the last waits."""
    gr.on(
        [left.question.input, left.importance.change, left.domain.change],
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


def _wire_run(
    header: gr.HTML, form: gr.State, left: Entry, right: Result, handlers: AskHandlers
) -> None:
    """Check, run, put the form back. The key makes a second press harmless."""
    buttons = [left.send, left.stop, left.lower, right.rate]
    begun = gr.on(
        [left.send.click, left.question.submit],
        handlers.on_begin,
        [*left.asked, form],
        [left.notice, form, *buttons, right.meter],
        trigger_mode="once",
        **QUIET,
    )
    asked = begun.then(
        handlers.on_ask,
        [*left.asked, form],
        [right.answer, right.meter, right.card, left.notice, form],
        api_name="ask",
        trigger_mode="once",
        **MODEL_QUEUE,
    )
    asked.then(handlers.on_finish, [form], [header, form, *buttons, right.thanks], **QUIET).then(
        handlers.on_requote, left.asked, [left.importance, left.quote], **QUIET
    )
    left.send.click(None, js=SHOW_RESULT, api_visibility="private")
    left.stop.click(handlers.on_stop, None, [left.stop], **QUIET)
    left.lower.click(handlers.on_lower, [form], [left.importance, left.notice, left.lower], **QUIET)

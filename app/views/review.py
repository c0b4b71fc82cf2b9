"""The Review page: the queue at the left, evidence and verdict at the right, keys for all."""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.events import Dependency

from app.guarded import MODEL_QUEUE, QUIET
from app.i18n import DEFAULT, texts
from app.presenters import review as show
from app.presenters import review_queue as show_queue
from app.services.reviewing import Reviewing
from app.views import review_queue, top
from app.views.labels import Labels
from app.views.press import pressable
from app.views.review_handlers import APPROVE, Opened, ReviewHandlers
from app.views.who import Sessions

REFRESH_SECONDS = 20
"""A claim lives two minutes without a sign of life."""
KEYS = """() => {
  if (window.reviewKeys) return;
  window.reviewKeys = true;
  const help = () => document.getElementById("keys-help");
  const typing = at => at.isContentEditable || at.closest("select, textarea, [role=listbox]")
    || (at.matches("input") && !["radio", "checkbox", "button"].includes(at.type));
  const step = by => {
    const all = [...document.querySelectorAll("#queue [data-do=open]")];
    const at = all.findIndex(one => one.getAttribute("aria-current"));
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
    if (next && next !== all[at]) { next.click(); next.scrollIntoView({block: "nearest"}); }
  };
  const boxes = {correct: "#correction textarea", approve: "#send-verdict"};
  window.reviewFocus = verdict =>
    document.querySelector(boxes[verdict] || "#reason textarea")?.focus();
  const choose = verdict => {  // what is typed next, however soon, is words and no keys
    document.querySelector(`#verdict input[value="${verdict}"]`)?.click();
    window.reviewFocus(verdict);
  };
  const acts = {
    j: () => step(1), k: () => step(-1), a: () => choose("approve"), c: () => choose("correct"),
    r: () => choose("reject"), e: () => document.getElementById("more")?.click(),
    "?": () => help().open ? help().close() : help().showModal(),
  };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (help()?.open && event.key !== "?") return;
    if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
  });
  document.addEventListener("click", event => {
    if (event.target.closest("#keys-open")) help().showModal();
  });
}"""
SHOW_EVIDENCE = """() => {
  if (innerWidth < 900) document.getElementById("evidence").scrollIntoView({block: "start"});
}"""
FOCUS = "(verdict) => { setTimeout(() => window.reviewFocus(verdict), 150); }"
"""After a press, which has the focus itself at first."""


@dataclass(frozen=True, slots=True)
class _Form:
    """In the order of `review_handlers._form`."""

    panel: gr.Column
    mode: gr.Radio
    correction: gr.Textbox
    changes: gr.HTML
    reason: gr.Textbox
    send: gr.Button
    saved: gr.HTML
    notice: gr.HTML

    @property
    def all(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]

    @property
    def typed(self) -> list[Any]:
        return [self.mode, self.correction, self.reason]


@dataclass(frozen=True, slots=True)
class _Side:
    """What is waiting, and which of it one sees."""

    chosen: review_queue.Filters
    queue: gr.HTML

    @property
    def filters(self) -> list[Any]:
        return self.chosen.all


def build(page: gr.Blocks, reviewing: Reviewing, sessions: Sessions) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    reader, opened = gr.Textbox(visible=False), gr.State(Opened())
    with gr.Row(elem_id="review-top"):
        labels.fixed(show_queue.top)
        labels.html(show_queue.keys, padding=False, elem_id="keys")
    chosen = review_queue.filters(labels)
    with gr.Row(elem_id="review-page"):
        with gr.Column(scale=2, min_width=280, elem_id="queue-side"):
            side = _Side(chosen, review_queue.queue())
        with gr.Column(scale=5, min_width=320, elem_id="evidence-side"):
            evidence = pressable(elem_id="evidence")
            form, more = _form(labels)
    handlers = ReviewHandlers(reviewing, sessions, labels)
    page.load(None, js=KEYS, api_visibility="private")
    first = [*side.filters, *labels.components, evidence]
    loaded = page.load(handlers.on_load, None, first, **QUIET)
    fresh = {
        "fn": handlers.on_queue,
        "inputs": [reader, gr.Number(visible=False), *side.filters, opened],
        "outputs": [side.queue, form.notice, evidence],
        **review_queue.FRESH,
    }
    _wire_queue(loaded, reader, opened, side, evidence, form, fresh, handlers)
    _wire_form(reader, opened, side, evidence, form, more, fresh, handlers)


def _wire_queue(
    loaded: Dependency,
    reader: gr.Textbox,
    opened: gr.State,
    side: _Side,
    evidence: gr.HTML,
    form: _Form,
    fresh: dict[str, Any],
    handlers: ReviewHandlers,
) -> None:
    given = [reader, *side.filters, opened]
    loaded.then(**fresh)
    gr.on([gr.Timer(REFRESH_SECONDS).tick, *(each.input for each in side.filters)], **fresh)
    side.queue.click(
        handlers.on_open,
        given,
        [side.queue, evidence, opened, *form.all],
        trigger_mode="once",
        **top.IN_ZONE,
    ).then(None, js=SHOW_EVIDENCE, api_visibility="private")


def _wire_form(
    reader: gr.Textbox,
    opened: gr.State,
    side: _Side,
    evidence: gr.HTML,
    form: _Form,
    more: gr.Button,
    fresh: dict[str, Any],
    handlers: ReviewHandlers,
) -> None:
    form.mode.change(handlers.on_mode, [form.mode], [form.reason, form.send], **QUIET)
    form.mode.input(None, [form.mode], js=FOCUS, api_visibility="private")
    gr.on(  # change, as pasting gives no input event
        [form.mode.input, form.correction.change, form.reason.change],
        handlers.on_typed,
        [reader, *form.typed, opened],
        [form.changes, form.saved],
        trigger_mode="always_last",
        **top.IN_ZONE,
    )
    form.send.click(
        handlers.on_send,
        [reader, *side.filters, *form.typed, opened],
        [side.queue, evidence, opened, *form.all],
        trigger_mode="once",
        **top.IN_ZONE,
    )
    ran = [evidence, opened, *form.all]
    model = MODEL_QUEUE | {"api_visibility": "private", "js": top.WITH_TIME_ZONE}
    pressed = evidence.click(
        handlers.on_evidence, [reader, opened], ran, trigger_mode="once", **model
    )
    pressed.then(**fresh)  # who has it may be another now
    more.click(handlers.on_more, [reader, opened], ran, trigger_mode="once", **model)


def _form(labels: Labels) -> tuple[_Form, gr.Button]:
    first = texts(DEFAULT)
    with gr.Column(elem_id="decide", elem_classes="sheet", visible=False) as panel:
        mode = labels.choices("review.mode", show.modes, first, value=APPROVE, elem_id="verdict")
        correction = labels.make(
            gr.Textbox,
            {"label": "review.correction"},
            lines=5,
            max_lines=20,
            elem_id="correction",
        )
        changes = gr.HTML(elem_id="changes", padding=False)
        reason = labels.make(
            gr.Textbox, {"label": "review.reason"}, lines=2, max_lines=10, elem_id="reason"
        )
        with gr.Row():
            send = labels.make(
                gr.Button, {"value": "review.send"}, variant="primary", elem_id="send-verdict"
            )
            more = labels.make(gr.Button, {"value": "review.more"}, elem_id="more")
        saved = gr.HTML(elem_id="saved", padding=False)
    told = gr.HTML(elem_id="review-notice", padding=False)
    return _Form(panel, mode, correction, changes, reason, send, saved, told), more

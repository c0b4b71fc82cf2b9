"""What stands on the Ask page and where; nothing happens here."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.i18n import DEFAULT, texts
from app.ports import ModelInfo
from app.presenters import ask as show
from app.views.labels import Labels
from app.views.press import pressable
from policies.types import Domain, Importance


@dataclass(frozen=True, slots=True)
class Example:
    """A question to start from; its words are in the catalogue."""

    name: str
    importance: Importance
    domain: Domain


EXAMPLES = (
    Example("math", Importance.STANDARD, Domain.MATH),
    Example("data", Importance.STANDARD, Domain.DATA),
    Example("business", Importance.STANDARD, Domain.BUSINESS),
    Example("invoice", Importance.CRITICAL, Domain.BUSINESS),
)
POINT = Example("point", Importance.ROUTINE, Domain.MATH)
"""Asked twice in one click: without refinement, then with it."""
REFRESH_SECONDS = 10
"""How often the state of a review is read; only while the answer waits."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The left half: a question on its way."""

    question: gr.Textbox
    notice: gr.HTML
    lower: gr.Button
    point: gr.Button
    examples: list[gr.Button]
    importance: gr.Radio
    domain: gr.Radio
    quote: gr.HTML
    send: gr.Button
    stop: gr.Button

    @property
    def asked(self) -> list[Any]:
        return [self.question, self.importance, self.domain]

    @property
    def quoted(self) -> list[Any]:
        return [self.importance, self.domain, self.quote, self.notice]


@dataclass(frozen=True, slots=True)
class Review:
    """Under an answer that waits; the box only where a reviewer asks."""

    shown: gr.HTML
    panel: gr.Column
    reply: gr.Textbox
    send: gr.Button
    notice: gr.HTML
    timer: gr.Timer
    last: gr.State
    """What is shown now, so that no news changes nothing on the page."""
    box: gr.State
    """The answer whose reply is typed."""
    drafts: gr.BrowserState
    """Half-written replies, so that neither another answer nor a reload loses one."""

    @property
    def state(self) -> list[Any]:
        return [self.shown, self.panel, self.timer, self.last]

    @property
    def all(self) -> list[Any]:
        return [*self.state, self.reply, self.notice, self.box, self.drafts]


@dataclass(frozen=True, slots=True)
class Result:
    """The right half: what came back."""

    answer: gr.HTML
    review: Review
    meter: gr.HTML
    difference: gr.HTML
    card: gr.HTML
    after: gr.Column
    more: gr.Button
    how: gr.Button
    tokens: gr.HTML
    up: gr.Button
    down: gr.Button
    thanks: gr.HTML

    @property
    def rest(self) -> list[Any]:
        """All that follows an answer, as `AskHandlers.rest` fills it."""
        return [self.difference, self.after, self.more, self.tokens, self.thanks]


@dataclass(frozen=True, slots=True)
class Past:
    """Below: what the reader asked before."""

    words: gr.Textbox
    found: gr.HTML


def entry(info: ModelInfo, labels: Labels) -> Entry:
    labels.fixed(lambda t: show.title("ask.title", t) + show.scope_note(info, t))
    words = {"label": "ask.question", "placeholder": "ask.placeholder"}
    question = labels.make(gr.Textbox, words, lines=2, max_lines=12, elem_id="question")
    notice = gr.HTML(elem_id="notice", padding=False)
    lower = gr.Button("", visible=False, size="sm", elem_id="lower")
    point, *examples = _examples(labels)
    importance, domain = _choices(labels)
    with gr.Column(elem_id="send-bar"):
        quote = gr.HTML(elem_id="quote", padding=False)
        with gr.Row(elem_id="send-row"):
            send = labels.make(gr.Button, {"value": "ask.send"}, variant="primary", elem_id="send")
            stop = labels.make(
                gr.Button, {"value": "ask.stop"}, variant="stop", elem_id="stop", visible=False
            )
    return Entry(question, notice, lower, point, examples, importance, domain, quote, send, stop)


def result(labels: Labels) -> Result:
    labels.fixed(lambda t: show.title("answer.title", t))
    answer = labels.html(show.how_it_works, elem_id="answer", padding=False)
    waits = _review(labels)
    meter = gr.HTML(elem_id="meter", padding=False)
    difference = gr.HTML(elem_id="difference", padding=False)
    card = gr.HTML(elem_id="card", padding=False)
    with gr.Column(visible=False, elem_id="after") as after:
        with gr.Row(elem_id="onward"):
            more = gr.Button("", size="sm", elem_id="more")
            how = labels.make(gr.Button, {"value": "tokens.show"}, size="sm", elem_id="how")
        tokens = gr.HTML(elem_id="tokens", padding=False)
        with gr.Column(elem_id="rate"):
            labels.fixed(lambda t: show.label("rate.question", t))
            with gr.Row():
                up = labels.make(gr.Button, {"value": "rate.up"}, size="sm", elem_id="rate-up")
                down = labels.make(
                    gr.Button, {"value": "rate.down"}, size="sm", elem_id="rate-down"
                )
            thanks = gr.HTML(elem_id="thanks", padding=False)
    return Result(
        answer, waits, meter, difference, card, after, more, how, tokens, up, down, thanks
    )


def _review(labels: Labels) -> Review:
    shown = gr.HTML(elem_id="standing", padding=False)
    with gr.Column(visible=False, elem_id="reply-panel") as panel:
        reply = labels.make(
            gr.Textbox, {"label": "standing.reply"}, lines=2, max_lines=10, elem_id="reply"
        )
        send = labels.make(
            gr.Button, {"value": "standing.send"}, variant="primary", elem_id="send-reply"
        )
    told = gr.HTML(elem_id="reply-notice", padding=False)
    timer = gr.Timer(REFRESH_SECONDS, active=False)
    # Named, or what a browser keeps could not be read any more after a restart. It is no secret:
    # the page that holds it says it too.
    drafts = gr.BrowserState({}, storage_key="l2d.replies", secret="l2d.replies.v1")
    return Review(shown, panel, reply, send, told, timer, gr.State(""), gr.State(""), drafts)


def past(labels: Labels) -> Past:
    labels.fixed(lambda t: show.title("mine.title", t) + show.lead("mine.lead", t))
    said = {"label": "mine.search", "placeholder": "mine.search_example"}
    words = labels.make(gr.Textbox, said, max_lines=1, elem_id="search")
    return Past(words, pressable(elem_id="found"))


def _examples(labels: Labels) -> list[gr.Button]:
    labels.fixed(lambda t: show.label("ask.examples", t))
    with gr.Row(elem_id="examples"):
        return [example_button(labels, example) for example in (POINT, *EXAMPLES)]


def example_button(labels: Labels, example: Example) -> gr.Button:
    """In a row that is called `examples`; what it fills is the page's."""
    return labels.make(
        gr.Button,
        {"value": f"example.{example.name}.name"},
        size="sm",
        min_width=80,
        elem_id=f"example-{example.name}",
    )


def _choices(labels: Labels) -> tuple[gr.Radio, gr.Radio]:
    first = texts(DEFAULT)
    importance = labels.make(
        gr.Radio,
        {"label": "ask.importance"},
        choices=show.importance_names(first),
        value=Importance.STANDARD,
        elem_id="importance",
    )
    domain = labels.choices(
        "ask.domain", show.domain_choices, first, value=show.AUTO, elem_id="domain"
    )
    return importance, domain

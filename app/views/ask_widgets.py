"""What stands on the Ask page and where; nothing happens here."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.i18n import DEFAULT, texts
from app.ports import ModelInfo
from app.presenters import ask as show
from app.views.labels import Labels
from policies.types import Domain, Importance


@dataclass(frozen=True, slots=True)
class Example:
    """A question to start from; its words are in the catalogue."""

    name: str
    importance: Importance
    domain: Domain


EXAMPLES = (
    Example("math", Importance.HIGH, Domain.MATH),
    Example("data", Importance.STANDARD, Domain.DATA),
    Example("business", Importance.STANDARD, Domain.BUSINESS),
    Example("invoice", Importance.CRITICAL, Domain.BUSINESS),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """The left half: a question on its way."""

    question: gr.Textbox
    notice: gr.HTML
    lower: gr.Button
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
        return [self.importance, self.quote, self.notice]


@dataclass(frozen=True, slots=True)
class Result:
    """The right half: what came back."""

    answer: gr.HTML
    meter: gr.HTML
    card: gr.HTML
    rate: gr.Column
    up: gr.Button
    down: gr.Button
    thanks: gr.HTML


def entry(info: ModelInfo, labels: Labels) -> Entry:
    labels.html(lambda t: show.title("ask.title", t) + show.scope_note(info, t), padding=False)
    words = {"label": "ask.question", "placeholder": "ask.placeholder"}
    question = labels.make(gr.Textbox, words, lines=2, max_lines=12, elem_id="question")
    notice = gr.HTML(elem_id="notice", padding=False)
    lower = gr.Button("", visible=False, size="sm", elem_id="lower")
    examples = _examples(labels)
    importance, domain = _choices(labels)
    quote = gr.HTML(elem_id="quote", padding=False)
    with gr.Row(elem_id="send-row"):
        send = labels.make(gr.Button, {"value": "ask.send"}, variant="primary", elem_id="send")
        stop = labels.make(
            gr.Button, {"value": "ask.stop"}, variant="stop", elem_id="stop", visible=False
        )
    return Entry(question, notice, lower, examples, importance, domain, quote, send, stop)


def result(labels: Labels) -> Result:
    labels.html(lambda t: show.title("answer.title", t), padding=False)
    answer = labels.html(show.how_it_works, elem_id="answer", padding=False)
    meter = gr.HTML(elem_id="meter", padding=False)
    card = gr.HTML(elem_id="card", padding=False)
    with gr.Column(visible=False, elem_id="rate") as rate:
        labels.html(lambda t: show.label("rate.question", t), padding=False)
        with gr.Row():
            up = labels.make(gr.Button, {"value": "rate.up"}, size="sm", elem_id="rate-up")
            down = labels.make(gr.Button, {"value": "rate.down"}, size="sm", elem_id="rate-down")
        thanks = gr.HTML(elem_id="thanks", padding=False)
    return Result(answer, meter, card, rate, up, down, thanks)


def _examples(labels: Labels) -> list[gr.Button]:
    labels.html(lambda t: show.label("ask.examples", t), padding=False)
    with gr.Row(elem_id="examples"):
        return [
            labels.make(
                gr.Button,
                {"value": f"example.{example.name}.name"},
                size="sm",
                min_width=80,
                elem_id=f"example-{example.name}",
            )
            for example in EXAMPLES
        ]


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
        "ask.domain", show.domain_choices, first, value=Domain.GENERAL, elem_id="domain"
    )
    return importance, domain

"""The Compare page: one question, two to four importances, a vote, and only then what each cost."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from app.guarded import MODEL_QUEUE, QUIET, explain, guarded, guarded_stream, words
from app.i18n import DEFAULT, Texts, texts
from app.presenters import ask as show_ask
from app.presenters import compare as show
from app.presenters.parts import notice
from app.services.ask import AskForm, Receipt
from app.services.side_by_side import Offer, SideBySide, Vote
from app.views.ask_widgets import EXAMPLES, Example, example_button
from app.views.labels import Labels
from app.views.press import pressable, pressed
from app.views.state import Running, new_key
from app.views.who import Sessions
from policies.errors import PilotError
from policies.roles import Action, Actor, may
from policies.types import Domain, Importance

SHORTEST = "?"
"""Stands for a question nobody has typed yet."""
BLIND = True
"""Unless one wants to see."""
OFFERED = tuple(each for each in EXAMPLES if each.importance is not Importance.CRITICAL)
"""Answers to the others wait for a reviewer, and are not compared."""
FIRST = [Importance.ROUTINE.value, Importance.STANDARD.value]
Updates = tuple[Any, ...]


@dataclass
class Shown:
    """The comparison in a tab."""

    receipts: list[Receipt] = field(default_factory=list)
    blind: bool = True
    voted: bool = False


@dataclass(frozen=True, slots=True)
class _Form:
    question: gr.Textbox
    domain: gr.Radio
    chosen: gr.CheckboxGroup
    blind: gr.Checkbox
    examples: list[gr.Button]

    @property
    def all(self) -> list[Any]:
        return [self.question, self.domain, self.chosen, self.blind]


@dataclass(frozen=True)
class CompareHandlers:
    compare: SideBySide
    sessions: Sessions
    running: Running
    labels: Labels

    @guarded
    def on_load(self, request: gr.Request) -> Updates:
        """The place of the answers says what to do, then the fixed words."""
        said = words(request)
        return show.nothing(said), *self.labels.say(said)

    def fill(self, example: Example) -> Callable[[gr.Request], Updates]:
        """Question and domain."""

        @guarded
        def on_example(request: gr.Request) -> Updates:
            return words(request)(f"example.{example.name}.text"), example.domain

        return on_example

    @guarded
    def on_quote(
        self, question: str, domain: str, chosen: list[str], request: gr.Request
    ) -> Updates:
        """Choices, what is left out, the price, the notice."""
        said, actor = words(request), self.sessions(request).actor
        if not may(actor, Action.ASK):
            return gr.skip(), "", "", ""
        typed = bool((question or "").strip())
        try:
            form = AskForm(question if typed else SHORTEST, domain=Domain(domain))
            offers = self.compare.offers(actor, form)
        except PilotError as err:
            return gr.skip(), gr.skip(), gr.skip(), notice(explain(err, said))
        price = show.price(offers, chosen, said) if typed else ""
        return _choices(offers, chosen, said), show.left_out(offers, said), price, ""

    @guarded_stream
    def on_run(
        self, question: str, domain: str, chosen: list[str], blind: bool, request: gr.Request
    ) -> Iterator[Updates]:
        """Answers, shown, notice, send, stop."""
        said, actor = words(request), self.sessions(request).actor
        shown, of, tab = Shown(blind=blind), len(chosen), request.session_hash or ""
        busy, idle = _buttons(running=True), _buttons(running=False)
        yield show.sides([], of, blind, False, said), shown, "", *busy
        with self.running.run(tab) as stop:
            try:
                form = AskForm(question or "", domain=Domain(domain))
                rungs = [Importance(c) for c in chosen]
                run = self.compare(actor, form, rungs, new_key(), blind, stop.is_set)
                with closing(run) as receipts:
                    for receipt in receipts:
                        shown.receipts.append(receipt)
                        yield show.sides(shown.receipts, of, blind, False, said), shown, "", *busy
            except PilotError as err:
                done = shown.receipts
                partly = show.sides(done, len(done), blind, True, said) if done else ""
                yield partly or show.nothing(said), shown, notice(explain(err, said)), *idle
                return
        yield gr.skip(), shown, "", *idle

    @guarded
    def on_vote(self, shown: Shown, request: gr.Request, event: gr.EventData) -> Updates:
        """Answers with their costs, shown, notice."""
        said, actor, what = words(request), self.sessions(request).actor, pressed(event)
        if shown.voted or not shown.receipts:
            return gr.skip(), shown, gr.skip()
        self._vote(actor, shown, what.get("do", ""), what.get("place", "0"))
        shown.voted = True
        revealed = show.sides(shown.receipts, len(shown.receipts), shown.blind, True, said)
        return revealed, shown, show.thanks(shown.blind, said)

    def on_stop(self, request: gr.Request) -> None:
        self.running.stop(request.session_hash or "")

    def _vote(self, actor: Actor, shown: Shown, do: str, place: str) -> None:
        ids = [receipt.row.id for receipt in shown.receipts]
        best = int(place) if place.isdecimal() else 0
        self.compare.vote(actor, ids, Vote(do), best, shown.blind)


def build(page: gr.Blocks, compare: SideBySide, sessions: Sessions) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    labels.fixed(show.top)
    form = _form(labels)
    left_out = gr.HTML(elem_id="left-out", padding=False)
    price = gr.HTML(elem_id="compare-price", padding=False)
    told = gr.HTML(elem_id="compare-notice", padding=False)
    with gr.Row():
        send = labels.make(
            gr.Button, {"value": "compare.send"}, variant="primary", elem_id="compare-send"
        )
        stop = labels.make(
            gr.Button, {"value": "ask.stop"}, variant="stop", visible=False, elem_id="compare-stop"
        )
    answers, shown = pressable(elem_id="compared"), gr.State(Shown())
    handlers = CompareHandlers(compare, sessions, Running(), labels)
    page.load(handlers.on_load, None, [answers, *labels.components], **QUIET)
    for example, button in zip(OFFERED, form.examples, strict=True):
        button.click(handlers.fill(example), None, [form.question, form.domain], **QUIET)
    page.unload(handlers.on_stop)
    gr.on(
        [page.load, form.question.change, form.domain.change, form.chosen.change],
        handlers.on_quote,
        form.all[:3],
        [form.chosen, left_out, price, told],
        trigger_mode="always_last",
        **QUIET,
    )
    model = MODEL_QUEUE | {"api_visibility": "private"}
    send.click(
        handlers.on_run, form.all, [answers, shown, told, send, stop], trigger_mode="once", **model
    )
    stop.click(handlers.on_stop, **QUIET)
    answers.click(handlers.on_vote, [shown], [answers, shown, told], trigger_mode="once", **QUIET)


def _form(labels: Labels) -> _Form:
    first = texts(DEFAULT)
    said = {"label": "ask.question", "placeholder": "ask.placeholder"}
    question = labels.make(gr.Textbox, said, lines=2, max_lines=12, elem_id="compare-question")
    labels.fixed(lambda t: show_ask.label("ask.examples", t))
    with gr.Row(elem_id="examples"):
        examples = [example_button(labels, example) for example in OFFERED]
    domain = labels.choices(
        "ask.domain", show.domains, first, value=Domain.GENERAL, elem_id="compare-domain"
    )
    chosen = labels.options(
        gr.CheckboxGroup, "compare.chosen", show.names, first, value=FIRST, elem_id="compare-chosen"
    )
    blind = labels.make(
        gr.Checkbox, {"label": "compare.blind"}, value=BLIND, container=False, elem_id="blind"
    )
    return _Form(question, domain, chosen, blind, examples)


def _choices(offers: list[Offer], chosen: list[str], said: Texts) -> Any:
    """Only what can be compared; what was chosen and cannot is not chosen any more."""
    offered = [offer.importance.value for offer in offers]
    kept = [name for name in chosen if name in offered]
    if kept == chosen:
        return gr.update(choices=show.choices(offers, said))
    return gr.update(choices=show.choices(offers, said), value=kept)


def _buttons(running: bool) -> Updates:
    return gr.update(interactive=not running), gr.update(visible=running)

"""What the Ask page does when something is pressed or typed. Services act, presenters speak."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from app.guarded import explain, forced_language, guarded, guarded_stream, words
from app.i18n import Texts
from app.ports import ModelInfo
from app.presenters import ask as show
from app.presenters.card import card
from app.presenters.frame import header
from app.presenters.parts import notice
from app.services.ask import Ask, AskForm, Receipt, Started, Written
from app.services.dashboard import Dashboard
from app.views.ask_widgets import Example
from app.views.labels import Labels
from app.views.state import Form, Running, new_key
from policies.errors import InvalidInput, OverCeiling, PilotError
from policies.types import Domain, Importance

SHORTEST = "?"
"""Stands for a question nobody has typed yet: what it costs, every question costs."""
Updates = tuple[Any, ...]


@dataclass(frozen=True)
class AskHandlers:
    ask: Ask
    dashboard: Dashboard
    info: ModelInfo
    running: Running
    labels: Labels

    @guarded
    def on_load(self, question: str, importance: str, domain: str, request: gr.Request) -> Updates:
        quoted = self._quoted(question, importance, domain, request)
        return self._header(request), *quoted, *self.labels.say(words(request))

    @guarded
    def on_quote(self, question: str, importance: str, domain: str, request: gr.Request) -> Updates:
        return self._quoted(question, importance, domain, request)

    @guarded
    def on_requote(
        self, question: str, importance: str, domain: str, request: gr.Request
    ) -> Updates:
        """After a run: the notice belongs to the run."""
        return self._quoted(question, importance, domain, request)[:2]

    def fill(self, example: Example) -> Callable[[gr.Request], Updates]:
        """A handler that puts one example into the form."""

        def on_example(request: gr.Request) -> Updates:
            text = words(request)(f"example.{example.name}.text")
            return text, example.importance, example.domain

        return on_example

    @guarded
    def on_begin(
        self, question: str, importance: str, domain: str, form: Form, request: gr.Request
    ) -> Updates:
        """Check it before it waits for the model: notice, form, send, stop, lower, rate, meter."""
        texts = words(request)
        try:
            self.ask.preview(_form(question, importance, domain, request))
        except PilotError as err:
            told = notice(explain(err, texts))
            return (
                told,
                replace(form, refused=True),
                gr.skip(),
                gr.skip(),
                gr.skip(),
                gr.skip(),
                gr.skip(),
            )
        self.running.sent(_session(request))
        hidden = gr.update(visible=False)
        shown = gr.update(visible=True, interactive=True)
        busy = gr.update(interactive=False)
        return "", form.sent(), busy, shown, hidden, hidden, show.waiting(texts)

    @guarded_stream
    def on_ask(
        self, question: str, importance: str, domain: str, form: Form, request: gr.Request
    ) -> Iterator[Updates]:
        """Answer, meter, card, notice, form; the last has the card.

        A program gets its errors raised, a page gets them told beside the form.
        """
        if form.refused:
            yield tuple(gr.skip() for _ in range(5))
            return
        texts = words(request)
        sent = _form(question, importance, domain, request)
        with self.running.run(_session(request)) as stop:
            try:
                with closing(self.ask(sent, form.key or new_key(), stop.is_set)) as events:
                    yield from _told(events, form, texts)
            except Exception as err:
                if form.key is None:
                    raise
                yield self._failed(err, form, texts)

    @guarded
    def on_finish(self, form: Form, request: gr.Request) -> Updates:
        """Header, form, send, stop, lower, rate, thanks: as before the next question."""
        texts = words(request)
        offer = gr.update(visible=False)
        if form.offer:
            name = texts(f"importance.{form.offer}")
            offer = gr.update(visible=True, value=texts("ask.use_lower", importance=name))
        return (
            self._header(request),
            replace(form, key=None),
            gr.update(interactive=True),
            gr.update(visible=False),
            offer,
            gr.update(visible=bool(form.answer_id)),
            "",
        )

    def on_stop(self, request: gr.Request) -> dict[str, Any]:
        self.running.stop(_session(request))
        return gr.update(interactive=False)

    def on_unload(self, request: gr.Request) -> None:
        """The tab was closed: nobody waits for the answer."""
        self.running.stop(_session(request))

    def on_lower(self, form: Form) -> Updates:
        """Importance, notice, lower."""
        return form.offer or gr.skip(), "", gr.update(visible=False)

    @guarded
    def on_up(self, form: Form, request: gr.Request) -> str:
        self.ask.rate(form.answer_id, 1)
        return show.thanks(words(request))

    @guarded
    def on_down(self, form: Form, request: gr.Request) -> str:
        self.ask.rate(form.answer_id, -1)
        return show.thanks(words(request))

    def _header(self, request: gr.Request) -> str:
        ceilings = self.dashboard.overview().ceilings
        return header("ask", self.info, ceilings, words(request), forced_language(request))

    def _quoted(self, question: str, importance: str, domain: str, request: gr.Request) -> Updates:
        """Choices with prices, the quote, and what is wrong with the question, if anything."""
        texts, asked = words(request), bool((question or "").strip())
        try:
            form = _form(question if asked else SHORTEST, importance, domain, request)
            previews = {i: self.ask.preview(replace(form, importance=i)) for i in Importance}
        except PilotError as err:
            names = gr.update(choices=show.importance_names(texts))
            return names, gr.skip(), notice(explain(err, texts))
        choices = gr.update(choices=show.importance_choices(previews, asked, texts))
        return choices, show.quote(previews[form.importance], asked, texts), ""

    def _failed(self, err: Exception, form: Form, texts: Texts) -> Updates:
        """What went wrong, in the page; with the receipt where work was done and charged."""
        form.offer = str(err.values.get("fits", "")) if isinstance(err, OverCeiling) else ""
        receipt = card(self.ask.read(form.answer_id), texts) if form.answer_id else gr.skip()
        return gr.skip(), "", receipt, notice(explain(err, texts)), form


def _told(
    events: Iterator[Started | Written | Receipt], form: Form, texts: Texts
) -> Iterator[Updates]:
    """The events of a run as updates of the page."""
    started, text = None, ""
    for event in events:
        if isinstance(event, Started):
            started, form.answer_id = event, event.answer_id
            yield show.answer("", True, texts), show.meter(event, None, texts), "", "", form
        elif isinstance(event, Written):
            text += event.text
            gauges = show.meter(started, event, texts) if started else gr.skip()
            yield show.answer(text, True, texts), gauges, gr.skip(), gr.skip(), gr.skip()
        else:
            form.answer_id = event.row.id
            final = show.answer(event.text.answer, False, texts)
            yield final, "", card(event, texts), "", form


def _form(question: str, importance: str, domain: str, request: gr.Request) -> AskForm:
    try:
        what, about = Importance(importance), Domain(domain)
    except ValueError as err:
        raise InvalidInput(str(err)) from err
    form = AskForm(question or "", what, about)
    return replace(form, user=request.username) if request.username else form


def _session(request: gr.Request) -> str:
    return request.session_hash or ""

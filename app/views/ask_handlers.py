"""What the Ask page does while a question is written and run. Services act, presenters speak."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from app.guarded import explain, guarded, guarded_stream, words
from app.i18n import Texts
from app.ports import ModelInfo
from app.presenters import ask as show
from app.presenters.card import card
from app.presenters.frame import line
from app.presenters.parts import notice
from app.services.ask import Ask, AskForm, Receipt, Started, Written
from app.services.dashboard import Dashboard
from app.services.detect import guess
from app.services.outlook import Outlook
from app.views.ask_later import rest_of
from app.views.ask_widgets import Example
from app.views.labels import Labels
from app.views.state import Form, Running, new_key
from app.views.who import Sessions
from policies.errors import InvalidInput, OverCeiling, PilotError
from policies.roles import Actor
from policies.types import Domain, Importance

SHORTEST = "?"
"""Stands for a question nobody has typed yet: what it costs, every question costs."""
Updates = tuple[Any, ...]


@dataclass(frozen=True)
class AskHandlers:
    ask: Ask
    dashboard: Dashboard
    outlook: Outlook
    info: ModelInfo
    running: Running
    labels: Labels
    sessions: Sessions

    @guarded
    def on_load(self, question: str, importance: str, domain: str, request: gr.Request) -> Updates:
        said = self.labels.say(words(request))
        quoted = self._quoted(question, importance, domain, request)
        return self._header(request), *quoted, *said

    @guarded
    def on_quote(self, question: str, importance: str, domain: str, request: gr.Request) -> Updates:
        """Importance, domain, quote, notice."""
        return self._quoted(question, importance, domain, request)

    @guarded
    def on_requote(
        self, question: str, importance: str, domain: str, request: gr.Request
    ) -> Updates:
        """After a run: the notice belongs to the run."""
        return self._quoted(question, importance, domain, request)[:3]

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
        """Check it before it waits: notice, form, send, stop, lower, after, meter, difference."""
        texts = words(request)
        unchanged = [gr.skip()] * 6
        if form.halted:
            return gr.skip(), replace(form, halted=False, refused=True), *unchanged
        try:
            preview = self.ask.preview(self._actor(request), _form(question, importance, domain))
        except PilotError as err:
            return notice(explain(err, texts)), replace(form, refused=True), *unchanged
        self.running.sent(_session(request))
        hidden = gr.update(visible=False)
        shown = gr.update(visible=True, interactive=True)
        busy = gr.update(interactive=False)
        meter = show.waiting(self.ask.admission.engine.queue(preview.decision.granted), texts)
        return "", form.sent(), busy, shown, hidden, hidden, meter, ""

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
        actor, sent = self._actor(request), _form(question, importance, domain)
        sent = replace(sent, seed=form.seed)
        with self.running.run(_session(request)) as stop:
            try:
                with closing(self.ask(actor, sent, form.key or new_key(), stop.is_set)) as events:
                    yield from _told(events, form, texts)
            except Exception as err:
                if form.key is None:
                    raise
                yield self._failed(err, actor, form, texts)

    @guarded
    def on_finish(self, form: Form, request: gr.Request) -> Updates:
        """Header, form, send, stop, lower, and all that follows an answer."""
        texts, actor = words(request), self._actor(request)
        offer = gr.update(visible=False)
        if form.offer:
            name = texts(f"importance.{form.offer}")
            offer = gr.update(visible=True, value=texts("ask.use_lower", importance=name))
        rest: Updates = ("", gr.update(visible=False), gr.skip(), "", "")
        if form.answer_id:
            before = self.ask.read(actor, form.before) if form.before else None
            rest = rest_of(self.ask, actor, self.ask.read(actor, form.answer_id), before, texts)
        return (
            self._header(request),
            replace(form, key=None, seed=None),
            gr.update(interactive=True),
            gr.update(visible=False),
            offer,
            *rest,
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

    def _actor(self, request: gr.Request) -> Actor:
        return self.sessions(request).actor

    def _header(self, request: gr.Request) -> str:
        ceilings = self.dashboard.ceilings(self._actor(request))
        return line(self.info, ceilings, words(request))

    def _quoted(self, question: str, importance: str, domain: str, request: gr.Request) -> Updates:
        """Choices with prices, domains, the quote, and what is wrong with the question, if any."""
        texts, asked = words(request), bool((question or "").strip())
        try:
            actor = self._actor(request)
            form = _form(question if asked else SHORTEST, importance, domain)
            previews = self.ask.previews(actor, form)
            looks = self.outlook(form.domain)
        except PilotError as err:
            names = gr.update(choices=show.importance_names(texts))
            return names, gr.skip(), gr.skip(), notice(explain(err, texts))
        choices = gr.update(choices=show.importance_choices(previews, looks, asked, texts))
        found = form.domain if asked and domain == show.AUTO else None
        domains = gr.update(choices=show.domain_detected(found, texts))
        chosen = previews[form.importance]
        queue = self.ask.admission.engine.queue(chosen.decision.granted)
        return choices, domains, show.quote(chosen, asked, texts, queue), ""

    def _failed(self, err: Exception, actor: Actor, form: Form, texts: Texts) -> Updates:
        """What went wrong, in the page; with the receipt where work was done and charged."""
        form.offer = str(err.values.get("fits", "")) if isinstance(err, OverCeiling) else ""
        receipt = gr.skip()
        if form.answer_id:
            receipt = card(self.ask.read(actor, form.answer_id), texts)
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
            final = show.answer(event.text.answer, False, texts, event.row.status)
            yield final, "", card(event, texts), "", form


def _form(question: str, importance: str, domain: str) -> AskForm:
    try:
        what = Importance(importance)
        about = guess(question or "") if domain == show.AUTO else Domain(domain)
    except ValueError as err:
        raise InvalidInput(str(err)) from err
    return AskForm(question or "", what, about)


def _session(request: gr.Request) -> str:
    return request.session_hash or ""

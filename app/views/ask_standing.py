"""The review of one's own answer on the Ask page: how far it is, what is asked, the reply."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.guarded import explain, guarded, words, zone_of
from app.presenters import standing as show
from app.presenters.parts import notice
from app.services.review_waiting import Standing, Waiting
from app.views.ask_later import LaterHandlers
from app.views.state import Form, Replies
from app.views.who import Sessions
from policies.errors import NotFound, PilotError
from policies.review import ItemState
from policies.roles import Actor

Updates = tuple[Any, ...]
SHOWN = 9
"""Parts of an answer, as `LaterHandlers.shown` gives them."""


@dataclass(frozen=True)
class StandingHandlers:
    waiting: Waiting
    later: LaterHandlers
    sessions: Sessions

    @guarded
    def on_show(
        self,
        zone_name: str,
        form: Form,
        typed: str,
        box: str,
        drafts: object,
        request: gr.Request,
    ) -> Updates:
        """State, panel, timer, last, reply, notice, box, drafts: of the answer shown now.

        A reply begun for another answer is put away, one begun for this answer is there again.
        """
        state = self._state(zone_name, form, request)
        if box == form.answer_id:
            return *state, gr.skip(), "", gr.skip(), gr.skip()
        replies = Replies.kept(box, drafts)
        return *state, replies.turn(form.answer_id, typed or ""), "", form.answer_id, replies.drafts

    @guarded
    def on_typed(self, typed: str, box: str, drafts: object) -> dict[str, str]:
        """Drafts with what stands in the box now."""
        replies = Replies.kept(box, drafts)
        replies.keep(typed or "")
        return replies.drafts

    @guarded
    def on_tick(
        self, zone_name: str, searched: str, form: Form, last: str, request: gr.Request
    ) -> Updates:
        """State, panel, timer, last, notice, list, then all of `LaterHandlers.shown` once decided.

        Whatever is being typed stays.
        """
        state = self._state(zone_name, form, request)
        unread: Updates = (gr.skip(),) * SHOWN
        if state[0] == last:
            return *[gr.skip()] * (len(state) + 2), *unread
        listed = self.later.on_search(zone_name, searched, request)
        if state[0] and not state[2]["active"]:
            _, unread = self.later.shown(form.answer_id, request)
        return *state, "", listed, *unread

    @guarded
    def on_reply(
        self,
        zone_name: str,
        searched: str,
        form: Form,
        said: str,
        box: str,
        drafts: object,
        request: gr.Request,
    ) -> Updates:
        """State, panel, timer, last, reply, notice, box, drafts, list; refused, it stays typed."""
        texts = words(request)
        try:
            self.waiting.reply(self._actor(request), form.answer_id, said or "")
        except PilotError as err:
            kept = [gr.skip()] * 5
            return *kept, notice(explain(err, texts)), *[gr.skip()] * 3
        replies = Replies.kept(box, drafts)
        replies.sent(form.answer_id)
        listed = self.later.on_search(zone_name, searched, request)
        state = self._state(zone_name, form, request)
        return *state, "", show.sent(texts), form.answer_id, replies.drafts, listed

    def _state(self, zone_name: str, form: Form, request: gr.Request) -> Updates:
        found = self._found(self._actor(request), form.answer_id)
        if found is None:
            return "", gr.update(visible=False), gr.update(active=False), ""
        now, texts = self.waiting.clock(), words(request)
        said = show.standing(found, now, zone_of(zone_name, request), texts)
        asked = found.own and found.state is ItemState.ASKED
        waits = found.state is not ItemState.DECIDED
        return said, gr.update(visible=asked), gr.update(active=waits), said

    def _found(self, actor: Actor, answer_id: str) -> Standing | None:
        if not answer_id:
            return None
        try:
            found = self.waiting.standing(actor, answer_id)
        except NotFound:
            return None  # it was never under review
        return found if found.concerns_them else None

    def _actor(self, request: gr.Request) -> Actor:
        return self.sessions(request).actor

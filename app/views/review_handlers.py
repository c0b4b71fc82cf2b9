"""What the Review page does. The service decides; whoever holds an answer may be wrong about it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta, tzinfo
from typing import Any

import gradio as gr

from app.guarded import explain, guarded, guarded_stream, words, zone_of
from app.i18n import Texts
from app.presenters import choices
from app.presenters import review as show
from app.presenters import review_queue as show_queue
from app.presenters.parts import notice
from app.services.review_evidence import Evidence
from app.services.reviewing import Reviewing
from app.views.labels import Labels
from app.views.press import pressed
from app.views.review_queue import Chosen
from app.views.who import Sessions
from policies.errors import Forbidden, InvalidInput, NotFound, PilotError
from policies.review import Bar, VerdictKind
from policies.roles import Action, Actor, may

VERDICTS = {kind.value: kind for kind in VerdictKind}
APPROVE = VerdictKind.APPROVE.value
Updates = tuple[Any, ...]
SAME: Any = gr.skip()


@dataclass
class Opened:
    """The answer that a tab has open, and whether its person may decide over it."""

    answer_id: str = ""
    held: bool = False
    answer: str = ""
    """Its words: what a correction starts from."""
    source: str = ""
    """The rerun whose words were taken over."""


@dataclass(frozen=True)
class ReviewHandlers:
    reviewing: Reviewing
    sessions: Sessions
    labels: Labels

    @guarded
    def on_load(self, request: gr.Request) -> Updates:
        """The filters as the link says, the teams there are, every fixed word, what to do first."""
        said, actor = words(request), self.sessions(request).actor
        chosen = Chosen.linked(dict(request.query_params))
        reviews = may(actor, Action.REVIEW)
        found = self.reviewing.desk.teams(actor) if reviews else []
        asked = asdict(chosen)
        asked["team"] = gr.update(choices=choices.names(found, said), value=chosen.team)
        first = show.nothing_open(said) if reviews else ""
        return *asked.values(), *self.labels.say(said), first

    @guarded
    def on_queue(
        self,
        zone_name: str,
        idle: float | None,
        importance: str,
        team: str,
        domain: str,
        kind: str,
        state: str,
        opened: Opened,
        request: gr.Request,
    ) -> Updates:
        """Queue, notice, evidence: by the timer and the filters. Keeps the claim of what is open,
        unless its person did nothing for too long, `idle` seconds; then the evidence says so.
        """
        said, actor = words(request), self.sessions(request).actor
        if not may(actor, Action.REVIEW):
            return SAME, SAME, SAME
        told = shown = SAME
        quiet, reader = timedelta(seconds=idle or 0), zone_of(zone_name, request)
        if opened.held and not self.reviewing.desk.heartbeat(actor, opened.answer_id, quiet):
            opened.held, told = False, notice(said("review.lost"))
            found = self.reviewing.evidence.of(actor, opened.answer_id)
            shown = self._evidence(found, actor, reader, said)
        chosen = Chosen.read(importance, team, domain, kind, state)
        return self._queue(actor, reader, chosen, opened, said), told, shown

    @guarded
    def on_open(
        self,
        zone_name: str,
        importance: str,
        team: str,
        domain: str,
        kind: str,
        state: str,
        opened: Opened,
        request: gr.Request,
        event: gr.EventData,
    ) -> Updates:
        """Queue, evidence, opened, then the form: the answer is theirs from now on, if free."""
        said, actor = words(request), self.sessions(request).actor
        chosen = Chosen.read(importance, team, domain, kind, state)
        self._leave(actor, opened)
        fresh, told = Opened(pressed(event).get("id", "")), ""
        try:
            self.reviewing.desk.claim(actor, fresh.answer_id)
            fresh.held = True
        except InvalidInput as err:
            told = notice(explain(err, said), "info")
        try:
            found = self.reviewing.evidence.of(actor, fresh.answer_id)
        except (Forbidden, NotFound) as err:
            shown = notice(explain(err, said)) + show.nothing_open(said)
            queue = self._queue(actor, zone_of(zone_name, request), chosen, Opened(), said)
            return queue, shown, Opened(), *_closed_form(told)
        fresh.answer = found.text.answer
        queue = self._queue(actor, zone_of(zone_name, request), chosen, fresh, said)
        form = _form(found, said) if fresh.held else _closed_form(told)
        return queue, self._evidence(found, actor, zone_of(zone_name, request), said), fresh, *form

    @guarded
    def on_mode(self, mode: str, request: gr.Request) -> Updates:
        """Reason and send; the style shows the correction where there is one to write."""
        return _named(mode, words(request))

    @guarded
    def on_typed(
        self,
        zone_name: str,
        mode: str,
        correction: str,
        reason: str,
        opened: Opened,
        request: gr.Request,
    ) -> Updates:
        """Changes and when the draft was saved."""
        said, actor = words(request), self.sessions(request).actor
        if not may(actor, Action.REVIEW):
            return "", ""  # any more: the tab still has the answer
        corrects = mode == VerdictKind.CORRECT
        changes = show.changes(opened.answer, correction or "", said) if corrects else ""
        untouched = mode == APPROVE and correction in ("", opened.answer) and not reason
        if not opened.held or untouched:
            return changes, ""
        desk = self.reviewing.desk
        kind = VERDICTS.get(mode)
        try:
            desk.save(actor, opened.answer_id, kind, correction or "", reason or "")
        except PilotError as err:
            return changes, notice(explain(err, said))
        return changes, show.saved(desk.clock(), zone_of(zone_name, request), said)

    @guarded
    def on_send(
        self,
        zone_name: str,
        importance: str,
        team: str,
        domain: str,
        kind: str,
        state: str,
        mode: str,
        correction: str,
        reason: str,
        opened: Opened,
        request: gr.Request,
    ) -> Updates:
        """Queue, evidence, opened, then the form: as it was where the verdict was refused."""
        said, actor = words(request), self.sessions(request).actor
        try:
            done = self._send(actor, opened, mode, correction or "", reason or "")
        except PilotError as err:
            return SAME, SAME, SAME, *_same_form(notice(explain(err, said)))
        chosen = Chosen.read(importance, team, domain, kind, state)
        queue = self._queue(actor, zone_of(zone_name, request), chosen, Opened(), said)
        told = notice(said(f"review.done.{done}"), "info")
        return queue, show.nothing_open(said), Opened(), *_closed_form(told)

    @guarded_stream
    def on_evidence(
        self,
        zone_name: str,
        opened: Opened,
        request: gr.Request,
        event: gr.EventData,
    ) -> Iterator[Updates]:
        """Evidence, opened, then the form: a run to compare with, its words, or another's claim."""
        what = pressed(event)
        said, actor = words(request), self.sessions(request).actor
        do, about = what.get("do"), what.get("id", "")
        if do == "take":
            found = self.reviewing.evidence.of(actor, opened.answer_id)
            taken = next((o for o in found.others if o.row.id == about), None)
            if taken is not None:
                opened.source = about
                corrects = VerdictKind.CORRECT.value
                yield SAME, opened, *_same_form("", corrects, taken.text.answer)
        elif do == "base":
            yield from self._run(actor, opened, zone_of(zone_name, request), said, again=False)
        elif do == "take_over":
            item = self.reviewing.desk.take_over(actor, opened.answer_id)
            opened.held = item.lease is not None and item.lease.holder == actor.user
            found = self.reviewing.evidence.of(actor, opened.answer_id)
            shown = self._evidence(found, actor, zone_of(zone_name, request), said)
            yield shown, opened, *(_form(found, said) if opened.held else _closed_form(""))

    @guarded_stream
    def on_more(self, zone_name: str, opened: Opened, request: gr.Request) -> Iterator[Updates]:
        """Evidence, opened, then the form: the question again with more compute."""
        said, actor = words(request), self.sessions(request).actor
        yield from self._run(actor, opened, zone_of(zone_name, request), said, again=True)

    def _run(
        self, actor: Actor, opened: Opened, reader: tzinfo, said: Texts, again: bool
    ) -> Iterator[Updates]:
        yield SAME, SAME, *_same_form(notice(said("review.running"), "info"))
        evidence = self.reviewing.evidence
        try:
            (evidence.rerun if again else evidence.base)(actor, opened.answer_id)
        except PilotError as err:
            yield SAME, SAME, *_same_form(notice(explain(err, said)))
            return
        told = notice(said("review.done.rerun"), "info") if again else ""
        found = evidence.of(actor, opened.answer_id)
        yield self._evidence(found, actor, reader, said), SAME, *_same_form(told)

    def _send(self, actor: Actor, opened: Opened, mode: str, correction: str, reason: str) -> str:
        """What came of it, as the catalogue names it."""
        desk, answer_id = self.reviewing.desk, opened.answer_id
        if mode == "ask":
            desk.ask(actor, answer_id, reason)
        elif mode == "skip":
            desk.skip(actor, answer_id, reason)
        else:
            kind = VERDICTS.get(mode, VerdictKind.APPROVE)
            corrected = correction if kind is VerdictKind.CORRECT else ""
            settled = desk.decide(actor, answer_id, kind, corrected, reason, opened.source)
            return settled.outcome.value if settled else "more"
        return mode

    def _leave(self, actor: Actor, opened: Opened) -> None:
        """What was open goes back into the queue; its draft is kept."""
        if opened.held:
            try:
                self.reviewing.desk.release(actor, opened.answer_id)
            except InvalidInput:
                return  # it ran out meanwhile, so it is back already

    def _queue(
        self, actor: Actor, reader: tzinfo, chosen: Chosen, opened: Opened, said: Texts
    ) -> str:
        desk, narrowed = self.reviewing.desk, chosen != Chosen()
        found = desk.queue(actor, chosen.filter())
        return show_queue.queue(found, opened.answer_id, narrowed, desk.clock(), reader, said)

    def _evidence(self, found: Evidence, actor: Actor, reader: tzinfo, said: Texts) -> str:
        entry = self.reviewing.desk.entry(actor, found.item)
        take = entry.bar is Bar.TAKEN and may(actor, Action.TAKE_OVER)
        return show.evidence(found, show_queue.why_not(entry, said), take, reader, said)


def _named(mode: str, said: Texts) -> Updates:
    """Reason and send, as a verdict of this kind calls them."""
    known = mode if mode in show.MODES else APPROVE
    label = said(f"review.reason_for.{known}")
    return gr.update(label=label), gr.update(value=said(f"review.send_for.{known}"))


def _form(found: Evidence, said: Texts) -> Updates:
    """Panel, mode, correction, changes, reason, send, saved, notice: the draft, or a start."""
    draft = found.draft
    mode = draft.kind.value if draft and draft.kind else APPROVE
    correction = (draft.correction if draft else "") or found.text.answer
    corrects = mode == VerdictKind.CORRECT
    reason, send = _named(mode, said)
    changes = show.changes(found.text.answer, correction, said) if corrects else ""
    return (
        gr.update(visible=True),
        mode,
        correction,
        changes,
        reason | {"value": draft.reason if draft else ""},
        send,
        "",
        "",
    )


def _same_form(told: str, mode: Any = SAME, correction: Any = SAME) -> Updates:
    """As it is, but for these."""
    return SAME, mode, correction, SAME, SAME, SAME, SAME, told


def _closed_form(told: str) -> Updates:
    return gr.update(visible=False), SAME, SAME, SAME, SAME, SAME, "", told

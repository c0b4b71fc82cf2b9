"""The Policy page: what is in force, a draft checked as it is typed, versions and decisions."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import gradio as gr

from app.guarded import QUIET, explain, guarded, words, zone_of
from app.i18n import DEFAULT, Texts, texts
from app.presenters import draft as show_draft
from app.presenters import policy as show
from app.presenters import policy_form as show_form
from app.presenters.parts import notice
from app.services.drafts import Drafts
from app.views import policy_form, top
from app.views.labels import Labels
from app.views.policy_form import FormHandlers
from app.views.press import pressable, pressed
from app.views.who import Sessions
from policies.errors import InvalidPolicy, PilotError
from policies.roles import Action, Actor, may

SOURCE = "draft"
"""What faults call the text in the editor."""
PERIOD = 30
Updates = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is in force and the versions, in the order of `PolicyHandlers._shown`."""

    top: gr.HTML
    cards: gr.HTML
    rules: gr.HTML
    ceilings: gr.HTML
    versions: gr.HTML
    comparison: gr.HTML

    @property
    def all(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True, slots=True)
class _Editor:
    panel: gr.Column
    form: gr.HTML
    text: gr.Code
    check: gr.HTML
    period: gr.Radio
    run: gr.Button
    trial: gr.HTML
    note: gr.Textbox
    propose: gr.Button
    notice: gr.HTML


@dataclass(frozen=True)
class PolicyHandlers:
    drafts: Drafts
    sessions: Sessions
    labels: Labels

    @guarded
    def on_load(self, zone_name: str, request: gr.Request) -> Updates:
        """The editor's panel, form and text, all parts, the fixed words."""
        said, actor = words(request), self.sessions(request).actor
        panel = gr.update(visible=may(actor, Action.PROPOSE_POLICY))
        text = self.drafts.text_of(actor)
        return (
            panel,
            show_form.form(text, said),
            text,
            *self._shown(actor, zone_of(zone_name, request), said),
            *self.labels.say(said),
        )

    @guarded
    def on_check(self, text: str, request: gr.Request) -> str:
        said, actor = words(request), self.sessions(request).actor
        return show_draft.checked(self.drafts.check(actor, text or "", SOURCE), said)

    @guarded
    def on_trial(self, text: str, days: int, request: gr.Request) -> Updates:
        """The trial, and the notice where there can be none."""
        said, actor = words(request), self.sessions(request).actor
        try:
            return show_draft.trial(
                self.drafts.trial(actor, text or "", SOURCE, int(days)), said
            ), ""
        except PilotError as err:
            return "", self._told(err, actor, text, said)

    @guarded
    def on_propose(self, zone_name: str, text: str, note: str, request: gr.Request) -> Updates:
        """Notice, note, all parts."""
        said, actor = words(request), self.sessions(request).actor
        try:
            self.drafts.desk.propose(actor, text or "", SOURCE, note or "")
        except PilotError as err:
            return self._told(err, actor, text, said), *_skip(1 + len(_Parts.__slots__))
        done = notice(said("draft.proposed"), "info")
        return done, "", *self._shown(actor, zone_of(zone_name, request), said)

    @guarded
    def on_version(self, request: gr.Request, event: gr.EventData) -> Updates:
        """The comparison, or form and text in the editor."""
        said, actor, what = words(request), self.sessions(request).actor, pressed(event)
        version = what.get("version", "")
        if what.get("do") == "load":
            text = self.drafts.text_of(actor, version)
            return gr.skip(), show_form.form(text, said), text
        entry, changed = self.drafts.compare(actor, version)
        return show.comparison(entry, changed, actor, said), *_skip(2)

    @guarded
    def on_decide(self, zone_name: str, request: gr.Request, event: gr.EventData) -> Updates:
        """All parts; the comparison says what was done."""
        said, actor, what = words(request), self.sessions(request).actor, pressed(event)
        version, do = what.get("version", ""), what.get("do", "")
        try:
            self._do(do, actor, version)
        except PilotError as err:
            entry, changed = self.drafts.compare(actor, version)
            told = notice(explain(err, said)) + show.comparison(entry, changed, actor, said)
            return *_skip(len(_Parts.__slots__) - 1), told
        entry, changed = self.drafts.compare(actor, version)
        done = notice(said(f"policy.done.{do}"), "info")
        *parts, _ = self._shown(actor, zone_of(zone_name, request), said)
        return *parts, done + show.comparison(entry, changed, actor, said)

    def _do(self, do: str, actor: Actor, version: str) -> None:
        desk = self.drafts.desk
        if do == "approve":
            desk.approve(actor, version)
        elif do == "activate":
            desk.activate(actor, version)
        elif do == "rollback":
            desk.rollback(actor, version)

    def _shown(self, actor: Actor, reader: tzinfo, said: Texts) -> Updates:
        shown = self.drafts.in_force(actor)
        return (
            show.top(shown, reader, said),
            show.cards(shown.policy, shown.worst, said),
            show.rules(shown.policy, said),
            show.ceilings(shown.policy, said),
            show.versions(self.drafts.desk.history(actor), actor, reader, said),
            show.no_comparison(said),
        )

    def _told(self, err: PilotError, actor: Actor, text: str, said: Texts) -> str:
        """A draft with faults is told as it is while typing."""
        if isinstance(err, InvalidPolicy):
            return show_draft.checked(self.drafts.check(actor, text or "", SOURCE), said)
        return notice(explain(err, said))


def build(page: gr.Blocks, drafts: Drafts, sessions: Sessions) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    reader = gr.Textbox(visible=False)
    head = gr.HTML(elem_id="top", padding=False)
    cards = gr.HTML(elem_id="rungs", padding=False)
    with gr.Row(elem_classes="two"):
        rules = _panel("rules", labels)
        ceilings = _panel("ceilings", labels)
    with gr.Row(elem_classes="two"):
        with gr.Column(scale=3, min_width=320, elem_classes="sheet"):
            labels.fixed(lambda t: show.heading("versions", t))
            versions = pressable(elem_id="versions")
        with gr.Column(scale=2, min_width=320, elem_classes="sheet"):
            comparison = pressable(elem_id="comparison")
    editor = _editor(labels)
    parts = _Parts(head, cards, rules, ceilings, versions, comparison)
    handlers = PolicyHandlers(drafts, sessions, labels)
    _wire(page, reader, parts, editor, handlers)


def _wire(
    page: gr.Blocks, reader: gr.Textbox, parts: _Parts, editor: _Editor, handlers: PolicyHandlers
) -> None:
    loaded = [editor.panel, editor.form, editor.text, *parts.all, *handlers.labels.components]
    page.load(handlers.on_load, [reader], loaded, **top.IN_ZONE)
    editor.text.change(
        handlers.on_check, [editor.text], [editor.check], trigger_mode="always_last", **QUIET
    )
    forms = FormHandlers(handlers.sessions)
    last: dict[str, Any] = {"trigger_mode": "always_last"} | QUIET
    editor.text.input(forms.on_text, [editor.text], [editor.form], **last)
    editor.form.input(
        forms.on_form, [editor.text], [editor.text, editor.form, editor.notice], **last
    ).then(None, js=policy_form.ENABLE, api_visibility="private")
    editor.run.click(
        handlers.on_trial,
        [editor.text, editor.period],
        [editor.trial, editor.notice],
        trigger_mode="once",
        **QUIET | {"show_progress": "minimal"},
    )
    editor.propose.click(
        handlers.on_propose,
        [reader, editor.text, editor.note],
        [editor.notice, editor.note, *parts.all],
        trigger_mode="once",
        **top.IN_ZONE,
    )
    opened = [parts.comparison, editor.form, editor.text]
    parts.versions.click(handlers.on_version, None, opened, **QUIET)
    parts.comparison.click(
        handlers.on_decide, [reader], parts.all, trigger_mode="once", **top.IN_ZONE
    )


def _panel(name: str, labels: Labels) -> gr.HTML:
    with gr.Column(scale=1, min_width=320, elem_classes="sheet"):
        labels.fixed(lambda t: show.heading(name, t))
        return gr.HTML(elem_id=name, padding=False)


def _editor(labels: Labels) -> _Editor:
    first = texts(DEFAULT)
    with gr.Column(elem_id="draft", elem_classes="sheet", visible=False) as panel:
        labels.fixed(show_draft.heading)
        with gr.Row(elem_classes="two"):
            with gr.Column(scale=3, min_width=320):
                form = policy_form.form()
                text = labels.make(
                    gr.Code,
                    {"label": "draft.text"},
                    language="yaml",
                    lines=16,
                    wrap_lines=True,
                    elem_id="draft-text",
                )
            with gr.Column(scale=2, min_width=320):
                check = gr.HTML(elem_id="draft-check", padding=False)
        period = labels.choices(
            "draft.period", show_draft.days, first, value=PERIOD, elem_id="draft-period"
        )
        run = labels.make(gr.Button, {"value": "draft.try"}, elem_id="draft-try")
        trial = gr.HTML(elem_id="trial", padding=False)
        said = {"label": "draft.note", "placeholder": "draft.note_example"}
        note = labels.make(gr.Textbox, said, lines=2, max_lines=6, elem_id="draft-note")
        propose = labels.make(
            gr.Button, {"value": "draft.propose"}, variant="primary", elem_id="draft-propose"
        )
        told = gr.HTML(elem_id="draft-notice", padding=False)
    return _Editor(panel, form, text, check, period, run, trial, note, propose, told)


def _skip(count: int) -> Updates:
    return tuple(gr.skip() for _ in range(count))

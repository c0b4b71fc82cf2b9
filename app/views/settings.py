"""The Settings page: language and time zone, one's own password and sessions, accounts."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.guarded import QUIET, explain, guarded, token_of, words, zone_of
from app.i18n import DEFAULT, Texts, texts
from app.ports import Preferences
from app.presenters import settings as show
from app.presenters.parts import notice
from app.services.accounts import Auth, People
from app.services.own_account import OwnAccount
from app.views import settings_accounts, top
from app.views.labels import Labels
from app.views.press import pressable, pressed
from app.views.who import Sessions
from policies.errors import InvalidInput, NotFound, PilotError

RELOAD = "() => { location.assign(location.pathname); }"
"""Every word on the page anew, also where the address had asked for another language."""
Updates = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Display:
    language: gr.Radio
    zone: gr.Dropdown
    save: gr.Button
    example: gr.HTML


@dataclass(frozen=True, slots=True)
class _Signed:
    panel: gr.Column
    sessions: gr.HTML
    notice: gr.HTML


@dataclass(frozen=True, slots=True)
class _Own:
    who: gr.HTML
    panel: gr.Column
    current: gr.Textbox
    new: gr.Textbox
    again: gr.Textbox
    change: gr.Button
    notice: gr.HTML

    @property
    def typed(self) -> list[Any]:
        return [self.current, self.new, self.again]


@dataclass(frozen=True)
class SettingsHandlers:
    own: OwnAccount
    sessions: Sessions
    labels: Labels

    @guarded
    def on_load(self, zone_name: str, request: gr.Request) -> Updates:
        """Example, who, the panels of password and of sessions, sessions, the fixed words."""
        said, reader = words(request), zone_of(zone_name, request)
        actor, signs_in = self.sessions(request).actor, self.own.door.auth is Auth.LOCAL
        who = show.who(actor, said) + ("" if signs_in else show.unsigned(said))
        example = show.example(self.own.door.clock(), reader, said)
        listed = self._listed(zone_name, request) if signs_in else ""
        panel = gr.update(visible=signs_in)
        return example, who, panel, panel, listed, *self.labels.say(said)

    @guarded
    def on_chosen(self, request: gr.Request) -> Updates:
        """Language and time zone as they are kept."""
        kept = self.own.preferences(self.sessions(request).actor)
        return kept.language, kept.time_zone

    @guarded
    def on_save(self, language: str | None, time_zone: str | None, request: gr.Request) -> None:
        chosen = Preferences(language or "", time_zone or "")
        self.own.prefer(self.sessions(request).actor, chosen)

    @guarded
    def on_password(
        self, zone_name: str, current: str, new: str, again: str, request: gr.Request
    ) -> Updates:
        """Notice, current, new, again, sessions; a refused new password stays typed."""
        said = words(request)
        try:
            if new != again:
                raise InvalidInput("the two passwords differ", "password_again")
            self.own.change_password(token_of(request), current or "", new or "")
        except PilotError as err:
            return notice(explain(err, said)), "", gr.skip(), gr.skip(), gr.skip()
        told = notice(said("settings.password_changed"), "info")
        return told, "", "", "", self._listed(zone_name, request)

    @guarded
    def on_end(self, zone_name: str, request: gr.Request, event: gr.EventData) -> Updates:
        """Sessions and notice. One that is over already is over."""
        token, what = token_of(request), pressed(event)
        try:
            if what.get("do") == "others":
                self.own.end_others(token)
            else:
                self.own.end(token, what.get("id", ""))
        except NotFound:
            return self._listed(zone_name, request), ""
        told = notice(words(request)("settings.ended"), "info")
        return self._listed(zone_name, request), told

    def _listed(self, zone_name: str, request: gr.Request) -> str:
        found = self.own.sessions(token_of(request))
        return show.sessions(found, zone_of(zone_name, request), words(request))


def build(page: gr.Blocks, own: OwnAccount, people: People, sessions: Sessions) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    reader = gr.Textbox(visible=False)
    with gr.Row(elem_classes="two", elem_id="settings"):
        with gr.Column(scale=1, min_width=320):
            with gr.Column(elem_classes="sheet"):
                display = _display(labels, own)
            signed = _signed(labels)
        with gr.Column(scale=1, min_width=320, elem_classes="sheet"):
            mine = _own(labels)
    handlers = SettingsHandlers(own, sessions, labels)
    accounts = settings_accounts.lay_out(labels)
    page.load(
        handlers.on_load,
        [reader],
        [
            display.example,
            mine.who,
            mine.panel,
            signed.panel,
            signed.sessions,
            *labels.components,
        ],
        **top.IN_ZONE,
    ).then(handlers.on_chosen, None, [display.language, display.zone], **QUIET)
    display.save.click(
        handlers.on_save, [display.language, display.zone], None, trigger_mode="once", **QUIET
    ).success(None, js=RELOAD, api_visibility="private")
    mine.change.click(
        handlers.on_password,
        [reader, *mine.typed],
        [mine.notice, *mine.typed, signed.sessions],
        trigger_mode="once",
        **top.IN_ZONE,
    )
    ended = [signed.sessions, signed.notice]
    signed.sessions.click(handlers.on_end, [reader], ended, trigger_mode="once", **top.IN_ZONE)
    settings_accounts.wire(page, reader, accounts, people, sessions)


def _display(labels: Labels, own: OwnAccount) -> _Display:
    first = texts(DEFAULT)

    def zones(said: Texts) -> list[tuple[str, str]]:
        return show.zones(own.door.clock(), said)

    labels.fixed(lambda t: show.heading("display", t))
    language = labels.choices(
        "settings.language", show.languages, first, value=show.AS_BROWSER, elem_id="language"
    )
    zone = labels.options(
        gr.Dropdown, "settings.zone", zones, first, value=show.AS_BROWSER, elem_id="zone"
    )
    save = labels.make(
        gr.Button, {"value": "settings.save"}, variant="primary", elem_id="save-display"
    )
    return _Display(language, zone, save, gr.HTML(elem_id="example", padding=False))


def _own(labels: Labels) -> _Own:
    labels.fixed(lambda t: show.heading("account", t))
    who = gr.HTML(elem_id="who", padding=False)
    with gr.Column(visible=False, elem_id="own", elem_classes="form-panel") as panel:
        labels.fixed(lambda t: show.heading("password", t))
        current = _password(labels, "settings.password_current", "password-current", "current")
        new = _password(labels, "settings.password_new", "password-new", "new")
        again = _password(labels, "settings.password_again", "password-again", "new")
        change = labels.make(
            gr.Button, {"value": "settings.password_change"}, elem_id="password-change"
        )
        told = gr.HTML(elem_id="password-notice", padding=False)
    return _Own(who, panel, current, new, again, change, told)


def _signed(labels: Labels) -> _Signed:
    with gr.Column(visible=False, elem_id="signed-in", elem_classes="sheet") as panel:
        labels.fixed(lambda t: show.heading("sessions", t))
        sessions = pressable(elem_id="sessions")
        told = gr.HTML(elem_id="session-notice", padding=False)
    return _Signed(panel, sessions, told)


def _password(labels: Labels, key: str, name: str, kind: str) -> gr.Textbox:
    return labels.make(
        gr.Textbox,
        {"label": key},
        type="password",
        max_lines=1,
        max_length=200,
        elem_id=name,
        html_attributes=gr.InputHTMLAttributes(autocomplete=f"{kind}-password"),
    )

"""Accounts on the Settings page: a list, a form for new ones, a form for the one that is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from app.guarded import explain, guarded, words, zone_of
from app.i18n import DEFAULT, texts
from app.ports import Account
from app.presenters import accounts as show
from app.presenters.parts import notice
from app.services.accounts import Auth, People
from app.views import top
from app.views.labels import Labels
from app.views.press import pressable, pressed
from app.views.who import Sessions
from policies.errors import PilotError
from policies.roles import Action, Role, may

COPY = """
element.addEventListener('click', event => {
  const pressed = event.target.closest('[data-copy]');
  if (!pressed) return;
  const field = pressed.parentElement.querySelector('input');
  field.select();
  document.execCommand('copy');  // works over plain HTTP too, where there is no clipboard to write
  pressed.textContent = pressed.dataset.copied;
});
"""
SHOW_CHANGE = """() => setTimeout(() => {
  document.getElementById("change-account")?.scrollIntoView({behavior: "smooth", block: "nearest"});
}, 300)"""
STARTS_WITH = [Role.REQUESTER.value]
Updates = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Widgets:
    panel: gr.Column
    lead: gr.HTML
    listed: gr.HTML
    notice: gr.HTML
    name: gr.Textbox
    new_team: gr.Textbox
    new_roles: gr.CheckboxGroup
    add: gr.Button
    change: gr.Column
    who: gr.HTML
    team: gr.Textbox
    roles: gr.CheckboxGroup
    save: gr.Button
    lock: gr.Button
    link: gr.Button
    chosen: gr.State
    """Whose account is changed; empty where none is."""

    @property
    def changed(self) -> list[Any]:
        """What shows one account, in the order of `AccountHandlers._one`."""
        return [self.change, self.who, self.team, self.roles, self.lock, self.link, self.chosen]

    @property
    def all(self) -> list[Any]:
        return [self.listed, self.notice, *self.changed]


@dataclass(frozen=True)
class AccountHandlers:
    """The service refuses whoever may not; nothing here decides."""

    people: People
    sessions: Sessions

    @guarded
    def on_load(self, zone_name: str, request: gr.Request) -> Updates:
        """Panel, lead, list."""
        said, actor = words(request), self.sessions(request).actor
        if not may(actor, Action.MANAGE_USERS):
            return gr.update(visible=False), "", ""
        lead = "" if self.people.auth is Auth.LOCAL else show.unsigned(said)
        return gr.update(visible=True), lead, self._listed(zone_name, request)

    @guarded
    def on_choose(self, zone_name: str, request: gr.Request, event: gr.EventData) -> Updates:
        """Notice, then the one that was pressed."""
        account = self._account(pressed(event).get("user", ""), request)
        return "", *self._one(account, zone_name, request)

    @guarded
    def on_add(
        self, zone_name: str, name: str, team: str, roles: list[str], request: gr.Request
    ) -> Updates:
        """List, notice with the link, name: what was refused stays typed."""
        said, actor = words(request), self.sessions(request).actor
        try:
            token = self.people.add(actor, name or "", list(map(Role, roles)), team or "")
        except PilotError as err:
            return gr.skip(), notice(explain(err, said)), gr.skip()
        return self._listed(zone_name, request), self._link(name, token, request), ""

    @guarded
    def on_save(
        self, zone_name: str, user: str, team: str, roles: list[str], request: gr.Request
    ) -> Updates:
        """List, notice, then the account as it is now."""
        said, actor = words(request), self.sessions(request).actor
        account, wanted = self._account(user, request), frozenset(map(Role, roles))
        told = notice(said("accounts.same"), "info")
        try:
            if wanted != account.roles:
                self.people.set_roles(actor, user, wanted)
            if (team or "").strip() != account.team:
                self.people.set_team(actor, user, team or "")
        except PilotError as err:
            return self._after(notice(explain(err, said)), user, zone_name, request)
        if self._account(user, request) != account:
            told = notice(said("accounts.saved"), "info")
        return self._after(told, user, zone_name, request)

    @guarded
    def on_lock(self, zone_name: str, user: str, request: gr.Request) -> Updates:
        """List, notice, then the account as it is now: locked, or no longer."""
        said, actor = words(request), self.sessions(request).actor
        locked = self._account(user, request).disabled_at is not None
        try:
            (self.people.enable if locked else self.people.disable)(actor, user)
        except PilotError as err:
            return self._after(notice(explain(err, said)), user, zone_name, request)
        told = said("accounts.unlocked" if locked else "accounts.locked", name=user)
        return self._after(notice(told, "info"), user, zone_name, request)

    @guarded
    def on_link(self, zone_name: str, user: str, request: gr.Request) -> Updates:
        """List, notice with the link, then the account."""
        try:
            token = self.people.link(self.sessions(request).actor, user)
        except PilotError as err:
            told = notice(explain(err, words(request)))
            return self._after(told, user, zone_name, request)
        return self._after(self._link(user, token, request), user, zone_name, request)

    def _after(self, told: str, user: str, zone_name: str, request: gr.Request) -> Updates:
        one = self._one(self._account(user, request), zone_name, request)
        return self._listed(zone_name, request), told, *one

    def _one(self, account: Account, zone_name: str, request: gr.Request) -> Updates:
        """The form for one account."""
        said = words(request)
        return (
            gr.update(visible=True),
            show.chosen(account, zone_of(zone_name, request), said),
            account.team,
            sorted(account.roles),
            gr.update(value=show.lock(account, said)),
            gr.update(visible=account.disabled_at is None),
            account.user,
        )

    def _account(self, user: str, request: gr.Request) -> Account:
        return self.people.get(self.sessions(request).actor, user)

    def _listed(self, zone_name: str, request: gr.Request) -> str:
        found = self.people.all(self.sessions(request).actor)
        return show.accounts(found, zone_of(zone_name, request), words(request))

    def _link(self, name: str, token: str, request: gr.Request) -> str:
        hours = int(self.people.link_life.total_seconds() // 3600)
        address = f"{_origin(request)}/welcome?link={token}"
        return show.link(name, address, hours, words(request))


def lay_out(labels: Labels) -> Widgets:
    with gr.Column(visible=False, elem_id="accounts", elem_classes="sheet") as panel:
        labels.fixed(lambda t: show.heading("title", t))
        lead = gr.HTML(padding=False)
        listed = pressable(elem_id="account-list")
        told = gr.HTML(js_on_load=COPY, elem_id="account-notice", padding=False)
        with gr.Row(elem_classes="two"):
            with gr.Column(
                scale=1, min_width=300, elem_id="add-account", elem_classes="form-panel"
            ):
                labels.fixed(lambda t: show.heading("add", t))
                said = {"label": "accounts.name", "placeholder": "accounts.name_example"}
                name = labels.make(gr.Textbox, said, max_lines=1, elem_id="account-name")
                new_team = _team(labels, "account-new-team")
                new_roles = _roles(labels, "account-new-roles", STARTS_WITH)
                add = labels.make(
                    gr.Button,
                    {"value": "accounts.add_do"},
                    variant="primary",
                    elem_id="account-add",
                )
            with gr.Column(
                scale=1,
                min_width=300,
                visible=False,
                elem_id="change-account",
                elem_classes="form-panel",
            ) as change:
                who = gr.HTML(padding=False)
                team = _team(labels, "account-team")
                roles = _roles(labels, "account-roles", [])
                save, lock, link = _buttons(labels)
    chosen = gr.State("")
    return Widgets(
        panel, lead, listed, told, name, new_team, new_roles, add, change, who, team, roles, save,
        lock, link, chosen,
    )  # fmt: skip


def wire(
    page: gr.Blocks, reader: gr.Textbox, parts: Widgets, people: People, sessions: Sessions
) -> None:
    handlers = AccountHandlers(people, sessions)
    loaded = [parts.panel, parts.lead, parts.listed]
    page.load(handlers.on_load, [reader], loaded, **top.IN_ZONE)
    once: dict[str, Any] = {"trigger_mode": "once"} | top.IN_ZONE
    parts.listed.click(handlers.on_choose, [reader], [parts.notice, *parts.changed], **once).then(
        None, js=SHOW_CHANGE, api_visibility="private"
    )
    parts.add.click(
        handlers.on_add,
        [reader, parts.name, parts.new_team, parts.new_roles],
        [parts.listed, parts.notice, parts.name],
        **once,
    )
    given = [reader, parts.chosen]
    parts.save.click(handlers.on_save, [*given, parts.team, parts.roles], parts.all, **once)
    parts.lock.click(handlers.on_lock, given, parts.all, **once)
    parts.link.click(handlers.on_link, given, parts.all, **once)


def _team(labels: Labels, name: str) -> gr.Textbox:
    return labels.make(gr.Textbox, {"label": "accounts.team"}, max_lines=1, elem_id=name)


def _roles(labels: Labels, name: str, value: Sequence[str]) -> gr.CheckboxGroup:
    return labels.options(
        gr.CheckboxGroup,
        "accounts.roles",
        show.role_choices,
        texts(DEFAULT),
        value=list(value),
        elem_id=name,
        elem_classes="roles",
    )


def _buttons(labels: Labels) -> tuple[gr.Button, gr.Button, gr.Button]:
    save = labels.make(
        gr.Button, {"value": "accounts.save"}, variant="primary", elem_id="account-save"
    )
    with gr.Row():
        link = labels.make(gr.Button, {"value": "accounts.new_link"}, elem_id="account-link")
        lock = labels.make(gr.Button, {"value": "accounts.lock"}, elem_id="account-lock")
    return save, lock, link


def _origin(request: gr.Request) -> str:
    """Where the browser found these pages; the gate let the request in, so it is their own."""
    origin = request.headers.get("origin")
    return str(origin or f"http://{request.headers.get('host', '')}")

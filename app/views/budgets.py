"""The Budgets page: one read model shown in parts, raises asked for and decided."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import gradio as gr

from app import money
from app.guarded import QUIET, explain, guarded, words, zone_of
from app.i18n import DEFAULT, Texts, texts
from app.ports import ModelInfo
from app.presenters import budgets as show
from app.presenters import prices as price_list
from app.presenters.frame import line
from app.presenters.parts import notice
from app.services.budgets import Budgets, Funds
from app.views import top
from app.views.labels import Labels
from app.views.press import pressable, pressed
from app.views.who import Sessions
from policies.errors import InvalidInput, PilotError
from policies.roles import Action, Actor, may
from policies.types import Window

REFRESH_SECONDS = 5
DAYS = 30
PILOT = "pilot"
"""The scope that a request for more is about, unless one says otherwise."""
Updates = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a refresh writes, in the order of `BudgetHandlers.on_refresh`."""

    line: gr.HTML
    top: gr.HTML
    ceilings: gr.HTML
    holds: gr.HTML
    raises: gr.HTML
    alerts: gr.HTML
    prices: gr.HTML
    calibration: gr.HTML
    seen: gr.State

    @property
    def all(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True, slots=True)
class _Form:
    """What one asks more room with."""

    panel: gr.Column
    scope: gr.Dropdown
    window: gr.Radio
    amount: gr.Textbox
    days: gr.Number
    reason: gr.Textbox
    send: gr.Button
    notice: gr.HTML

    @property
    def asked(self) -> list[Any]:
        return [self.scope, self.window, self.amount, self.days, self.reason]


@dataclass(frozen=True)
class BudgetHandlers:
    budgets: Budgets
    info: ModelInfo
    sessions: Sessions
    labels: Labels

    @guarded
    def on_load(self, request: gr.Request) -> Updates:
        """Panel, scope, then the fixed words."""
        said, actor = words(request), self.sessions(request).actor
        choices = show.scopes(self.budgets.overview(actor), actor, said)
        panel = gr.update(visible=may(actor, Action.ASK_RAISE))
        return panel, gr.update(choices=choices, value=PILOT), *self.labels.say(said)

    @guarded
    def on_refresh(self, zone_name: str, seen: str, request: gr.Request) -> Updates:
        """All parts; only the time where nothing changed."""
        said, actor = words(request), self.sessions(request).actor
        funds, reader = self.budgets.overview(actor), zone_of(zone_name, request)
        state = _fingerprint(funds, actor, reader, said)
        if state == seen:
            skipped = (gr.skip() for _ in range(len(_Parts.__slots__) - 2))
            return gr.skip(), _top(funds, reader, said), *skipped
        return *self._shown(funds, actor, reader, said), state

    @guarded
    def on_ask(
        self,
        zone_name: str,
        scope: str,
        window: str,
        amount: str,
        days: float | None,
        reason: str,
        request: gr.Request,
    ) -> Updates:
        """Notice, amount, reason, then all parts: the form stays as it is where it was refused."""
        said, actor = words(request), self.sessions(request).actor
        try:
            nanos = _nanos(amount)
            self.budgets.ask_raise(actor, scope, Window(window), nanos, reason, int(days or 0))
        except PilotError as err:
            skipped = (gr.skip() for _ in range(2 + len(_Parts.__slots__)))
            return notice(explain(err, said)), *skipped
        told = notice(said("budgets.asked"), "info")
        funds, reader = self.budgets.overview(actor), zone_of(zone_name, request)
        return told, "", "", *self._shown(funds, actor, reader, said), ""

    @guarded
    def on_decide(self, zone_name: str, request: gr.Request, event: gr.EventData) -> Updates:
        """All parts."""
        said, actor = words(request), self.sessions(request).actor
        what = pressed(event)
        self.budgets.decide_raise(actor, what.get("id", ""), what.get("do") == "grant")
        funds, reader = self.budgets.overview(actor), zone_of(zone_name, request)
        return *self._shown(funds, actor, reader, said), ""

    def _shown(self, funds: Funds, actor: Actor, reader: tzinfo, said: Texts) -> Updates:
        return (
            line(self.info, funds.ceilings, said),
            _top(funds, reader, said),
            show.ceilings(funds, said),
            show.holds(funds.holds, reader, said),
            show.raises(funds, actor, reader, said),
            show.alerts(funds.alerts, reader, said),
            price_list.lists(funds.prices, funds.at, said),
            price_list.calibration(funds.calibration, reader, said),
        )


def build(page: gr.Blocks, budgets: Budgets, info: ModelInfo, sessions: Sessions) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    line = top.header(page)
    reader = gr.Textbox(visible=False)
    head = gr.HTML(elem_id="top", padding=False)
    ceilings = gr.HTML(elem_id="ceilings", padding=False)
    with gr.Row(elem_classes="two"):
        with gr.Column(scale=3, min_width=320, elem_classes="sheet"):
            labels.fixed(lambda t: show.heading("raises", t))
            raises = pressable(elem_id="raises")
            form = _form(labels)
        with gr.Column(scale=2, min_width=320):
            holds = _panel("holds", labels)
            alerts = _panel("alerts", labels)
    with gr.Row(elem_classes="two"):
        with gr.Column(scale=3, min_width=320):
            prices = _panel("prices", labels)
        with gr.Column(scale=2, min_width=320):
            calibration = _panel("calibration", labels)
    parts = _Parts(line, head, ceilings, holds, raises, alerts, prices, calibration, gr.State(""))
    _wire(page, reader, parts, form, BudgetHandlers(budgets, info, sessions, labels))


def _wire(
    page: gr.Blocks, reader: gr.Textbox, parts: _Parts, form: _Form, handlers: BudgetHandlers
) -> None:
    page.load(
        handlers.on_load, None, [form.panel, form.scope, *handlers.labels.components], **QUIET
    )
    gr.on(
        [page.load, gr.Timer(REFRESH_SECONDS).tick],
        handlers.on_refresh,
        [reader, parts.seen],
        parts.all,
        **top.IN_ZONE,
    )
    form.send.click(
        handlers.on_ask,
        [reader, *form.asked],
        [form.notice, form.amount, form.reason, *parts.all],
        trigger_mode="once",
        **top.IN_ZONE,
    )
    parts.raises.click(handlers.on_decide, [reader], parts.all, trigger_mode="once", **top.IN_ZONE)


def _panel(name: str, labels: Labels) -> gr.HTML:
    with gr.Column(elem_classes="sheet"):
        labels.fixed(lambda t: show.heading(name, t))
        return gr.HTML(elem_id=name, padding=False)


def _form(labels: Labels) -> _Form:
    first = texts(DEFAULT)
    with gr.Column(elem_id="raise-form", elem_classes="form-panel", visible=False) as panel:
        labels.fixed(lambda t: show.heading("ask", t))
        scope = labels.make(gr.Dropdown, {"label": "budgets.form.scope"}, elem_id="raise-scope")
        window = labels.choices(
            "budgets.form.window", show.windows, first, value=Window.WHOLE, elem_id="raise-window"
        )
        with gr.Row():
            said = {"label": "budgets.form.amount", "placeholder": "budgets.form.amount_example"}
            amount = labels.make(gr.Textbox, said, max_lines=1, elem_id="raise-amount")
            days = labels.make(
                gr.Number,
                {"label": "budgets.form.days"},
                value=DAYS,
                precision=0,
                elem_id="raise-days",
            )
        said = {"label": "budgets.form.reason", "placeholder": "budgets.form.reason_example"}
        reason = labels.make(gr.Textbox, said, lines=2, max_lines=6, elem_id="raise-reason")
        send = labels.make(
            gr.Button, {"value": "budgets.form.send"}, variant="primary", elem_id="raise-send"
        )
        told = gr.HTML(elem_id="raise-notice", padding=False)
    return _Form(panel, scope, window, amount, days, reason, send, told)


def _nanos(amount: str) -> int:
    nanos = money.parse(amount or "")
    if nanos is None:
        raise InvalidInput(f"an amount is a number as 5.00, got {amount!r}", reason="amount")
    return nanos


def _top(funds: Funds, reader: tzinfo, said: Texts) -> str:
    return show.top(funds.at, reader, said)


def _fingerprint(funds: Funds, actor: Actor, reader: tzinfo, said: Texts) -> str:
    """Equal where the page would show the same."""
    what = (funds.ceilings, funds.holds, funds.raises, funds.alerts, funds.prices, funds.starts)
    return repr((what, funds.calibration, actor.user, str(reader), said.language))

"""The Dashboard page: one read model shown in parts, filters that stay in the link, one timer."""

from dataclasses import dataclass, fields, replace
from typing import Any

import gradio as gr

from app.guarded import QUIET, guarded, words, zone_of
from app.ports import ModelInfo
from app.ports.board import By
from app.ports.slice import Slice
from app.presenters import choices
from app.presenters import dashboard as show
from app.presenters.frame import line
from app.services.dashboard import Dashboard
from app.views import dashboard_parts as filled
from app.views import top as page_top
from app.views.dashboard_widgets import CHARTS, Filters, Parts, filters, parts
from app.views.labels import Labels
from app.views.press import pressed
from app.views.who import Sessions
from policies.types import Domain, Importance

REFRESH_SECONDS = 5
Updates = tuple[Any, ...]
REMEMBER = """(zone, ...values) => {
  const names = %s, query = new URLSearchParams(location.search);
  names.forEach((name, i) => {
    if (values[i]) query.set(name, values[i]); else query.delete(name);
  });
  const said = query.toString();
  history.replaceState(null, '', location.pathname + (said ? '?' + said : ''));
  return [Intl.DateTimeFormat().resolvedOptions().timeZone, ...values];
}"""
"""What is chosen is kept in the address, so that a link shows the same."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The filters as the page sends them; whatever is not known there is no restriction."""

    period: str
    team: str
    user: str
    importance: str
    domain: str
    by: str
    suite: str
    point: str

    @classmethod
    def read(cls, *values: str | None) -> "Chosen":
        return cls(*(str(value or "") for value in values))

    @property
    def parted(self) -> By:
        return By(self.by) if self.by in set(By) else By.TEAM

    @property
    def cap(self) -> int | None:
        """Of the point: evaluations a token."""
        number = self.point.partition(".")[0]
        return int(number) if number.isdecimal() and len(number) < 6 else None

    def slice(self, first_day: str) -> Slice:
        return Slice(
            first_day=first_day,
            team=self.team,
            user=self.user,
            importance=Importance(self.importance) if self.importance in set(Importance) else None,
            domain=Domain(self.domain) if self.domain in set(Domain) else None,
        )

    def at_point(self, chosen: Slice) -> Slice:
        domain = self.point.partition(".")[2]
        return replace(chosen, domain=Domain(domain)) if domain in set(Domain) else chosen


NAMES = [field.name for field in fields(Chosen)]


@dataclass(frozen=True)
class DashboardHandlers:
    dashboard: Dashboard
    info: ModelInfo
    labels: Labels
    sessions: Sessions

    @guarded
    def on_load(self, request: gr.Request) -> Updates:
        """The filters as the link says, then every fixed word."""
        query = dict(request.query_params)
        asked = (_known(name, str(query.get(name) or "")) for name in NAMES)
        return *asked, *self.labels.say(words(request))

    @guarded
    def on_refresh(
        self,
        zone_name: str,
        period: str,
        team: str,
        user: str,
        importance: str,
        domain: str,
        by: str,
        suite: str,
        point: str,
        seen: str,
        request: gr.Request,
    ) -> Updates:
        """All parts; only the time where nothing changed: charts keep what is pointed at."""
        texts, reader, actor = (
            words(request),
            zone_of(zone_name, request),
            self.sessions(request).actor,
        )
        asked = Chosen.read(period, team, user, importance, domain, by, suite, point)
        top = show.top(self.dashboard.clock(), reader, texts)
        state = repr((self.dashboard.pulse(actor), asked, str(reader), texts.language, actor))
        if state == seen:
            return Parts.updates(top=top)
        days = int(asked.period) if asked.period in map(str, show.PERIODS) else None
        chosen = asked.slice(self.dashboard.first_day(days))
        seen_now = self.dashboard.overview(actor, chosen, asked.parted)
        behind = ""
        if asked.cap is not None:
            found = self.dashboard.behind(actor, asked.at_point(chosen), asked.cap)
            behind = show.behind(found, asked.point, reader, texts)
        return Parts.updates(
            top=top,
            header=line(self.info, list(seen_now.ceilings), texts),
            tiles=show.tiles(seen_now.ceilings, texts),
            team=gr.update(choices=choices.names(seen_now.teams, texts), value=asked.team),
            user=gr.update(choices=choices.names(seen_now.users, texts), value=asked.user),
            **filled.quality(seen_now, asked.suite, asked.point, texts),
            **filled.preferred(seen_now, texts),
            behind=behind,
            **filled.spend(seen_now, reader, texts),
            **filled.work(seen_now, reader, texts),
            table=show.table(seen_now.answers, reader, texts),
            seen=state,
        )

    def on_point(self, event: gr.EventData) -> str:
        return pressed(event).get("point", "")


def build(page: gr.Blocks, dashboard: Dashboard, info: ModelInfo, sessions: Sessions) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    head = page_top.header(page)
    reader, point = gr.Textbox(visible=False), gr.Textbox(visible=False)
    with gr.Row(elem_id="dashboard-top"):
        top = gr.HTML(elem_id="top", padding=False)
        refresh = labels.make(
            gr.Button, {"value": "dashboard.refresh"}, size="sm", scale=0, elem_id="refresh"
        )
    chosen = filters(labels)
    shown = parts(head, top, chosen, labels)
    handlers = DashboardHandlers(dashboard, info, labels, sessions)
    given = [reader, *_inputs(chosen, shown, point), shown.seen]
    fresh = {
        "fn": handlers.on_refresh,
        "inputs": given,
        "outputs": shown.all,
        "js": REMEMBER % NAMES,
        **QUIET,
    }
    asked = _inputs(chosen, shown, point)
    page.load(None, js=CHARTS, api_visibility="private")
    page.load(handlers.on_load, None, [*asked, *labels.components], **QUIET).then(**fresh)
    gr.on(
        [
            gr.Timer(REFRESH_SECONDS).tick,
            refresh.click,
            *(each.input for each in asked if each is not point),
        ],
        **fresh,
    )
    for pressable in (shown.points, shown.behind):
        pressable.click(handlers.on_point, None, [point], **QUIET).then(**fresh)


def _inputs(chosen: Filters, shown: Parts, point: gr.Textbox) -> list[Any]:
    """In the order of `Chosen`."""
    return [
        chosen.period,
        chosen.team,
        chosen.user,
        chosen.importance,
        chosen.domain,
        shown.by,
        shown.suite,
        point,
    ]


def _known(name: str, value: str) -> str:
    """As a link says it, where that can be chosen; else what the page begins with."""
    legal: dict[str, set[str]] = {
        "period": set(map(str, show.PERIODS)),
        "importance": set(Importance),
        "domain": set(Domain),
        "by": set(By),
    }
    if name in legal and value not in legal[name]:
        return By.TEAM.value if name == "by" else ""
    return value if value.isprintable() else ""

"""The Dashboard page: one read model shown in parts, kept fresh by one timer."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

import gradio as gr

from app.figures import quality, spend
from app.guarded import QUIET, forced_language, guarded, words
from app.i18n import Texts
from app.ports import Clock, ModelInfo
from app.presenters import dashboard as show
from app.presenters.frame import header
from app.presenters.parts import zone
from app.services.dashboard import Dashboard, Overview
from app.views import top as page_top
from app.views.labels import Labels

REFRESH_SECONDS = 5
WITH_TIME_ZONE = "(zone, ...rest) => [Intl.DateTimeFormat().resolvedOptions().timeZone, ...rest]"
Updates = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a refresh writes, in the order of `DashboardHandlers.on_refresh`."""

    top: gr.HTML
    header: gr.HTML
    tiles: gr.HTML
    suite: gr.Dropdown
    quality: gr.Plot
    provenance: gr.HTML
    spend: gr.Plot
    no_spend: gr.HTML
    table: gr.HTML
    seen: gr.State

    @property
    def all(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]


@dataclass(frozen=True)
class DashboardHandlers:
    dashboard: Dashboard
    info: ModelInfo
    clock: Clock
    labels: Labels

    @guarded
    def on_load(self, request: gr.Request) -> Updates:
        return tuple(self.labels.say(words(request)))

    @guarded
    def on_refresh(self, zone_name: str, suite: str, seen: str, request: gr.Request) -> Updates:
        """All parts; only the time where nothing changed: charts keep what is pointed at."""
        texts, reader = words(request), zone(zone_name)
        overview = self.dashboard.overview()
        top = show.top(self.clock(), reader, texts)
        state = _fingerprint(overview, suite, reader, texts)
        if state == seen:
            return top, *(gr.skip() for _ in range(len(_Parts.__slots__) - 1))
        return (
            top,
            header("dashboard", self.info, overview.ceilings, texts, forced_language(request)),
            show.tiles(overview.ceilings, texts),
            *_quality(overview, suite, texts),
            *_spend(overview, reader, texts),
            show.table(overview.answers, reader, texts),
            state,
        )


def build(page: gr.Blocks, dashboard: Dashboard, info: ModelInfo, clock: Clock) -> None:
    """Lay out and wire the page in the blocks that are open."""
    labels = Labels()
    head = page_top.header(page)
    reader = gr.Textbox(visible=False)
    with gr.Row(elem_id="dashboard-top"):
        top = gr.HTML(elem_id="top", padding=False)
        refresh = labels.make(
            gr.Button, {"value": "dashboard.refresh"}, size="sm", scale=0, elem_id="refresh"
        )
    parts = _parts(head, top, labels)
    handlers = DashboardHandlers(dashboard, info, clock, labels)
    given = [reader, parts.suite, parts.seen]
    page.load(handlers.on_load, None, labels.components, **QUIET)
    page.load(handlers.on_refresh, given, parts.all, js=WITH_TIME_ZONE, **QUIET)
    gr.on(
        [gr.Timer(REFRESH_SECONDS).tick, refresh.click, parts.suite.input],
        handlers.on_refresh,
        given,
        parts.all,
        js=WITH_TIME_ZONE,
        **QUIET,
    )


def _parts(head: gr.HTML, top: gr.HTML, labels: Labels) -> _Parts:
    tiles = gr.HTML(elem_id="tiles", padding=False)
    with gr.Row(elem_id="charts"):
        with gr.Column(scale=3, min_width=320, elem_id="quality-panel"):
            labels.html(lambda t: show.heading("quality", t), padding=False)
            suite = labels.make(
                gr.Dropdown, {"label": "dashboard.suite"}, visible=False, elem_id="suite"
            )
            quality_plot = gr.Plot(show_label=False, container=False, elem_id="quality")
            provenance = gr.HTML(elem_id="provenance", padding=False)
        with gr.Column(scale=2, min_width=320, elem_id="spend-panel"):
            labels.html(lambda t: show.heading("spend", t), padding=False)
            spend_plot = gr.Plot(show_label=False, container=False, elem_id="spend")
            no_spend = gr.HTML(elem_id="no-spend", padding=False)
    with gr.Column(elem_id="answers-panel"):
        labels.html(lambda t: show.heading("latest", t), padding=False)
        table = gr.HTML(elem_id="answers", padding=False)
    return _Parts(
        top=top, header=head, tiles=tiles, suite=suite, quality=quality_plot, provenance=provenance,
        spend=spend_plot, no_spend=no_spend, table=table, seen=gr.State(""),
    )  # fmt: skip


def _quality(overview: Overview, suite: str | None, texts: Texts) -> Updates:
    """Suite, chart, provenance; or how to get a first measurement."""
    suites = show.suites(overview.measurements)
    if not suites:
        hidden = gr.update(visible=False)
        return hidden, hidden, show.no_measurement(texts)
    chosen = suite if suite in suites else suites[0]
    measured = [m for m in overview.measurements if m.suite == chosen]
    return (
        gr.update(choices=suites, value=chosen, visible=len(suites) > 1),
        gr.update(value=quality(measured, texts), visible=True),
        show.provenance(measured, texts),
    )


def _spend(overview: Overview, reader: tzinfo, texts: Texts) -> Updates:
    """Chart and what stands in its place while nothing is spent."""
    if not overview.spend:
        return gr.update(visible=False), show.no_spend(texts)
    pilot = next((c for c in overview.ceilings if c.scope == "pilot"), None)
    return gr.update(value=spend(overview.spend, pilot, reader, texts), visible=True), ""


def _fingerprint(overview: Overview, suite: str | None, reader: tzinfo, texts: Texts) -> str:
    """Equal where the page would show the same. Spend shows in the ceilings."""
    measured = [(m.suite, m.measured_at) for m in overview.measurements]
    return repr((overview.ceilings, overview.answers, measured, suite, str(reader), texts.language))

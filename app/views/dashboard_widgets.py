"""What stands on the Dashboard page and where; nothing happens here."""

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from app.i18n import DEFAULT, texts
from app.ports.board import By
from app.presenters import choices
from app.presenters import dashboard as show
from app.views.labels import Labels
from app.views.press import pressable

CHARTS = """() => {
  const wire = () => document.querySelectorAll('.js-plotly-plot').forEach(chart => {
    if (chart.dataset.wired || !chart.on) return;
    chart.dataset.wired = 'yes';
    chart.on('plotly_click', event => {
      const id = event.points[0] && event.points[0].id;
      const button = id && document.querySelector(`[data-do=point][data-point="${id}"]`);
      if (button) button.click();
    });
  });
  new MutationObserver(wire).observe(document.body, {childList: true, subtree: true});
  document.addEventListener('click', event => {
    const pressed = event.target.closest('[data-picture]');
    const chart = pressed && document.querySelector(`#${pressed.dataset.picture} .js-plotly-plot`);
    if (!chart || !window.Plotly) return;
    const layout = {...chart.layout, paper_bgcolor: 'white', plot_bgcolor: 'white'};
    window.Plotly.downloadImage({data: chart.data, layout}, {
      format: 'png', width: 1200, height: 640, filename: pressed.dataset.name,
    });
  });
}"""
"""A point of a chart is a button; a chart is to be had as a picture, on white for any document."""


@dataclass(frozen=True, slots=True)
class Filters:
    period: gr.Dropdown
    team: gr.Dropdown
    user: gr.Dropdown
    importance: gr.Dropdown
    domain: gr.Dropdown


@dataclass(frozen=True, slots=True)
class Parts:
    """What a refresh writes."""

    top: gr.HTML
    header: gr.HTML
    tiles: gr.HTML
    team: gr.Dropdown
    user: gr.Dropdown
    suite: gr.Dropdown
    quality: gr.Plot
    points: gr.HTML
    pays: gr.HTML
    quality_take: gr.HTML
    provenance: gr.HTML
    votes: gr.Plot
    preferred: gr.HTML
    votes_take: gr.HTML
    behind: gr.HTML
    spend: gr.Plot
    no_spend: gr.HTML
    coming: gr.HTML
    spend_take: gr.HTML
    parts: gr.Plot
    parts_take: gr.HTML
    work: gr.Plot
    saved: gr.HTML
    work_take: gr.HTML
    use: gr.Plot
    usage: gr.HTML
    use_take: gr.HTML
    levels: gr.HTML
    reviewed: gr.HTML
    table: gr.HTML
    seen: gr.State
    by: gr.Radio
    """Read, never written by a refresh."""

    @property
    def all(self) -> list[Any]:
        return [getattr(self, name) for name in WRITTEN]

    @staticmethod
    def updates(**values: Any) -> tuple[Any, ...]:
        """In the order of `all`; what is not given stays as it is."""
        if unknown := set(values) - set(WRITTEN):
            raise TypeError(f"no such parts: {sorted(unknown)}")
        return tuple(values.get(name, gr.skip()) for name in WRITTEN)


WRITTEN = tuple(field.name for field in fields(Parts) if field.name != "by")


def filters(labels: Labels) -> Filters:
    with gr.Row(elem_id="filters"):
        return Filters(
            *(
                _choice(labels, f"dashboard.filter.{name}", given, f"filter-{name}")
                for name, given in {
                    "period": show.periods,
                    "team": lambda t: choices.names((), t),
                    "user": lambda t: choices.names((), t),
                    "importance": choices.importances,
                    "domain": choices.domains,
                }.items()
            )
        )


def _choice(labels: Labels, label: str, given: Any, elem_id: str) -> gr.Dropdown:
    return labels.options(
        gr.Dropdown,
        label,
        given,
        texts(DEFAULT),
        value="",
        min_width=120,
        allow_custom_value=elem_id in ("filter-team", "filter-user"),
        elem_id=elem_id,
    )


def parts(head: gr.HTML, top: gr.HTML, chosen: Filters, labels: Labels) -> Parts:
    made: dict[str, Any] = {
        "header": head,
        "top": top,
        "team": chosen.team,
        "user": chosen.user,
        "seen": gr.State(""),
    }
    made["tiles"] = gr.HTML(elem_id="tiles", padding=False)
    with gr.Row(elem_classes="charts"):
        with gr.Column(scale=3, min_width=320, elem_id="quality-panel", elem_classes="sheet"):
            _heading("quality", labels)
            made["suite"] = labels.make(
                gr.Dropdown,
                {"label": "dashboard.suite"},
                visible=False,
                allow_custom_value=True,
                elem_id="suite",
            )
            made["quality"] = _plot("quality")
            made["points"] = pressable(elem_id="points")
            made["pays"] = gr.HTML(elem_id="pays", padding=False)
            made["provenance"] = gr.HTML(elem_id="provenance", padding=False)
            made["quality_take"] = gr.HTML(padding=False)
            made["preferred"] = gr.HTML(elem_id="preferred", padding=False)
            made["votes"] = _plot("votes")
            made["votes_take"] = gr.HTML(padding=False)
        with gr.Column(scale=2, min_width=320, elem_id="spend-panel", elem_classes="sheet"):
            _heading("spend", labels)
            made["spend"] = _plot("spend")
            made["no_spend"] = gr.HTML(elem_id="no-spend", padding=False)
            made["coming"] = gr.HTML(elem_id="coming", padding=False)
            made["spend_take"] = gr.HTML(padding=False)
    made["behind"] = pressable(elem_id="behind")
    with gr.Row(elem_classes="charts"):
        with gr.Column(scale=1, min_width=320, elem_id="parts-panel", elem_classes="sheet"):
            _heading("parts", labels)
            made["by"] = labels.options(
                gr.Radio,
                "dashboard.by",
                show.parts_by,
                texts(DEFAULT),
                value=By.TEAM.value,
                elem_id="by",
            )
            made["parts"] = _plot("parts")
            made["parts_take"] = gr.HTML(padding=False)
        with gr.Column(scale=1, min_width=320, elem_id="work-panel", elem_classes="sheet"):
            _heading("work", labels)
            made["work"] = _plot("work")
            made["saved"] = gr.HTML(elem_id="saved", padding=False)
            made["work_take"] = gr.HTML(padding=False)
    with gr.Row(elem_classes="charts"):
        with gr.Column(scale=1, min_width=320, elem_id="use-panel", elem_classes="sheet"):
            _heading("use", labels)
            made["use"] = _plot("use")
            made["usage"] = gr.HTML(elem_id="usage", padding=False)
            made["use_take"] = gr.HTML(padding=False)
        with gr.Column(scale=1, min_width=320, elem_id="reviewed-panel", elem_classes="sheet"):
            _heading("reviewed", labels)
            made["reviewed"] = gr.HTML(elem_id="reviewed", padding=False)
    with gr.Column(elem_id="levels-panel", elem_classes="sheet"):
        _heading("levels", labels)
        made["levels"] = gr.HTML(elem_id="levels", padding=False)
    with gr.Column(elem_id="answers-panel", elem_classes="sheet"):
        _heading("latest", labels)
        made["table"] = gr.HTML(elem_id="answers", padding=False)
    return Parts(**made)


def _heading(name: str, labels: Labels) -> None:
    labels.fixed(lambda t: show.heading(name, t))


def _plot(name: str) -> gr.Plot:
    return gr.Plot(show_label=False, container=False, elem_id=name, visible=False)

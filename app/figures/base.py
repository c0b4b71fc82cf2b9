"""What all charts share: colours, axes, words of time."""

import plotly.graph_objects as go

from app.i18n import Texts
from app.money import symbol
from policies.types import Domain, Importance

INK, GRID, LIMIT, SOFT = "#7b8494", "rgba(128,136,150,0.22)", "#c2553d", "rgba(47,95,179,0.16)"
MAIN = "#2f5fb3"
COLORS = {
    None: MAIN,
    Domain.MATH: "#b7791f",
    Domain.DATA: "#2f855a",
    Domain.BUSINESS: "#8656a8",
}
OTHER = "#5f6b7a"
RUNGS = {
    Importance.ROUTINE: "#9db4d8",
    Importance.STANDARD: "#2f5fb3",
    Importance.HIGH: "#b7791f",
    Importance.CRITICAL: "#a3413a",
}
LONG = 28
"""Characters of a name on an axis."""


def blank(y_title: str) -> go.Figure:
    """Transparent, with ink that reads on light and dark pages."""
    figure = go.Figure()
    axis = {
        "gridcolor": GRID,
        "zerolinecolor": GRID,
        "linecolor": GRID,
        "automargin": True,
        "nticks": 6,
        "tickangle": 0,
        "title": {"font": {"size": 13}},
    }
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": INK, "family": "system-ui, sans-serif", "size": 13},
        margin={"l": 60, "r": 16, "t": 40, "b": 48},
        height=380,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"align": "left"},
        xaxis=axis,
        yaxis={**axis, "title": {"text": y_title, "font": {"size": 13}}},
    )
    return figure


def in_money(figure: go.Figure, axis: str, currency: str, texts: Texts) -> None:
    update = figure.update_xaxes if axis == "x" else figure.update_yaxes
    prefix = symbol(currency, texts.locale) if currency else ""
    update(tickprefix=prefix, rangemode="tozero", exponentformat="none", nticks=4)


def clock(texts: Texts) -> list[dict[str, object]]:
    """Times of day under a day, days above it, as the reader writes them."""
    day = texts("figure.day")
    return [
        {"dtickrange": [None, 60_000], "value": f"%H:%M:%S\n{day}"},
        {"dtickrange": [60_000, 86_400_000], "value": f"%H:%M\n{day}"},
        {"dtickrange": [86_400_000, None], "value": day},
    ]


def short(name: str) -> str:
    return name if len(name) <= LONG else f"{name[: LONG - 1]}…"

"""Quality against spend, spend against the ceiling. Pure: dataclasses in, go.Figure out."""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape
from itertools import accumulate

import plotly.graph_objects as go

from app.i18n import Texts
from app.money import about, exact, plot_coordinate, symbol
from app.ports import Measurement, SpendPoint
from app.presenters.parts import number, percent, when
from policies.types import Ceiling, Domain

INK, GRID, LIMIT = "#7b8494", "rgba(128,136,150,0.22)", "#c2553d"
COLORS = {
    None: "#2f5fb3",
    Domain.MATH: "#b7791f",
    Domain.DATA: "#2f855a",
    Domain.BUSINESS: "#8656a8",
}
OTHER = "#5f6b7a"
NEAR = 5
"""The limit is drawn to scale once a fifth of it is spent; before, it would flatten the line."""


def quality(measurements: Sequence[Measurement], texts: Texts) -> go.Figure:
    """Accuracy against cost per answer: a line a domain, a stronger one for the whole suite."""
    currency = measurements[0].currency if measurements else ""
    figure = _blank(texts("figure.accuracy_axis"))
    for domain in (*Domain, None):
        points = sorted(
            _newest([m for m in measurements if m.domain is domain]),
            key=lambda m: (m.cost_nanos_per_answer, m.budget),
        )
        if points:
            figure.add_trace(_quality_line(points, domain, texts))
    figure.update_xaxes(
        title_text=texts("figure.cost_axis", currency=currency),
        tickprefix=symbol(currency, texts.locale) if currency else "",
        rangemode="tozero",
        exponentformat="none",
        nticks=4,
    )
    figure.update_yaxes(tickformat=".0%", range=[0, 1.04])
    return figure


def spend(
    points: Sequence[SpendPoint], ceiling: Ceiling | None, reader: tzinfo, texts: Texts
) -> go.Figure:
    """Spend in total, a point for each answer, up to what the ledger has committed."""
    currency = ceiling.currency if ceiling else ""
    figure = _blank(texts("figure.spend_axis", currency=currency))
    charges = [p.cost_nanos for p in points]
    earlier = max(ceiling.committed_nanos - sum(charges), 0) if ceiling else 0
    totals = [earlier + t for t in accumulate(charges)]
    figure.add_trace(
        go.Scatter(
            x=[p.at.astimezone(reader).replace(tzinfo=None) for p in points],
            y=[plot_coordinate(t) for t in totals],
            mode="lines+markers",
            name=texts("figure.spend_name"),
            line={"color": COLORS[None], "width": 2, "shape": "hv"},
            marker={"size": 7},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                texts(
                    "figure.spend_hover",
                    time=when(p.at, reader, texts),
                    importance=texts(f"importance.{p.importance}"),
                    cost=exact(p.cost_nanos, currency, texts.locale),
                    total=exact(total, currency, texts.locale),
                )
                for p, total in zip(points, totals, strict=True)
            ],
        )
    )
    figure.update_xaxes(
        title_text=texts("figure.time_axis"), tickformatstops=_clock(texts), nticks=4
    )
    figure.update_yaxes(
        tickprefix=symbol(currency, texts.locale), rangemode="tozero", exponentformat="none"
    )
    figure.update_layout(showlegend=False)
    if ceiling:
        _limit(figure, ceiling, texts)
    return figure


def _limit(figure: go.Figure, ceiling: Ceiling, texts: Texts) -> None:
    """To scale where it can be; else said at the top edge."""
    words = texts(
        "figure.limit_far",
        limit=about(ceiling.limit_nanos, ceiling.currency, texts.locale),
        percent=percent(ceiling.committed_nanos, ceiling.limit_nanos, texts),
    )
    style = {"color": LIMIT, "dash": "dash", "width": 1.5}
    near = ceiling.committed_nanos * NEAR >= ceiling.limit_nanos
    if near:
        figure.add_hline(y=plot_coordinate(ceiling.limit_nanos), line=style)
        figure.update_yaxes(range=[0, plot_coordinate(ceiling.limit_nanos) * 1.12])
    else:
        figure.add_shape(
            type="line", xref="paper", yref="paper", x0=0, x1=1, y0=1, y1=1, line=style
        )
        words = f"↑ {words}"
    figure.add_annotation(
        text=escape(words), xref="paper", x=1, xanchor="right", yanchor="bottom", showarrow=False,
        yref="y" if near else "paper", y=plot_coordinate(ceiling.limit_nanos) if near else 1,
        font={"color": LIMIT},
    )  # fmt: skip


def _clock(texts: Texts) -> list[dict[str, object]]:
    """Times of day under a day, days above it, as the reader writes them."""
    day = texts("figure.day")
    return [
        {"dtickrange": [None, 60_000], "value": f"%H:%M:%S\n{day}"},
        {"dtickrange": [60_000, 86_400_000], "value": f"%H:%M\n{day}"},
        {"dtickrange": [86_400_000, None], "value": day},
    ]


def _quality_line(points: Sequence[Measurement], domain: Domain | None, texts: Texts) -> go.Scatter:
    whole = domain is None
    name = texts("dashboard.suite_all") if domain is None else texts(f"domain.{domain}")
    return go.Scatter(
        x=[plot_coordinate(m.cost_nanos_per_answer) for m in points],
        y=[m.accuracy for m in points],
        error_y={
            "type": "data",
            "array": [m.ci_high - m.accuracy for m in points],
            "arrayminus": [m.accuracy - m.ci_low for m in points],
            "thickness": 1.5 if whole else 1,
            "width": 4,
        },
        mode="lines+markers+text",
        text=[str(m.budget) for m in points],
        textposition="middle center",
        textfont={"color": "white", "size": 11 if whole else 9},
        name=name,
        line={"color": COLORS.get(domain, OTHER), "width": 3 if whole else 1.5},
        marker={"size": 22 if whole else 16},
        customdata=[_quality_hover(m, name, texts) for m in points],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _quality_hover(m: Measurement, name: str, texts: Texts) -> str:
    rate = {
        key: f"{value:.1%}"
        for key, value in {"accuracy": m.accuracy, "low": m.ci_low, "high": m.ci_high}.items()
    }
    return texts(
        "figure.quality_hover",
        domain=name,
        passes=m.budget,
        cost=about(m.cost_nanos_per_answer, m.currency, texts.locale),
        n=number(m.n, texts),
        **rate,
    )


def _newest(measurements: Sequence[Measurement]) -> list[Measurement]:
    """One for each budget: a rung of the policy and a plain budget may have been measured alike."""
    by_budget: dict[int, Measurement] = {}
    for m in sorted(measurements, key=lambda m: m.measured_at):
        by_budget[m.budget] = m
    return list(by_budget.values())


def _blank(y_title: str) -> go.Figure:
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

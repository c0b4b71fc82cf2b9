"""Accuracy against cost: a line a domain, what is worth having, and what the policy buys."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from app.figures.base import COLORS, INK, MAIN, OTHER, blank, in_money
from app.i18n import Texts
from app.money import about, plot_coordinate
from app.ports import Measurement
from app.presenters.parts import number, passes, share
from evaluation.frontier import efficient
from policies.types import Domain, Importance, Rung

ROOM = 1.12
"""How far the axis goes on above the highest interval."""


def quality(
    measurements: Sequence[Measurement],
    texts: Texts,
    rungs: Mapping[Importance, Rung] | None = None,
) -> go.Figure:
    """A line a domain, a stronger one for the whole suite, the policy's rungs by name."""
    currency = measurements[0].currency if measurements else ""
    figure = blank(texts("figure.accuracy_axis"))
    for domain in (*Domain, None):
        points = sorted(
            _newest([m for m in measurements if m.domain is domain]),
            key=lambda m: (m.cost_nanos_per_answer, m.budget),
        )
        if points:
            figure.add_trace(_line(points, domain, texts))
        if points and domain is None:
            figure.add_trace(_frontier(points, texts))
            _mark_rungs(figure, points, rungs or {}, texts)
    figure.update_xaxes(title_text=texts("figure.cost_axis", currency=currency))
    in_money(figure, "x", currency, texts)
    top = min(max((m.ci_high for m in measurements), default=1.0) * ROOM, 1.04)
    figure.update_yaxes(tickformat=".0%", range=[0, top])
    return figure


def _line(points: Sequence[Measurement], domain: Domain | None, texts: Texts) -> go.Scatter:
    whole = domain is None
    name = texts("dashboard.suite_all") if domain is None else texts(f"domain.{domain}")
    return go.Scatter(
        x=[plot_coordinate(m.cost_nanos_per_answer) for m in points],
        y=[m.accuracy for m in points],
        ids=[f"{m.budget}.{domain or ''}" for m in points],
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
        customdata=[_hover(m, name, texts) for m in points],
        hovertemplate="%{customdata}<extra></extra>",
    )


def _frontier(points: Sequence[Measurement], texts: Texts) -> go.Scatter:
    """Steps from each point that no other beats to the next; beyond the last, more buys no more."""
    kept = [points[i] for i in efficient([(m.cost_nanos_per_answer, m.accuracy) for m in points])]
    xs = [plot_coordinate(m.cost_nanos_per_answer) for m in kept]
    ys = [m.accuracy for m in kept]
    end = max(plot_coordinate(m.cost_nanos_per_answer) for m in points)
    return go.Scatter(
        x=[*xs, end],
        y=[*ys, ys[-1]],
        mode="lines",
        line={"color": MAIN, "dash": "dot", "width": 2, "shape": "hv"},
        name=texts("figure.frontier"),
        hoverinfo="skip",
    )


def _mark_rungs(
    figure: go.Figure,
    points: Sequence[Measurement],
    rungs: Mapping[Importance, Rung],
    texts: Texts,
) -> None:
    """The importances of the policy in force, by name, at the points that they buy."""
    names: dict[int, list[str]] = {}
    for importance, rung in rungs.items():
        names.setdefault(rung.max_nfe_per_token, []).append(texts(f"importance.{importance}"))
    for m in points:
        if m.budget in names:
            figure.add_annotation(
                x=plot_coordinate(m.cost_nanos_per_answer),
                y=m.ci_high if m.budget else m.accuracy,
                text=escape(texts("list.join").join(names[m.budget])),
                showarrow=False,
                # Where nothing is refined all lines begin, close together: the name stands beside.
                **({"yshift": 12} if m.budget else {"xshift": 16, "xanchor": "left"}),
                font={"color": INK, "size": 12},
            )


def _hover(m: Measurement, name: str, texts: Texts) -> str:
    rate = {
        key: share(value, texts)
        for key, value in {"accuracy": m.accuracy, "low": m.ci_low, "high": m.ci_high}.items()
    }
    return texts(
        "figure.quality_hover",
        domain=name,
        passes=passes(m.budget, texts),
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

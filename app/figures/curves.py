"""Accuracy against cost: a line a domain, what is worth having, and what the policy buys."""

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go

from app.figures.base import COLORS, INK, MAIN, OTHER, blank, in_money
from app.i18n import Texts
from app.money import about, plot_coordinate
from app.ports import Measurement
from app.presenters.parts import number, passes, share
from app.services.spent import measures
from evaluation.frontier import efficient
from policies.types import Domain, Importance, Rung

NAME_HEIGHT = 0.07
"""Of the plot: a row of names above the highest interval, where no point can lie."""
NAME_WIDTH = 0.3
"""Of the axis, on a phone: the longest name with some air."""
ROOM = 1.06
"""How far the axis goes on above the highest interval, before any names."""


def quality(
    measurements: Sequence[Measurement],
    texts: Texts,
    rungs: Mapping[Importance, Rung] | None = None,
) -> go.Figure:
    """A line a domain, a stronger one for the whole suite, the policy's rungs by name."""
    currency = measurements[0].currency if measurements else ""
    figure = blank(texts("figure.accuracy_axis"))
    named: list[tuple[Measurement, str]] = []
    for domain in (*Domain, None):
        points = sorted(
            _newest([m for m in measurements if m.domain is domain]),
            key=lambda m: m.budget,
        )
        if points:
            figure.add_trace(_line(points, domain, texts))
        if points and domain is None:
            figure.add_trace(_frontier(points, texts))
            named = _named(points, rungs or {}, texts)
    figure.update_xaxes(title_text=texts("figure.cost_axis", currency=currency))
    in_money(figure, "x", currency, texts)
    top = _mark(figure, named, measurements)
    tick = 0.2 if top > 0.5 else 0.1 if top > 0.2 else 0.02
    ticks = [tick * i for i in range(round(1 / tick) + 1)]
    figure.update_yaxes(tickformat=".0%", range=[0, top], tickvals=ticks)
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
        mode="lines+markers+text" if whole else "lines+markers",
        text=[str(m.budget) for m in points],
        textposition="middle center",
        textfont={"color": "white", "size": 10},
        name=name,
        line={"color": COLORS.get(domain, OTHER), "width": 3 if whole else 1},
        marker={"size": 19 if whole else 9},
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


def _named(
    points: Sequence[Measurement], rungs: Mapping[Importance, Rung], texts: Texts
) -> list[tuple[Measurement, str]]:
    """The points that the policy in force buys, the cheapest first, with their importances."""
    names = [
        (m, [texts(f"importance.{i}") for i, rung in rungs.items() if measures(m, rung)])
        for m in points
    ]
    join = texts("list.join")
    bought = [(m, join.join(its)) for m, its in names if its]
    return sorted(bought, key=lambda each: each[0].cost_nanos_per_answer)


def _mark(
    figure: go.Figure, named: Sequence[tuple[Measurement, str]], all_of: Sequence[Measurement]
) -> float:
    """Each name like a flag over its point, in rows above all of them. Returns where the axis ends.

    A name takes the lowest row where it meets no other.
    """
    end = max((plot_coordinate(m.cost_nanos_per_answer) for m in all_of), default=1.0) or 1.0
    width, ends, flags = NAME_WIDTH * end, list[float](), []
    for m, name in named:
        x = plot_coordinate(m.cost_nanos_per_answer)
        left = x if x + width <= end else x - width
        row = next((i for i, taken in enumerate(ends) if taken <= left), len(ends))
        ends[row : row + 1] = [left + width]
        flags.append((m, name, x, left < x, row))
    highest = ROOM * max((m.ci_high for m in all_of), default=1.0)
    top = highest / (1 - NAME_HEIGHT * len(ends))
    for m, name, x, leftwards, row in flags:
        y = highest + top * NAME_HEIGHT * (row + 0.5)
        pole = {"color": INK, "width": 1, "dash": "dot"}
        figure.add_shape(type="line", x0=x, x1=x, y0=m.ci_high, y1=y, line=pole, layer="below")
        figure.add_annotation(
            x=x,
            y=y,
            text=escape(name),
            showarrow=False,
            xanchor="right" if leftwards else "left",
            font={"color": INK, "size": 12},
        )
    return top


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

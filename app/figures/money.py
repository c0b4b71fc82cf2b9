"""Spend: answer by answer on the first day, then day by day up to the limit; and who spent it."""

from collections.abc import Sequence
from datetime import date, timedelta, tzinfo
from html import escape
from itertools import accumulate

import plotly.graph_objects as go

from app.figures.base import COLORS, LIMIT, MAIN, SOFT, blank, clock, in_money, short
from app.i18n import Texts
from app.money import about, exact, plot_coordinate, symbol
from app.ports import SpendPoint
from app.ports.board import Spend
from app.presenters.parts import number, percent, when
from evaluation.forecast import Forecast
from policies.types import Ceiling

NEAR = 5
"""The limit is drawn to scale once a fifth of it is spent; before, it would flatten the line."""


def spend(
    points: Sequence[SpendPoint], ceiling: Ceiling | None, reader: tzinfo, texts: Texts
) -> go.Figure:
    """Spend in total, a point for each answer, up to what the ledger has committed."""
    currency = ceiling.currency if ceiling else ""
    figure = blank(texts("figure.spend_axis", currency=currency))
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
        title_text=texts("figure.time_axis"), tickformatstops=clock(texts), nticks=4
    )
    figure.update_yaxes(
        tickprefix=symbol(currency, texts.locale), rangemode="tozero", exponentformat="none"
    )
    figure.update_layout(showlegend=False)
    if ceiling:
        _limit(figure, ceiling, ceiling.committed_nanos, texts)
    return figure


def spend_by_day(
    days: Sequence[Spend],
    ceiling: Ceiling | None,
    coming: Forecast | None,
    currency: str,
    texts: Texts,
) -> go.Figure:
    """Spend in total by the end of each day, and where it leads as of late.

    A `ceiling` is given where the days are all that counts against it.
    """
    figure = blank(texts("figure.spend_axis", currency=currency))
    totals = list(accumulate(day.nanos for day in days))
    if coming and totals:
        _fan(figure, days[-1].name, totals[-1], coming, currency, texts)
    figure.add_trace(
        go.Scatter(
            x=[day.name for day in days],
            y=[plot_coordinate(total) for total in totals],
            mode="lines+markers" if len(days) < 40 else "lines",
            name=texts("figure.spend_name"),
            line={"color": MAIN, "width": 2},
            marker={"size": 6},
            hovertemplate="%{customdata}<extra></extra>",
            customdata=[
                texts(
                    "figure.day_hover",
                    day=day.name,
                    cost=about(day.nanos, currency, texts.locale),
                    total=about(total, currency, texts.locale),
                    n=number(day.answers, texts),
                )
                for day, total in zip(days, totals, strict=True)
            ],
        )
    )
    figure.update_xaxes(
        title_text=texts("figure.time_axis"),
        type="date",
        tickformat=texts("figure.day_of_year"),
        nticks=5,
    )
    in_money(figure, "y", currency, texts)
    if ceiling and totals:
        far = max(totals[-1], totals[-1] + (coming.high_nanos if coming else 0))
        _limit(figure, ceiling, far, texts)
    return figure


def parts(found: Sequence[Spend], names: Sequence[str], currency: str, texts: Texts) -> go.Figure:
    """The dearest on top; `names` are in the reader's words."""
    figure = blank("")
    order = list(zip(found, names, strict=True))[::-1]
    figure.add_trace(
        go.Bar(
            x=[plot_coordinate(each.nanos) for each, _ in order],
            y=[short(name) for _, name in order],
            orientation="h",
            marker={"color": MAIN},
            text=[about(each.nanos, currency, texts.locale) for each, _ in order],
            textposition="auto",
            customdata=[
                texts(
                    "figure.part_hover",
                    name=escape(name),
                    cost=about(each.nanos, currency, texts.locale),
                    n=number(each.answers, texts),
                )
                for each, name in order
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=texts("figure.part_axis", currency=currency))
    in_money(figure, "x", currency, texts)
    figure.update_yaxes(type="category", nticks=len(order))
    figure.update_layout(showlegend=False, height=max(220, 90 + 30 * len(order)), bargap=0.3)
    return figure


def _fan(
    figure: go.Figure, last: str, spent: int, coming: Forecast, currency: str, texts: Texts
) -> None:
    """From the last day to the end: the middle, and where 95 of 100 such pilots would end."""
    end = (date.fromisoformat(last) + timedelta(days=coming.ahead)).isoformat()
    low, middle, high = (
        plot_coordinate(spent + n) for n in (coming.low_nanos, coming.nanos, coming.high_nanos)
    )
    now = plot_coordinate(spent)
    figure.add_trace(
        go.Scatter(
            x=[last, end, end, last],
            y=[now, high, low, now],
            fill="toself",
            fillcolor=SOFT,
            mode="lines",
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    said = texts(
        "figure.forecast_hover",
        total=about(spent + coming.nanos, currency, texts.locale),
        low=about(spent + coming.low_nanos, currency, texts.locale),
        high=about(spent + coming.high_nanos, currency, texts.locale),
        day=end,
    )
    figure.add_trace(
        go.Scatter(
            x=[last, end],
            y=[now, middle],
            mode="lines",
            line={"color": MAIN, "dash": "dot", "width": 2},
            name=texts("figure.forecast"),
            customdata=[said, said],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )


def _limit(figure: go.Figure, ceiling: Ceiling, reached: int, texts: Texts) -> None:
    """To scale where it can be; else said at the top edge."""
    words = texts(
        "figure.limit_far",
        limit=about(ceiling.limit_nanos, ceiling.currency, texts.locale),
        percent=percent(ceiling.committed_nanos, ceiling.limit_nanos, texts),
    )
    style = {"color": LIMIT, "dash": "dash", "width": 1.5}
    near = reached * NEAR >= ceiling.limit_nanos
    if near:
        figure.add_hline(y=plot_coordinate(ceiling.limit_nanos), line=style)
        top = max(ceiling.limit_nanos, reached)
        figure.update_yaxes(range=[0, plot_coordinate(top) * 1.12])
    else:
        figure.add_shape(
            type="line", xref="paper", yref="paper", x0=0, x1=1, y0=1, y1=1, line=style
        )
        words = f"↑ {words}"
        figure.update_layout(legend={"y": 1.1})  # above these words
    figure.add_annotation(
        text=escape(words), xref="paper", x=1, xanchor="right", yanchor="bottom", showarrow=False,
        yref="y" if near else "paper", y=plot_coordinate(ceiling.limit_nanos) if near else 1,
        font={"color": LIMIT},
    )  # fmt: skip

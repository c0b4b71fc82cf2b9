"""Blind votes on pairs of rungs: a bar a pair, in shares of its votes."""

from collections.abc import Sequence

import plotly.graph_objects as go

from app.figures.base import INK, LIMIT, MAIN, RUNGS, blank
from app.i18n import Texts
from app.ports import PairCount
from app.presenters.parts import number, share
from app.presenters.votes import rung
from policies.types import Importance

COLORS = {
    "less_better": RUNGS[Importance.ROUTINE],
    "ties": "#c3c9d3",
    "bad": LIMIT,
    "more_better": MAIN,
}
"""By the counts of a pair, from left to right."""


def votes(found: Sequence[PairCount], texts: Texts) -> go.Figure:
    """Only pairs with a blind vote; the first on top."""
    pairs = [each for each in found if each.n][::-1]
    names = [
        texts(
            "votes.axis",
            less=rung(each.less, each.less_cap, texts),
            more=rung(each.more, each.more_cap, texts),
        )
        for each in pairs
    ]
    figure = blank("")
    for count, color in COLORS.items():
        said = texts(f"figure.votes.{count}")
        parts = [(getattr(each, count), each.n) for each in pairs]
        figure.add_trace(
            go.Bar(
                x=[part / n for part, n in parts],
                y=names,
                orientation="h",
                name=said,
                marker={"color": color},
                text=[number(part, texts) if part else "" for part, _ in parts],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                customdata=[
                    texts(
                        "figure.votes_hover",
                        pair=name,
                        what=said,
                        share=share(part / n, texts),
                        part=number(part, texts),
                        n=number(n, texts),
                    )
                    for name, (part, n) in zip(names, parts, strict=True)
                ],
                hovertemplate="%{customdata}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text=texts("figure.votes_axis"), tickformat=".0%", range=[0, 1])
    figure.update_yaxes(type="category", nticks=max(len(pairs), 1), tickfont={"color": INK})
    figure.update_layout(
        barmode="stack", height=max(190, 150 + 48 * len(pairs)), bargap=0.35, margin={"t": 56},
        legend={"traceorder": "normal"},
    )  # fmt: skip
    return figure

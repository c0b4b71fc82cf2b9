"""How much refinement answers really took, and how busy the device was."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta, tzinfo

import plotly.graph_objects as go

from app.figures.base import LIMIT, MAIN, RUNGS, blank
from app.i18n import Texts
from app.ports.board import Busy, Sampled
from app.presenters.parts import number, passes, percent, taken, when
from policies.types import Importance

HOUR = 3600


def work(answers: Sequence[Sampled], texts: Texts) -> go.Figure:
    """Answers by the refinement passes that a word really took, in colours of their importance."""
    figure = blank(texts("figure.answers_axis"))
    for importance in Importance:
        counts = Counter(
            taken(answer.units)
            for answer in answers
            if answer.granted is importance and answer.units.decode_tokens
        )
        if counts:
            steps = sorted(counts)
            name = texts(f"importance.{importance}")
            figure.add_trace(
                go.Bar(
                    x=[number(p, texts) for p in steps],
                    y=[counts[p] for p in steps],
                    name=name,
                    marker={"color": RUNGS[importance]},
                    customdata=[
                        texts(
                            "figure.work_hover",
                            importance=name,
                            passes=passes(p, texts),
                            n=number(counts[p], texts),
                        )
                        for p in steps
                    ],
                    hovertemplate="%{customdata}<extra></extra>",
                )
            )
    order = sorted({taken(a.units) for a in answers if a.units.decode_tokens})
    figure.update_xaxes(
        title_text=texts("figure.passes_axis"),
        type="category",
        categoryorder="array",
        categoryarray=[number(p, texts) for p in order],
    )
    figure.update_layout(barmode="stack", height=320, bargap=0.25)
    return figure


def use(hours: Sequence[Busy], reader: tzinfo, texts: Texts) -> go.Figure:
    """Share of each hour that the device worked; the line is all of it."""
    figure = blank(texts("figure.use_axis"))
    figure.add_trace(
        go.Bar(
            x=[hour.hour.astimezone(reader).replace(tzinfo=None) for hour in hours],
            y=[hour.device_seconds / HOUR for hour in hours],
            width=[timedelta(hours=0.9).total_seconds() * 1000] * len(hours),
            marker={"color": MAIN},
            customdata=[
                texts(
                    "figure.use_hover",
                    time=when(hour.hour, reader, texts),
                    share=percent(round(hour.device_seconds * 1000), HOUR * 1000, texts),
                    n=number(hour.answers, texts),
                )
                for hour in hours
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    figure.add_hline(y=1, line={"color": LIMIT, "dash": "dash", "width": 1.5})
    figure.update_xaxes(
        title_text=texts("figure.time_axis"), tickformat=texts("figure.hour"), nticks=3
    )
    figure.update_yaxes(tickformat=".0%", range=[0, 1.08])
    figure.update_layout(showlegend=False, height=320)
    return figure

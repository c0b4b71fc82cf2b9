"""Rows into charts. Pure: dataclasses in, go.Figure out; the only home of plotly."""

from app.figures.curves import quality
from app.figures.money import parts, spend, spend_by_day
from app.figures.votes import votes
from app.figures.work import use, work

__all__ = ["parts", "quality", "spend", "spend_by_day", "use", "votes", "work"]

"""What people preferred when they compared two rungs blind: in words, and as rows."""

from collections.abc import Sequence
from html import escape

from app.i18n import Texts
from app.ports import PairCount
from app.presenters.parts import number, share
from app.presenters.sheet import Cell, Sheet
from evaluation.stats import wilson
from policies.types import Importance

COLUMNS = ("less", "more", "less_better", "ties", "no_use", "more_better", "votes", "seen")


def preferred(found: Sequence[PairCount], texts: Texts) -> str:
    """A sentence a pair, with the interval of how often more compute was better."""
    items = "".join(f"<li>{escape(_pair(each, texts))}</li>" for each in found if each.n)
    seen = sum(each.seen for each in found)
    beside = f'<p class="note">{escape(texts("votes.seen", n=number(seen, texts)))}</p>'
    label = escape(texts("votes.title"))
    body = f'<ul class="pays" aria-label="{label}">{items}</ul>' if items else _none(texts)
    return f"<h3>{label}</h3>{body}{beside if seen else ''}"


def rung(importance: Importance, cap: int, texts: Texts) -> str:
    """By the name and the number that its point on the chart has."""
    return texts("votes.rung", importance=texts(f"importance.{importance}"), cap=number(cap, texts))


def sheet(found: Sequence[PairCount], texts: Texts) -> Sheet:
    rows: list[list[Cell]] = [
        [
            rung(each.less, each.less_cap, texts),
            rung(each.more, each.more_cap, texts),
            each.less_better,
            each.ties,
            each.bad,
            each.more_better,
            each.n,
            each.seen,
        ]
        for each in found
    ]
    return Sheet("votes", [texts(f"sheet.column.{column}") for column in COLUMNS], rows)


def _none(texts: Texts) -> str:
    return f'<p class="note">{escape(texts("votes.none"))}</p>'


def _pair(each: PairCount, texts: Texts) -> str:
    rate = wilson(each.more_better, each.n)
    return texts(
        "votes.pair",
        less=rung(each.less, each.less_cap, texts),
        more=rung(each.more, each.more_cap, texts),
        n=number(each.n, texts),
        better=share(rate.value, texts),
        low=share(rate.low, texts),
        high=share(rate.high, texts),
        ties=share(each.ties / each.n, texts),
        worse=share(each.less_better / each.n, texts),
        bad=share(each.bad / each.n, texts),
    )

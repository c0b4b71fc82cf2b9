"""How long people wait: in line now, for an answer, for a reviewer. As tables, and as rows."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from statistics import median

from app.i18n import Texts
from app.ports import Queue
from app.ports.board import ReviewLevel, Sampled
from app.presenters.parts import duration, fact, number, share, table
from app.presenters.sheet import Cell, Sheet, take_data
from app.services.outlook import takes
from evaluation.stats import wilson
from policies.types import Importance

ANSWERS = ("importance", "finished", "median", "middle")
REVIEWS = ("importance", "waiting", "overdue", "oldest", "in_time", "took")


def levels(
    line: Queue,
    answers: Sequence[Sampled],
    reviews: Sequence[ReviewLevel],
    now: datetime,
    texts: Texts,
) -> str:
    """The line now, then answers, then reviews, by importance."""
    told = f'<div class="facts">{_line(line, texts)}</div>'
    return f"{told}{_answers(answers, texts)}{_reviews(reviews, now, texts)}"


def _line(line: Queue, texts: Texts) -> str:
    begins = duration(line.seconds, texts) if line.waiting else texts("levels.at_once")
    return fact(
        texts("levels.line"),
        escape(number(line.waiting, texts)),
        escape(texts("levels.begins", time=begins)),
    )


def _answers(answers: Sequence[Sampled], texts: Texts) -> str:
    rows = []
    for importance in Importance:
        found = takes([a for a in answers if a.granted is importance])
        if found:
            middle = texts(
                "levels.between",
                low=duration(found.low, texts),
                high=duration(found.high, texts),
            )
            rows.append(
                (
                    texts(f"importance.{importance}"),
                    number(found.n, texts),
                    duration(found.seconds, texts),
                    middle,
                )
            )
    if not rows:
        return _part("answers", f'<p class="note">{escape(texts("levels.few_answers"))}</p>', texts)
    each: list[list[Cell]] = [
        [texts(f"importance.{a.granted}"), round(a.seconds, 3)]
        for a in answers
        if a.seconds is not None
    ]
    sheet = Sheet("answer-times", _heads(("importance", "seconds"), texts), each)
    return _part("answers", _table(ANSWERS, rows, texts) + take_data(sheet, texts), texts)


def _reviews(reviews: Sequence[ReviewLevel], now: datetime, texts: Texts) -> str:
    if not reviews:
        return _part("reviews", f'<p class="note">{escape(texts("levels.no_review"))}</p>', texts)
    shown = _table(REVIEWS, [_review(each, now, texts) for each in reviews], texts)
    columns = ("importance", "waiting", "overdue", "decided", "in_time", "median_seconds")
    rows: list[list[Cell]] = [
        [
            texts(f"importance.{each.importance}"),
            each.waiting,
            each.overdue,
            len(each.took_seconds),
            each.in_time,
            round(median(each.took_seconds), 1) if each.took_seconds else "",
        ]
        for each in reviews
    ]
    sheet = Sheet("review-levels", _heads(columns, texts), rows)
    return _part("reviews", shown + take_data(sheet, texts), texts)


def _review(each: ReviewLevel, now: datetime, texts: Texts) -> tuple[str, ...]:
    nothing = texts("levels.nothing")
    oldest = nothing
    if each.oldest_at:
        oldest = duration(max(0.0, (now - each.oldest_at).total_seconds()), texts)
    in_time = took = nothing
    if decided := len(each.took_seconds):
        rate = wilson(each.in_time, decided)
        in_time = texts(
            "levels.in_time",
            share=share(rate.value, texts),
            low=share(rate.low, texts),
            high=share(rate.high, texts),
            n=number(decided, texts),
        )
        took = duration(median(each.took_seconds), texts)
    waiting, overdue = number(each.waiting, texts), number(each.overdue, texts)
    return texts(f"importance.{each.importance}"), waiting, overdue, oldest, in_time, took


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], texts: Texts) -> str:
    heads = {column: _head(column, texts) for column in columns}
    return table(heads, [[escape(cell) for cell in row] for row in rows])


def _heads(columns: Sequence[str], texts: Texts) -> list[str]:
    return [_head(column, texts) for column in columns]


def _head(column: str, texts: Texts) -> str:
    return texts(f"levels.column.{column}")


def _part(name: str, body: str, texts: Texts) -> str:
    return f"<h3>{escape(texts(f'levels.{name}'))}</h3>{body}"

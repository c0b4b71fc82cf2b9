"""A budget alert in words, for the log, a webhook and a mail that nobody's browser speaks for."""

from app.i18n import LOCALES, Texts, texts
from app.money import exact
from app.ports import Alert
from app.presenters.ceilings import ceiling_name
from app.presenters.parts import number


def headline(alert: Alert, texts: Texts) -> str:
    """`75% of the budget of team sales (November 3) is spent`, with both amounts to their end."""
    return texts(
        "alert.headline",
        threshold=number(alert.threshold, texts),
        scope=ceiling_name(alert.scope, alert.window, alert.window_start, texts),
        committed=exact(alert.committed_nanos, alert.currency, texts.locale),
        limit=exact(alert.limit_nanos, alert.currency, texts.locale),
    )


def letter(alert: Alert) -> str:
    """In every language: who reads it has told us none."""
    parts = (f"{headline(alert, t)}\n{t('alert.advice')}" for t in map(texts, LOCALES))
    return "\n\n".join(parts) + f"\n\n{alert.reached_at.isoformat()}\n"

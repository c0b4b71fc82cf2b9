"""What leaves by log, webhook and mail, in words: budget alerts, answers that wait for people."""

from app.i18n import LOCALES, Texts, texts
from app.ports import Alert, ReviewNotice
from app.presenters import alerts

Said = Alert | ReviewNotice


def headline(said: Said, texts: Texts) -> str:
    """One line, without a word of any question or answer."""
    if isinstance(said, Alert):
        return alerts.headline(said, texts)
    return texts(
        f"notice.{said.kind}",
        answer=said.answer_id,
        importance=texts(f"importance.{said.importance}"),
        due=f"{said.due_at:%Y-%m-%d %H:%M} UTC",
    )


def letter(said: Said) -> str:
    """In every language: who reads it has told us none."""
    if isinstance(said, Alert):
        return alerts.letter(said)
    parts = (f"{headline(said, t)}\n{t('notice.advice')}" for t in map(texts, LOCALES))
    return "\n\n".join(parts) + f"\n\n{said.noted_at.isoformat()}\n"

"""The queue of the Review page: what waits, what matters most first, and who may take what."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from html import escape

from app.i18n import Texts
from app.presenters.choices import all_or
from app.presenters.parts import empty, minute, person
from app.services.review import QueueEntry
from policies.review import Bar, ItemKind, ItemState
from policies.types import Importance

STATES = (ItemState.WAITING, ItemState.ASKED, ItemState.DECIDED)
THIRD = "third"
"""Among the kinds that one may choose: the first verdicts disagree."""
KINDS = (ItemKind.REQUIRED.value, THIRD, ItemKind.AUDIT.value)
KEYS = ("j", "k", "a", "c", "r", "e")


def top(texts: Texts) -> str:
    return (
        f"<h2>{escape(texts('review.title'))}</h2>"
        f'<p class="lead">{escape(texts("review.lead"))}</p>'
    )


def importances(texts: Texts) -> list[tuple[str, str]]:
    """Most important first; empty takes all."""
    return all_or(((texts(f"importance.{i}"), i.value) for i in reversed(Importance)), texts)


def states(texts: Texts) -> list[tuple[str, str]]:
    return [(texts(f"review.state.{state}"), state.value) for state in STATES]


def kinds(texts: Texts) -> list[tuple[str, str]]:
    """Why an answer is looked at."""
    return all_or(((texts(f"review.kind.{kind}"), kind) for kind in KINDS), texts)


def queue(
    entries: Sequence[QueueEntry],
    opened: str,
    narrowed: bool,
    now: datetime,
    reader: tzinfo,
    texts: Texts,
) -> str:
    """One button an answer; the open one is marked as current. `narrowed` by filters."""
    if not entries and narrowed:
        return empty(texts("review.none_such"), texts("review.none_such_do"))
    if not entries:
        return empty(texts("review.empty"), texts("review.empty_do"))
    items = "".join(_entry(entry, opened, now, reader, texts) for entry in entries)
    return f'<ul class="queue">{items}</ul>'


def why_not(entry: QueueEntry, texts: Texts) -> str:
    """What keeps this person from deciding; empty where nothing does."""
    if entry.bar is None:
        return ""
    holder = entry.item.lease.holder if entry.item.lease else ""
    by = person(holder, texts) if entry.bar is Bar.TAKEN else ""
    return texts(f"review.bar.{entry.bar}", by=by)


def keys(texts: Texts) -> str:
    """Help that a press on ? opens; a dialog closes with Escape by itself."""
    rows = "".join(
        f"<dt><kbd>{key}</kbd></dt><dd>{escape(texts(f'review.key.{key}'))}</dd>" for key in KEYS
    )
    rows += f"<dt><kbd>?</kbd></dt><dd>{escape(texts('review.key.help'))}</dd>"
    title = escape(texts("review.keys.title"))
    return (
        f'<button type="button" class="small" id="keys-open">{escape(texts("review.keys"))} '
        f'<kbd>?</kbd></button><dialog id="keys-help" aria-label="{title}"><h3>{title}</h3>'
        f'<dl>{rows}</dl><p class="note">{escape(texts("review.keys.note"))}</p>'
        f'<form method="dialog"><button class="small">{escape(texts("review.keys.close"))}</button>'
        "</form></dialog>"
    )


def _entry(entry: QueueEntry, opened: str, now: datetime, reader: tzinfo, texts: Texts) -> str:
    item = entry.item
    due = texts(
        "review.overdue" if entry.overdue else "review.due", at=minute(item.due_at, reader, texts)
    )
    said = [texts("review.by", by=person(item.requester, texts), team=item.team)]
    if item.kind is ItemKind.AUDIT:
        said.append(texts("review.audit"))
    if item.third:
        said.append(texts("review.third"))
    if entry.skipped:
        said.append(texts("review.skipped"))
    barred = why_not(entry, texts)
    if barred:
        said.append(barred)
    current = ' aria-current="true"' if item.answer_id == opened else ""
    kind = "overdue" if entry.overdue else ""
    mine = item.lease is not None and item.lease.live(now) and entry.bar is None
    notes = "".join(f"<span>{escape(line)}</span>" for line in said)
    return (
        f'<li><button type="button" class="entry {"held" if mine else ""}" data-do="open" '
        f'data-id="{escape(item.answer_id)}"{current}>'
        f'<span class="ends"><strong class="{item.importance}">'
        f"{escape(texts(f'importance.{item.importance}'))}</strong>"
        f'<span class="due {kind}">{escape(due)}</span></span>'
        f'<span class="notes"><span>{escape(texts(f"domain.{item.domain}"))}</span>{notes}</span>'
        "</button></li>"
    )

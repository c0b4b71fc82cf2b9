"""The Budgets page: how full every ceiling is, what is set aside now, raises, alerts, prices."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from html import escape
from itertools import groupby

from babel.dates import format_skeleton

from app.i18n import Texts
from app.money import about, at_least
from app.ports import Alert, BudgetRaise, OpenHold, RaiseState
from app.presenters import parts
from app.presenters.parts import (
    empty,
    minute,
    money_span,
    number,
    passes,
    percent,
    person,
    scope_name,
    stacked,
    table,
    when,
)
from app.services.budgets import Funds
from policies.roles import Action, Actor, may
from policies.types import Ceiling, Importance, Window

HOLD_COLUMNS = ("since", "user", "team", "importance", "nanos", "work")
NEAR, FULL = 75, 95
"""Per cent of a limit from which on a ceiling is called close and as good as full."""


def heading(name: str, texts: Texts) -> str:
    return parts.heading(f"budgets.{name}", texts)


def top(now: datetime, reader: tzinfo, texts: Texts) -> str:
    as_of = texts("dashboard.updated", time=when(now, reader, texts))
    lead = f'<p class="lead">{escape(texts("budgets.lead"))} {escape(as_of)}</p>'
    return f"<h2>{escape(texts('budgets.title'))}</h2>{lead}"


def ceilings(funds: Funds, texts: Texts) -> str:
    """A card for every scope, a bar for each of its windows."""
    if not funds.ceilings:
        return empty(texts("budgets.no_ceiling"), texts("budgets.no_ceiling_do"))
    cards = (
        f'<section class="sheet ceiling"><h3>{escape(scope_name(scope, texts))}</h3>'
        f"{''.join(_window(ceiling, funds, texts) for ceiling in of_scope)}</section>"
        for scope, of_scope in groupby(funds.ceilings, key=lambda c: c.scope)
    )
    return f'<div class="cards">{"".join(cards)}</div>'


def window_name(window: Window, start: str, texts: Texts) -> str:
    """`day`, `2025-11-24` -> "on 24 November": the window and which one it is."""
    if window is Window.WHOLE or not start:
        return texts(f"window.{window}")
    first = date.fromisoformat(start if window is Window.DAY else f"{start}-01")
    skeleton = "MMMMd" if window is Window.DAY else "yMMMM"
    return texts(f"window.{window}_of", name=format_skeleton(skeleton, first, locale=texts.locale))


def holds(found: Sequence[OpenHold], reader: tzinfo, texts: Texts) -> str:
    """Whose running question holds how much, since when and at most until when."""
    if not found:
        return empty(texts("budgets.no_hold"), texts("budgets.no_hold_do"))
    rows = [
        (
            escape(minute(hold.since, reader, texts)),
            escape(hold.user),
            escape(hold.team),
            escape(texts(f"importance.{hold.importance}")),
            _money(hold.nanos, hold.currency, texts),
            escape(_work(hold, texts)),
        )
        for hold in found
    ]
    return table({c: texts(f"budgets.hold.{c}") for c in HOLD_COLUMNS}, rows)


def raises(funds: Funds, actor: Actor, reader: tzinfo, texts: Texts) -> str:
    """Those nobody decided come first, with what this person may do about them."""
    if not funds.raises:
        do = "budgets.no_raise_do" if may(actor, Action.ASK_RAISE) else "budgets.no_raise_look"
        return empty(texts("budgets.no_raise"), texts(do))
    ordered = sorted(funds.raises, key=lambda r: not _open(r, funds.at))
    items = (_raise(each, funds, actor, reader, texts) for each in ordered)
    return f'<ul class="items">{"".join(items)}</ul>'


def alerts(found: Sequence[Alert], reader: tzinfo, texts: Texts) -> str:
    if not found:
        return empty(texts("budgets.no_alert"), texts("budgets.no_alert_do"))
    items = (
        f'<li class="item"><span class="mark {_kind(alert.threshold)}">'
        f"{escape(percent(alert.threshold, 100, texts))}</span><div>"
        f"<p>{escape(_reached(alert, texts))}</p>"
        f'<p class="note">{escape(minute(alert.reached_at, reader, texts))}</p></div></li>'
        for alert in found
    )
    return f'<ul class="items">{"".join(items)}</ul>'


def scopes(funds: Funds, actor: Actor, texts: Texts) -> list[tuple[str, str]]:
    """What one may ask more room for: every scope with a ceiling, and one's own."""
    own = ["pilot", f"team:{actor.team}", f"user:{actor.user}"]
    of_importance = [f"importance:{importance}" for importance in Importance]
    known = [*own, *(c.scope for c in funds.ceilings), *of_importance]
    return [(_first(scope_name(scope, texts)), scope) for scope in dict.fromkeys(known)]


def windows(texts: Texts) -> list[tuple[str, str]]:
    return [
        (_first(texts(f"window.{window}_each")), window)
        for window in (Window.WHOLE, Window.MONTH, Window.DAY)
    ]


def _first(name: str) -> str:
    """As a line by itself begins."""
    return name[:1].upper() + name[1:]


def _window(ceiling: Ceiling, funds: Funds, texts: Texts) -> str:
    """A window that nobody spent in since it began anew has no row of its own yet."""
    current = ceiling.window_start == funds.starts.get(ceiling.window, "")
    committed, held = (ceiling.committed_nanos, ceiling.held_nanos) if current else (0, 0)
    start = funds.starts.get(ceiling.window, "")
    free = ceiling.limit_nanos - committed - held
    parts = {"committed": committed, "held": held, "free": free}
    used = percent(committed + held, ceiling.limit_nanos, texts)
    label = texts("budgets.used", percent=used)
    legend = "".join(
        f'<span class="part {name}"><span class="label">{escape(texts(f"budgets.{name}"))}</span> '
        f"{_money(nanos, ceiling.currency, texts)}</span>"
        for name, nanos in parts.items()
    )
    limit = texts(
        "budgets.of_limit", limit=about(ceiling.limit_nanos, ceiling.currency, texts.locale)
    )
    share = (committed + held) * 100 // max(ceiling.limit_nanos, 1)
    return (
        f'<div class="window"><div class="ends"><strong>'
        f"{escape(window_name(ceiling.window, start, texts))}</strong>"
        f'<span class="used {_kind(share)}">{escape(label)}</span></div>'
        f"{stacked(parts, ceiling.limit_nanos, label)}"
        f'<div class="legend">{legend}<span class="part">{escape(limit)}</span></div></div>'
    )


def _kind(share: int) -> str:
    return "full" if share >= FULL else "near" if share >= NEAR else "calm"


def _work(hold: OpenHold, texts: Texts) -> str:
    return texts(
        "budgets.work",
        words=number(hold.done.decode_tokens, texts),
        passes=passes(hold.done.nfe, texts),
    )


def _open(wanted: BudgetRaise, now: datetime) -> bool:
    return wanted.state is RaiseState.ASKED and wanted.expires_at > now


def _raise(wanted: BudgetRaise, funds: Funds, actor: Actor, reader: tzinfo, texts: Texts) -> str:
    amount = about(wanted.nanos, funds.currency, texts.locale)
    what = texts(
        "budgets.raise",
        amount=amount,
        scope=scope_name(wanted.scope, texts),
        window=texts(f"window.{wanted.window}_each"),
    )
    until = minute(wanted.expires_at, reader, texts)
    asked = texts(
        "budgets.raise_asked",
        by=person(wanted.asked_by, texts),
        at=minute(wanted.asked_at, reader, texts),
        until=until,
    )
    notes = [asked]
    if wanted.decided_by and wanted.decided_at:
        at = minute(wanted.decided_at, reader, texts)
        notes.append(
            texts(f"budgets.raise_{wanted.state}", by=person(wanted.decided_by, texts), at=at)
        )
    waiting = _open(wanted, funds.at)
    state = wanted.state if waiting or wanted.state is not RaiseState.ASKED else "expired"
    lines = "".join(f'<p class="note">{escape(note)}</p>' for note in notes)
    return (
        f'<li class="item"><span class="mark {state}">{escape(texts(f"raise.{state}"))}</span>'
        f"<div><p>{escape(what)}</p><p>{escape(wanted.reason)}</p>{lines}"
        f"{_buttons(wanted, actor, texts) if waiting else ''}</div></li>"
    )


def _buttons(wanted: BudgetRaise, actor: Actor, texts: Texts) -> str:
    """For whoever may decide; nobody decides over their own."""
    if wanted.asked_by == actor.user:
        return f'<p class="note">{escape(texts("budgets.another_decides"))}</p>'
    if not may(actor, Action.DECIDE_RAISE):
        return ""
    buttons = "".join(
        f'<button type="button" class="small {kind}" data-do="{do}" data-id="{escape(wanted.id)}">'
        f"{escape(texts(f'budgets.{do}'))}</button>"
        for do, kind in (("grant", "primary"), ("decline", ""))
    )
    return f'<div class="buttons">{buttons}</div>'


def _reached(alert: Alert, texts: Texts) -> str:
    return texts(
        "budgets.reached",
        scope=scope_name(alert.scope, texts),
        window=window_name(alert.window, alert.window_start, texts),
        spent=about(alert.committed_nanos, alert.currency, texts.locale),
        limit=about(alert.limit_nanos, alert.currency, texts.locale),
    )


def _money(nanos: int, currency: str, texts: Texts) -> str:
    return money_span(at_least(nanos, currency, texts.locale), nanos, currency, texts)

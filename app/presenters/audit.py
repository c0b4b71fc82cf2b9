"""The Audit page: what was done, by whom, to what; and whether the chain of entries is whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from html import escape

from app.i18n import Texts
from app.money import about
from app.ports import AuditEntry, AuditHead, Detail
from app.presenters.choices import all_or
from app.presenters.parts import empty, number, person, scope_name, table, when
from app.presenters.policy import NOTES
from policies.roles import Role

COLUMNS = ("number", "at", "by", "action", "subject", "details", "hash")
HASH_SHOWN = 12
AREAS = {
    "policy": ("policy.",),
    "raise": ("raise.",),
    "budget": ("budget.",),
    "price": ("price.",),
    "ledger": ("ledger.",),
    "review": ("review.",),
    "user": ("user.", "password."),
    "login": ("login", "login.", "logout", "session."),
    "export": ("export",),
    "measure": ("measure", "measure."),
}
"""Actions or their first parts, in the order in which one filters by them."""
PERIODS = (1, 7, 30)
"""Days."""
OF_ROLES = ("roles", "before")
"""Details that list roles; `before` may be a team instead."""


def top(texts: Texts) -> str:
    lead = escape(texts("audit.lead"))
    return f'<h2>{escape(texts("audit.title"))}</h2><p class="lead">{lead}</p>'


def areas(texts: Texts) -> list[tuple[str, str]]:
    return all_or(((texts(f"audit.area.{a}"), a) for a in AREAS), texts)


def periods(texts: Texts) -> list[tuple[str, int]]:
    named = [(texts(f"audit.days_{days}"), days) for days in PERIODS]
    return [(texts("audit.ever"), 0), *named]


def entries(
    found: Sequence[AuditEntry], currency: str, limit: int, reader: tzinfo, texts: Texts
) -> str:
    """Newest first. Amounts whose entry names no currency are in the pilot's."""
    if not found:
        return empty(texts("audit.none"), texts("audit.none_do"))
    heads = {column: texts(f"audit.column.{column}") for column in COLUMNS}
    rows = [_row(entry, currency, reader, texts) for entry in found]
    more = texts("audit.more", n=number(limit, texts)) if len(found) >= limit else ""
    note = f'<p class="note">{escape(more)}</p>' if more else ""
    return f"{table(heads, rows)}{note}"


def chain(
    broken: Sequence[str], head: AuditHead, at: datetime, reader: tzinfo, texts: Texts
) -> str:
    """Whole or broken, up to which entry, and the hash that pins everything before it."""
    kind = "fault" if broken else "good"
    state = texts("audit.chain_broken" if broken else "audit.chain_whole")
    said = texts("audit.chain_head", n=number(head.count, texts), at=when(at, reader, texts))
    places = "".join(f"<li>{escape(_place(line, texts))}</li>" for line in broken[:HASH_SHOWN])
    faults = f'<ul class="lines">{places}</ul>' if broken else ""
    return (
        f'<div role="status"><p><span class="mark {kind}">{escape(state)}</span> {escape(said)}</p>'
        f"<p><code>{escape(head.hash)}</code></p>{faults}</div>"
    )


def unchecked(texts: Texts) -> str:
    return f'<p class="note">{escape(texts("audit.chain_lead"))}</p>'


def _row(entry: AuditEntry, currency: str, reader: tzinfo, texts: Texts) -> tuple[str, ...]:
    event = entry.event
    return (
        escape(number(entry.number, texts)),
        escape(when(event.at, reader, texts)),
        escape(person(event.by, texts)),
        escape(action(event.action, texts)),
        f'<span class="subject">{escape(_subject(event.subject, texts))}</span>',
        f'<span class="details">{escape(_details(event.details, currency, reader, texts))}</span>',
        f'<code title="{escape(entry.hash)}">{escape(entry.hash[:HASH_SHOWN])}</code>',
    )


def action(name: str, texts: Texts) -> str:
    """In words; one that has none yet by its own name."""
    key = f"audit.did.{name.replace('.', '_')}"
    return texts(key) if key in texts else name


def _subject(subject: str, texts: Texts) -> str:
    kind, colon, _ = subject.partition(":")
    is_scope = subject == "pilot" or (colon and kind in ("team", "user", "importance"))
    return scope_name(subject, texts) if is_scope else subject


def _details(details: Mapping[str, Detail], currency: str, reader: tzinfo, texts: Texts) -> str:
    currency = str(details.get("currency") or currency)
    said = []
    for name, value in details.items():
        if name == "currency" or value in (None, ""):
            continue
        if isinstance(value, str) and name == "valid_from":
            shown = when(datetime.fromisoformat(value), reader, texts)
        else:
            shown = _value(name, value, currency, texts)
        said.append(texts("audit.detail", name=_name(name, texts), value=shown))
    return texts("list.join").join(said)


def _name(name: str, texts: Texts) -> str:
    key = f"audit.detail.{name}"
    return texts(key) if key in texts else name


def _value(name: str, value: Detail, currency: str, texts: Texts) -> str:
    if isinstance(value, bool):
        return texts("audit.yes" if value else "audit.no")
    if isinstance(value, int):
        is_money = name.endswith("nanos") and currency
        return about(value, currency, texts.locale) if is_money else number(value, texts)
    if name == "note" and value in NOTES:
        return texts(NOTES[str(value)])
    if name == "scope":
        return scope_name(str(value), texts)
    if name == "seal" or name.endswith("_sha256"):
        return str(value)[:HASH_SHOWN]
    if name in OF_ROLES and set(str(value).split()) <= set(Role):
        return texts("list.join").join(texts(f"role.{role}") for role in str(value).split())
    known = {
        "window": f"window.{value}_each",
        "outcome": f"review.outcome.{value}",
        "kind": f"review.verdict.{value}",
        "what": f"audit.what.{value}",
    }
    key = known.get(name, f"{name}.{value}")
    return texts(key) if key in texts else str(value)


def _place(line: str, texts: Texts) -> str:
    """What verify says names the entry; its other words are for whoever repairs it."""
    digits = "".join(c if c.isdigit() else " " for c in line).split()
    return texts("audit.chain_at", n=digits[0]) if digits else texts("audit.chain_broken")

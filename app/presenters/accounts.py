"""The accounts of a pilot, for whoever manages them. A password is never shown, a link once."""

from collections.abc import Sequence
from datetime import tzinfo
from html import escape

from app.i18n import Texts
from app.ports import Account
from app.presenters import parts
from app.presenters.frame import roles
from app.presenters.parts import empty, minute, notice, number, table
from policies.roles import Role

COLUMNS = ("name", "team", "roles", "state", "do")


def heading(name: str, texts: Texts) -> str:
    return parts.heading(f"accounts.{name}", texts)


def unsigned(texts: Texts) -> str:
    """Where nobody signs in: what accounts made now are good for."""
    return notice(texts("accounts.unsigned"), "info")


def role_choices(texts: Texts) -> list[tuple[str, str]]:
    """Each role with what it may do, as docs/accounts-and-audit.md has it."""
    return [(texts(f"accounts.role.{role}"), role.value) for role in Role]


def accounts(found: Sequence[Account], reader: tzinfo, texts: Texts) -> str:
    """By name."""
    if not found:
        return empty(texts("accounts.none"), texts("accounts.none_do"))
    heads = {column: texts(f"accounts.column.{column}") for column in COLUMNS}
    return table(heads, [_row(account, reader, texts) for account in found])


def chosen(account: Account, reader: tzinfo, texts: Texts) -> str:
    """Above the form in which one account is changed."""
    title = escape(texts("accounts.change", name=account.user))
    made = texts("accounts.made", at=minute(account.created_at, reader, texts))
    return f'<h2>{title}</h2><p class="lead">{escape(made)}</p>'


def lock(account: Account, texts: Texts) -> str:
    """What the button does next."""
    return texts("accounts.unlock" if account.disabled_at else "accounts.lock")


def link(name: str, address: str, hours: int, texts: Texts) -> str:
    """Once: what leaves the page is kept nowhere."""
    said = texts("accounts.link_for", name=name, hours=number(hours, texts))
    return (
        f'<div class="notice info link" role="status"><p>{escape(said)}</p><div class="ends">'
        f'<input type="text" readonly value="{escape(address)}" '
        f'aria-label="{escape(texts("accounts.link"))}">'
        f'<button type="button" class="small primary" data-copy '
        f'data-copied="{escape(texts("accounts.copied"))}">'
        f"{escape(texts('accounts.copy'))}</button></div></div>"
    )


def _row(account: Account, reader: tzinfo, texts: Texts) -> tuple[str, ...]:
    name = escape(account.user)
    label = escape(texts("accounts.change", name=account.user))
    return (
        f"<strong>{name}</strong>",
        escape(account.team),
        escape(roles(account.actor, texts)),
        _state(account, reader, texts),
        f'<button type="button" class="small" data-do="change" data-user="{name}" '
        f'aria-label="{label}">{escape(texts("accounts.change_short"))}</button>',
    )


def _state(account: Account, reader: tzinfo, texts: Texts) -> str:
    if account.disabled_at:
        kind = "full"
        said = texts("accounts.state.locked", at=minute(account.disabled_at, reader, texts))
    elif account.password_hash:
        kind, said = "active", texts("accounts.state.active")
    else:
        kind, said = "waiting", texts("accounts.state.invited")
    return f'<span class="mark {kind}">{escape(said)}</span>'

"""The Settings page: language and time zone, who one is, where one is signed in."""

from collections.abc import Collection, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from html import escape
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from babel.dates import get_timezone_gmt, get_timezone_location

from app.i18n import LOCALES, Texts
from app.ports import Client
from app.presenters import parts
from app.presenters.frame import LANGUAGES, roles
from app.presenters.parts import definitions, number, when
from app.services.own_account import OwnSession
from policies.roles import Actor

AS_BROWSER = ""
"""What is kept for whom chose nothing."""
NUMBER = Decimal("1234567.89")


def heading(name: str, texts: Texts) -> str:
    return parts.heading(f"settings.{name}", texts)


def languages(texts: Texts) -> list[tuple[str, str]]:
    named = [(texts(key), code) for code, key in LANGUAGES.items() if code in LOCALES]
    return [(texts("settings.as_browser"), AS_BROWSER), *named]


def zones(now: datetime, texts: Texts) -> list[tuple[str, str]]:
    """From west to east, each with its distance from UTC today and its city."""
    named = _zones(now.replace(minute=0, second=0, microsecond=0), texts.locale)
    return [(texts("settings.as_browser"), AS_BROWSER), *named]


def example(now: datetime, reader: tzinfo, texts: Texts) -> str:
    """What the choice makes of a time and a number."""
    at = when(now, reader, texts)
    said = texts("settings.example", at=at, number=number(NUMBER, texts))
    return f'<p class="note">{escape(said)}</p>'


def who(actor: Actor, texts: Texts) -> str:
    rows = (
        (texts("settings.name"), actor.user),
        (texts("settings.team"), actor.team),
        (texts("settings.roles"), roles(actor, texts)),
    )
    return definitions(rows)


def unsigned(texts: Texts) -> str:
    """Where nobody signs in there is neither a password nor a session of one's own."""
    return f'<p class="note">{escape(texts("settings.unsigned"))}</p>'


def sessions(found: Sequence[OwnSession], reader: tzinfo, texts: Texts) -> str:
    """The latest seen first; this browser is left by signing out."""
    items = "".join(_session(session, reader, texts) for session in found)
    others = ""
    if any(not session.current for session in found):
        others = (
            '<div class="buttons"><button type="button" class="small" data-do="others">'
            f"{escape(texts('settings.end_others'))}</button></div>"
        )
    return f'<ul class="items">{items}</ul>{others}'


def _session(session: OwnSession, reader: tzinfo, texts: Texts) -> str:
    seen = texts("settings.session_seen", at=when(session.seen_at, reader, texts))
    if session.current:
        seen = texts("settings.session_now")  # what is written down is some minutes old
    began = texts(
        "settings.session_began",
        at=when(session.began_at, reader, texts),
        until=when(session.expires_at, reader, texts),
    )
    end = (
        f'<span class="mark active">{escape(texts("settings.session_this"))}</span>'
        if session.current
        else f'<button type="button" class="small" data-do="end" data-id="{escape(session.id)}">'
        f"{escape(texts('settings.session_end'))}</button>"
    )
    where = escape(_where(session.client, texts))
    return (
        f'<li class="item"><div><p><strong>{where}</strong></p><p>{escape(seen)}</p>'
        f'<p class="note">{escape(began)}</p></div>{end}</li>'
    )


def _where(client: Client, texts: Texts) -> str:
    """Names of browsers and devices are the same in every language."""
    browser = client.browser or texts("settings.session_browser")
    if client.device:
        browser = texts("settings.session_on", browser=browser, device=client.device)
    if not client.address:
        return browser
    return texts("settings.session_from", client=browser, address=client.address)


@lru_cache(maxsize=4)
def _zones(hour: datetime, locale: str) -> list[tuple[str, str]]:
    """Hundreds of names take a moment, and are the same for everyone for an hour."""
    found = [_zone(name, hour, locale) for name in sorted(_known())]
    return [(label, name) for _, label, name in sorted(found)]


def _known() -> Collection[str]:
    """Places people live in, by today's names, and UTC."""
    places = {name for name in get_global("zone_territories") if "/" in name}
    return {name for name in places & available_timezones() if not name.startswith("Etc/")} | {
        "UTC"
    }


def _zone(name: str, at: datetime, locale: str) -> tuple[float, str, str]:
    local = at.astimezone(ZoneInfo(name))
    away = local.utcoffset()
    city = "UTC" if name == "UTC" else get_timezone_location(name, locale=locale, return_city=True)
    distance = get_timezone_gmt(local, locale=locale).replace("GMT", "UTC")
    label = city.rpartition("/")[2]
    return (away.total_seconds() if away else 0.0), f"{distance} {label}", name

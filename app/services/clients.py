"""Where a browser is, in words its person knows again: Firefox on Windows, from this address.

Of what a browser says of itself only these words are kept. It may say anything, so nothing is
decided by them.
"""

import ipaddress

from app.ports import Client

LONGEST = 512
"""Characters of a User-Agent that are looked at."""
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""By what tells each; almost all also claim to be those below them."""
DEVICES = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def client(user_agent: str, address: str) -> Client:
    """What is told by neither stays empty."""
    said = user_agent[:LONGEST]
    return Client(_first(BROWSERS, said), _first(DEVICES, said), _address(address))


def _first(known: tuple[tuple[str, str], ...], said: str) -> str:
    return next((name for mark, name in known if mark in said), "")


def _address(said: str) -> str:
    """One spelling of an IP address; a name or anything else is none."""
    try:
        found = ipaddress.ip_address(said.partition("%")[0])
    except ValueError:
        return ""
    inner = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(inner or found)

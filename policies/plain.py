"""Text as people type it: what nothing shows, and PostgreSQL does not keep, is told. Pure."""

import unicodedata

from policies.errors import InvalidInput

LINES = dict.fromkeys(map(ord, "\n\r\t"))
UNSEEN = ("Cc", "Cs", "Co")
"""Unicode's categories of control characters, lone halves of pairs, and what is for private use."""


def check_plain(*texts: str) -> None:
    """Raises InvalidInput where any of these has a control or an undefined character."""
    said = "".join(texts).translate(LINES)
    count = sum(1 for c in said if unicodedata.category(c) in UNSEEN)
    if count:
        raise InvalidInput(
            f"the text has {count} control or undefined characters; paste it as plain text",
            reason="control_characters",
            count=count,
        )

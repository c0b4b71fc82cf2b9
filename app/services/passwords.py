"""Passwords: what may be one, and argon2 over it. The only home of argon2."""

import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from policies.errors import InvalidInput

SHORTEST, LONGEST = 10, 200
AT_ONCE = 2
"""Hashes being made: each takes 64 MiB and a core, so a flood of attempts waits in line."""


class Passwords:
    """Hashes carry their own parameters; the library's defaults are those of RFC 9106."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = BoundedSemaphore(AT_ONCE)
        self._nobodys = self._hasher.hash("nobody has this password")

    def hash(self, password: str, user: str) -> str:
        """Raises InvalidInput for a password that is too short, too long or the user's name."""
        text = _normal(password)
        if not SHORTEST <= len(text) <= LONGEST:
            raise InvalidInput(
                f"a password has {SHORTEST} to {LONGEST} characters, got {len(text)}",
                "password_length",
                shortest=SHORTEST,
                longest=LONGEST,
            )
        if user in text.lower() and len(text) < len(user) + SHORTEST:
            raise InvalidInput("a password must not be made of the user's name", "password_name")
        with self._turn:
            return self._hasher.hash(text)

    def verify(self, kept: str | None, password: str) -> bool:
        """As long for nobody's password as for somebody's: time tells no names."""
        with self._turn:
            try:
                found = self._hasher.verify(kept or self._nobodys, _normal(password)[:LONGEST])
            except (VerificationError, InvalidHashError):
                return False
        return found and kept is not None


def _normal(password: str) -> str:
    """The same on every keyboard: a letter and its accent are one."""
    return unicodedata.normalize("NFKC", password)

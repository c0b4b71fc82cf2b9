"""A ceiling by name: its scope and which window of it, in the reader's words."""

from app.i18n import Texts
from app.presenters.budgets import window_name
from app.presenters.parts import scope_name
from policies.types import Window


def ceiling_name(scope: str, window: Window, start: str, texts: Texts) -> str:
    """`team:sales`, day, `2025-11-24` -> "budget of team sales (November 24)"."""
    name = scope_name(scope, texts)
    if scope == "request":
        return name  # it has one window, and its name says which
    return texts("scope.in_window", scope=name, window=window_name(window, start, texts))

"""What a list can be narrowed to; first of all to nothing."""

from collections.abc import Iterable, Sequence

from app.i18n import Texts
from policies.types import Domain, Importance

Choices = list[tuple[str, str]]
"""Words and value of each."""


def all_or(choices: Iterable[tuple[str, str]], texts: Texts) -> Choices:
    return [(texts("filter.all"), ""), *choices]


def names(found: Sequence[str], texts: Texts) -> Choices:
    """Teams or users as they are called."""
    return all_or(((name, name) for name in found), texts)


def importances(texts: Texts) -> Choices:
    return all_or(((texts(f"importance.{i}"), i.value) for i in Importance), texts)


def domains(texts: Texts) -> Choices:
    return all_or(((texts(f"domain.{d}"), d.value) for d in Domain), texts)

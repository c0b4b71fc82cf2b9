"""Whatever is written into the audit log has its words on the Audit page, in both languages."""

import ast
from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.i18n import LOCALES, texts
from app.ports import AuditEntry, AuditEvent, Detail
from app.presenters import audit
from app.presenters.parts import zone
from tests.samples import NOON
from tests.test_architecture import sources, tree

TOKYO = zone("Asia/Tokyo")
UNSAID = {"currency"}
"""It goes with an amount, as its symbol."""


def details() -> Iterator[str]:
    """Keys of every dict that is called `details`, of what is joined to one, or given to `note`."""
    for file in sources("app"):
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "note":
                yield from (word.arg for word in node.keywords if word.arg)
            if isinstance(node, ast.Assign):
                target, value = node.targets[0], node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                target, value = node.target, node.value
            else:
                continue
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            if any(isinstance(name, ast.Name) and name.id == "details" for name in names):
                for each in ast.walk(value):
                    if isinstance(each, ast.Dict):
                        yield from (key.value for key in each.keys if isinstance(key, ast.Constant))  # type: ignore[misc]


def actions() -> Iterator[str]:
    """Second arguments of every `AuditEvent` that are written out."""
    for file in sources("app"):
        for node in ast.walk(tree(file)):
            is_event = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "AuditEvent"
            if is_event and isinstance(name := node.args[1], ast.Constant):  # type: ignore[attr-defined]
                yield str(name.value)


@pytest.mark.parametrize("language", list(LOCALES))
def test_every_detail_and_every_action_has_its_words(language: str) -> None:
    said, found = texts(language), set(details()) - UNSAID
    assert len(found) > 15
    assert [name for name in sorted(found) if f"audit.detail.{name}" not in said] == []
    assert [name for name in actions() if audit.action(name, said) == name] == []


@pytest.mark.parametrize("action", sorted({*actions(), "login", "login.failed", "session.end"}))
def test_every_action_is_found_under_one_kind_of_change(action: str) -> None:
    def takes(part: str) -> bool:
        return action.startswith(part) if part.endswith(".") else action == part

    assert len([area for area, parts in audit.AREAS.items() if any(map(takes, parts))]) == 1


def test_details_are_roles_instants_and_amounts_as_the_reader_writes_them() -> None:
    said: dict[str, Detail] = {
        "roles": "requester reviewer",
        "before": "sales",
        "valid_from": (NOON - timedelta(days=1)).isoformat(),
        "currency": "USD",
        "nfe_nanos": 700,
        "adapter_sha256": "3f" * 32,
    }
    event = AuditEvent("aiko", "price.set", "p-1", said, NOON)
    shown = audit.entries([AuditEntry(1, event, "b" * 64)], "EUR", 10, TOKYO, texts("ja"))
    for words in ("質問者、レビュー担当", "sales", "適用開始", "2025/11/23 12:00:00", "$0.0000007"):
        assert words in shown
    assert "3f" * 7 not in shown
    assert "requester" not in shown


@pytest.mark.parametrize("language", list(LOCALES))
def test_an_amount_is_money_where_its_entry_names_no_currency_too(language: str) -> None:
    event = AuditEvent("aiko", "raise.ask", "r-1", {"scope": "pilot", "nanos": 10**7}, NOON)
    shown = audit.entries([AuditEntry(1, event, "b" * 64)], "USD", 10, TOKYO, texts(language))
    assert "$0.01" in shown
    assert "10,000,000" not in shown

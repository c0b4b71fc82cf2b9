"""What one policy says differently from another, field by field, in words."""

import json
from collections.abc import Sequence
from decimal import Decimal
from html import escape
from typing import Any

from app.i18n import Texts
from app.presenters.parts import number, scope_name, table
from policies.changes import Change

WORDED = ("solver", "at_ceiling", "window", "raise_to")
"""Fields whose values have names in the catalogue."""


def diff(changed: Sequence[Change], texts: Texts) -> str:
    if not changed:
        return f'<p class="note">{escape(texts("policy.same"))}</p>'
    heads = {c: texts(f"policy.diff.{c}") for c in ("field", "before", "after")}
    rows = [
        (
            escape(_field(each.field, texts)),
            f"<del>{escape(_value(each.field, each.before, texts))}</del>",
            f"<ins>{escape(_value(each.field, each.after, texts))}</ins>",
        )
        for each in changed
    ]
    return f'<div class="diff">{table(heads, rows)}</div>'


def _field(path: str, texts: Texts) -> str:
    """`rungs.high.max_nfe_per_token` in words; names people gave stay as they are."""
    area, _, rest = path.partition(".")
    if area == "rungs":
        importance, _, field = rest.partition(".")
        known = f"policy.field.{field.replace('.', '_')}"
        what = texts(known) if known in texts else field
        return texts("policy.of", what=what, of=texts(f"importance.{importance}"))
    if area == "rules":
        name, _, field = rest.partition(".")
        what = texts(f"policy.rule.{field.replace('.', '_')}")
        return texts("policy.of", what=what, of=texts("policy.area.rules", name=name))
    if area == "ceilings":
        return _cap(rest, texts)
    return texts(f"policy.area.{path.replace('.', '_')}")


def _cap(path: str, texts: Texts) -> str:
    """`team/sales/day`: a scope, of one or of each, and a window."""
    scope, *names, window = path.split("/")
    if scope == "pilot" or names:
        whose = scope_name(":".join([scope, *names]), texts)
    else:
        whose = texts(f"policy.each.{scope}")
    return texts("policy.of", what=texts(f"window.{window}_each"), of=whose)


def _value(path: str, value: Any, texts: Texts) -> str:
    field = path.rpartition(".")[2]
    if value is None:
        return texts("policy.default")
    for kind in WORDED:
        key = f"{'importance' if kind == 'raise_to' else kind}.{value}"
        if field == kind and key in texts:
            return texts(key)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return texts("list.join").join(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return number(Decimal(str(value)), texts)

"""A draft as a form: one column for each importance, then the rules. What is typed goes into the
text, field by field; `data-path` names the field, and nothing of the form is kept anywhere else.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.i18n import Texts
from app.presenters.parts import empty
from policies.edited import COMMON, FINE, FLAGS, LISTS, RULE, SHARES, WHOLE, opened, value_at
from policies.roles import Role
from policies.types import AtCeiling, Domain, Importance, Solver
from policies.wording import Language

SETS: Mapping[str, Sequence[str]] = {
    "domain": list(Domain),
    "language": list(Language),
    "role": list(Role),
}


def form(text: str, texts: Texts) -> str:
    document = opened(text)
    if document is None:
        return empty(texts("policy_form.closed"), texts("policy_form.closed_do"))
    return (
        f'<p class="note">{escape(texts("policy_form.lead"))}</p>'
        f"{_general(document, texts)}{_rungs(document, COMMON, texts)}"
        f'<details class="fine"><summary>{escape(texts("policy_form.fine"))}</summary>'
        f"{_rungs(document, FINE, texts)}</details>"
        f"<h3>{escape(texts('policy.rules'))}</h3>{_rules(document, texts)}"
    )


def _general(document: Mapping[str, Any], texts: Texts) -> str:
    fields = "".join(
        _labelled(document, path, texts(f"policy.area.{path.replace('.', '_')}"), texts)
        for path in ("name", "reviewing.audit_share", "reviewing.guidelines")
    )
    return f'<div class="fields">{fields}</div>'


def _rungs(document: Mapping[str, Any], fields: Sequence[str], texts: Texts) -> str:
    names = [(i, texts(f"importance.{i}")) for i in Importance]
    head = "".join(f'<th scope="col">{escape(name)}</th>' for _, name in names)
    rows = "".join(_row(document, field, names, texts) for field in fields)
    return (
        f'<table class="plain rungs"><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(
    document: Mapping[str, Any], field: str, names: Sequence[tuple[Importance, str]], texts: Texts
) -> str:
    label = texts(f"policy.field.{field.replace('.', '_')}")
    about = f"policy_form.unit.{field.replace('.', '_')}"
    unit = f'<span class="note">{escape(texts(about))}</span>' if about in texts else ""

    def box(importance: Importance, name: str) -> str:
        said = texts("policy.of", what=label, of=name)
        return _box(document, f"rungs.{importance}.{field}", said, texts)

    cells = "".join(f'<td data-name="{escape(name)}">{box(i, name)}</td>' for i, name in names)
    return f'<tr><th scope="row">{escape(label)}{unit}</th>{cells}</tr>'


def _rules(document: Mapping[str, Any], texts: Texts) -> str:
    items = "".join(_rule(document, n, texts) for n in range(len(document.get("rules", []))))
    return (
        f'<p class="note">{escape(texts("policy_form.rules_lead"))}</p>{items}<div class="buttons">'
        '<button type="button" class="small" data-do="add">'
        f"{escape(texts('policy_form.add_rule'))}</button></div>"
    )


def _rule(document: Mapping[str, Any], number: int, texts: Texts) -> str:
    name = str(value_at(document, f"rules.{number}.name") or number + 1)
    title = texts("policy.area.rules", name=name)
    fields = "".join(
        _labelled(document, f"rules.{number}.{field}", _said(field, texts), texts) for field in RULE
    )
    return (
        f'<fieldset class="rule"><legend>{escape(title)}</legend><div class="fields">{fields}</div>'
        f'<div class="buttons"><button type="button" class="small" data-do="remove" '
        f'data-rule="{number}">{escape(texts("policy_form.remove_rule", name=name))}</button></div>'
        "</fieldset>"
    )


def _said(field: str, texts: Texts) -> str:
    return texts(f"policy_form.rule.{field.replace('.', '_')}")


def _labelled(document: Mapping[str, Any], path: str, label: str, texts: Texts) -> str:
    """A box under its label; of a set its own legend is the label."""
    field = path.rpartition(".")[2]
    if field in SETS:
        return _set(document, path, label, texts)
    wide = " wide" if field in ("guidelines", "because", "wording") else ""
    return (
        f'<label class="field{wide}"><span>{escape(label)}</span>'
        f"{_box(document, path, '', texts)}</label>"
    )


def _box(document: Mapping[str, Any], path: str, label: str, texts: Texts) -> str:
    """`label` is for whom the place in the table does not say it."""
    field, value = path.rpartition(".")[2], value_at(document, path)
    about = f'data-path="{path}"' + (f' aria-label="{escape(label)}"' if label else "")
    if field in ("solver", "at_ceiling", "raise_to", "approvals", *FLAGS):
        return _select(field, value, about, texts)
    if field in LISTS or field == "guidelines":
        lines = "\n".join(map(str, value)) if isinstance(value, list) else _plain(value)
        rows = min(max(lines.count("\n") + 1, 1 if field == "reviewers" else 2), 8)
        return f'<textarea {about} rows="{rows}">\n{escape(lines)}</textarea>'
    mode = ' inputmode="decimal"' if field in SHARES else ""
    mode = ' inputmode="numeric"' if field in WHOLE else mode
    return f'<input type="text" {about}{mode} value="{escape(_plain(value))}">'


def _select(field: str, value: Any, about: str, texts: Texts) -> str:
    known: list[tuple[str, str]] = {
        "solver": [(s.value, texts(f"solver.{s}")) for s in Solver],
        "at_ceiling": [("", texts("policy_form.usual")), *_named("at_ceiling", AtCeiling, texts)],
        "raise_to": _named("importance", list(Importance)[1:], texts),
        "approvals": [("", texts("policy.none")), ("1", "1"), ("2", "2")],
        "checked": [("", texts("policy_form.no")), ("true", texts("policy_form.yes"))],
    }[field]
    now = _plain(value)
    if now not in dict(known):
        known = [*known, (now, now)]  # what the text says wrongly is shown as it is
    options = "".join(
        f'<option value="{escape(v)}"{" selected" if v == now else ""}>{escape(name)}</option>'
        for v, name in known
    )
    return f"<select {about}>{options}</select>"


def _set(document: Mapping[str, Any], path: str, label: str, texts: Texts) -> str:
    field, value = path.rpartition(".")[2], value_at(document, path)
    chosen = [str(each) for each in value] if isinstance(value, list) else []
    others = [each for each in chosen if each not in SETS[field]]
    boxes = "".join(
        f'<label><input type="checkbox" value="{escape(each)}"'
        f"{' checked' if each in chosen else ''}> {escape(_name(field, each, texts))}</label>"
        for each in [*SETS[field], *others]
    )
    return (
        f'<fieldset class="field set wide" data-path="{path}"><legend>{escape(label)}</legend>'
        f"{boxes}</fieldset>"
    )


def _named(
    area: str, values: Sequence[Any] | type[AtCeiling], texts: Texts
) -> list[tuple[str, str]]:
    return [(str(each), texts(f"{area}.{each}")) for each in values]


def _name(field: str, value: str, texts: Texts) -> str:
    key = f"{field}.{value}"
    return texts(key) if key in texts else value


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    return "" if value is None else str(value)

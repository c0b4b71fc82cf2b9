"""The Policy page: what each importance buys, the rules around it, versions, what they change."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from html import escape

from babel.numbers import format_percent

from app.i18n import Texts
from app.money import about, at_most
from app.presenters import parts
from app.presenters.parts import (
    definitions,
    empty,
    minute,
    money_span,
    number,
    person,
    scope_name,
    table,
)
from app.presenters.policy_changes import diff
from app.services.drafts import EXAMPLE_TOKENS, Shown
from app.services.policy import Entry, PolicyState
from policies.ceilings import CeilingRule
from policies.changes import Change
from policies.document import Policy
from policies.roles import Action, Actor, may
from policies.rules import Rule, When
from policies.types import Importance, Quote, Review, Rung, Solver

NOTES = {
    "first start": "policy.note.first",
    "the policy this pilot began with": "policy.note.began",
    "rolled back": "policy.note.rolled_back",
}
ACTIVATIONS = 3
"""Of one version, the latest."""


def heading(name: str, texts: Texts) -> str:
    return parts.heading(f"policy.{name}", texts)


def top(shown: Shown, reader: tzinfo, texts: Texts) -> str:
    """What is in force, since when and by whom."""
    version = shown.entry.version
    last = shown.entry.activations[0]
    by = person(last.activated_by, texts)
    since = texts("policy.since", at=minute(last.activated_at, reader, texts), by=by)
    note = f'<p class="note">{escape(_note(last.note, texts))}</p>' if last.note else ""
    return (
        f"<h2>{escape(texts('policy.title'))}</h2>"
        f'<p class="lead">{escape(texts("policy.lead"))}</p>'
        f'<p class="in-force"><span class="mark active">{escape(texts("policy.state.active"))}'
        f"</span> <strong>{escape(version.name)}</strong> <code>{escape(version.version)}</code> "
        f"{escape(since)}</p>{note}"
    )


def cards(policy: Policy, worst: Mapping[Importance, Quote], texts: Texts) -> str:
    """Least important first."""
    made = "".join(_card(policy, i, worst.get(i), texts) for i in Importance)
    return f'<div class="cards four">{made}</div>'


def rules(policy: Policy, texts: Texts) -> str:
    if not policy.rules:
        return empty(texts("policy.no_rule"), texts("policy.no_rule_do"))
    return f'<ul class="items">{"".join(_rule(rule, texts) for rule in policy.rules)}</ul>'


def ceilings(policy: Policy, texts: Texts) -> str:
    if not policy.ceilings:
        return empty(texts("policy.no_ceiling"), texts("policy.no_ceiling_do"))
    heads = {c: texts(f"policy.ceiling.{c}") for c in ("scope", "window", "limit")}
    rows = [
        (
            escape(_scope(rule, texts)),
            escape(texts(f"window.{rule.window}_each")),
            money_span(
                about(rule.limit_nanos, rule.currency, texts.locale),
                rule.limit_nanos,
                rule.currency,
                texts,
            ),
        )
        for rule in policy.ceilings
    ]
    return table(heads, rows)


def versions(entries: Sequence[Entry], actor: Actor, reader: tzinfo, texts: Texts) -> str:
    """Newest first, each with who did what; what it would change is one press away.

    Only who may propose has an editor to open one in.
    """
    writes = may(actor, Action.PROPOSE_POLICY)
    items = "".join(_version(entry, writes, reader, texts) for entry in entries)
    return f'<ul class="items">{items}</ul>'


def comparison(entry: Entry, changed: Sequence[Change], actor: Actor, texts: Texts) -> str:
    """What a version says differently from the one in force; what this person may do with it."""
    name = entry.version.version
    title = escape(texts("policy.compare", version=name))
    return f"<h3>{title}</h3>{diff(changed, texts)}{_decide(entry, actor, texts)}"


def no_comparison(texts: Texts) -> str:
    return f'<p class="note">{escape(texts("policy.compare_none"))}</p>'


def _card(policy: Policy, importance: Importance, worst: Quote | None, texts: Texts) -> str:
    rung = policy.rungs[importance]
    price = (
        money_span(
            at_most(worst.nanos, worst.currency, texts.locale), worst.nanos, worst.currency, texts
        )
        if worst
        else escape(texts("policy.unpriced"))
    )
    example = escape(texts("policy.worst_for", words=number(EXAMPLE_TOKENS, texts)))
    return (
        f'<section class="sheet rung"><h3>{escape(texts(f"importance.{importance}"))}</h3>'
        f'<p class="note">{escape(texts(f"importance.{importance}.means"))}</p>'
        f'<div class="worst"><span class="label">{escape(texts("policy.worst"))}</span>'
        f'<div class="value">{price}</div><span class="note">{example}</span></div>'
        f"{definitions(_facts(policy, importance, rung, texts))}</section>"
    )


def _facts(
    policy: Policy, importance: Importance, rung: Rung, texts: Texts
) -> list[tuple[str, str]]:
    """Only what says something: a knob at rest has no line."""
    base = rung.solver is Solver.BASE
    passes = (
        texts("policy.passes_none")
        if base
        else texts("policy.passes_up_to", passes=number(rung.max_nfe_per_token, texts))
    )
    said = [
        ("passes", passes),
        ("longest", texts("policy.words", n=number(rung.max_new_tokens, texts))),
    ]
    if rung.checked:
        said.append(("checked", texts("policy.checked")))
    elif not base:
        said.append(("solver", texts(f"solver.{rung.solver}")))
        if rung.guidance != 1.0:
            strength = number(Decimal(str(rung.guidance)), texts)
            said.append(("guidance", texts("policy.guided", w=strength)))
    if rung.gate is not None:
        said.append(("gate", texts("policy.gated", share=_share(rung.gate, texts))))
    if rung.steady is not None:
        said.append(("steady", texts("policy.steadied", n=number(rung.steady, texts))))
    if rung.candidates > 1:
        said.append(("candidates", texts("policy.drawn", n=number(rung.candidates, texts))))
    said.append(("review", _review(policy.reviews[importance], texts)))
    said.append(("at_ceiling", texts(f"at_ceiling.{policy.at_ceiling[importance]}")))
    return [(texts(f"policy.field.{name}"), value) for name, value in said]


def _review(review: Review, texts: Texts) -> str:
    if not review.approvals:
        return texts("policy.unreviewed")
    said = [texts(f"policy.reviewed_{review.approvals}")]
    if review.reviewers:
        said.append(texts("policy.reviewers", names=texts("list.join").join(review.reviewers)))
    if review.due_hours:
        said.append(texts("policy.due", hours=number(review.due_hours, texts)))
    return texts("list.join").join(said)


def _rule(rule: Rule, texts: Texts) -> str:
    raised = texts("policy.raised", importance=texts(f"importance.{rule.raise_to}"))
    return (
        f'<li class="item"><span class="mark">{escape(raised)}</span><div>'
        f"<p>{escape(_when(rule.when, texts))}</p><p>{escape(rule.because)}</p>"
        f'<p class="note">{escape(rule.name)}</p></div></li>'
    )


def _when(when: When, texts: Texts) -> str:
    """Every condition, joined: all must hold."""
    named = {
        "domain": [texts(f"domain.{domain}") for domain in when.domain],
        "team": list(when.team),
        "role": [texts(f"role.{r}") if f"role.{r}" in texts else r for r in when.role],
        "language": [texts(f"language.{language}") for language in when.language],
        "wording": list(when.wording),
    }
    said = [
        texts(f"policy.when.{name}", values=texts("list.or").join(values))
        for name, values in named.items()
        if values
    ]
    if when.longer_than is not None:
        said.append(texts("policy.when.longer_than", n=number(when.longer_than, texts)))
    return texts("list.and").join(said)


def _scope(rule: CeilingRule, texts: Texts) -> str:
    if rule.name or rule.scope == "pilot":
        return scope_name(f"{rule.scope}:{rule.name}" if rule.name else rule.scope, texts)
    return texts(f"policy.each.{rule.scope}")


def _version(entry: Entry, writes: bool, reader: tzinfo, texts: Texts) -> str:
    v = entry.version
    said = [_did("proposed", v.proposed_by, v.proposed_at, reader, texts)]
    if v.approved_by and v.approved_at:
        said.append(_did("approved", v.approved_by, v.approved_at, reader, texts))
    said += [
        _did("activated", a.activated_by, a.activated_at, reader, texts)
        for a in entry.activations[:ACTIVATIONS]
    ]
    lines = "".join(f'<p class="note">{escape(line)}</p>' for line in said)
    note = f"<p>{escape(_note(v.note, texts))}</p>" if v.note else ""
    does = () if entry.state is PolicyState.ACTIVE else ("compare",)
    buttons = "".join(
        f'<button type="button" class="small" data-do="{do}" data-version="{escape(v.version)}">'
        f"{escape(texts(f'policy.do.{do}'))}</button>"
        for do in (*does, *(("load",) if writes else ()))
    )
    return (
        f'<li class="item"><span class="mark {entry.state}">'
        f"{escape(texts(f'policy.state.{entry.state}'))}</span><div>"
        f"<p><strong>{escape(v.name)}</strong> <code>{escape(v.version)}</code></p>{note}{lines}"
        f'<div class="buttons">{buttons}</div></div></li>'
    )


def _did(what: str, by: str, at: datetime, reader: tzinfo, texts: Texts) -> str:
    return texts(f"policy.{what}", by=person(by, texts), at=minute(at, reader, texts))


def _note(note: str, texts: Texts) -> str:
    """What the service notes by itself is said in the reader's words."""
    return texts(NOTES[note]) if note in NOTES else note


def _decide(entry: Entry, actor: Actor, texts: Texts) -> str:
    """The one next step; nobody approves their own."""
    version = entry.version
    if entry.state is PolicyState.DRAFT:
        if version.proposed_by == actor.user:
            return f'<p class="note">{escape(texts("policy.another_approves"))}</p>'
        return (
            _button("approve", version.version, texts) if may(actor, Action.APPROVE_POLICY) else ""
        )
    if not may(actor, Action.ACTIVATE_POLICY) or entry.state is PolicyState.ACTIVE:
        return ""
    do = "activate" if entry.state is PolicyState.APPROVED else "rollback"
    return _button(do, version.version, texts)


def _button(do: str, version: str, texts: Texts) -> str:
    return (
        f'<div class="buttons"><button type="button" class="small primary" data-do="{do}" '
        f'data-version="{escape(version)}">{escape(texts(f"policy.do.{do}"))}</button></div>'
    )


def _share(value: float, texts: Texts) -> str:
    return str(format_percent(Decimal(str(value)), "#,##0.##%", locale=texts.locale))

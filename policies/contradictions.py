"""What fields of a policy must not say together. Each check gives where and what is wrong there."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from policies.form import CeilingForm, PolicyForm, RungForm, currency, nanos
from policies.types import AtCeiling, Importance, Window
from policies.written import Path

Contradiction = tuple[Path, str]
Limits = dict[tuple[str, str | None, Window], CeilingForm]


def contradictions(policy: PolicyForm) -> list[Contradiction]:
    """All of them, in the order of CHECKS."""
    return [found for check in CHECKS for found in check(policy)]


def _importance_in_order(policy: PolicyForm) -> Iterator[Contradiction]:
    """Whoever says that it matters more must not get less, nor fewer eyes on it."""
    for lower, upper in pairwise(Importance):
        below, above = policy.rungs.of(lower), policy.rungs.of(upper)
        if above.max_nfe_per_token < below.max_nfe_per_token:
            yield (
                ("rungs", upper.value, "max_nfe_per_token"),
                f"{above.max_nfe_per_token} is less than the {below.max_nfe_per_token} of {lower}: "
                "it must not fall as importance rises",
            )
        if _approvals(above) < _approvals(below):
            yield (
                ("rungs", upper.value, "review"),
                f"asks for {_approvals(above)} approvals, {lower} for {_approvals(below)}: they "
                "must not get fewer as importance rises",
            )


def _reviewers_suffice(policy: PolicyForm) -> Iterator[Contradiction]:
    for importance in Importance:
        review = policy.rungs.of(importance).review
        if review and review.reviewers and len(review.reviewers) < review.approvals:
            yield (
                ("rungs", importance.value, "review", "reviewers"),
                f"{len(review.reviewers)} reviewers cannot give {review.approvals} approvals: name "
                "more, or leave reviewers out",
            )


def _steps_down_to_less(policy: PolicyForm) -> Iterator[Contradiction]:
    if policy.rungs.routine.at_ceiling is AtCeiling.STEP_DOWN:
        yield (
            ("rungs", Importance.ROUTINE.value, "at_ceiling"),
            "nothing is below routine to step down to: it can only refuse",
        )
    for lower, upper in pairwise(Importance):
        below, above = policy.rungs.of(lower), policy.rungs.of(upper)
        dearer = all(b >= a for a, b in zip(_work(above), _work(below), strict=True))
        if above.at_ceiling is AtCeiling.STEP_DOWN and dearer:
            yield (
                ("rungs", upper.value, "at_ceiling"),
                f"stepping down to {lower} saves nothing: it may write {_work(below)[0]} tokens "
                f"with {_work(below)[1]} evaluations, {upper} {_work(above)[0]} with "
                f"{_work(above)[1]}",
            )


def _rules_differ(policy: PolicyForm) -> Iterator[Contradiction]:
    names: set[str] = set()
    for i, rule in enumerate(policy.rules):
        if rule.name in names:
            yield ("rules", i, "name"), f"{rule.name} names a rule above; each needs its own name"
        names.add(rule.name)


def _ceilings_differ(policy: PolicyForm) -> Iterator[Contradiction]:
    seen: set[tuple[str, str | None, Window]] = set()
    for i, ceiling in enumerate(policy.ceilings):
        key = (ceiling.scope, ceiling.name, ceiling.window)
        if key in seen:
            yield ("ceilings", i), f"{_said(ceiling)} has a limit above; each may have one"
        seen.add(key)


def _one_currency(policy: PolicyForm) -> Iterator[Contradiction]:
    for i, ceiling in enumerate(policy.ceilings):
        first = currency(policy.ceilings[0].limit)
        if currency(ceiling.limit) != first:
            yield (
                ("ceilings", i, "limit"),
                f"{ceiling.limit} is in another currency than {policy.ceilings[0].limit} above: a "
                "pilot has one",
            )


def _ceilings_bind(policy: PolicyForm) -> Iterator[Contradiction]:
    """A part with more than its whole would only look as if it had a limit."""
    limits: Limits = {(c.scope, c.name, c.window): c for c in policy.ceilings}
    for i, part in enumerate(policy.ceilings):
        wider = list(Window)[list(Window).index(part.window) :]
        for whole in (w for window in wider for w in _wholes(limits, part, window)):
            if nanos(part.limit) > nanos(whole.limit):
                yield (
                    ("ceilings", i, "limit"),
                    f"{part.limit} for {_said(part)} never binds: {_said(whole)} has {whole.limit}",
                )
                break


CHECKS: tuple[Callable[[PolicyForm], Iterator[Contradiction]], ...] = (
    _importance_in_order,
    _reviewers_suffice,
    _steps_down_to_less,
    _rules_differ,
    _ceilings_differ,
    _one_currency,
    _ceilings_bind,
)


def _approvals(rung: RungForm) -> int:
    return rung.review.approvals if rung.review else 0


def _work(form: RungForm) -> tuple[int, int]:
    """The most tokens and evaluations an answer can take."""
    rung = form.rung()
    return rung.most_tokens, rung.most_nfe


def _wholes(limits: Limits, part: CeilingForm, window: Window) -> Iterator[CeilingForm]:
    """The ceilings of a window that all spend under `part` counts against too."""
    same = limits.get((part.scope, part.name, window))
    if same is None and window is not part.window:
        same = limits.get((part.scope, None, window))  # stands in where the name has no own
    yield from (w for w in (same, limits.get(("pilot", None, window))) if w is not None)


def _said(ceiling: CeilingForm) -> str:
    name = f" {ceiling.name}" if ceiling.name else ""
    return f"{ceiling.scope}{name}, window {ceiling.window}"

"""The Ask page: what an importance buys, the quote before sending, the meter while it runs."""

from collections.abc import Mapping
from html import escape

from app.i18n import Texts
from app.money import about, at_least, at_most, exact
from app.ports import ModelInfo
from app.presenters.parts import bar, money_span, notice, number, scope_name
from app.services.ask import Preview, Started, Written
from policies.expected import Expected
from policies.types import Domain, Importance, Units

CHOSEN = "reason.asked"
"""Not worth a line: the reader has just chosen it."""
HOW = ("choose", "quote", "receipt")


def importance_choices(
    previews: Mapping[Importance, Preview], asked: bool, texts: Texts
) -> list[tuple[str, str]]:
    """Name, meaning, passes and price, a line each; the page's style makes the first a heading.

    Before a question is `asked`, a preview is of the shortest one: its price is a "from".
    """
    return [
        (
            "\n".join(
                [texts(f"importance.{i}"), texts(f"importance.{i}.means"), _buys(p, asked, texts)]
            ),
            i,
        )
        for i, p in previews.items()
    ]


def importance_names(texts: Texts) -> list[tuple[str, str]]:
    """What can be said before anything is priced."""
    return [
        (f"{texts(f'importance.{i}')}\n{texts(f'importance.{i}.means')}", i) for i in Importance
    ]


def domain_choices(texts: Texts) -> list[tuple[str, str]]:
    return [(texts(f"domain.{domain}"), domain) for domain in Domain]


def scope_note(info: ModelInfo, texts: Texts) -> str:
    """What the model can do, honestly: named by the task classes its adapter was trained on."""
    tasks = [texts(f"domain.{c}.task") for c in info.classes if f"domain.{c}.task" in texts]
    if not tasks:
        return ""
    words = texts("ask.scope_note", domains=texts("ask.scope_note_join").join(tasks))
    return f'<p class="scope-note">{escape(words)}</p>'


def title(key: str, texts: Texts) -> str:
    return f"<h2>{escape(texts(key))}</h2>"


def label(key: str, texts: Texts) -> str:
    return f'<div class="label">{escape(texts(key))}</div>'


def how_it_works(texts: Texts) -> str:
    """Stands where the answer will be."""
    steps = "".join(f"<li>{escape(texts(f'answer.how.{step}'))}</li>" for step in HOW)
    return f'<div class="how"><h3>{escape(texts("answer.how"))}</h3><ol>{steps}</ol></div>'


def quote(preview: Preview, asked: bool, texts: Texts) -> str:
    """The most it can come to, to the last digit, and whether that fits now."""
    worst = preview.decision.quote
    key = "quote.at_most" if asked else "quote.from"
    price = texts(key, price=at_most(worst.nanos, worst.currency, texts.locale))
    covers = texts(
        "quote.units" if worst.units.nfe else "quote.units_base",
        words=number(worst.units.decode_tokens, texts),
        passes=number(worst.units.nfe, texts),
    )
    explain = (
        texts("quote.explain", exact=exact(worst.nanos, worst.currency, texts.locale))
        if asked
        else texts("quote.empty")
    )
    reasons = [
        _reason(r.code, r.values, texts) for r in preview.decision.reasons if r.code != CHOSEN
    ]
    likely = preview.expected if asked else None
    said = [_expected(likely, worst.currency, texts)] if likely else []
    lines = "".join(f"<p>{escape(line)}</p>" for line in (explain, *said, covers, *reasons))
    return (
        f'<div class="quote"><div class="label">{escape(texts("quote.title"))}</div>'
        f'<div class="value">{money_span(price, worst.nanos, worst.currency, texts)}</div>'
        f"{lines}</div>{_does_not_fit(preview, texts)}"
    )


def waiting(texts: Texts) -> str:
    return f'<div class="meter" role="status">{escape(texts("meter.waiting"))}</div>'


def meter(started: Started, written: Written | None, texts: Texts) -> str:
    """Work done of work allowed, money spent of money held."""
    held, allowed = started.decision.quote, started.decision.quote.units
    done = written.units if written else Units()
    spent = written.cost_nanos if written else 0
    money = texts(
        "meter.spent_of",
        spent=about(spent, held.currency, texts.locale),
        held=at_most(held.nanos, held.currency, texts.locale),
    )
    passes = (
        texts("meter.passes_of", used=number(done.nfe, texts), allowed=number(allowed.nfe, texts))
        if allowed.nfe
        else texts("meter.passes_none")
    )
    words = texts(
        "meter.words_of",
        written=number(done.decode_tokens, texts),
        allowed=number(allowed.decode_tokens, texts),
    )
    rows = (
        _gauge(texts("meter.passes"), passes, done.nfe, allowed.nfe),
        _gauge(texts("meter.spent"), money, spent, held.nanos),
        _gauge(texts("meter.words"), words, done.decode_tokens, allowed.decode_tokens),
    )
    state = f'<p class="writing">{escape(texts("meter.writing"))}</p>'
    return f'<div class="meter">{state}{"".join(rows)}</div>'


def answer(text: str, running: bool, texts: Texts) -> str:
    """The words as they are: whatever the model wrote is text, never markup."""
    body = escape(text) if text.strip() or running else f"<em>{escape(texts('answer.empty'))}</em>"
    busy = "true" if running else "false"
    return f'<div class="answer" aria-live="polite" aria-busy="{busy}">{body}</div>'


def thanks(texts: Texts) -> str:
    return notice(texts("rate.thanks"), "info")


def _buys(preview: Preview, asked: bool, texts: Texts) -> str:
    decision = preview.decision
    cap = decision.plan.rung.max_nfe_per_token
    passes = (
        texts("ask.importance_up_to", passes=number(cap, texts))
        if cap
        else texts("ask.importance_none")
    )
    key = "ask.importance_at_most" if asked else "ask.importance_from"
    price = texts(key, price=at_most(decision.quote.nanos, decision.quote.currency, texts.locale))
    return f"{passes}\n{price}"


def _expected(expected: Expected, currency: str, texts: Texts) -> str:
    price = about(expected.nanos, currency, texts.locale)
    return texts("quote.expected", price=price, n=number(expected.n, texts))


def _reason(code: str, values: Mapping[str, str | int], texts: Texts) -> str:
    """Names of importances and domains in a reason's values are said in the reader's words."""
    said: dict[str, object] = {}
    for name, value in values.items():
        key = f"{name}.{value}"
        said[name] = texts(key) if key in texts else value
    return texts(code, **said)


def _does_not_fit(preview: Preview, texts: Texts) -> str:
    """Said before sending; the ledger decides again when it is sent."""
    if not preview.ceilings:
        return ""
    tightest = min(preview.ceilings, key=lambda c: c.headroom_nanos)
    if preview.decision.quote.nanos <= tightest.headroom_nanos:
        return ""
    left = at_least(tightest.headroom_nanos, tightest.currency, texts.locale)
    return notice(texts("quote.too_much", left=left, scope=scope_name(tightest.scope, texts)))


def _gauge(name: str, words: str, part: int, whole: int) -> str:
    return (
        f'<div class="gauge"><span class="label">{escape(name)}</span>'
        f"<span>{escape(words)}</span>{bar(part, whole, name) if whole else ''}</div>"
    )

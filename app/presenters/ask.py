"""The Ask page: what an importance buys, the quote before sending, the meter while it runs."""

from collections.abc import Mapping, Sequence
from html import escape

from app.i18n import Texts
from app.money import about, at_least, at_most, exact
from app.ports import ModelInfo, Queue
from app.presenters.ceilings import ceiling_name
from app.presenters.parts import (
    bar,
    duration,
    money_span,
    notice,
    number,
    passes,
    reason,
    whole_percent,
)
from app.services.ask import Preview, Started, Written
from app.services.outlook import Look, Looks
from policies.expected import Expected
from policies.types import Domain, Importance, Units

CHOSEN = "reason.asked"
"""Not worth a line: the reader has just chosen it."""
HOW = ("choose", "quote", "receipt")
AUTO = "auto"
"""In the place of a domain: told from the words of the question."""


def importance_choices(
    previews: Mapping[Importance, Preview], looks: Looks, asked: bool, texts: Texts
) -> list[tuple[str, str]]:
    """Name, meaning, passes, price, time and accuracy; the page's style makes the first a heading.

    Before a question is `asked`, a preview is of the shortest one: its price is a "from". Time and
    accuracy are measured, with intervals, or left out.
    """
    return [
        (
            "\n".join(
                [
                    texts(f"importance.{i}"),
                    texts(f"importance.{i}.means"),
                    _buys(p, asked, texts),
                    *_measured(looks.get(i, Look()), texts),
                ]
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
    """What the page finds out by itself comes first."""
    return [(texts("ask.domain_auto"), AUTO)] + [(texts(f"domain.{d}"), d.value) for d in Domain]


def domain_detected(detected: Domain | None, texts: Texts) -> list[tuple[str, str]]:
    """The same with what was found out."""
    if detected is None:
        return domain_choices(texts)
    found = texts("ask.domain_detected", domain=texts(f"domain.{detected}"))
    return [(found, AUTO), *domain_choices(texts)[1:]]


def scope_note(info: ModelInfo, texts: Texts) -> str:
    """What the model can do, honestly: named by the task classes its adapter was trained on."""
    tasks = [texts(f"domain.{c}.task") for c in info.classes if f"domain.{c}.task" in texts]
    if not tasks:
        return ""
    words = texts("ask.scope_note", domains=texts("ask.scope_note_join").join(tasks))
    return f'<p class="scope-note">{escape(words)}</p>'


def title(key: str, texts: Texts) -> str:
    return f"<h2>{escape(texts(key))}</h2>"


def lead(key: str, texts: Texts) -> str:
    return f'<p class="lead">{escape(texts(key))}</p>'


def label(key: str, texts: Texts) -> str:
    return f'<div class="label">{escape(texts(key))}</div>'


def how_it_works(texts: Texts) -> str:
    """Stands where the answer will be."""
    steps = "".join(f"<li>{escape(texts(f'answer.how.{step}'))}</li>" for step in HOW)
    return f'<div class="how"><h3>{escape(texts("answer.how"))}</h3><ol>{steps}</ol></div>'


def quote(preview: Preview, asked: bool, texts: Texts, queue: Queue | None = None) -> str:
    """The most it can come to, to the last digit, whether that fits now, and who goes first."""
    worst = preview.decision.quote
    key = "quote.at_most" if asked else "quote.from"
    price = texts(key, price=at_most(worst.nanos, worst.currency, texts.locale))
    covers = texts(
        "quote.units" if worst.units.nfe else "quote.units_base",
        words=number(worst.units.decode_tokens, texts),
        passes=passes(worst.units.nfe, texts),
    )
    reasons = [
        reason(r.code, r.values, texts) for r in preview.decision.reasons if r.code != CHOSEN
    ]
    likely = preview.expected if asked else None
    said = [_expected(likely, worst.currency, texts)] if likely else []
    said += [waits(queue, texts)] if queue and queue.waiting else []
    kept = [texts("quote.explain", exact=exact(worst.nanos, worst.currency, texts.locale))]
    first = [] if asked else [texts("quote.empty")]
    return (
        f'<div class="quote"><div class="label">{escape(texts("quote.title"))}</div>'
        f'<div class="value">{money_span(price, worst.nanos, worst.currency, texts)}</div>'
        f"{_lines([*first, *said, *reasons])}"
        f'<details class="quiet"><summary>{escape(texts("quote.more"))}</summary>'
        f"{_lines([*(kept if asked else ()), covers])}</details></div>"
        f"{_does_not_fit(preview, texts)}"
    )


def _lines(said: Sequence[str]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in said)


def waits(queue: Queue, texts: Texts) -> str:
    """How many go first and for how long at most, at the pace of late."""
    return texts(
        "meter.ahead", waiting=number(queue.waiting, texts), time=duration(queue.seconds, texts)
    )


def waiting(queue: Queue, texts: Texts) -> str:
    ahead = f"<p>{escape(waits(queue, texts))}</p>" if queue.waiting else ""
    return f'<div class="meter" role="status">{escape(texts("meter.waiting"))}{ahead}</div>'


def again(importance: Importance, preview: Preview, texts: Texts) -> str:
    """On the button that asks the same with more compute."""
    quoted = preview.decision.quote
    price = at_most(quoted.nanos, quoted.currency, texts.locale)
    key = "again.send_review" if preview.decision.review.approvals else "again.send"
    return texts(key, importance=texts(f"importance.{importance}"), price=price)


def question(text: str) -> str:
    """Over an answer from before, which stands without its form."""
    return f'<p class="asked">{escape(text)}</p>'


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
    refined = (
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
        _gauge(texts("meter.passes"), refined, done.nfe, allowed.nfe),
        _gauge(texts("meter.spent"), money, spent, held.nanos),
        _gauge(texts("meter.words"), words, done.decode_tokens, allowed.decode_tokens),
    )
    state = f'<p class="writing">{escape(texts("meter.writing"))}</p>'
    return f'<div class="meter">{state}{"".join(rows)}</div>'


def answer(text: str, running: bool, texts: Texts, status: str = "") -> str:
    """The words as they are: whatever the model wrote is text, never markup.

    Where there are none it is said why: nothing was written, or it waits for its reviewers.
    """
    key = f"answer.empty.{status}" if f"answer.empty.{status}" in texts else "answer.empty"
    body = escape(text) if text.strip() or running else f"<em>{escape(texts(key))}</em>"
    busy = "true" if running else "false"
    return f'<div class="answer" aria-live="polite" aria-busy="{busy}">{body}</div>'


def thanks(texts: Texts) -> str:
    return notice(texts("rate.thanks"), "info")


def _buys(preview: Preview, asked: bool, texts: Texts) -> str:
    decision = preview.decision
    cap = decision.plan.rung.max_nfe_per_token
    worth = (
        texts("ask.importance_up_to", passes=passes(cap, texts))
        if cap
        else texts("ask.importance_none")
    )
    key = "ask.importance_at_most" if asked else "ask.importance_from"
    price = texts(key, price=at_most(decision.quote.nanos, decision.quote.currency, texts.locale))
    return f"{worth}\n{price}"


def _measured(look: Look, texts: Texts) -> list[str]:
    lines = []
    if takes := look.takes:
        said = (duration(value, texts) for value in (takes.seconds, takes.low, takes.high))
        middle, low, high = said
        lines.append(texts("ask.importance_takes", middle=middle, low=low, high=high))
    if m := look.measured:
        rates = (whole_percent(value, texts) for value in (m.accuracy, m.ci_low, m.ci_high))
        rate, low, high = rates
        lines.append(texts("ask.importance_right", rate=rate, low=low, high=high))
    if look.no_better_than is not None:
        than = texts(f"importance.{look.no_better_than}")
        lines.append(texts("ask.importance_no_gain", importance=than))
    return lines


def _expected(expected: Expected, currency: str, texts: Texts) -> str:
    price = about(expected.nanos, currency, texts.locale)
    return texts("quote.expected", price=price, n=number(expected.n, texts))


def _does_not_fit(preview: Preview, texts: Texts) -> str:
    """Said before sending; the ledger decides again when it is sent."""
    if not preview.ceilings:
        return ""
    tightest = min(preview.ceilings, key=lambda c: c.headroom_nanos)
    if preview.decision.quote.nanos <= tightest.headroom_nanos:
        return ""
    left = at_least(tightest.headroom_nanos, tightest.currency, texts.locale)
    scope = ceiling_name(tightest.scope, tightest.window, tightest.window_start, texts)
    return notice(texts("quote.too_much", left=left, scope=scope))


def _gauge(name: str, words: str, part: int, whole: int) -> str:
    return (
        f'<div class="gauge"><span class="label">{escape(name)}</span>'
        f"<span>{escape(words)}</span>{bar(part, whole, name) if whole else ''}</div>"
    )

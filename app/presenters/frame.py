"""What every page has: the name, the ways to go, the model that answers, the budget left."""

from html import escape

from app.i18n import Texts
from app.money import about, at_least, exact
from app.ports import ModelInfo
from app.presenters.parts import bar, scope_name
from policies.types import Ceiling

PAGES = {"ask": "./", "dashboard": "./dashboard"}
LANGUAGES = {"en": "nav.english", "ja": "nav.japanese"}


def header(
    page: str, info: ModelInfo, ceilings: list[Ceiling], texts: Texts, forced: str | None
) -> str:
    """`forced` is the language the address asks for: links keep it."""
    suffix = f"?lang={forced}" if forced else ""
    links = "".join(
        _link(path + suffix, texts(f"nav.{name}"), name == page) for name, path in PAGES.items()
    )
    switch = "".join(
        f'<a href="{PAGES[page]}?lang={code}" lang="{code}"'
        f"{_current(code == texts.language)}>{escape(texts(key))}</a>"
        for code, key in LANGUAGES.items()
    )
    return (
        '<header><div class="brand">'
        f"<h1>{escape(texts('app.name'))}</h1><p>{escape(texts('app.tagline'))}</p></div>"
        f'<nav class="pages" aria-label="{escape(texts("nav.label"))}">{links}</nav>'
        f'<nav class="languages" aria-label="{escape(texts("nav.language"))}">{switch}</nav>'
        f'<div class="line">{_model(info, texts)}{_budget(ceilings, texts)}</div></header>'
    )


def _link(address: str, name: str, current: bool) -> str:
    return f'<a href="{address}"{_current(current)}>{escape(name)}</a>'


def _current(current: bool) -> str:
    return ' aria-current="page"' if current else ""


def _model(info: ModelInfo, texts: Texts) -> str:
    device = texts("header.device", device=info.device.upper())
    return (
        f'<div class="model"><span class="label">{escape(texts("header.model"))}</span> '
        f"<strong>{escape(info.adapter)}</strong> · {escape(info.base)} · {escape(device)}</div>"
    )


def _budget(ceilings: list[Ceiling], texts: Texts) -> str:
    """Of the whole pilot: the first line anyone who pays wants to see."""
    pilot = next((c for c in ceilings if c.scope == "pilot"), None)
    label = scope_name("pilot", texts)
    if pilot is None:
        return f'<div class="budget">{escape(label)}: {escape(texts("header.no_budget"))}</div>'
    amounts = pilot.headroom_nanos, pilot.currency, texts.locale
    limit = about(pilot.limit_nanos, pilot.currency, texts.locale)
    words = texts("header.budget_left", left=at_least(*amounts), limit=limit)
    return (
        f'<div class="budget" title="{escape(exact(*amounts))}">'
        f'<span class="label">{escape(label)}</span> {escape(words)}'
        f"{bar(pilot.headroom_nanos, pilot.limit_nanos, label)}</div>"
    )

"""What every page has: the name, the ways to go, who one is, the model that answers, the budget."""

from dataclasses import dataclass
from html import escape

from app.i18n import Texts
from app.money import about, at_least, exact
from app.ports import ModelInfo
from app.presenters.parts import bar, empty, scope_name
from policies.roles import MAY, Action, Actor, Role, may
from policies.types import Ceiling

PAGES = {
    "ask": ("./", Action.ASK),
    "compare": ("./compare", Action.ASK),
    "review": ("./review", Action.REVIEW),
    "dashboard": ("./dashboard", Action.VIEW),
    "budgets": ("./budgets", Action.VIEW),
    "policy": ("./policy", Action.VIEW),
    "audit": ("./audit", Action.READ_AUDIT),
    "settings": ("./settings", Action.VIEW),
}
"""Where a page is, and what one must be allowed to do to be shown the way there."""
LANGUAGES = {"en": "nav.english", "ja": "nav.japanese"}


@dataclass(frozen=True, slots=True)
class Session:
    """The person at a browser, and how they may become someone else."""

    actor: Actor
    others: tuple[Actor, ...] = ()
    """Whom they may act as, themselves among them; empty where people sign in."""
    signs_out: bool = False


def masthead(page: str, session: Session, texts: Texts, forced: str | None) -> str:
    """`forced` is the language the address asks for: links keep it."""
    suffix = f"?lang={forced}" if forced else ""
    onward = PAGES[page][0].removeprefix(".") + suffix
    links = "".join(
        _link(address + suffix, texts(f"nav.{name}"), name == page)
        for name, (address, action) in PAGES.items()
        if may(session.actor, action)
    )
    switch = "".join(
        f'<a href="{PAGES[page][0]}?lang={code}" lang="{code}"'
        f"{_current(code == texts.language)}>{escape(texts(key))}</a>"
        for code, key in LANGUAGES.items()
    )
    return (
        f'<header lang="{texts.language}"><div class="brand">'
        f"<h1>{escape(texts('app.name'))}</h1><p>{escape(texts('app.tagline'))}</p></div>"
        f'<div class="aside">{_person(session, onward, texts)}'
        f'<nav class="languages" aria-label="{escape(texts("nav.language"))}">{switch}</nav></div>'
        f'<nav class="pages" aria-label="{escape(texts("nav.label"))}">{links}</nav></header>'
        f"{_closed(page, session, texts)}"
    )


def line(info: ModelInfo, ceilings: list[Ceiling], texts: Texts) -> str:
    """Under the masthead: which model answers, and what is left of the budget."""
    return f'<div class="line">{_model(info, texts)}{_budget(ceilings, texts)}</div>'


def roles(actor: Actor, texts: Texts) -> str:
    """In the order of the roles; someone with all of them is said so."""
    if len(actor.roles) == len(Role):
        return texts("role.all")
    return texts("list.join").join(texts(f"role.{role}") for role in Role if role in actor.roles)


def _person(session: Session, onward: str, texts: Texts) -> str:
    if session.others:
        return _switch(session, onward, texts)
    who = texts("who.as", name=session.actor.user, roles=roles(session.actor, texts))
    leave = _button("./sign-out", "", texts("who.sign_out")) if session.signs_out else ""
    return f'<div class="person"><span>{escape(who)}</span>{leave}</div>'


def _switch(session: Session, onward: str, texts: Texts) -> str:
    """Without accounts everyone may act as each example user; the person acted as counts."""
    options = "".join(
        f'<option value="{escape(other.user)}"{_selected(other.user == session.actor.user)}>'
        f"{escape(texts('who.as', name=other.user, roles=roles(other, texts)))}</option>"
        for other in session.others
    )
    inside = (
        f'<label for="act-as">{escape(texts("who.acting_as"))}</label>'
        f'<select id="act-as" name="user">{options}</select>'
        f'<input type="hidden" name="next" value="{escape(onward)}">'
    )
    return f'<div class="person">{_button("./act-as", inside, texts("who.switch"))}</div>'


def _button(address: str, inside_html: str, name: str) -> str:
    """A form with one button: works with any keyboard, and changes nothing before it is pressed."""
    return (
        f'<form method="post" action="{address}">{inside_html}'
        f'<button class="small">{escape(name)}</button></form>'
    )


def _closed(page: str, session: Session, texts: Texts) -> str:
    """Where this person has nothing to do; the rest of the page stays empty."""
    action = PAGES[page][1]
    if may(session.actor, action):
        return ""
    having = texts("list.join").join(texts(f"role.{r}") for r in Role if action in MAY[r])
    said = empty(texts("who.closed"), texts("who.closed_do", roles=having))
    way = ""
    for name, (address, needs) in PAGES.items():
        if may(session.actor, needs):
            way = _link(address, texts("who.closed_onward", page=texts(f"nav.{name}")), False)
            break
    return f'<div class="closed">{said}<p class="onward">{way}</p></div>'


def _selected(this: bool) -> str:
    return " selected" if this else ""


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

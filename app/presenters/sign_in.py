"""The pages one sees before one is known: signing in, and choosing a password by a one-time link.

Whole documents of their own: nothing of the app is loaded before someone has signed in.
"""

from html import escape

from app.i18n import LOCALES, Texts

LANGUAGES = {"en": "nav.english", "ja": "nav.japanese"}
STYLE = """
:root { color-scheme: light dark; --text: #1e293b; --soft: #475569; --line: #94a3b8;
  --back: #f8fafc; --card: #fff; --main: #1d4ed8; --bad: #b91c1c; }
@media (prefers-color-scheme: dark) { :root { --text: #f1f5f9; --soft: #cbd5e1; --line: #64748b;
  --back: #020617; --card: #0f172a; --main: #2563eb; --bad: #fca5a5; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-content: center; padding: 1rem;
  color: var(--text); background: var(--back); line-height: 1.5; font-family: system-ui,
  "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP", "Noto Sans JP", sans-serif; }
main { width: min(24rem, calc(100vw - 2rem)); padding: 1.5rem; border-radius: .5rem;
  background: var(--card); border: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.25rem; } p { margin: .25rem 0 1rem; color: var(--soft); }
label { display: block; margin: .75rem 0 .25rem; font-weight: 600; }
input { width: 100%; padding: .6rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--line); border-radius: .375rem; }
button { width: 100%; margin-top: 1.25rem; padding: .7rem; font: inherit; font-weight: 600;
  color: #fff; background: var(--main); border: 0; border-radius: .375rem; cursor: pointer; }
.notice { margin: 0 0 .5rem; color: var(--bad); font-weight: 600; }
nav { margin-top: 1.25rem; display: flex; gap: 1rem; } a { color: var(--text); }
a[aria-current] { font-weight: 600; text-decoration: none; }
"""


def sign_in(texts: Texts, notice: str, name: str, onward: str, forced: str | None) -> str:
    """`onward` is the address to go to afterwards, `name` what was typed before."""
    fields = (
        _field("name", texts("sign_in.name"), "text", "username", name)
        + _field("password", texts("sign_in.password"), "password", "current-password")
        + _hidden("next", onward)
    )
    intro = texts("sign_in.intro")
    return _page(texts, texts("sign_in.title"), intro, notice, "sign-in", fields, forced)


def welcome(
    texts: Texts, user: str, link: str, shortest: int, forced: str | None, notice: str
) -> str:
    """For whom a one-time link is good."""
    fields = (
        _hidden("link", link)
        + f'<input type="text" name="name" value="{escape(user)}" autocomplete="username" hidden>'
        + _field("password", texts("welcome.password"), "password", "new-password")
        + _field("again", texts("welcome.again"), "password", "new-password")
    )
    intro = texts("welcome.intro", name=user, shortest=shortest)
    return _page(texts, texts("welcome.title"), intro, notice, "welcome", fields, forced)


def refused(texts: Texts, notice: str, forced: str | None) -> str:
    """Nothing to fill in: what was wrong, and the way to the sign-in page."""
    suffix = f"?lang={forced}" if forced else ""
    link = f'<p><a href="./sign-in{suffix}">{escape(texts("sign_in.title"))}</a></p>'
    return _document(texts, f"{_head(texts, texts('welcome.title'), '', notice)}{link}")


def _page(
    texts: Texts, title: str, intro: str, notice: str, to: str, fields: str, forced: str | None
) -> str:
    suffix = f"?lang={forced}" if forced else ""
    form = (
        f'<form method="post" action="./{to}{suffix}">{fields}'
        f"<button>{escape(title)}</button></form>"
    )
    languages = "" if to != "sign-in" else _languages(texts)
    return _document(texts, f"{_head(texts, title, intro, notice)}{form}{languages}")


def _head(texts: Texts, title: str, intro: str, notice: str) -> str:
    told = f'<p class="notice" role="alert">{escape(notice)}</p>' if notice else ""
    return f"<h1>{escape(texts('app.name'))}: {escape(title)}</h1><p>{escape(intro)}</p>{told}"


def _document(texts: Texts, body: str) -> str:
    return (
        f'<!doctype html><html lang="{texts.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(texts('app.name'))}</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )


def _field(name: str, label: str, kind: str, complete: str, value: str = "") -> str:
    return (
        f'<label for="{name}">{escape(label)}</label><input id="{name}" name="{name}" '
        f'type="{kind}" value="{escape(value)}" autocomplete="{complete}" maxlength="200" required>'
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _languages(texts: Texts) -> str:
    links = "".join(
        f'<a href="?lang={code}" lang="{code}"{_current(code == texts.language)}>'
        f"{escape(texts(key))}</a>"
        for code, key in LANGUAGES.items()
        if code in LOCALES
    )
    return f'<nav aria-label="{escape(texts("nav.language"))}">{links}</nav>'


def _current(current: bool) -> str:
    return ' aria-current="true"' if current else ""

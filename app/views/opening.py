"""What is read while a page opens, and when its server is away or its person signed out elsewhere.

In front of Gradio, whose own page says nothing until everything is there, and says the rest in
English. connection.js notices, and keeps what is typed.
"""

from functools import cache
from html import escape
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.i18n import Texts, choose, texts

PLACE, HEAD = b"<gradio-app", b'<meta charset="utf-8" />'
"""Before the first the notice stands, after the second the title: Gradio adds it with a script."""
LOST = ("lost", "signed_out", "other")
NOTICE = """<style>
#opening {{
  position: fixed; inset: 36vh 16px auto; text-align: center; color: #475569; opacity: 0;
  font: 15px/1.7 system-ui, "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP", sans-serif;
  animation: told 0s .3s forwards;
}}
#opening p {{ margin: 0; }}
#opening .late {{ opacity: 0; animation: told 0s 10s forwards; }}
#connection p {{
  position: fixed; inset: auto 16px 24px; z-index: 100; margin: 0 auto; max-width: 560px;
  padding: 14px 18px;
  border-radius: 10px; border: 1px solid #ecd09b; background: #fdf3e3; color: #6b4206;
  font: 15px/1.6 system-ui, "Hiragino Sans", "Yu Gothic UI", "Noto Sans CJK JP", sans-serif;
}}
#connection a {{ color: inherit; font-weight: 600; }}
.l2d-lost .toast-wrap {{ display: none; }}
@keyframes told {{ to {{ opacity: 1; }} }}
@media (prefers-color-scheme: dark) {{ #opening {{ color: #cbd5e1; }} }}
</style>
<div id="opening" lang="{language}" role="status">
<noscript><p>{script}</p></noscript><p>{now}</p><p class="late">{late}</p>
</div>
<div id="connection" lang="{language}" role="alert">{lost}</div>
<script>{connection}</script>
<script>
{{
  const seen = () => {{
    const title = document.querySelector('main #header h1');
    return title && getComputedStyle(title).visibility === 'visible';
  }};
  const watch = setInterval(() => {{
    if (!seen()) return;
    clearInterval(watch);
    document.getElementById('opening').remove();
    setTimeout(window.l2dPutBack, 1000);  // after what the page itself fills in
  }}, 50);
}}
</script>
"""


def notice(words: Texts) -> str:
    """HTML that is there from the first byte and goes when the page is seen."""
    said = {name: escape(words(f"opening.{name}")) for name in ("now", "late", "script")}
    lost = "".join(_lost(kind, words) for kind in LOST) + _failed(words)
    return NOTICE.format(language=words.language, lost=lost, connection=_connection(), **said)


def _lost(kind: str, words: Texts) -> str:
    """Hidden until connection.js finds that it is so."""
    said = escape(words(f"opening.{kind}"))
    way = escape(words("opening.again"))
    link = "" if kind == "lost" else f' <a href="" onclick="location.reload()">{way}</a>'
    return f'<p data-said="{kind}" hidden>{said}{link}</p>'


def _failed(words: Texts) -> str:
    """For a moment, where a handler failed that waits in no line: Gradio shows nothing then."""
    return f'<p data-said="failed" hidden><b>{escape(words("error.title"))}</b> <span></span></p>'


@cache
def _connection() -> str:
    return Path(__file__).with_name("connection.js").read_text(encoding="utf-8")


class Opening:
    """ASGI middleware: the notice in every page of Gradio's, in the reader's language."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            await self._app(scope, receive, _Page(send, _words(scope)))
        else:
            await self._app(scope, receive, send)


class _Page:
    """Sends on what it is sent; of a page all at once, with the notice in its place."""

    def __init__(self, send: Send, words: Texts) -> None:
        self._send, self._words = send, words
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._whole(self._start)

    async def _whole(self, start: Message) -> None:
        title = f"<title>{escape(self._words('app.name'))}</title>".encode()
        body = self._body.replace(HEAD, HEAD + title, 1)
        body = body.replace(PLACE, notice(self._words).encode() + PLACE, 1)
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_html(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    plain = "content-encoding" not in headers
    return plain and headers.get("content-type", "").startswith("text/html")


def _words(scope: Scope) -> Texts:
    forced = QueryParams(scope["query_string"]).get("lang")
    return texts(choose(forced, Headers(scope=scope).get("accept-language")))

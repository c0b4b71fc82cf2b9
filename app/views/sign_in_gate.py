"""In front of every address: who has not signed in gets the sign-in page or 401, never data.

Gradio guards only some of its own addresses, so nothing is left to it: what is not named as open is
closed, and what the pages have no use for is not there at all.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.guarded import COOKIE, ZONE_HEADER
from app.ports import Preferences
from app.services.accounts import Auth
from app.services.sign_in import SignIn
from app.views.acted import ADDRESS
from app.views.sign_in import OPEN, sign_in_address
from policies.errors import Unauthenticated, Unavailable
from policies.roles import Actor

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes. Questions are short, and no page takes a file."""
API = "/gradio_api/"
NOT_THERE = re.compile(
    r"^(/gradio_api)?/(upload|upload_progress|proxy=|vibe|undo-vibe|process_recording|"
    r"component_server|profiling|monitoring|run-history|runs|deep_link|dev/|login|logout|token)"
)
"""What Gradio offers and no page here needs: uploads, proxying, its own sign-in."""
PATH_SESSION = re.compile(r"^/gradio_api/(?:heartbeat|stream)/([^/]+)")
LOOPBACK = re.compile(r"^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$")
TABS = 20_000
"""Browser tabs remembered; the oldest are forgotten first."""


class Gate:
    """ASGI middleware around all of the app.

    `stop` ends what open pages listen to for as long as they are open: for whoever stops serving.
    """

    def __init__(
        self, app: ASGIApp, service: SignIn, stop: Callable[[], None] = lambda: None
    ) -> None:
        self._app, self._service, self._tabs, self.stop = app, service, Tabs(), stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers, path = Headers(scope=scope), scope["path"]
        send = _hardened(send)
        if refused := self._refused(scope, headers):
            await refused(scope, receive, send)
            return
        if path in OPEN:
            await self._app(scope, receive, send)
            return
        token = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        try:
            visitor = await run_in_threadpool(self._service.visitor, token)
            if token and _by_a_person(scope, headers):
                await run_in_threadpool(self._touch, token)
        except Unauthenticated:
            await _turned_away(scope, headers)(scope, receive, send)
            return
        except Unavailable as err:
            await _error(503, str(err))(scope, receive, send)
            return
        if path == ADDRESS:
            await Response(status_code=204)(scope, receive, send)
            return
        body = b""
        if scope["method"] == "POST":
            body = await _read(receive)
            if len(body) > LARGEST_BODY:
                await _error(413, "too large")(scope, receive, send)
                return
            receive = _replayed(body, receive)
        if not self._theirs(visitor.actor, scope, body):
            await _error(403, "this tab belongs to someone else; load the page again")(
                scope, receive, send
            )
            return
        scope = _preferred(scope, visitor.preferences)
        if scope["method"] == "HEAD" and not path.startswith(API):
            scope, send = {**scope, "method": "GET"}, _headers_of(send)
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> Response | None:
        """Before anything is looked up."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._service.auth is Auth.OFF and not LOOPBACK.match(host):
            # A page elsewhere whose name was pointed at this machine would read everything.
            return _error(403, "without sign-in this answers to localhost only")
        changes = scope["method"] not in ("GET", "HEAD")
        if changes and origin and origin.partition("://")[2] != host:
            return _error(403, "this came from another site")
        if NOT_THERE.match(scope["path"]):
            return _error(404, "not found")
        return None

    def _touch(self, token: str) -> None:
        try:
            self._service.touch(token)
        except Unavailable:
            return  # a busy database now: the next click tries again

    def _theirs(self, actor: Actor, scope: Scope, body: bytes) -> bool:
        """Whether all tabs that a request names are this person's."""
        if self._service.auth is Auth.OFF or not scope["path"].startswith(API):
            return True
        return all(self._tabs.owner(tab, actor.user) == actor.user for tab in _tabs(scope, body))


class Tabs:
    """Whose browser tab is whose: Gradio keeps a tab's state and results by a name it chose.

    The first who uses a name owns it, so knowing someone's tab opens nothing.
    """

    def __init__(self) -> None:
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def owner(self, tab: str, user: str) -> str:
        with self._lock:
            owner = self._owners.setdefault(tab, user)
            self._owners.move_to_end(tab)
            while len(self._owners) > TABS:
                self._owners.popitem(last=False)
            return owner


def _tabs(scope: Scope, body: bytes) -> list[str]:
    """Every tab that a request names: in its path, its query and its body."""
    named = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [])
    if found := PATH_SESSION.match(scope["path"]):
        named.append(found[1])
    try:
        given = json.loads(body) if body else None
    except (ValueError, RecursionError):
        given = None  # the app refuses it
    if isinstance(given, dict) and given.get("session_hash") is not None:
        named.append(str(given["session_hash"]))
    return named


def _preferred(scope: Scope, chosen: Preferences) -> Scope:
    """The request as if the browser wished for what its person chose on the Settings page."""
    given = dict(scope)
    headers = MutableHeaders(scope=given)
    del headers[ZONE_HEADER]
    if chosen.language:
        headers["accept-language"] = chosen.language
    if chosen.time_zone:
        headers[ZONE_HEADER] = chosen.time_zone
    return given


def _by_a_person(scope: Scope, headers: Headers) -> bool:
    """Opening a page, and what it says of keys and clicks. All else it may do by itself."""
    return _is_page(scope, headers) or (scope["method"], scope["path"]) == ("POST", ADDRESS)


def _is_page(scope: Scope, headers: Headers) -> bool:
    is_read = scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", "")
    return is_read and not scope["path"].startswith(API)


def _turned_away(scope: Scope, headers: Headers) -> Response:
    """A person is shown the way; a program is told."""
    if _is_page(scope, headers):
        query = scope["query_string"].decode("latin-1")
        onward = scope["path"] + (f"?{query}" if query else "")
        return RedirectResponse(sign_in_address(onward), 303, {"Cache-Control": "no-store"})
    return _error(401, "sign in first")


def _error(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status, {"Cache-Control": "no-store"})


async def _read(receive: Receive) -> bytes:
    """All of a body, or one byte too many of one that is too large."""
    body = b""
    while len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes: a disconnect."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _headers_of(send: Send) -> Send:
    """What GET answers, without its body: Gradio answers to HEAD on its first page alone."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sent


def _hardened(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        await send(message)

    return sent

"""Signing in and out by plain forms, and acting as someone where nobody signs in."""

from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from app.guarded import COOKIE, explain
from app.i18n import Texts, choose, texts
from app.ports import Client
from app.presenters import sign_in as show
from app.services.clients import client
from app.services.passwords import SHORTEST
from app.services.sign_in import SignIn
from policies.errors import InvalidInput, PilotError, Unauthenticated

SEALED = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    # The address of a one-time link is its secret. Stricter, and a form would come from "null".
    "Referrer-Policy": "same-origin",
}
SIGN_IN, WELCOME, SIGN_OUT, ACT_AS = "/sign-in", "/welcome", "/sign-out", "/act-as"
OPEN = frozenset({SIGN_IN, WELCOME})
"""Addresses that need no session."""


def add(app: FastAPI, service: SignIn) -> None:
    """The addresses above."""

    @app.get(SIGN_IN)
    def form(request: Request) -> Response:
        page = show.sign_in(_words(request), "", "", _onward(request), _forced(request))
        return HTMLResponse(page, headers=SEALED)

    @app.post(SIGN_IN)
    async def enter(request: Request) -> Response:
        given = await _form(request)
        words, onward = _words(request), _safe(given.get("next", ""))
        try:
            name, password = given.get("name", ""), given.get("password", "")
            token = await run_in_threadpool(service.sign_in, name, password, _client(request))
        except PilotError as err:
            page = show.sign_in(words, explain(err, words), name, onward, _forced(request))
            status = 401 if isinstance(err, Unauthenticated) else 503
            return HTMLResponse(page, status, headers=SEALED)
        return _entered(request, service, token, onward)

    @app.get(WELCOME)
    def invited(request: Request) -> Response:
        words, link = _words(request), request.query_params.get("link", "")
        try:
            user = service.invited(link)
        except PilotError as err:
            page = show.refused(words, explain(err, words), _forced(request))
            return HTMLResponse(page, 403, headers=SEALED)
        page = show.welcome(words, user, link, SHORTEST, _forced(request), "")
        return HTMLResponse(page, headers=SEALED)

    @app.post(WELCOME)
    async def chosen(request: Request) -> Response:
        given = await _form(request)
        words, link = _words(request), given.get("link", "")
        try:
            user = await run_in_threadpool(service.invited, link)
            if given.get("password", "") != given.get("again", ""):
                raise InvalidInput("the two passwords differ", "password_again")
            password = given.get("password", "")
            token = await run_in_threadpool(
                service.choose_password, link, password, _client(request)
            )
        except InvalidInput as err:
            told = explain(err, words)
            page = show.welcome(words, user, link, SHORTEST, _forced(request), told)
            return HTMLResponse(page, 422, headers=SEALED)
        except PilotError as err:
            page = show.refused(words, explain(err, words), _forced(request))
            return HTMLResponse(page, 403, headers=SEALED)
        return _entered(request, service, token, "/")

    @app.post(SIGN_OUT)
    def leave(request: Request) -> Response:
        if token := request.cookies.get(COOKIE):
            service.sign_out(token)
        gone = RedirectResponse(SIGN_IN, 303)
        gone.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return gone

    @app.post(ACT_AS)
    async def act(request: Request) -> Response:
        """Only where nobody signs in; the service refuses it elsewhere."""
        given, words = await _form(request), _words(request)
        try:
            token = await run_in_threadpool(
                service.act_as, request.cookies.get(COOKIE), given.get("user", "")
            )
        except PilotError as err:
            return HTMLResponse(explain(err, words), 403, headers=SEALED)
        return _entered(request, service, token, _safe(given.get("next", "")))


def sign_in_address(onward: str) -> str:
    return SIGN_IN if onward in ("", "/") else f"{SIGN_IN}?next={quote(onward)}"


def _entered(request: Request, service: SignIn, token: str, onward: str) -> Response:
    """The cookie reaches no script and no other site's requests; over TLS nothing else either."""
    response = RedirectResponse(onward, 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(service.lengths.absolute.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


def _client(request: Request) -> Client:
    """The address is that of the peer, or what a proxy says that the server trusts."""
    address = request.client.host if request.client else ""
    return client(request.headers.get("user-agent", ""), address)


async def _form(request: Request) -> dict[str, str]:
    """First values of a plain form; a file in it is nothing."""
    async with request.form(max_files=1, max_fields=10) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _onward(request: Request) -> str:
    return _safe(request.query_params.get("next", ""))


def _safe(onward: str) -> str:
    """An address of this server; anything that a browser might read as another one is not."""
    plain = onward.startswith("/") and onward.isprintable() and "\\" not in onward
    return onward if plain and not onward.startswith("//") else "/"


def _forced(request: Request) -> str | None:
    asked = request.query_params.get("lang")
    return asked if asked in ("en", "ja") else None


def _words(request: Request) -> Texts:
    return texts(choose(_forced(request), request.headers.get("accept-language")))

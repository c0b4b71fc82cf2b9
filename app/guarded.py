"""The seam to Gradio: the language of a request, what an error becomes, event options by name."""

import logging
from collections.abc import Callable, Iterator
from datetime import tzinfo
from functools import wraps
from html import escape
from typing import Any, Final, ParamSpec, TypeVar

import gradio as gr
from starlette.requests import cookie_parser

from app.i18n import Texts, choose, texts
from app.presenters.errors import error_text
from app.presenters.parts import zone
from policies.errors import PilotError

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)

COOKIE: Final = "l2d_session"
ZONE_HEADER: Final = "x-l2d-time-zone"
"""Which time zone a person chose; the gate says so, and takes it from nobody else."""
QUIET: Final[dict[str, Any]] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "queue": False,
}
"""For what only the page itself calls, and what must not wait behind the model."""
MODEL_QUEUE: Final[dict[str, Any]] = {
    "show_progress": "hidden",
    "api_visibility": "public",
    "concurrency_id": "model",
    "concurrency_limit": 32,
}
"""For what runs the model, which takes many questions at once and orders those that wait itself."""


def token_of(request: gr.Request | None) -> str | None:
    """What a browser carries instead of a name; accounts know whose it is."""
    sent = request.headers.get("cookie", "") if request else ""
    return cookie_parser(sent).get(COOKIE)


def forced_language(request: gr.Request | None) -> str | None:
    """Of `?lang=`."""
    asked = request and dict(request.query_params).get("lang")
    return str(asked) if asked else None


def words(request: gr.Request | None) -> Texts:
    accept = request.headers.get("accept-language") if request else None
    return texts(choose(forced_language(request), accept))


def zone_of(browsers: str, request: gr.Request) -> tzinfo:
    """The time zone that the reader chose, else the one of their browser."""
    return zone(request.headers.get(ZONE_HEADER) or browsers)


def explain(err: Exception, said_in: Texts) -> str:
    """What to tell the reader; what is no PilotError is a bug, and loud in the log."""
    if not isinstance(err, PilotError):
        log.error("unexpected error in a page", exc_info=err)
    return error_text(err, said_in)


def guarded(handler: Callable[P, T]) -> Callable[P, T]:
    """A handler whose errors reach the reader in their words, never as a traceback."""

    @wraps(handler)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return handler(*args, **kwargs)
        except Exception as err:
            raise _shown(err, args) from err

    return run


def guarded_stream(handler: Callable[P, Iterator[T]]) -> Callable[P, Iterator[T]]:
    """The same for a generator; closing it closes the handler's own."""

    @wraps(handler)
    def run(*args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        try:
            yield from handler(*args, **kwargs)
        except Exception as err:
            raise _shown(err, args) from err

    return run


def _shown(err: Exception, args: tuple[Any, ...]) -> gr.Error:
    """Gradio renders a message as HTML."""
    if isinstance(err, gr.Error):
        return err
    said_in = words(next((a for a in args if isinstance(a, gr.Request)), None))
    message = escape(explain(err, said_in), quote=False)
    return gr.Error(message, title=said_in("error.title"), print_exception=False)

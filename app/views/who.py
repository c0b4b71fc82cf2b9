"""Who a page speaks for. Views ask here and nowhere else; accounts know the answer."""

from collections.abc import Callable

import gradio as gr

from app.guarded import token_of
from app.presenters.frame import Session
from app.services.accounts import Auth
from app.services.sign_in import SignIn

Sessions = Callable[[gr.Request], Session]
"""Raises Unauthenticated for whom nobody vouches."""


def of_accounts(service: SignIn) -> Sessions:
    """By the cookie that a browser carries; roles are looked up with every call."""

    def session(request: gr.Request) -> Session:
        actor = service.actor(token_of(request))
        return Session(actor, service.others(), signs_out=service.auth is Auth.LOCAL)

    return session

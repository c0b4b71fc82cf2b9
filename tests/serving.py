"""The whole application on a real port, with accounts or without."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from argon2 import PasswordHasher
from starlette.types import ASGIApp

from app.ports import Clock, OpenUnitOfWork
from app.services.accounts import Auth, People
from app.services.passwords import Passwords
from app.services.sign_in import Lengths, SignIn

QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""As right as the others, and fast."""
PASSWORD = "eight pens and a lamp"


def people(uow: OpenUnitOfWork, clock: Clock, auth: Auth = Auth.LOCAL) -> People:
    return People(uow, uow, clock, auth)


def sign_in(
    uow: OpenUnitOfWork,
    clock: Clock,
    auth: Auth = Auth.LOCAL,
    lengths: Lengths = Lengths(),  # noqa: B008
) -> SignIn:
    return SignIn(uow, uow, clock, auth, QUICK, lengths)


@contextmanager
def served(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """The address of a running server; 0 takes any free port."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)

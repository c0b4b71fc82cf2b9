"""What can be typed after `ledger` and `budget`. What it does is in app.commands.ledger."""

from typing import TYPE_CHECKING

from app.arguments import as_json, command, group, person
from policies.types import Window

if TYPE_CHECKING:
    from app.arguments import Commands


def add(commands: "Commands") -> None:
    ledger = group(commands, "ledger", "the ledger")
    verify = command(ledger, "verify", "check every invariant", "ledger:verify")
    verify.add_argument(
        "--head", default="", metavar="NUMBER:HASH", help="also that this earlier head is in it"
    )
    command(ledger, "rebuild", "write the rollups anew from the entries", "ledger:rebuild")
    for name, help_ in (
        ("refund", "give back part of what an answer cost"),
        ("correct", "charge more for an answer, where every ceiling has room"),
    ):
        booking = command(ledger, name, help_, f"ledger:{name}")
        booking.add_argument("answer", help="id of the answer")
        booking.add_argument("amount", help="in the pilot's currency, as 0.0005")
        person(booking, "books it")
        booking.add_argument("--reason", required=True)
        booking.add_argument("--key", required=True, help="the same key never books twice")

    budget = group(commands, "budget", "ceilings and raises")
    as_json(command(budget, "show", "ceilings, raises and alerts", "ledger:show"))
    limit = command(budget, "limit", "set a limit over the whole pilot by hand", "ledger:limit")
    limit.add_argument("scope", help="pilot, team:NAME, user:NAME or importance:NAME")
    limit.add_argument("amount", help="in the pilot's currency, as 20.00")
    person(limit, "sets it")
    ask = command(budget, "ask", "ask for a raise; another person decides", "ledger:ask")
    ask.add_argument("scope", help="pilot, team:NAME, user:NAME or importance:NAME")
    ask.add_argument("window", choices=[w for w in Window if w is not Window.REQUEST])
    ask.add_argument("amount", help="in the pilot's currency, as 2.50")
    person(ask, "asks")
    ask.add_argument("--reason", required=True)
    ask.add_argument("--days", type=int, default=7, help="until it expires")
    for name in ("grant", "decline"):
        decide = command(budget, name, f"{name} a raise that another asked for", f"ledger:{name}")
        decide.add_argument("raise_id", metavar="ID")
        person(decide, "decides; never the one who asked")

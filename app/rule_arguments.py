"""`policy ...` and `price ...` as they are typed."""

from app.arguments import Commands, as_json, command, group, person


def add(commands: Commands) -> None:
    policy = group(commands, "policy", "what importance buys")
    show = command(policy, "show", "the policy in force, or another version", "rules:show")
    show.add_argument("version", nargs="?", default="", help="a version of the history")
    show.add_argument("--source", action="store_true", help="as its author wrote it")
    person(show, "reads it")
    as_json(show)
    validate = command(policy, "validate", "list the faults of a file", "rules:validate")
    validate.add_argument("file")
    as_json(validate)
    propose = command(policy, "propose", "keep a file as a draft", "rules:propose")
    propose.add_argument("file")
    propose.add_argument("--note", default="", help="what changes, and why")
    person(propose, "proposes it")
    as_json(propose)
    for name, help_, does in (
        ("approve", "by someone other than its author", "approves it"),
        ("activate", "put an approved version in force", "activates it"),
    ):
        step = command(policy, name, help_, f"rules:{name}")
        step.add_argument("version")
        if name == "activate":
            step.add_argument("--note", default="", help="why now")
        person(step, does)
        as_json(step)
    back = command(policy, "rollback", "back to the version before", "rules:rollback")
    back.add_argument("--to", default="", help="another version that was in force once")
    back.add_argument("--note", default="", help="why")
    person(back, "rolls back")
    as_json(back)
    history = command(policy, "history", "every version and what became of it", "rules:history")
    person(history, "reads it")
    as_json(history)
    diff = command(policy, "diff", "what two policies say differently", "rules:diff")
    diff.add_argument("before", help="a version or a file")
    diff.add_argument("after", nargs="?", default="", help="the same; the policy in force if left")
    person(diff, "compares")
    as_json(diff)
    simulate = command(policy, "simulate", "replay a draft over logged queries", "simulating:main")
    simulate.add_argument("file")
    simulate.add_argument("--since", default="", help="first day, as 2026-11-01")
    simulate.add_argument("--until", default="", help="last day, included")
    person(simulate, "replays")
    as_json(simulate)

    price = group(commands, "price", "prices")
    as_json(command(price, "show", "the price lists and which is in force", "pricing:show"))
    measure = command(
        price, "calibrate", "measure what a unit takes on this machine", "pricing:calibrate"
    )
    measure.add_argument("--repeats", type=int, default=5, help="of each run; the median counts")
    measure.add_argument("--tokens", type=int, default=24, help="tokens of each run, at most")
    measure.add_argument("--version", default="", help="name of the new list")
    measure.add_argument("--valid-from", default="", help="a day or instant; now if left out")
    measure.add_argument("--out", default="", help="also add the list to this price file")
    person(measure, "measures")
    as_json(measure)
    match = command(
        price, "reconcile", "list prices beside metered cost, with idle time", "pricing:reconcile"
    )
    match.add_argument("--since", default="", help="first day; the first answer if left out")
    match.add_argument("--until", default="", help="last day, included")
    as_json(match)

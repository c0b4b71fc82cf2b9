"""What can be typed after `review`. What it does is in app.commands.reviews."""

from typing import TYPE_CHECKING

from app.arguments import as_json, command, group, person
from policies.review import ItemState
from policies.types import Importance

if TYPE_CHECKING:
    from app.arguments import Commands

VERDICTS = (
    ("approve", "let the answer out as it is"),
    ("correct", "let it out in other words; the original is kept"),
    ("reject", "keep it back"),
)


def add(commands: "Commands") -> None:
    review = group(commands, "review", "answers that wait for people")
    queue = command(review, "list", "the queue, what matters most first", "reviews:queue")
    queue.add_argument("--importance", choices=list(Importance))
    queue.add_argument("--state", choices=list(ItemState), default=ItemState.WAITING)
    person(queue, "reviews")
    as_json(queue)
    for name, help_, does in (
        ("show", "everything that a reviewer judges by", "reviews"),
        ("claim", "take an answer for two minutes; deciding claims by itself", "reviews"),
        ("release", "give a claimed answer back", "reviews"),
        ("take-over", "end another's claim", "takes over; an admin"),
        ("status", "where one's own answer stands", "asked"),
    ):
        one = command(review, name, help_, f"reviews:{name.replace('-', '_')}")
        one.add_argument("answer", help="id of the answer")
        person(one, does)
        as_json(one)
    for name, help_ in VERDICTS:
        verdict = command(review, name, help_, f"reviews:{name}")
        verdict.add_argument("answer", help="id of the answer")
        if name == "correct":
            verdict.add_argument("text", help="the words to let out")
        verdict.add_argument("--reason", required=name == "reject", default="")
        person(verdict, "decides; never who asked")
        as_json(verdict)
    for name, help_, does in (
        ("ask", "ask the requester something", "reviews"),
        ("reply", "answer what a reviewer asked", "asked the question"),
        ("skip", "leave it to another reviewer, with a reason", "reviews"),
    ):
        said = command(review, name, help_, f"reviews:{name}")
        said.add_argument("answer", help="id of the answer")
        said.add_argument("text")
        person(said, does)
        as_json(said)
    figures = command(
        review, "figures", "quality by rung, missed harm, what is called important",
        "reviews:figures",
    )  # fmt: skip
    person(figures, "looks at them")
    as_json(figures)

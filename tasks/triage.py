"""Business tasks that end in a label: classify, route, apply a stated rule."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from random import Random

from evaluation.scoring import LABEL_SETS
from tasks.draws import word_problem
from tasks.messages import CLOSERS, MAILS, OPENERS, TICKETS
from tasks.types import Draw, Kind
from tasks.vocab import CITIES, ITEMS, NAMES

TICKET_LABELS, MAIL_LABELS = LABEL_SETS[0], LABEL_SETS[1]


def message(messages: Mapping[str, tuple[str, ...]], labels: tuple[str, ...], rng: Random) -> Draw:
    """A customer writes about one of the labels, with or without a greeting and a close."""
    label = rng.choice(labels)
    text = rng.choice(OPENERS) + rng.choice(messages[label]) + rng.choice(CLOSERS)
    words = {
        "who": rng.choice(NAMES),
        "item": rng.choice(ITEMS),
        "city": rng.choice(CITIES),
        "n": str(rng.randint(20, 999)),
    }
    listed = ", ".join(labels[:-1]) + f" or {labels[-1]}"
    return Draw({"text": text.format(**words), "labels": listed}, label)


def _compare(rng: Random, above: str, below: str) -> Draw:
    """A value on either side of a limit, never on it."""
    limit = rng.choice((10, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 250, 300, 400, 500))
    gap = rng.randint(1, max(2, limit * 6 // 10))
    value = limit + (gap if rng.random() < 0.5 else -gap)
    sign, answer = (">", above) if value > limit else ("<", below)
    fields = {"limit": limit, "value": value}
    drawn = word_problem(rng, 0, (f"{value} {sign} {limit}",), **fields)
    return Draw(drawn.fields, answer, drawn.steps)


def _approval_total(rng: Random) -> Draw:
    n, price = rng.randint(2, 12), rng.randint(11, 60)
    total = n * price
    limit = rng.choice([k for k in range(50, 800, 50) if k != total and abs(k - total) < 200])
    sign, answer = (">", "yes") if total > limit else ("<", "no")
    steps = (f"{n} x {price} = {total}", f"{total} {sign} {limit}")
    drawn = word_problem(rng, 0, steps, n=n, price=price, limit=limit)
    return Draw(drawn.fields, answer, drawn.steps)


TRIAGE: tuple[Kind, ...] = (
    Kind(
        "business",
        "ticket",
        "label",
        partial(message, TICKETS["train"], TICKET_LABELS),
        train=(
            "Classify this ticket as {labels}.\n{text}",
            "Ticket: {text}\nWhich label fits: {labels}?",
            "{text}\nIs this {labels}?",
            "Choose {labels} for this support ticket: {text}",
            "Support request: {text}\nTopic ({labels})?",
            "Label the message with {labels}: {text}",
            "Message: {text}\nPick one category: {labels}.",
            "What is this ticket about, {labels}?\n{text}",
        ),
        heldout=(
            'A customer writes: "{text}" Which queue is right: {labels}?',
            "Please sort this request into {labels}: {text}",
            "Possible topics are {labels}. Which topic has this note?\n{text}",
        ),
        draw_heldout=partial(message, TICKETS["heldout"], TICKET_LABELS),
    ),
    Kind(
        "business",
        "route",
        "label",
        partial(message, MAILS["train"], MAIL_LABELS),
        train=(
            "Which department gets this e-mail: {labels}?\n{text}",
            "E-mail: {text}\nRoute it to {labels}.",
            "Route this e-mail to {labels}: {text}",
            "{text}\nWho should answer, {labels}?",
            "Send this mail to {labels}. Mail: {text}",
            "Departments: {labels}. E-mail: {text}\nWhich department?",
            "Mail: {text}\nDepartment ({labels})?",
            "Forward to {labels}: {text}",
        ),
        heldout=(
            'The inbox has: "{text}" Who is responsible: {labels}?',
            "Please assign this letter to {labels}: {text}",
            "Our teams are {labels}. Which team handles this?\n{text}",
        ),
        draw_heldout=partial(message, MAILS["heldout"], MAIL_LABELS),
    ),
    Kind(
        "business",
        "priority",
        "label",
        partial(_compare, above="urgent", below="normal"),
        train=(
            "A ticket is urgent if more than {limit} users are affected, else normal. "
            "{value} users are affected. Urgent or normal?",
            "Rule: over {limit} failed orders is urgent, otherwise normal. "
            "There are {value} failed orders. Which is it?",
            "Urgent means more than {limit} open calls; else normal. "
            "{client} has {value} open calls. What is the priority?",
            "If a delay is above {limit} minutes it is urgent, else normal. The delay is {value}. "
            "Urgent or normal?",
            "Mark as urgent when over {limit} {item} are missing, else normal. "
            "{value} are missing.",
            "Claims above {limit} are urgent, others normal. The claim of {who} is {value}. "
            "Give the priority.",
            "Priority is urgent above {limit} errors, otherwise normal. We see {value} errors. "
            "Which priority?",
            "More than {limit} waiting: urgent. Else: normal. Now {value} are waiting.",
        ),
        heldout=(
            "We treat a case as urgent once over {limit} {item} are damaged, else as normal. "
            "{client} reports {value} damaged. Is it urgent or normal?",
            "{value} people cannot work. Above {limit} people a case is urgent, "
            "otherwise it is normal. What is this case?",
            "An outage beyond {limit} minutes counts as urgent, anything less as normal. "
            "This one took {value} minutes. Urgent or normal?",
        ),
    ),
    Kind(
        "business",
        "approval",
        "label",
        partial(_compare, above="yes", below="no"),
        train=(
            "Orders over {limit} need approval. The order is {value}. Does it need approval?",
            "Rule: expenses above {limit} must be signed. {who} claims {value}. "
            "Is a signature needed?",
            "Purchases of more than {limit} go to finance. This one costs {value}. "
            "Does it go there?",
            "Delivery is free over {limit}. {who} orders for {value}. Is delivery free?",
            "A discount is given above {limit} {item}. {client} buys {value}. Is there a discount?",
            "The budget limit is {limit}. The plan costs {value}. Is it over the limit?",
            "Invoices above {limit} need two signatures. This invoice is {value}. Two signatures?",
            "A fee is due after more than {limit} days. {client} paid after {value} days. "
            "Is a fee due?",
        ),
        heldout=(
            "Our policy asks for approval beyond {limit}. {who} wants to spend {value}. "
            "Must it be approved, yes or no?",
            "{client} placed an order worth {value}. "
            "Everything over {limit} is checked by a manager. Is this order checked?",
            "Trips that cost more than {limit} require a form. The trip of {who} costs {value}. "
            "Is the form required?",
        ),
    ),
    Kind(
        "business",
        "reorder",
        "label",
        partial(_compare, above="no", below="yes"),
        train=(
            "Reorder when stock is below {limit}. Stock is {value}. Reorder?",
            "We buy new {item} if fewer than {limit} are left. There are {value}. Do we buy?",
            "Rule: under {limit} {item}, order more. We have {value} {item}. Should we order more?",
            "If the balance is less than {limit}, warn {who}. It is {value}. Warn?",
            "An order below {limit} pays shipping. {who} orders for {value}. Is shipping paid?",
            "Scores under {limit} fail. {who} has {value}. Does {who} fail?",
            "A supplier below {limit} points is dropped. {client} has {value} points. "
            "Is it dropped?",
            "The minimum is {limit} {item}. {client} wants {value}. Is that under the minimum?",
        ),
        heldout=(
            "New {item} are ordered as soon as less than {limit} remain. "
            "The count today is {value}. Must {item} be ordered, yes or no?",
            "{value} {item} are in the store. Below {limit} an alarm is sent. Is the alarm sent?",
            "Does {client} pay the small order fee for {value}, "
            "if the fee applies to orders under {limit}?",
        ),
    ),
    Kind(
        "business",
        "approval_total",
        "label",
        _approval_total,
        train=(
            "Orders over {limit} need approval. {who} orders {n} {item} at {price} each. "
            "Is approval needed?",
            "{n} {item} cost {price} each. The budget is {limit}. Is it over budget?",
            "Totals above {limit} are checked. {client} buys {n} {item} for {price} each. "
            "Is it checked?",
            "Delivery is free over {limit}. {who} buys {n} {item} at {price}. Is delivery free?",
            "Rule: more than {limit} needs a signature. The order: {n} x {price}. "
            "Is a signature needed?",
            "{who} works {n} hours at {price}. Bills over {limit} go to finance. "
            "Does this bill go there?",
            "Is {n} {item} at {price} each more than {limit}?",
            "The limit is {limit}. {client} orders {n} {pack} at {price} each. "
            "Is it over the limit?",
        ),
        heldout=(
            "{client} asks for {n} {item}, each {price}. "
            "A manager approves whatever exceeds {limit}. Is the manager needed, yes or no?",
            "Does a purchase of {n} {pack} for {price} apiece go beyond a limit of {limit}?",
            "{who} has a limit of {limit} and wants {n} {item} that cost {price} each. "
            "Is the limit exceeded?",
        ),
    ),
)

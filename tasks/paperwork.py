"""Business tasks on papers: invoices, quotes, due dates, status lines."""

from __future__ import annotations

from functools import partial
from random import Random

from tasks.arithmetic import running_total
from tasks.draws import contest, people
from tasks.types import Draw, Kind
from tasks.vocab import CITIES, CLIENTS, ITEMS, NAMES, STATUSES, SUFFIXES

INVOICES = {
    "train": (
        "Invoice {number} for {customer}. Total {total}. Due {due}.",
        "Invoice {number}, customer {customer}, dated {dated}, due {due}, total {total}.",
        "To {customer}: invoice {number}, {total} to pay by {due}.",
        "{customer} owes {total} for invoice {number}, due on {due}.",
        "Bill to: {customer}. Number: {number}. Date: {dated}. Total: {total}. Due date: {due}.",
        "No. {number} | {customer} | net {net} | total {total} | due {due}",
    ),
    "heldout": (
        "Dear {customer}, invoice {number} of {dated} comes to a total of {total}, due {due}.",
        "INVOICE {number} - client: {customer} - subtotal: {net} - total: "
        "{total} - payable by {due}",
        "We billed {customer} on {dated}. The invoice has number {number}, its total is {total}, "
        "and it is due {due}.",
    ),
}
ASKED = {
    "total": "total",
    "invoice number": "number",
    "due date": "due",
    "customer": "customer",
}
STATUS_FORMS = (
    "Order {order}: {status} ({city})",
    "{city} | {order} | {status}",
    "{status} - order {order} - {city}",
    "[{order}] {status}, {city}",
    "{order}/{city}/{status}",
)


def _invoice_field(forms: tuple[str, ...], rng: Random) -> Draw:
    year, month, day = rng.randint(2022, 2030), rng.randint(1, 11), rng.randint(1, 28)
    total = rng.randint(40, 990)
    values = {
        "number": f"{rng.choice(('INV', 'RE', 'A', 'B', 'X'))}-{rng.randint(100, 9999)}",
        "customer": f"{rng.choice(CLIENTS)} {rng.choice(SUFFIXES)}",
        "total": str(total),
        "net": str(total - rng.randint(3, 30)),
        "dated": f"{year}-{month:02d}-{day:02d}",
        "due": f"{year}-{month + 1:02d}-{rng.randint(1, 28):02d}",
    }
    asked = rng.choice(list(ASKED))
    text = rng.choice(forms).format(**values)
    return Draw({"text": text, "asked": asked}, values[ASKED[asked]])


def _lines_sum(rng: Random) -> Draw:
    items = rng.sample(ITEMS, rng.choice((2, 3, 3)))
    amounts = [rng.randint(8, 150) for _ in items]
    steps, total = running_total(amounts)
    lines = ", ".join(f"{item} {amount}" for item, amount in zip(items, amounts, strict=True))
    return Draw(people(rng) | {"lines": lines}, str(total), steps)


def _lines_quantity(rng: Random) -> Draw:
    item, item2 = rng.sample(ITEMS, 2)
    n, price, n2, price2 = (rng.randint(2, top) for top in (9, 40, 9, 40))
    first, second = n * price, n2 * price2
    steps = (
        f"{n} x {price} = {first}",
        f"{n2} x {price2} = {second}",
        f"{first} + {second} = {first + second}",
    )
    lines = f"{n} {item} at {price} each and {n2} {item2} at {price2} each"
    return Draw(people(rng) | {"lines": lines}, str(first + second), steps)


def _status_line(rng: Random) -> Draw:
    values = {
        "order": str(rng.randint(100, 9999)),
        "status": rng.choice(STATUSES),
        "city": rng.choice(CITIES),
    }
    form = rng.choice(STATUS_FORMS)
    shown = form.format(order="ORDER", status="STATUS", city="CITY")
    return Draw(values | {"form": shown}, form.format(**values))


def _due_date(rng: Random) -> Draw:
    start, days = rng.randint(1, 14), rng.randint(3, 14)
    month = f"{rng.randint(2020, 2032)}-{rng.randint(1, 12):02d}"
    steps = (f"{start} + {days} = {start + days}",)
    fields = people(rng) | {"date": f"{month}-{start:02d}", "days": str(days)}
    return Draw(fields, f"{month}-{start + days:02d}", steps)


def _best_quote(rng: Random) -> Draw:
    names = rng.sample(CLIENTS, rng.randint(3, 4))
    prices = rng.sample(range(20, 990), len(names))
    word, pick = rng.choice((("lowest", min), ("highest", max)))
    best = pick(prices)
    quoted = {price: f"{name} {price}" for name, price in zip(names, prices, strict=True)}
    steps = contest(prices, pick, word, quoted.__getitem__)
    fields = {
        "quotes": ", ".join(quoted.values()),
        "word": word,
        "who": rng.choice(NAMES),
        "item": rng.choice(ITEMS),
    }
    return Draw(fields, names[prices.index(best)], steps)


PAPERWORK: tuple[Kind, ...] = (
    Kind(
        "business",
        "invoice_field",
        "text",
        partial(_invoice_field, INVOICES["train"]),
        train=(
            "{text}\nWhat is the {asked}?",
            "What is the {asked}? {text}",
            "Extract the {asked}: {text}",
            "Read this invoice and give the {asked}. {text}",
            "Find the {asked} in this text: {text}",
            "{text}\nGive the {asked}.",
            "From the invoice, return the {asked}: {text}",
            "{text}\nWhich {asked} is stated?",
        ),
        heldout=(
            "{text}\nPlease tell me the {asked}.",
            "I need the {asked} of this document. {text}",
            "A supplier sent this: {text} What {asked} does it name?",
        ),
        draw_heldout=partial(_invoice_field, INVOICES["heldout"]),
    ),
    Kind(
        "business",
        "lines_sum",
        "number",
        _lines_sum,
        train=(
            "Invoice lines: {lines}. What is the total?",
            "The bill lists {lines}. How much is it in total?",
            "{client} is billed for {lines}. What is the sum?",
            "Add up the invoice: {lines}.",
            "{who} spent: {lines}. What is the total?",
            "Costs: {lines}. Give the total.",
            "An order has these lines: {lines}. What does it cost?",
            "Expense report of {who}: {lines}. Total?",
        ),
        heldout=(
            "The receipt of {who} reads {lines}. How much was spent overall?",
            "{client} gets one invoice with {lines}. What amount is due?",
            "Please total the following positions: {lines}.",
        ),
    ),
    Kind(
        "business",
        "lines_quantity",
        "number",
        _lines_quantity,
        train=(
            "{who} orders {lines}. What is the total?",
            "An invoice has {lines}. How much is it?",
            "{client} buys {lines}. What does it cost?",
            "The order: {lines}. Give the total.",
            "What do {lines} cost?",
            "Add up the order: {lines}.",
            "A bill lists {lines}. What is the sum?",
            "We sold {lines}. How much did we earn?",
        ),
        heldout=(
            "The cart of {who} contains {lines}. How much must {who} pay?",
            "{client} is charged for {lines}. What amount is due?",
            "Please total the following purchase: {lines}.",
        ),
    ),
    Kind(
        "business",
        "status_line",
        "text",
        _status_line,
        train=(
            'Fill in "{form}" for order {order}, {status}, {city}.',
            'Form: "{form}". Order {order} to {city} is {status}. Fill it in.',
            "Order {order} for {city} is {status}. Write it as: {form}",
            'Use the line "{form}". Order: {order}. Status: {status}. City: {city}.',
            "Write the status line {form} with {order}, {status}, {city}.",
            "Order {order}, city {city}, status {status}. Line: {form}",
            "Replace the capital words in {form}. Order {order}, status {status}, city {city}.",
            'Complete "{form}": order {order}, {city}, {status}.',
        ),
        heldout=(
            'The report line looks like "{form}". '
            "Write it for order {order} in {city}, now {status}.",
            "In {city} the order {order} has become {status}. Please put that into the form {form}",
            "Our template is {form} and the data are {order}, {city}, {status}. Fill the template.",
        ),
    ),
    Kind(
        "business",
        "due_date",
        "text",
        _due_date,
        train=(
            "An invoice of {date} is due in {days} days. What is the due date?",
            "Date {date}, payment within {days} days. When is it due?",
            "What date is {days} days after {date}?",
            "{client} must pay {days} days after {date}. Which date is that?",
            "Add {days} days to {date}.",
            "The order of {date} ships {days} days later. On which date?",
            "A ticket from {date} must be closed in {days} days. Give the date.",
            "{who} starts on {date} and needs {days} days. What is the end date?",
        ),
        heldout=(
            "{client} was billed on {date} with terms of {days} days. By which date must it pay?",
            "{who} borrowed a laptop on {date} for {days} days. When must it be back?",
            "The trial began on {date}. It ends {days} days later. Which day is that?",
        ),
    ),
    Kind(
        "business",
        "best_quote",
        "text",
        _best_quote,
        train=(
            "Quotes: {quotes}. Who has the {word} price?",
            "Which offer is the {word}? {quotes}",
            "The bids are {quotes}. Name the {word} bidder.",
            "Prices by supplier: {quotes}. Which supplier is {word}?",
            "Sales by client: {quotes}. Which client is {word}?",
            "From {quotes}, pick the firm with the {word} number.",
            "{who} got these quotes for {item}: {quotes}. Which is {word}?",
            "Scores: {quotes}. Who has the {word} score?",
        ),
        heldout=(
            "Suppliers ask for the {item}: {quotes}. Which one has the {word} figure?",
            "{who} compares {quotes}. Tell {who} who is {word}.",
            "Among the offers {quotes}, whose is the {word}?",
        ),
    ),
)

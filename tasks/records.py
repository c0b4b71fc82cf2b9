"""Data tasks on records: read a field, rewrite a date, an amount or a name."""

from __future__ import annotations

from random import Random

from tasks.types import Draw, Kind
from tasks.vocab import CITIES, MONTHS, NAMES, STATUSES, SURNAMES, TEAMS


def record_fields(rng: Random, number: int | None = None) -> dict[str, str]:
    """A record of so many fields (at most seven), or four or five, in random order."""
    fields = {
        "name": f"{rng.choice(NAMES)} {rng.choice(SURNAMES)}",
        "city": rng.choice(CITIES),
        "order": str(rng.randint(1000, 9999)),
        "status": rng.choice(STATUSES),
        "amount": str(rng.randint(10, 990)),
        "team": rng.choice(TEAMS),
        "date": _iso(*_date(rng)),
    }
    return {key: fields[key] for key in rng.sample(list(fields), number or rng.randint(4, 5))}


def _get_field(rng: Random) -> Draw:
    record = record_fields(rng)
    key = rng.choice(list(record))
    shown = "; ".join(f"{name}: {value}" for name, value in record.items())
    return Draw({"record": shown, "key": key}, record[key])


def _csv_field(rng: Random) -> Draw:
    record = record_fields(rng)
    key = rng.choice(list(record))
    fields = {"head": ",".join(record), "line": ",".join(record.values()), "key": key}
    return Draw(fields, record[key])


def _date_words(rng: Random) -> Draw:
    year, month, day = _date(rng)
    name = MONTHS[month - 1]
    shown = rng.choice(
        (f"{name} {day}, {year}", f"{day} {name} {year}", f"{name[:3]} {day}, {year}")
    )
    return Draw({"date": shown}, _iso(year, month, day))


def _date_slashes(rng: Random) -> Draw:
    year, month, day = _date(rng)
    form, shown = rng.choice(
        (
            ("DD/MM/YYYY", f"{day:02d}/{month:02d}/{year}"),
            ("MM/DD/YYYY", f"{month:02d}/{day:02d}/{year}"),
            ("DD.MM.YYYY", f"{day:02d}.{month:02d}.{year}"),
        )
    )
    return Draw({"date": shown, "form": form}, _iso(year, month, day))


def _amount_plain(rng: Random) -> Draw:
    whole, cents = rng.randint(1000, 99999), rng.randint(0, 99)
    mark = rng.choice(("USD ", "EUR ", "GBP ", "$", "CHF "))
    return Draw({"amount": f"{mark}{whole:,}.{cents:02d}"}, f"{whole}.{cents:02d}")


def _swap_name(rng: Random) -> Draw:
    first, last = rng.choice(NAMES), rng.choice(SURNAMES)
    return Draw({"first": first, "last": last}, f"{last}, {first}")


def _mail_domain(rng: Random) -> Draw:
    user = f"{rng.choice(NAMES)}.{rng.choice(SURNAMES)}".lower()
    host = f"{rng.choice(CITIES)}-{rng.choice(TEAMS)}".lower()
    end = rng.choice(("com", "org", "net", "co", "jp"))
    return Draw({"mail": f"{user}@{host}.{end}"}, f"{host}.{end}")


def _date(rng: Random) -> tuple[int, int, int]:
    return rng.randint(2015, 2032), rng.randint(1, 12), rng.randint(1, 28)


def _iso(year: int, month: int, day: int) -> str:
    return f"{year}-{month:02d}-{day:02d}"


RECORDS: tuple[Kind, ...] = (
    Kind(
        "data",
        "get_field",
        "text",
        _get_field,
        train=(
            "Record: {record}. What is the {key}?",
            "{record}\nGive the value of {key}.",
            "From this record, extract the {key}: {record}",
            "What is the {key} in: {record}?",
            "Read the {key} from {record}.",
            "Find {key} in this entry: {record}",
            "Entry: {record}. Return the {key}.",
            "Which {key} does this record have? {record}",
        ),
        heldout=(
            "Here is a row from our system: {record}. Tell me its {key}.",
            "Look up the {key} here: {record}",
            "I need the {key} of the following entry. {record}",
        ),
    ),
    Kind(
        "data",
        "csv_field",
        "text",
        _csv_field,
        train=(
            "Header: {head}\nLine: {line}\nWhat is the {key}?",
            "CSV columns: {head}. Row: {line}. Give the {key}.",
            "{head}\n{line}\nExtract the {key}.",
            "The columns are {head}. The row is {line}. What is the {key}?",
            "Columns {head}; values {line}. Return the {key}.",
            "Read the {key} from this CSV:\n{head}\n{line}",
            "What is the {key} in this table?\n{head}\n{line}",
            "Which {key} is in the row {line} with the columns {head}?",
        ),
        heldout=(
            "A file starts with {head} and goes on with {line}. What does it say for {key}?",
            "Given the header {head}, look up {key} in the line {line}.",
            "I exported this:\n{head}\n{line}\nTell me the {key}.",
        ),
    ),
    Kind(
        "data",
        "date_words",
        "text",
        _date_words,
        train=(
            "Write {date} as YYYY-MM-DD.",
            "Convert the date {date} to ISO format.",
            "Date: {date}. Give it as YYYY-MM-DD.",
            "Reformat {date} to year-month-day with digits.",
            "Change {date} into the form YYYY-MM-DD.",
            "What is {date} in ISO format?",
            "The invoice is dated {date}. Write the date as YYYY-MM-DD.",
            "Turn {date} into an ISO date.",
        ),
        heldout=(
            "Please express {date} in the format YYYY-MM-DD.",
            "How is {date} written as an ISO 8601 date?",
            "Our database needs YYYY-MM-DD. What do I enter for {date}?",
        ),
    ),
    Kind(
        "data",
        "date_slashes",
        "text",
        _date_slashes,
        train=(
            "Convert {date} from {form} to YYYY-MM-DD.",
            "The date {date} is in {form} form. Write it as YYYY-MM-DD.",
            "Date ({form}): {date}. Give the ISO date.",
            "Reformat {date} ({form}) to YYYY-MM-DD.",
            "Change the {form} date {date} into an ISO date.",
            "{date} is {form}. What is it in ISO format?",
            "Input format {form}, output format YYYY-MM-DD: {date}",
            "Write the {form} date {date} as year-month-day.",
        ),
        heldout=(
            "Please express {date}, given as {form}, in the format YYYY-MM-DD.",
            "A file uses {form}. What is its date {date} as an ISO 8601 date?",
            "Our database needs YYYY-MM-DD. What do I enter for {date}, which is {form}?",
        ),
    ),
    Kind(
        "data",
        "amount_plain",
        "text",
        _amount_plain,
        train=(
            "Write {amount} as a plain number with no currency and no commas.",
            "Convert {amount} to a plain decimal number.",
            "Remove the currency and the commas from {amount}.",
            "Amount: {amount}. Give only the plain number.",
            "Clean {amount} so that only digits and the point remain.",
            "Strip currency and thousands separators: {amount}",
            "Reformat {amount} as a bare number.",
            "Turn {amount} into a number without separators.",
        ),
        heldout=(
            "For a spreadsheet I need {amount} without currency sign or commas.",
            "Please normalise the amount {amount} to digits with a decimal point only.",
            "How is {amount} written as an unformatted number?",
        ),
    ),
    Kind(
        "data",
        "swap_name",
        "text",
        _swap_name,
        train=(
            "Write the name {first} {last} as Last, First.",
            "Convert {first} {last} to the form Last, First.",
            "Put the surname first, with a comma: {first} {last}",
            "Name: {first} {last}. Give it as surname, first name.",
            "Reformat {first} {last}: last name, comma, first name.",
            "Turn {first} {last} into Last, First form.",
            "First name {first}, last name {last}. Write Last, First.",
            "For the index, write {first} {last} as surname, given name.",
        ),
        heldout=(
            "Our list shows names as Last, First. How is {first} {last} shown?",
            "Please rewrite {first} {last} with the family name in front, then a comma.",
            "The given name is {first} and the family name {last}. Enter it as Last, First.",
        ),
    ),
    Kind(
        "data",
        "mail_domain",
        "text",
        _mail_domain,
        train=(
            "What is the domain of {mail}?",
            "Give the part after the @ in {mail}.",
            "Extract the domain from {mail}.",
            "E-mail: {mail}. Which domain is it?",
            "Take the address {mail} and return its domain.",
            "Find the mail domain: {mail}",
            "Remove the user and the @ from {mail}.",
            "From the address {mail}, keep only the domain.",
        ),
        heldout=(
            "Which domain does the sender {mail} belong to?",
            "Please cut out what follows the @ sign of {mail}.",
            "A customer writes from {mail}. Name the domain.",
        ),
    ),
)

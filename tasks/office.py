"""Units, times, small tables and short SQL: kinds beside the mix, for longer training.

They are not in `tasks.mix`, whose stream resumed runs must find as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tasks.arithmetic import running_total
from tasks.draws import people
from tasks.types import SPLITS, Draw, Kind, Task
from tasks.vocab import CITIES, ITEMS, NAMES, STATUSES, TEAMS

_UNITS = (
    ("kilometres", "metres", 1000), ("metres", "centimetres", 100), ("kilograms", "grams", 1000),
    ("tonnes", "kilograms", 1000), ("litres", "millilitres", 1000), ("hours", "minutes", 60),
    ("minutes", "seconds", 60), ("days", "hours", 24), ("weeks", "days", 7),
    ("dozens", "pieces", 12),
)  # fmt: skip
_TABLES = {
    "orders": ("item", "status"),
    "staff": ("name", "team"),
    "shops": ("city", "status"),
}
_VALUES = {"item": ITEMS, "status": STATUSES, "name": NAMES, "team": TEAMS, "city": CITIES}


def _units(rng: Random) -> Draw:
    large, small, factor = rng.choice(_UNITS)
    n = rng.randint(2, 60)
    if rng.random() < 0.5:
        fields, answer = {"n": str(n), "from": large, "to": small}, n * factor
        return Draw(fields, str(answer), (f"{n} x {factor} = {answer}",))
    fields = {"n": str(n * factor), "from": small, "to": large}
    return Draw(fields, str(n), (f"{n * factor} / {factor} = {n}",))


def _end_time(rng: Random) -> Draw:
    hour, minute, lasts = rng.randint(6, 20), 5 * rng.randint(0, 11), 5 * rng.randint(2, 11)
    total = minute + lasts
    steps = [f"{minute} + {lasts} = {total}"]
    if total >= 60:
        steps.append(f"{total} - 60 = {total - 60}")
    end = f"{hour + total // 60}:{total % 60:02d}"
    fields = people(rng) | {"start": f"{hour}:{minute:02d}", "lasts": str(lasts)}
    return Draw(fields, end, tuple(steps))


def _table(rng: Random, rows: int) -> tuple[list[str], list[int], dict[str, str]]:
    """Names of the rows, their amounts, and the table as text."""
    key = rng.choice(("item", "name", "city", "team"))
    names = rng.sample(_VALUES[key], rows)
    amounts = rng.sample(range(5, 400), rows)
    lines = [f"{name} | {amount}" for name, amount in zip(names, amounts, strict=True)]
    return names, amounts, {"table": "\n".join((f"{key} | amount", *lines))}


def _table_cell(rng: Random) -> Draw:
    names, amounts, fields = _table(rng, rng.randint(3, 5))
    i = rng.randrange(len(names))
    return Draw(fields | {"row": names[i]}, str(amounts[i]))


def _table_sum(rng: Random) -> Draw:
    _, amounts, fields = _table(rng, 3)
    steps, total = running_total(amounts)
    return Draw(fields, str(total), steps)


def _sql_count(rng: Random) -> Draw:
    _, amounts, fields = _table(rng, rng.randint(3, 5))
    limit, sign = rng.randint(30, 360), rng.choice("<>")
    hits = [n for n in amounts if (n > limit if sign == ">" else n < limit)]
    query = f"SELECT COUNT(*) FROM t WHERE amount {sign} {limit}"
    shown = ", ".join(map(str, hits)) or "none"
    return Draw(fields | {"query": query}, str(len(hits)), (shown,))


def _sql_write(rng: Random) -> Draw:
    table = rng.choice(list(_TABLES))
    wanted, by = rng.sample(_TABLES[table], 2)
    value = rng.choice(_VALUES[by])
    query = f"SELECT {wanted} FROM {table} WHERE {by} = '{value}'"
    fields = {"table": table, "wanted": wanted, "by": by, "value": value}
    return Draw(fields, query)


def _sql_over(rng: Random) -> Draw:
    table = rng.choice(list(_TABLES))
    wanted, limit = rng.choice(_TABLES[table]), str(rng.randint(11, 990))
    word, sign = rng.choice((("over", ">"), ("under", "<")))
    query = f"SELECT {wanted} FROM {table} WHERE amount {sign} {limit}"
    return Draw({"table": table, "wanted": wanted, "limit": limit, "word": word}, query)


OFFICE: dict[str, tuple[Kind, ...]] = {
    "math": (
        Kind(
            "math",
            "units",
            "number",
            _units,
            train=(
                "Convert {n} {from} to {to}.",
                "How many {to} are {n} {from}?",
                "{n} {from} = ? {to}",
                "What is {n} {from} in {to}?",
                "Change {n} {from} into {to}.",
                "A form asks for {to}. We have {n} {from}. What is the number?",
                "Express {n} {from} as {to}.",
                "Give {n} {from} in {to}.",
            ),
            heldout=(
                "The label says {n} {from}. What would it say in {to}?",
                "Please turn {n} {from} to {to}.",
                "If something measures {n} {from}, how much is that counted in {to}?",
            ),
        ),
        Kind(
            "math",
            "end_time",
            "text",
            _end_time,
            train=(
                "A meeting starts at {start} and lasts {lasts} minutes. When does it end?",
                "Start {start}, length {lasts} minutes. Give the end time.",
                "What time is it {lasts} minutes after {start}?",
                "{who} leaves at {start} and travels {lasts} minutes. When does {who} arrive?",
                "Add {lasts} minutes to {start}.",
                "The call began at {start} and took {lasts} minutes. When was it over?",
                "The machine runs {lasts} minutes from {start} on. When does it stop?",
                "{start} plus {lasts} minutes is what time?",
            ),
            heldout=(
                "{client} booked the room at {start} for {lasts} minutes. Until what time?",
                "The train departs at {start}. The ride takes {lasts} minutes. "
                "What is the arrival time?",
                "{lasts} minutes of work remain and the clock shows {start}. "
                "At what time is the work done?",
            ),
        ),
    ),
    "data": (
        Kind(
            "data",
            "table_cell",
            "number",
            _table_cell,
            train=(
                "{table}\nWhat is the amount of {row}?",
                "Table:\n{table}\nGive the amount for {row}.",
                "Look up {row} in this table:\n{table}",
                "{table}\nFind the amount in the row {row}.",
                "Which amount belongs to {row}?\n{table}",
                "{table}\nRead the amount of {row}.",
                "From the table, return the amount of {row}.\n{table}",
                "{table}\n{row}?",
            ),
            heldout=(
                "I copied this from a sheet:\n{table}\nWhat number stands next to {row}?",
                "Please check the list and tell me what {row} has.\n{table}",
                "Here are our figures.\n{table}\nHow much is it for {row}?",
            ),
        ),
        Kind(
            "data",
            "table_sum",
            "number",
            _table_sum,
            train=(
                "{table}\nWhat is the total amount?",
                "Table:\n{table}\nAdd up the amounts.",
                "Sum the amount column:\n{table}",
                "{table}\nGive the sum of all amounts.",
                "How much is it in total?\n{table}",
                "{table}\nTotal?",
                "Add the second column.\n{table}",
                "{table}\nWhat do the rows come to together?",
            ),
            heldout=(
                "I copied this from a sheet:\n{table}\nWhat belongs under the line as total?",
                "Please work out the overall amount of this list.\n{table}",
                "Here are our figures.\n{table}\nHow much do they make altogether?",
            ),
        ),
        Kind(
            "data",
            "sql_count",
            "number",
            _sql_count,
            train=(
                "Table t:\n{table}\nWhat does {query} return?",
                "{table}\nResult of {query}?",
                "t is\n{table}\nRun {query}.",
                "Query: {query}\nTable t:\n{table}\nGive the result.",
                "{query}\non\n{table}",
                "With t as below, what is the result of {query}?\n{table}",
                "Evaluate {query} for t:\n{table}",
                "Table t:\n{table}\n{query} = ?",
            ),
            heldout=(
                "Our database holds t:\n{table}\nWhich number comes back from {query}?",
                "Please carry out {query} by hand. This is t:\n{table}",
                "If t contains\n{table}\nthen what is printed for {query}?",
            ),
        ),
    ),
    "business": (
        Kind(
            "business",
            "sql_write",
            "text",
            _sql_write,
            train=(
                "Write SQL: {wanted} from {table} where {by} is {value}.",
                "Table {table}. Select {wanted} where {by} equals {value}. Write the query.",
                "SQL for the {wanted} of {table} with {by} {value}?",
                "Query {table}: {wanted}, condition {by} = {value}.",
                "Give an SQL query that returns {wanted} of {table} whose {by} is {value}.",
                "In SQL: {wanted} of all {table} with {by} {value}",
                "Write a query on {table}. Column: {wanted}. Filter: {by} is {value}.",
                "Translate into SQL: show {wanted} in {table} for {by} {value}.",
            ),
            heldout=(
                "I need the {wanted} of every row in {table} that has {value} as {by}. "
                "What is the SQL?",
                "Please put this into SQL: list each {wanted} in {table} where the {by} "
                "reads {value}.",
                "Which SQL statement gets {wanted} out of {table}, limited to {by} {value}?",
            ),
        ),
        Kind(
            "business",
            "sql_over",
            "text",
            _sql_over,
            train=(
                "Write SQL: {wanted} from {table} where amount is {word} {limit}.",
                "Table {table}. Select {wanted} with amount {word} {limit}. Write the query.",
                "SQL for the {wanted} of {table} with an amount {word} {limit}?",
                "Query {table}: {wanted}, condition amount {word} {limit}.",
                "Give an SQL query that returns {wanted} of {table} whose amount is "
                "{word} {limit}.",
                "In SQL: {wanted} of all {table} with amounts {word} {limit}",
                "Write a query on {table}. Column: {wanted}. Filter: amount {word} {limit}.",
                "Translate into SQL: show {wanted} in {table} for amounts {word} {limit}.",
            ),
            heldout=(
                "I need the {wanted} of every row in {table} that has an amount {word} {limit}. "
                "What is the SQL?",
                "Please put this into SQL: list each {wanted} in {table} where the amount "
                "lies {word} {limit}.",
                "Which SQL statement gets {wanted} out of {table}, limited to amounts "
                "{word} {limit}?",
            ),
        ),
    ),
}


def office_stream(seed: int, split: str) -> Iterator[Task]:
    """Tasks of these kinds, each as often as the others, for ever; same seed, same tasks."""
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    return _draw(Random(f"{seed}/{split}/office"), split)


def _draw(rng: Random, split: str) -> Iterator[Task]:
    kinds = [kind for of_domain in OFFICE.values() for kind in of_domain]
    while True:
        yield rng.choice(kinds)(rng, split)

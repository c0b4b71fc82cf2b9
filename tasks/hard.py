"""Longer and larger variants of the tasks, for the held-out split only: what nobody trained on.

The wordings are those of the plain kinds; lists are two to three times as long, numbers have a
digit more, messages have neutral sentences around the one that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from random import Random

from evaluation.scoring import LABEL_SETS
from tasks.draws import join_items, people, word_problem
from tasks.messages import FILLERS, MAILS, TICKETS
from tasks.mix import DOMAINS, KINDS
from tasks.records import record_fields
from tasks.triage import message
from tasks.types import Draw, Kind
from tasks.vocab import CLIENTS, ITEMS, NAMES, WORDS


def _two(sign: str, rng: Random) -> Draw:
    a, b = rng.randint(2000, 9999), rng.randint(1000, 1999)
    if sign == "x":
        a, b = rng.randint(161, 999), rng.randint(11, 29)
    answer = {"+": a + b, "-": a - b, "x": a * b}[sign]
    return Draw({"a": str(a), "b": str(b)}, str(answer))


def _running_total(rng: Random) -> Draw:
    terms = [rng.randint(20, 199) for _ in range(rng.randint(6, 8))]
    listed = join_items(terms[:-1]) + f" and {terms[-1]}"
    return Draw({"sum": " + ".join(map(str, terms)), "listed": listed}, str(sum(terms)))


def _plus_minus(rng: Random) -> Draw:
    total = rng.randint(200, 900)
    shown = str(total)
    for _ in range(rng.randint(4, 5)):
        term = rng.randint(11, 199)
        if total > term and rng.random() < 0.5:
            shown, total = f"{shown} - {term}", total - term
        else:
            shown, total = f"{shown} + {term}", total + term
    return Draw({"shown": shown}, str(total))


def _packs_total(rng: Random) -> Draw:
    n, size = rng.randint(26, 80), rng.randint(13, 40)
    return word_problem(rng, n * size, (), n=n, size=size)


def _order_returns(rng: Random) -> Draw:
    n, size, less = rng.randint(21, 60), rng.randint(13, 40), rng.randint(41, 250)
    return word_problem(rng, n * size - less, (), n=n, size=size, less=less)


def _stock_moves(rng: Random) -> Draw:
    stock, more, less = rng.randint(2000, 9000), rng.randint(500, 4000), rng.randint(300, 1900)
    return word_problem(rng, stock + more - less, (), stock=stock, more=more, less=less)


def _discount(rng: Random) -> Draw:
    percent, price = rng.choice((5, 15, 20, 30, 35, 40, 45, 60)), 20 * rng.randint(31, 450)
    return word_problem(rng, price - price * percent // 100, (), price=price, percent=percent)


def _budget_left(rng: Random) -> Draw:
    budget = rng.randint(2000, 9999)
    first, second = (rng.randint(101, budget // 2) for _ in range(2))
    return word_problem(rng, budget - first - second, (), budget=budget, first=first, second=second)


def _sorted(down: bool, rng: Random) -> Draw:
    numbers = rng.sample(range(2, 999), rng.randint(10, 14))
    return Draw({"list": join_items(numbers)}, join_items(sorted(numbers, reverse=down)))


def _sort_words(rng: Random) -> Draw:
    words = rng.sample(WORDS, rng.randint(8, 12))
    return Draw({"list": join_items(words)}, join_items(sorted(words)))


def _dedupe(rng: Random) -> Draw:
    items = rng.sample(WORDS, rng.randint(7, 9))
    shown = items + rng.choices(items, k=rng.randint(4, 6))
    rng.shuffle(shown)
    return Draw({"list": join_items(shown)}, join_items(list(dict.fromkeys(shown))))


def _reverse(rng: Random) -> Draw:
    items = rng.sample(WORDS, rng.randint(8, 12))
    return Draw({"list": join_items(items)}, join_items(items[::-1]))


def _count(over: bool, rng: Random) -> Draw:
    numbers, limit = rng.sample(range(1, 200), rng.randint(12, 16)), rng.randint(60, 140)
    count = sum(n > limit if over else n < limit for n in numbers)
    return Draw({"list": join_items(numbers), "limit": str(limit)}, str(count))


def _count_word(rng: Random) -> Draw:
    word, *others = rng.sample(WORDS, 6)
    words = [word] * rng.randint(4, 8) + rng.choices(others, k=rng.randint(7, 10))
    rng.shuffle(words)
    return Draw({"list": join_items(words), "word": word}, str(words.count(word)))


def _extreme(rng: Random) -> Draw:
    numbers = rng.sample(range(2, 9999), rng.randint(12, 16))
    most, pick = rng.choice((("largest", max), ("smallest", min)))
    return Draw({"list": join_items(numbers), "most": most}, str(pick(numbers)))


def _get_field(rng: Random) -> Draw:
    record = record_fields(rng, 7)
    key = rng.choice(list(record))
    shown = "; ".join(f"{name}: {value}" for name, value in record.items())
    return Draw({"record": shown, "key": key}, record[key])


def _message(messages: Mapping[str, tuple[str, ...]], labels: tuple[str, ...], rng: Random) -> Draw:
    drawn = message(messages, labels, rng)
    text = " ".join((*rng.sample(FILLERS, 3), drawn.fields["text"]))
    return replace(drawn, fields=drawn.fields | {"text": text})


def _compare(above: str, below: str, rng: Random) -> Draw:
    """A value within one part in twenty of a limit of four digits."""
    limit = rng.randint(1001, 9999)
    value = limit + rng.choice((1, -1)) * rng.randint(1, limit // 20)
    drawn = word_problem(rng, 0, (), limit=limit, value=value)
    return replace(drawn, answer=above if value > limit else below)


def _approval_total(rng: Random) -> Draw:
    n, price = rng.randint(13, 40), rng.randint(21, 99)
    limit = n * price + rng.choice((1, -1)) * rng.randint(1, 99)
    drawn = word_problem(rng, 0, (), n=n, price=price, limit=limit)
    return replace(drawn, answer="yes" if n * price > limit else "no")


def _lines_sum(rng: Random) -> Draw:
    lines = [(item, rng.randint(20, 400)) for item in rng.sample(ITEMS, rng.randint(5, 7))]
    shown = ", ".join(f"{item} {amount}" for item, amount in lines)
    return Draw(people(rng) | {"lines": shown}, str(sum(amount for _, amount in lines)))


def _lines_quantity(rng: Random) -> Draw:
    lines = [(rng.randint(3, 30), item, rng.randint(11, 60)) for item in rng.sample(ITEMS, 3)]
    first, second, third = (f"{n} {item} at {price} each" for n, item, price in lines)
    total = sum(n * price for n, _, price in lines)
    return Draw(people(rng) | {"lines": f"{first}, {second} and {third}"}, str(total))


def _due_date(rng: Random) -> Draw:
    """Past the end of the month, so that its length matters."""
    start = date(rng.randint(2020, 2032), rng.randint(1, 12), rng.randint(18, 28))
    days = rng.randint(14, 45)
    fields = people(rng) | {"date": start.isoformat(), "days": str(days)}
    return Draw(fields, (start + timedelta(days=days)).isoformat())


def _best_quote(rng: Random) -> Draw:
    names = rng.sample(CLIENTS, rng.randint(7, 9))
    prices = rng.sample(range(1000, 9900), len(names))
    word, pick = rng.choice((("lowest", min), ("highest", max)))
    quotes = ", ".join(f"{name} {price}" for name, price in zip(names, prices, strict=True))
    fields = {"quotes": quotes, "word": word, "who": rng.choice(NAMES), "item": rng.choice(ITEMS)}
    return Draw(fields, names[prices.index(pick(prices))])


_DRAWS: dict[str, Callable[[Random], Draw]] = {
    "add": partial(_two, "+"),
    "subtract": partial(_two, "-"),
    "multiply": partial(_two, "x"),
    "running_total": _running_total,
    "plus_minus": _plus_minus,
    "packs_total": _packs_total,
    "order_returns": _order_returns,
    "stock_moves": _stock_moves,
    "discount": _discount,
    "budget_left": _budget_left,
    "sort_up": partial(_sorted, False),
    "sort_down": partial(_sorted, True),
    "sort_words": _sort_words,
    "dedupe": _dedupe,
    "reverse": _reverse,
    "count_over": partial(_count, True),
    "count_under": partial(_count, False),
    "count_word": _count_word,
    "extreme": _extreme,
    "get_field": _get_field,
    "ticket": partial(_message, TICKETS["heldout"], LABEL_SETS[0]),
    "route": partial(_message, MAILS["heldout"], LABEL_SETS[1]),
    "priority": partial(_compare, "urgent", "normal"),
    "approval": partial(_compare, "yes", "no"),
    "reorder": partial(_compare, "no", "yes"),
    "approval_total": _approval_total,
    "lines_sum": _lines_sum,
    "lines_quantity": _lines_quantity,
    "due_date": _due_date,
    "best_quote": _best_quote,
}

HARD: dict[str, tuple[Kind, ...]] = {
    domain: tuple(
        replace(kind, draw_heldout=_DRAWS[kind.name])
        for kind in KINDS[domain]
        if kind.name in _DRAWS
    )
    for domain in DOMAINS
}

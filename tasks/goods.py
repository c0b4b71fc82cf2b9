"""Word problems about goods: packs, orders, returns, stock, with the working written out."""

from __future__ import annotations

from random import Random

from tasks.draws import word_problem
from tasks.types import Draw, Kind


def _packs_total(rng: Random) -> Draw:
    n, size = rng.randint(3, 25), rng.randint(2, 12)
    total = n * size
    return word_problem(rng, total, (f"{n} x {size} = {total}",), n=n, size=size)


def _order_returns(rng: Random) -> Draw:
    n, size = rng.randint(3, 20), rng.randint(3, 12)
    total = n * size
    less = rng.randint(2, min(total - 1, 40))
    steps = (f"{n} x {size} = {total}", f"{total} - {less} = {total - less}")
    return word_problem(rng, total - less, steps, n=n, size=size, less=less)


def _order_extra(rng: Random) -> Draw:
    n, size, more = rng.randint(3, 20), rng.randint(3, 12), rng.randint(2, 60)
    total = n * size
    steps = (f"{n} x {size} = {total}", f"{total} + {more} = {total + more}")
    return word_problem(rng, total + more, steps, n=n, size=size, more=more)


def _stock_days(rng: Random) -> Draw:
    days, sold = rng.randint(2, 9), rng.randint(3, 25)
    out = days * sold
    stock = out + rng.randint(5, 200)
    steps = (f"{sold} x {days} = {out}", f"{stock} - {out} = {stock - out}")
    return word_problem(rng, stock - out, steps, stock=stock, days=days, sold=sold)


def _stock_moves(rng: Random) -> Draw:
    stock, more = rng.randint(20, 300), rng.randint(10, 150)
    less = rng.randint(5, 99)
    have = stock + more
    less = min(less, have - 1)
    steps = (f"{stock} + {more} = {have}", f"{have} - {less} = {have - less}")
    return word_problem(rng, have - less, steps, stock=stock, more=more, less=less)


def _more_than(rng: Random) -> Draw:
    first, more = rng.randint(10, 250), rng.randint(5, 99)
    second = first + more
    steps = (f"{first} + {more} = {second}", f"{first} + {second} = {first + second}")
    return word_problem(rng, first + second, steps, first=first, more=more)


GOODS: tuple[Kind, ...] = (
    Kind(
        "math",
        "packs_total",
        "number",
        _packs_total,
        train=(
            "{who} buys {n} {pack} of {item}. Each holds {size} {item}. How many {item} is that?",
            "A shop receives {n} {pack} with {size} {item} in each. How many {item} arrive?",
            "There are {n} {pack} of {size} {item}. How many {item} are there altogether?",
            "{client} orders {n} {pack}. Every one contains {size} {item}. "
            "Give the total of {item}.",
            "How many {item} are in {n} {pack} of {size}?",
            "Each of {n} {pack} has {size} {item} inside. Count all the {item}.",
            "A shelf has {n} rows with {size} {item} in each row. "
            "How many {item} are on the shelf?",
            "{n} workers make {size} {item} each. How many {item} do they make together?",
            "One of the {pack} holds {size} {item}. What do {n} of them hold?",
        ),
        heldout=(
            "A delivery for {client} contains {n} {pack}, "
            "and {size} {item} are packed in each one. What is the number of {item} delivered?",
            "{who} fills {n} {pack} and puts {size} {item} into every one. "
            "How many {item} were needed?",
            "If {size} {item} fit in each of {n} {pack}, how many {item} fit in all of them?",
        ),
    ),
    Kind(
        "math",
        "order_returns",
        "number",
        _order_returns,
        train=(
            "An order has {n} {pack} of {size} {item}. {less} {item} come back. How many are left?",
            "{who} orders {n} {pack} of {size} {item} and returns {less}. How many {item} remain?",
            "{client} bought {n} {pack} with {size} {item} each. {less} {item} were returned. "
            "How many {item} were kept?",
            "We shipped {n} {pack} of {size} {item}. {less} {item} were damaged. "
            "How many {item} were good?",
            "There were {n} {pack} with {size} {item} in each. {who} took {less} {item}. "
            "How many {item} are still there?",
            "A store gets {n} {pack} of {item}, {size} in each. It sells {less} {item}. "
            "How many remain?",
            "From {n} {pack} of {size} {item}, {less} {item} are missing. "
            "How many {item} do we have?",
            "{less} {item} were lost from a load of {n} {pack} of {size}. "
            "How many {item} are left?",
            "{who} packs {n} {pack}, {size} {item} each. Later {less} {item} are removed. "
            "How many {item} stay packed?",
        ),
        heldout=(
            "{client} received {n} {pack}, each with {size} {item}, and sent {less} {item} back. "
            "How many {item} does {client} keep?",
            "After {less} {item} were handed back from a purchase of {n} {pack} of {size} {item}, "
            "what number of {item} is left?",
            "An order has {n} {pack} of {size} {item}. {less} {item} are returned. "
            "How many {item} remain?",
            "{who} had {n} full {pack} of {item} with {size} in every one, then gave away {less}. "
            "How many {item} does {who} have now?",
        ),
    ),
    Kind(
        "math",
        "order_extra",
        "number",
        _order_extra,
        train=(
            "{who} has {n} {pack} of {size} {item} and {more} loose {item}. How many in total?",
            "A store holds {n} {pack} with {size} {item} each. {more} more {item} arrive. "
            "How many {item} are there now?",
            "{client} orders {n} {pack} of {size} {item} plus {more} single {item}. "
            "How many {item} is that?",
            "We packed {n} {pack} of {size} {item}. {more} {item} did not fit. "
            "How many {item} were there?",
            "There are {more} {item} on the desk and {n} {pack} of {size} in the cupboard. "
            "How many {item} altogether?",
            "{who} counts {n} {pack}, {size} {item} in each, and {more} spare {item}. "
            "What is the total?",
            "Add {more} {item} to {n} {pack} of {size} {item}. How many {item} do you get?",
            "{n} {pack} hold {size} {item} each. {other} brings {more} extra {item}. "
            "How many {item} now?",
        ),
        heldout=(
            "The warehouse took in {n} {pack}, each of {size} {item}, "
            "and then {more} unpacked {item}. "
            "How many {item} came in?",
            "{who} already owns {more} {item} and buys {n} {pack} of {size}. "
            "How many {item} will {who} own?",
            "Besides {n} {pack} with {size} {item} inside each, {client} sends {more} samples. "
            "What is the number of {item} sent?",
        ),
    ),
    Kind(
        "math",
        "stock_days",
        "number",
        _stock_days,
        train=(
            "Stock is {stock} {item}. Each day {sold} are sold. "
            "How many are left after {days} days?",
            "A shop has {stock} {item} and sells {sold} a day. "
            "How many {item} remain after {days} days?",
            "{client} holds {stock} {item}. It uses {sold} {item} per day for {days} days. "
            "What is left?",
            "{who} starts with {stock} {item} and gives out {sold} each day. "
            "How many after {days} days?",
            "For {days} days we ship {sold} {item} a day from a stock of {stock}. "
            "How many {item} are left?",
            "There are {stock} {item}. {days} teams take {sold} {item} each. How many remain?",
            "A depot with {stock} {item} sends {sold} {item} to each of {days} shops. "
            "How many {item} stay?",
            "Every day {sold} of our {stock} {item} go out. What is the stock {days} days later?",
        ),
        heldout=(
            "The warehouse begins the week with {stock} {item}. Daily sales are {sold}. "
            "What stock is there once {days} days have passed?",
            "{who} uses up {sold} {item} daily. The supply was {stock}. "
            "How many {item} are left when {days} days are over?",
            "If {client} sells {sold} {item} every day, how much of a stock of {stock} "
            "remains after {days} days?",
        ),
    ),
    Kind(
        "math",
        "stock_moves",
        "number",
        _stock_moves,
        train=(
            "Stock was {stock} {item}. {more} arrived and {less} were sold. What is the stock now?",
            "{who} has {stock} {item}, buys {more} and uses {less}. How many are left?",
            "A shop has {stock} {item}. It gets {more} more and then sells {less}. "
            "How many {item} remain?",
            "We start with {stock} {item}. {more} come in. {less} go out. How many do we have?",
            "{client} holds {stock} {item}, receives {more} and ships {less}. "
            "How many {item} are left?",
            "Take {stock} {item}, add {more}, remove {less}. How many {item} are there?",
            "On Monday there are {stock} {item}. On Tuesday {more} are added. On Friday {less} are "
            "taken. How many remain?",
            "{stock} {item} in the morning, {more} delivered at noon, {less} sold by evening. "
            "How many {item} at the end?",
        ),
        heldout=(
            "The storeroom held {stock} {item} before a delivery of {more}. "
            "Afterwards {less} {item} "
            "left. How many {item} does it hold now?",
            "Opening stock: {stock} {item}. In: {more}. Out: {less}. What is the closing stock?",
            "{who} counted {stock} {item}, then received {more} and passed {less} on to {other}. "
            "How many {item} does {who} still have?",
        ),
    ),
    Kind(
        "math",
        "more_than",
        "number",
        _more_than,
        train=(
            "{who} sold {first} {item}. {other} sold {more} more than {who}. "
            "How many did they sell together?",
            "Team A packed {first} {item} and team B packed {more} more. How many in total?",
            "{who} made {first} {item}. {other} made {more} more. How many {item} did both make?",
            "In May we sold {first} {item}, in June {more} more than in May. "
            "How many in both months?",
            "{client} ordered {first} {item} last year and {more} more this year. "
            "What is the total of both years?",
            "Shelf one has {first} {item}. Shelf two has {more} more. How many {item} altogether?",
            "{who} counted {first} {item} and {other} counted {more} more than that. "
            "What is the sum?",
            "The first order was {first} {item}, the second {more} larger. "
            "How many {item} in both?",
        ),
        heldout=(
            "{other} delivered {more} {item} more than {who}, who delivered {first}. "
            "How many {item} did the two deliver together?",
            "Week one brought {first} sales. Week two brought {more} more than week one. "
            "How many sales did the two weeks bring?",
            "There were {first} visitors on Saturday and {more} more on Sunday. "
            "What was the number over the weekend?",
        ),
    ),
)

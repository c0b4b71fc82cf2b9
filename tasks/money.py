"""Word problems about money: prices, tax, wages, shares, with the working written out."""

from __future__ import annotations

from random import Random

from tasks.draws import word_problem
from tasks.types import Draw, Kind


def _percent_parts(rng: Random) -> tuple[int, int, int]:
    percent = rng.choice((5, 10, 10, 20, 20, 25, 30, 40, 50))
    step = {5: 20, 25: 4, 50: 2}.get(percent, 10)
    price = step * rng.randint(max(2, 40 // step), 600 // step)
    return percent, price, price * percent // 100


def _discount(rng: Random) -> Draw:
    percent, price, part = _percent_parts(rng)
    steps = (f"{percent}% of {price} = {part}", f"{price} - {part} = {price - part}")
    return word_problem(rng, price - part, steps, price=price, percent=percent)


def _tax(rng: Random) -> Draw:
    percent, price, part = _percent_parts(rng)
    steps = (f"{percent}% of {price} = {part}", f"{price} + {part} = {price + part}")
    return word_problem(rng, price + part, steps, price=price, percent=percent)


def _hours_rate(rng: Random) -> Draw:
    hours, rate, fee = rng.randint(2, 12), rng.randint(11, 60), 5 * rng.randint(2, 20)
    pay = hours * rate
    steps = (f"{hours} x {rate} = {pay}", f"{pay} + {fee} = {pay + fee}")
    return word_problem(rng, pay + fee, steps, hours=hours, rate=rate, fee=fee)


def _split_cost(rng: Random) -> Draw:
    people, share = rng.randint(2, 9), rng.randint(6, 60)
    total = people * share
    first = rng.randint(total // 4, 3 * total // 4)
    second = total - first
    steps = (f"{first} + {second} = {total}", f"{total} / {people} = {share}")
    return word_problem(rng, share, steps, first=first, second=second, people=people)


def _change(rng: Random) -> Draw:
    n, price = rng.randint(2, 12), rng.randint(3, 30)
    cost = n * price
    paid = rng.choice([note for note in (50, 100, 200, 500) if note > cost])
    steps = (f"{n} x {price} = {cost}", f"{paid} - {cost} = {paid - cost}")
    return word_problem(rng, paid - cost, steps, n=n, price=price, paid=paid)


def _unit_price(rng: Random) -> Draw:
    n, price = rng.randint(2, 9), rng.randint(3, 30)
    want = rng.choice([k for k in range(2, 13) if k != n])
    cost = n * price
    steps = (f"{cost} / {n} = {price}", f"{price} x {want} = {price * want}")
    return word_problem(rng, price * want, steps, n=n, cost=cost, want=want)


def _budget_left(rng: Random) -> Draw:
    budget = 50 * rng.randint(4, 20)
    first, second = rng.randint(15, budget // 2 - 5), rng.randint(15, budget // 2 - 5)
    left = budget - first
    steps = (f"{budget} - {first} = {left}", f"{left} - {second} = {left - second}")
    return word_problem(rng, left - second, steps, budget=budget, first=first, second=second)


MONEY: tuple[Kind, ...] = (
    Kind(
        "math",
        "discount",
        "number",
        _discount,
        train=(
            "An invoice of {price} gets a {percent}% discount. How much is to be paid?",
            "The price is {price}. There is a discount of {percent}%. What is the new price?",
            "{who} buys {item} for {price} with {percent}% off. What does {who} pay?",
            "{client} gets {percent}% off an order of {price}. What does the order cost?",
            "A machine costs {price}. It is sold with {percent}% off. What is the sale price?",
            "Reduce {price} by {percent}%. What is the result?",
            "The list price of the {item} is {price}. Members save {percent}%. "
            "How much do members pay?",
            "With a {percent}% discount on {price}, how much is left to pay?",
        ),
        heldout=(
            "{client} is billed {price} and may deduct {percent}% for early payment. "
            "How much does {client} pay?",
            "The {item} normally cost {price}. This week the price is cut by {percent}%. "
            "What do they cost this week?",
            "What remains of {price} after {percent}% is taken off?",
        ),
    ),
    Kind(
        "math",
        "tax",
        "number",
        _tax,
        train=(
            "An invoice of {price} has {percent}% tax added. What is the total?",
            "The net price is {price}. Tax is {percent}%. What is the gross price?",
            "{who} pays {price} plus {percent}% tax. How much is that?",
            "A bill of {price} gets a {percent}% service charge. What is the total?",
            "{client} raises a price of {price} by {percent}%. What is the new price?",
            "Increase {price} by {percent}%. What is the result?",
            "The {item} cost {price} before {percent}% tax. What do they cost with tax?",
            "Rent was {price} and goes up {percent}%. What is the rent now?",
        ),
        heldout=(
            "{client} must add {percent}% VAT to a net amount of {price}. "
            "What is the amount with VAT?",
            "A fee of {price} grows by {percent}% next year. How high will the fee be?",
            "On top of {price} for the {item} comes {percent}% for shipping. "
            "What does {who} pay altogether?",
        ),
    ),
    Kind(
        "math",
        "hours_rate",
        "number",
        _hours_rate,
        train=(
            "A consultant works {hours} hours at {rate} an hour plus a fee of {fee}. "
            "What is the bill?",
            "{who} works {hours} hours for {rate} per hour and gets a bonus of {fee}. "
            "What is the pay?",
            "Repair takes {hours} hours at {rate} each. Parts cost {fee}. What is the total cost?",
            "{client} charges {rate} per hour. A job takes {hours} hours and travel costs {fee}. "
            "How much is it?",
            "A room costs {rate} a day. {who} books {hours} days and pays {fee} for cleaning. "
            "What is the price?",
            "The rate is {rate} per hour for {hours} hours, plus {fee} for material. "
            "What is the total?",
            "{hours} hours at {rate} an hour and a fixed charge of {fee}: what is the sum?",
            "A van costs {rate} a day for {hours} days and {fee} for insurance. What is due?",
        ),
        heldout=(
            "{who} bills {client} for {hours} hours. The hourly rate is {rate}, and {fee} is added "
            "for expenses. How much is billed?",
            "For a set-up fee of {fee} and {rate} per hour, "
            "what do {hours} hours of training cost?",
            "A technician earns {rate} each hour. After {hours} hours and a tip of {fee}, "
            "how much has the technician earned?",
        ),
    ),
    Kind(
        "math",
        "split_cost",
        "number",
        _split_cost,
        train=(
            "{people} people share costs of {first} and {second} equally. What does each pay?",
            "Lunch costs {first} and the taxi {second}. {people} people split it. "
            "How much is it for each?",
            "A bill of {first} and a bill of {second} are split by {people} teams. "
            "What does one team pay?",
            "{who} spends {first} on {item} and {second} on food for {people} guests. "
            "What is the cost per guest?",
            "Costs are {first} for rent and {second} for power, shared by {people}. "
            "What is one share?",
            "Two invoices, {first} and {second}, are divided among {people} clients. "
            "How much for each?",
            "Divide the sum of {first} and {second} by {people}. What do you get?",
            "A project costs {first} plus {second}. {people} partners pay equal parts. "
            "How big is one part?",
        ),
        heldout=(
            "{people} colleagues pay equally for a gift of {first} and a dinner of {second}. "
            "What does every colleague pay?",
            "{who} and the team, {people} persons, "
            "owe {first} for travel and {second} for a hotel. How much does one person owe?",
            "Printing was {first}, postage {second}. Spread this evenly over {people} departments. "
            "What does each department carry?",
        ),
    ),
    Kind(
        "math",
        "change",
        "number",
        _change,
        train=(
            "{who} buys {n} {item} at {price} each and pays with {paid}. How much change is due?",
            "{n} {item} cost {price} each. {who} pays {paid}. What is the change?",
            "A customer pays {paid} for {n} {item} at {price} each. How much comes back?",
            "{who} has {paid} and buys {n} {item} for {price} each. How much money is left?",
            "From {paid}, {client} buys {n} {item} at {price} apiece. What remains?",
            "Each of the {item} costs {price}. {who} takes {n} and gives {paid}. What is returned?",
            "The bill is {n} times {price}. {who} hands over {paid}. What is the change?",
            "We pay {n} invoices of {price} from {paid}. How much is left?",
        ),
        heldout=(
            "{who} hands the cashier {paid} for {n} {item}. One costs {price}. "
            "How much does {who} get back?",
            "With {paid} in petty cash, {other} pays for {n} {item} priced at {price} each. "
            "How much cash remains?",
            "If {n} {item} are bought for {price} per piece, how much is left of {paid}?",
        ),
    ),
    Kind(
        "math",
        "unit_price",
        "number",
        _unit_price,
        train=(
            "{n} {item} cost {cost}. How much do {want} {item} cost?",
            "{who} pays {cost} for {n} {item}. What would {want} cost?",
            "A machine makes {cost} {item} in {n} hours. How many does it make in {want} hours?",
            "{n} {pack} hold {cost} {item}. How many {item} do {want} {pack} hold?",
            "{client} charges {cost} for {n} hours. What is the charge for {want} hours?",
            "If {n} tickets cost {cost}, what do {want} tickets cost?",
            "{who} earns {cost} in {n} days. How much in {want} days?",
            "The price of {n} {item} is {cost}. Give the price of {want}.",
        ),
        heldout=(
            "{client} sells {n} {item} for {cost}. At the same rate, "
            "what does {other} pay for {want}?",
            "A team packs {cost} {item} every {n} hours. "
            "How many {item} are packed in {want} hours?",
            "For {cost} one gets {n} {item}. How much money is needed for {want} {item}?",
        ),
    ),
    Kind(
        "math",
        "budget_left",
        "number",
        _budget_left,
        train=(
            "The budget is {budget}. We spend {first} on {item} and {second} on travel. "
            "What is left?",
            "{who} has {budget} and pays {first} and then {second}. How much remains?",
            "From a budget of {budget}, {client} spends {first} and {second}. What remains?",
            "A team got {budget}. It used {first} in March and {second} in April. "
            "How much is left?",
            "An account holds {budget}. Bills of {first} and {second} are paid. "
            "What is the balance?",
            "Take {first} and {second} from {budget}. What is left?",
            "{client} owes {budget} and has paid {first} and {second}. How much is still owed?",
            "{who} must pack {budget} {item}. {first} are done today, {second} tomorrow. "
            "How many are left?",
        ),
        heldout=(
            "{who} may spend {budget}. The {item} cost {first}, the delivery costs {second}. "
            "How much may {who} still spend?",
            "Out of {budget} set aside, {first} went to {client} and {second} to repairs. "
            "What amount is unspent?",
            "Of a trip of {budget} km, first {first} km and then {second} km are done. "
            "How many km are still to go?",
        ),
    ),
)

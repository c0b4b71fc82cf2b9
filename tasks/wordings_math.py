"""More wordings of the mathematical kinds, for training alone. Data only."""

from __future__ import annotations

MATH_WORDINGS: dict[str, tuple[str, ...]] = {
    "add": (
        "{a} and {b} make how much?",
        "Sum up {a} and {b}.",
        "I have two amounts, {a} and {b}. Together they are?",
        "If {b} is put on top of {a}, how much is there?",
        "{a} km were driven on day one and {b} km on day two. How far was the drive?",
        "A tank with {a} litres gets {b} litres more. How full is it then?",
        "Section A has {a} seats, section B has {b}. Give the seats of both.",
        "Two parcels weigh {a} g and {b} g. Their weight together?",
    ),
    "subtract": (
        "{b} less than {a} is how much?",
        "Deduct {b} from {a}.",
        "By how much is {a} larger than {b}?",
        "Of {a} pages {b} are read. How many pages are unread?",
        "There were {a} seats and {b} are booked. How many can still be booked?",
        "From {a} litres, {b} litres are used up. What stays in the tank?",
        "The gap between {a} and {b} is how big?",
        "A debt of {a} goes down by {b}. How high is it now?",
    ),
    "multiply": (
        "{b} groups of {a}: how many?",
        "{a} per week for {b} weeks makes how much?",
        "Take {a} and make it {b} times as large.",
        "A theatre sells {a} tickets a night. How many in {b} nights?",
        "{b} machines make {a} parts each. Give the number of parts.",
        "Rent is {a} a month. How much is paid in {b} months?",
        "Work out the product: {a} x {b}",
        "A box weighs {a} g. How many grams do {b} boxes weigh?",
    ),
    "running_total": (
        "Sum up {listed}.",
        "Hours worked: {listed}. How many hours is that?",
        "Take {listed} together. How much is it?",
        "We drove {listed} km on these days. How far did we get?",
        "Add it up: {sum}",
        "The boxes weigh {listed} kg. How heavy are they together?",
        "Guests per evening were {listed}. How many guests came in all?",
        "Points scored: {listed}. Give the final score.",
    ),
    "plus_minus": (
        "{shown} makes?",
        "Step by step, what is {shown}?",
        "Result of {shown}?",
        "Work through {shown}.",
        "The value of {shown}, please.",
        "I typed {shown} into a calculator. What did it show?",
        "A cash book says {shown}. Give the balance.",
        "Evaluate {shown}.",
    ),
    "discount": (
        "{item} at {price}, minus {percent}%: what is the price then?",
        "A coupon takes {percent}% from a bill of {price}. How much is still due?",
        "Regular price {price}, rebate {percent}%. Give the price after the rebate.",
        "{who} has a voucher for {percent}% and a basket worth {price}. What is charged?",
        "The fee of {price} drops by {percent}%. How much is the fee afterwards?",
        "A hotel lowers its rate of {price} by {percent}%. What is the rate now?",
        "Staff get {percent}% off. {who} from staff buys {item} listed at {price}. The cost?",
        "{percent}% less than {price} is how much?",
        "A supplier forgives {percent}% of a debt of {price}. How much has {client} to pay?",
    ),
    "tax": (
        "{price} and {percent}% more on it: how much is that?",
        "Before tax it is {price}, the tax rate is {percent}%. Give the final price.",
        "Salary of {who}: {price}. It rises by {percent}%. What is it afterwards?",
        "{percent}% more than {price} is how much?",
        "A restaurant bill of {price} and a tip of {percent}%: what is paid?",
        "Sales were {price} last month and are up {percent}%. How high are sales now?",
        "A late fee of {percent}% is put on an invoice of {price}. What is due now?",
        "The shop marks up goods bought at {price} by {percent}%. What does it ask for them?",
        "{client} pays {price} and a commission of {percent}% of it. Give the total.",
    ),
    "hours_rate": (
        "{hours} lessons at {rate} each and books for {fee}: what is the cost?",
        "A plumber asks {fee} for coming and {rate} an hour. The job lasts {hours} hours. "
        "What is the bill?",
        "{who} rents a car for {hours} days at {rate} per day and fuels for {fee}. The cost?",
        "The hall costs {rate} for each hour. We take it for {hours} hours and order drinks for "
        "{fee}. How much is it?",
        "Pay: {hours} shifts of {rate}, and a bonus of {fee}. Give the sum.",
        "{fee} once and {rate} a month: what is paid for {hours} months?",
        "A phone plan costs {rate} monthly, the phone {fee}. What is paid in {hours} months?",
        "{client} books {hours} hours of cleaning at {rate} an hour. The agency takes {fee} more. "
        "How much is it altogether?",
    ),
    "split_cost": (
        "The rent is {first}, heating {second}, and {people} people live there. One share is?",
        "{people} of us bought a gift for {first} and flowers for {second}. What is it per head?",
        "Food {first}, drinks {second}, {people} guests. What does it come to per guest?",
        "{people} shops have one advert for {first} and one for {second} in common. "
        "How much falls on each shop?",
        "Add {first} and {second}, then share it among {people}.",
        "Tickets were {first} and parking {second}. {people} friends go halves evenly. Each gives?",
        "{who} and friends are {people}. They pay {first} for a boat and {second} for fuel, all "
        "the same. How much each?",
        "Repairs of {first} and paint of {second} are borne by {people} owners in equal parts. "
        "One owner pays?",
    ),
    "change": (
        "{who} gives {paid} for {n} tickets of {price}. What does {who} get in return?",
        "{n} {item}, {price} each, paid with a note of {paid}. How much is handed back?",
        "A card with {paid} on it pays {n} rides of {price}. What is still on the card?",
        "{paid} is in the purse. {n} {item} for {price} each are bought. What is in it then?",
        "{client} sends {paid} but ordered {n} {item} at {price} each. How much is too much?",
        "Lunch is {price} a person, {n} persons eat, {who} lays down {paid}. The change?",
        "We have {paid} credit and use {n} units at {price} a unit. Which credit is left?",
        "{n} stamps at {price} from {paid}: what is over?",
    ),
    "unit_price": (
        "{who} types {cost} words in {n} minutes. How many in {want} minutes?",
        "{n} pieces weigh {cost} g. What is the weight of {want} pieces?",
        "In {n} days a van drives {cost} km, every day the same. How far in {want} days?",
        "{n} lessons are {cost}. What is to be paid for {want} lessons?",
        "{cost} is the price for {n} seats. How much are {want} seats?",
        "A printer does {cost} pages in {n} minutes. And in {want} minutes?",
        "{client} gets {n} {pack} for {cost}. What would {want} {pack} be?",
        "Fuel for {n} trips costs {cost}. How much is fuel for {want} trips?",
    ),
    "budget_left": (
        "A voucher of {budget}: {first} was used in May, {second} in June. What is it still worth?",
        "There were {budget} seats. {first} went to members, {second} to guests. Free ones?",
        "{who} saved {budget}, then bought a bike for {first} and a lamp for {second}. The rest?",
        "A tank of {budget} litres loses {first} and later {second} litres. What is in it?",
        "{budget} in the account, minus a transfer of {first}, minus a fee of {second}. Balance?",
        "We printed {budget} flyers, gave away {first} and threw away {second}. How many do we "
        "have?",
        "Project money: {budget}. Wages took {first}, tools {second}. How much is there to spend?",
        "A loan of {budget} is paid back with {first} and {second}. How much is open?",
        "The book has {budget} pages. {who} read {first} last week and {second} this week. "
        "How many pages are to come?",
    ),
    "packs_total": (
        "{n} tables with {size} chairs each: how many chairs?",
        "{who} needs {size} {item} for each of {n} rooms. How many {item} in all?",
        "Every day {size} {item} are made. How many after {n} days?",
        "{n} buses carry {size} people each. How many people ride?",
        "We hand {size} {item} to each of {n} guests. How many do we need?",
        "{client} has {n} branches, each with {size} {item}. How many has {client}?",
        "A sheet has {size} {item}, and we print {n} sheets. How many {item} come out?",
        "Stack {n} {pack}, every one with {size} {item}. Total {item}?",
    ),
    "order_returns": (
        "{n} {pack} with {size} {item} each came in; {less} were broken. How many were fine?",
        "{who} baked {n} trays of {size} rolls and sold {less}. How many rolls are unsold?",
        "A hall has {n} rows of {size} seats. {less} seats are taken. How many are free?",
        "Of {n} {pack} holding {size} {item}, {client} gave {less} {item} to {other}. The rest?",
        "{n} teams of {size} people were there, {less} people went home. How many stayed?",
        "We printed {n} sheets with {size} {item} each and used {less} {item}. What is unused?",
        "Each of {n} {pack} had {size} {item}. Then {less} {item} fell out. How many are inside?",
        "{client} planned {n} days with {size} calls each. {less} calls were cancelled. "
        "How many took place?",
    ),
    "order_extra": (
        "{n} tables for {size} guests and {more} places at the bar: how many can sit?",
        "{who} plants {n} rows of {size} trees and {more} trees by the gate. How many trees?",
        "On the shelf: {n} {pack} with {size} {item} each. On the floor: {more} {item}. In all?",
        "We sell {n} {pack} of {size} {item} online, and {more} {item} in the shop. "
        "How many are sold?",
        "{n} buses with {size} people each and {more} people by car come. How many come?",
        "{client} sent {n} {pack} of {size} {item} in March, and {more} {item} in April. "
        "What did we get?",
        "There are {n} pages of {size} photos, and {more} photos in an envelope. Number of photos?",
        "{who} had {more} {item} and was given {n} {pack}, {size} in each. The number now?",
    ),
    "stock_days": (
        "{who} has {stock} {item} and loses {sold} every week. How many after {days} weeks?",
        "A tank holds {stock} litres; {sold} litres leak out per hour. What is in it after {days} "
        "hours?",
        "{stock} tickets, {sold} go each evening. How many are there after {days} evenings?",
        "A machine has {stock} sheets and prints {sold} an hour for {days} hours. Sheets left?",
        "{days} classes get {sold} {item} each out of {stock}. What stays over?",
        "Out of {stock} {item}, {client} ships {sold} on each of {days} days. What is in stock?",
        "We own {stock} {item}. Over {days} months we throw away {sold} a month. How many do we "
        "still own?",
        "A book has {stock} pages. {who} reads {sold} a day. How many are unread after {days} "
        "days?",
    ),
    "stock_moves": (
        "Balance {stock}. Paid in: {more}. Paid out: {less}. New balance?",
        "{stock} people were on the train. {more} got on and {less} got off. How many ride on?",
        "{item} on hand: {stock}. Received: {more}. Issued: {less}. On hand now?",
        "A fund of {stock} earns {more} and then loses {less}. How high is it?",
        "{client} had {stock} users, won {more} and lost {less}. How many users has it?",
        "There were {stock} {item} in the hall. {who} brought {more} and took {less} away. "
        "How many are in the hall?",
        "Start: {stock}. Plus: {more}. Minus: {less}. End?",
        "The library had {stock} books, bought {more} and sold {less}. How many books has it?",
        "{stock} {item} were ordered. {more} were added to the order, {less} were cancelled. "
        "What is on order?",
    ),
    "more_than": (
        "{who} is paid {first}, and {other} gets {more} on top of that. What are both paid?",
        "The red box has {first} {item}, the blue one {more} more than the red. "
        "How many are in the two boxes?",
        "{client} made {first} calls by noon and {more} more than that after noon. "
        "How many all day?",
        "A chair costs {first}. A table costs {more} more. What do they cost as a pair?",
        "{other} walks {more} km further than {who}, who walks {first} km. How many km are both?",
        "Last year {first}, this year {more} above it. What is the sum of the years?",
        "Our shop has {first} {item}. The depot has {more} more than the shop. How many in both?",
        "{who} reads {first} pages, {other} reads {more} pages beyond that. "
        "How many pages are read?",
    ),
}

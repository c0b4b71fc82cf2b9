"""Fragments of customer messages by label: some for training, others held out. Data only."""

from __future__ import annotations

TICKETS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "billing": (
            "I was charged twice for the {item}.",
            "The invoice for the {item} shows the wrong amount.",
            "My card was billed {n} too much.",
            "Why is there a fee of {n} on my bill?",
            "Please send me the invoice for order {n}.",
            "The payment for the {item} was taken twice.",
            "The tax on my invoice is wrong.",
            "I paid {n} but the bill says it is still open.",
        ),
        "delivery": (
            "My {item} have not arrived yet.",
            "The parcel with the {item} is late.",
            "Where is my order {n}?",
            "The courier left the {item} at the wrong house.",
            "Tracking for order {n} has not moved for a week.",
            "When will the {item} be shipped?",
            "The driver did not find our address in {city}.",
            "Please ship the {item} to {city} instead.",
        ),
        "technical": (
            "The app crashes when I open it.",
            "I see error {n} on the screen.",
            "The page with the {item} does not load.",
            "The software freezes after the update.",
            "The export of order {n} stops with an error.",
            "The printer driver does not install.",
            "The website is very slow today.",
            "The button for the {item} does nothing.",
        ),
        "account": (
            "I forgot my password.",
            "Please change the e-mail address of my profile.",
            "I cannot log in as user {n}.",
            "How do I close my account?",
            "Please add a second user to our login.",
            "My profile shows the wrong name.",
            "I want to reset the password of user {n}.",
            "My login is locked after three tries.",
        ),
        "returns": (
            "I want to send the {item} back.",
            "The {item} do not fit, how do I return them?",
            "I would like a return label for order {n}.",
            "Can I exchange the {item} for another colour?",
            "How many days do I have to return the {item}?",
            "Please take back the {item}, I do not need them.",
            "I returned the {item}, did you get them?",
            "I want to swap the {item} for a larger size.",
        ),
    },
    "heldout": {
        "billing": (
            "There is a double charge of {n} on my credit card.",
            "The sum on the bill for the {item} does not match the price.",
            "Could you correct the amount of invoice {n}?",
        ),
        "delivery": (
            "Order {n} should have arrived last week but nothing came.",
            "The shipment of {item} is delayed again.",
            "The courier never came to our office in {city}.",
        ),
        "technical": (
            "After the update an error message appears.",
            "The app does not start any more on my phone.",
            "The website shows error {n} when I click the button.",
        ),
        "account": (
            "My password is not accepted and I cannot log in.",
            "Please update the name in my user profile.",
            "User {n} left us, please delete the login.",
        ),
        "returns": (
            "The {item} are the wrong size and I wish to return them.",
            "How can I send back order {n}?",
            "I changed my mind, please exchange the {item}.",
        ),
    },
}

MAILS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "sales": (
            "We would like a quote for {n} {item}.",
            "What is your price for {n} {item}?",
            "We want to order {n} {item}.",
            "Do you offer a discount on {n} {item}?",
            "Please send us your catalogue of {item}.",
            "We are interested in buying {item}.",
        ),
        "support": (
            "Our {item} stopped working.",
            "We need help to set up the {item}.",
            "Device {n} shows an error.",
            "How do we use the {item}?",
            "The {item} are broken, please help.",
            "Machine {n} does not start.",
        ),
        "finance": (
            "Please pay our invoice {n}.",
            "We have not received your payment of {n}.",
            "Attached is the bill for the {item}.",
            "Our bank details have changed.",
            "Please confirm the payment of invoice {n}.",
            "A refund of {n} is still open.",
        ),
        "legal": (
            "Please sign the contract for the {item}.",
            "We want to change a clause of contract {n}.",
            "Our lawyer has a question about the agreement.",
            "Please review the terms of contract {n}.",
            "We claim damages under the contract.",
            "The licence agreement {n} ends soon.",
        ),
        "personnel": (
            "I want to apply for the job in {city}.",
            "Attached is my application for job {n}.",
            "Do you have an open position in {city}?",
            "I would like to take {n} hours of leave.",
            "When is my job interview?",
            "Here is my CV for the post in {city}.",
        ),
    },
    "heldout": {
        "sales": (
            "Could you offer us {n} {item} and tell us the price?",
            "Our firm in {city} wants to buy {item}.",
        ),
        "support": (
            "We need help, the {item} do not work.",
            "Error {n} appears on our device, how do we fix it?",
        ),
        "finance": (
            "Invoice {n} has not been paid yet.",
            "Please transfer the payment of {n} to our new bank account.",
        ),
        "legal": (
            "Our lawyer asks you to sign agreement {n}.",
            "The terms of the contract for the {item} must be changed.",
        ),
        "personnel": (
            "I am looking for a job in {city} and attach my CV.",
            "Is position {n} still open for applications?",
        ),
    },
}

OPENERS = ("", "", "Hello. ", "Hi, {who} here. ", "Good morning. ", "Dear team, ", "Hi. ")
CLOSERS = ("", "", " Thanks.", " Please help.", " Regards, {who}", " Please reply soon.", " {who}")
FILLERS = (
    "I have been with you since last spring.",
    "We are a small firm with nine people.",
    "A colleague gave me this address.",
    "I tried to call, but the line was busy.",
    "It is the first time that I write to you.",
    "My manager asked me to look after this.",
    "We have always been happy with you.",
    "I am in the office until Friday.",
    "You can reach me in the afternoon.",
    "I hope that this is the right place.",
    "It is not the end of the world, but I would like to know.",
    "Others here wonder about it too.",
)
"""Sentences that say nothing of what a message is about."""

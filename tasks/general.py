"""General questions without a checkable answer: what the base model says to them is kept as it is.

Answers of the frozen model to these are trained on without a class, so that an adapter keeps its
manner. Most ask for little, since answers that are cut off are not used.
"""

from __future__ import annotations

from random import Random

_SUBJECTS = (
    "gravity", "photosynthesis", "inflation", "a glacier", "the water cycle", "a volcano",
    "electricity", "a vaccine", "the internet", "recycling", "a budget", "a contract", "insurance",
    "interest on a loan", "a startup", "marketing", "customer service", "a supply chain", "tourism",
    "democracy", "a museum", "jazz", "poetry", "painting", "chess", "football", "yoga", "sleep",
    "a healthy diet", "bread", "coffee", "green tea", "chocolate", "a garden", "a rainforest",
    "a desert", "the ocean", "a whale", "bees", "an elephant", "a telescope", "the Moon", "a comet",
    "a bicycle", "an electric car", "a bridge", "solar power", "wind power", "a battery",
    "a spreadsheet", "a database", "software testing", "machine learning", "a search engine",
    "online privacy", "a library", "a dictionary", "translation", "teamwork", "leadership",
    "punctuality", "friendship", "curiosity", "patience", "honesty", "a holiday", "a market",
    "public transport", "friction", "a rainbow", "thunder", "an earthquake", "a calendar",
    "time zones",
)  # fmt: skip
_ABOUT = (
    "What is {x}? Answer in one sentence.",
    "Explain {x} to a child in one sentence.",
    "Give one interesting fact about {x}.",
    "In one short sentence, why does {x} matter?",
    "Write a short slogan about {x}.",
    "Name one thing that people often get wrong about {x}.",
    "Give me a title for an article about {x}.",
    "Ask me one question about {x}.",
    "Tell me in a few words what you think of {x}.",
    "Write one sentence that uses the words: {x}.",
    "What comes to mind when you hear of {x}? Be brief.",
    "Describe {x} in two sentences.",
)
_DEEDS = (
    "learn a language", "write a report", "plan a meeting", "save money", "keep a desk tidy",
    "sleep better", "cook rice", "pack a suitcase", "give a talk", "thank a colleague",
    "welcome a new employee", "choose a laptop", "remember names", "grow tomatoes", "read faster",
    "run a first race", "write a letter of complaint", "answer the telephone", "take good photos",
    "make a study plan", "prepare for an interview", "clean a window", "choose a gift",
    "calm down before an exam", "work from home", "travel with children", "start a book club",
    "train a puppy", "organise files", "make a to-do list", "say no politely",
    "repair a friendship",
)  # fmt: skip
_HOW = (
    "How do I {x}? Give one tip.",
    "What is the first step to {x}?",
    "Give me a short piece of advice: I want to {x}.",
    "What should I avoid when I {x}? One sentence, please.",
    "I want to {x}. What do I need? Be brief.",
    "Encourage me in one sentence to {x}.",
    "Who could help me to {x}?",
    "Is it hard to {x}? Answer in one sentence.",
)
_NOTES = (
    "a customer whose parcel is late", "a colleague who is ill", "a neighbour with a noisy dog",
    "a teacher before the holidays", "a friend who passed an exam", "a team after a long project",
    "a guest who left an umbrella", "a supplier who was quick", "a new member of the club",
    "a doctor to move an appointment", "a landlord about a broken lamp", "a cousin who moved house",
    "a manager to ask for a day off", "a bank about a lost card", "a shop about its opening hours",
    "a visitor who comes by train",
)  # fmt: skip
_WRITE = (
    "Write one friendly sentence to {x}.",
    "Write one formal sentence to {x}.",
    "How would you begin a message to {x}?",
    "Write a subject line for an e-mail to {x}.",
    "Write a two-sentence note to {x}.",
    "What would be a polite close of a letter to {x}?",
)
_PAIRED = (
    "What is the difference between {x} and {y}? Answer in one sentence.",
    "What do {x} and {y} have in common? Be brief.",
    "Which came first, {x} or {y}? One short sentence.",
    "Write one sentence about {x} and {y}.",
)
_PAIRS = 500
"""Of subjects, for each paired wording."""
_FAMILIES = ((_ABOUT, _SUBJECTS), (_HOW, _DEEDS), (_WRITE, _NOTES))


def general_questions(seed: int) -> list[str]:
    """All of them, about three thousand, in an order of the seed's."""
    rng = Random(f"{seed}/general")
    questions = [t.format(x=x) for wordings, xs in _FAMILIES for t in wordings for x in xs]
    pairs = [(x, y) for x in _SUBJECTS for y in _SUBJECTS if x != y]
    questions += [t.format(x=x, y=y) for t in _PAIRED for x, y in rng.sample(pairs, _PAIRS)]
    rng.shuffle(questions)
    return questions

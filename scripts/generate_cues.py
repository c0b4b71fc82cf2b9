"""Writes the words by which a question's domain is told, from the training tasks alone.

Each word weighs as much as it is likelier in one domain than in the geometric mean of all three, so
that a suite's held-out wordings measure the guess fairly. Usage: python -m scripts.generate_cues
"""

import json
import sys
from collections import Counter
from itertools import islice
from math import log

from app.services.detect import CUES, words
from tasks import mix

SEED, TASKS = 3, 36000
FEWEST = 45
"""Tasks a word must stand in: names and numbers say nothing of a domain."""
SMALLEST = 0.5
"""Weights below are left out."""
SMOOTHING = 3


def cues() -> dict[str, dict[str, float]]:
    """Word -> domain -> weight, in nats; the weights of a word add up to about zero."""
    seen = {domain: Counter[str]() for domain in mix.DOMAINS}
    tasks = Counter[str]()
    for task in islice(mix.stream(SEED, "train"), TASKS):
        tasks[task.domain] += 1
        seen[task.domain].update(words(task.question))
    known = sorted({word for count in seen.values() for word in count})
    found = {}
    for word in known:
        chance = {
            domain: log((count[word] + SMOOTHING) / (tasks[domain] + 3 * SMOOTHING))
            for domain, count in seen.items()
        }
        middle = sum(chance.values()) / len(chance)
        weights = {domain: round(value - middle, 1) for domain, value in chance.items()}
        if sum(count[word] for count in seen.values()) >= FEWEST and (
            max(weights.values()) >= SMALLEST
        ):
            found[word] = weights
    return found


def text() -> str:
    lines = (f"{json.dumps(word)}: {json.dumps(weights)}" for word, weights in cues().items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    CUES.write_text(text(), encoding="utf-8", newline="\n")
    print(CUES.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

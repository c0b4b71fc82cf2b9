"""Does a training example give away a held-out question? Pure, and fast enough for each of them.

Three ways of being too near, strictest last:
- exact: the same words, whatever their case and punctuation;
- near: at least `NEAR` of all runs of three words are common to both (Jaccard);
- facts: another wording of the same material. The same answer from the same numbers, or, where
  there are fewer than two numbers, the same answer of several words in the same kind of task.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NEAR = 0.5
RUN = 3
"""Words in a run; a shorter question is one run."""

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared of a question: kind is empty where it belongs to none."""

    question: str
    answer: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """The held-out question that an example is too near to, and how."""

    how: str
    question: str


def plain(text: str) -> str:
    """Its words and numbers alone, in one case."""
    return " ".join(_words(text))


class HeldOut:
    """Held-out questions, ready to be looked up."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        self._exact = dict[str, str]()
        self._facts = dict[tuple[str, ...], str]()
        self._runs = defaultdict[tuple[str, ...], list[int]](list)
        self._sizes = list[tuple[int, str]]()
        for a in asked:
            self._exact[plain(a.question)] = a.question
            self._facts |= dict.fromkeys(_facts(a), a.question)
            runs = _runs(a.question)
            for run in runs:
                self._runs[run].append(len(self._sizes))
            self._sizes.append((len(runs), a.question))

    def __len__(self) -> int:
        return len(self._sizes)

    def match(self, asked: Asked) -> Match | None:
        """The first reason found to keep an example out of training; None where there is none."""
        if (found := self._exact.get(plain(asked.question))) is not None:
            return Match("exact", found)
        for facts in _facts(asked):
            if facts in self._facts:
                return Match("facts", self._facts[facts])
        return self._near(asked.question)

    def _near(self, question: str) -> Match | None:
        runs = _runs(question)
        common = Counter(i for run in runs for i in self._runs.get(run, ()))
        for i, count in common.items():
            size, found = self._sizes[i]
            if count >= NEAR * (len(runs) + size - count):
                return Match("near", found)
        return None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _words(text)
    return {tuple(words[i : i + RUN]) for i in range(max(1, len(words) - RUN + 1))}


def _facts(asked: Asked) -> Iterator[tuple[str, ...]]:
    numbers = [word for word in _words(asked.question) if word[0].isdigit()]
    answer = _words(asked.answer)
    if len(numbers) > 1:
        yield ("", *answer, "", *sorted(numbers))
    elif len(answer) > 1 and asked.kind:
        yield (asked.kind, *answer)

"""Where training examples come from: generated tasks, built shards, files, data sets, by weight.

Every stream is endless and the same each time it is started with the same seed.
"""

import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any, Protocol

from app.commands.data_shards import EVERY, MANIFEST, Shards, Spelled, read_shards
from model.errors import ConfigError
from policies.errors import InvalidInput, Unavailable
from tasks.mix import stream as tasks
from training.data import Example, Tokens
from training.schedule import checked

TASKS = "tasks"
HELD_OUT_SEED = 1
ONE_IN = 50
"""Of the rows of a file or data set, one in so many is held out, and never trained on."""


@dataclass(frozen=True, slots=True)
class Source:
    """One entry under `data:` of a training configuration."""

    source: str = TASKS
    """`tasks` for the built-in generators, the folder of a `data build`, a .jsonl file, or a data
    set: its folder or hub id."""
    weight: float = 1.0
    """How often an example is taken from here, against the other sources."""
    label: str = ""
    """Guidance class of examples that name none."""
    split: str = EVERY
    """Of a data set; of a `data build` one part, as `general`, or `train` for all of it."""
    skip: int = 0
    """Examples of the stream passed over, as those that an earlier part of training has seen."""

    def __post_init__(self) -> None:
        if self.skip < 0:
            raise ConfigError(f"skip of {self.source} must be at least 0, got {self.skip}")
        if not 0 < self.weight < float("inf"):
            raise ConfigError(f"weight of {self.source} must be above 0, got {self.weight}")


class Stock(Protocol):
    """What a source holds."""

    def stream(self, seed: int) -> Iterator[Example]:
        """To train on, without end."""

    def held_out(self, number: int) -> list[Example]:
        """Up to so many that are in no stream."""


class Mixture:
    """Sources drawn from in proportion to their weights."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.shards = list[Shards]()
        self.stocks = [self._opened(source) for source in sources]
        self.weights = [source.weight for source in sources]
        self.skips = [source.skip for source in sources]

    def _opened(self, source: Source) -> Stock:
        if source.source == TASKS:
            return _Tasks()
        if (Path(source.source) / MANIFEST).exists():
            self.shards.append(read_shards(Path(source.source), source.split))
            return _Rows(source, self.shards[-1].rows)
        if source.source.endswith(".jsonl"):
            return _Rows(source, _read_lines(source))
        return _Rows(source, _read_data_set(source))

    def stream(self, seed: int) -> Iterator[Example]:
        rng, pairs = Random(f"{seed}/mixture"), zip(self.stocks, self.skips, strict=True)
        streams = [islice(stock.stream(seed), skip, None) for stock, skip in pairs]
        while True:
            yield next(rng.choices(streams, self.weights)[0])

    def spelled(self, tokens: Tokens) -> Tokens:
        """A tokenizer that knows what a `data build` spelled already."""
        return Spelled(tokens, self.shards) if self.shards else tokens

    def held_out(self, number: int) -> list[Example]:
        shares = [round(number * weight / sum(self.weights)) for weight in self.weights]
        pairs = zip(self.stocks, shares, strict=True)
        return [example for stock, share in pairs for example in stock.held_out(share)]


def read_sources(entries: Sequence[Any]) -> list[Source]:
    """Of a configuration's `data:`; none is the built-in tasks. Raises ConfigError."""
    found = [
        Source(**checked(Source, entry, f"data[{index}]")) for index, entry in enumerate(entries)
    ]
    return found or [Source()]


class _Tasks:
    def stream(self, seed: int, split: str = "train") -> Iterator[Example]:
        for task in tasks(seed, split):
            yield Example(task.question, task.response, task.domain)

    def held_out(self, number: int) -> list[Example]:
        return list(islice(self.stream(HELD_OUT_SEED, "heldout"), number))


class _Rows:
    """A finite table of records, gone through in another order every time."""

    def __init__(self, source: Source, rows: Sequence[dict[str, Any]]) -> None:
        self.source, self.rows = source, rows
        order = list(range(len(rows)))
        Random(f"{HELD_OUT_SEED}/{source.source}").shuffle(order)
        kept = len(rows) // ONE_IN
        self.kept, self.used = order[:kept], sorted(order[kept:])
        if not rows:
            raise InvalidInput(f"{source.source} holds no examples")

    def stream(self, seed: int) -> Iterator[Example]:
        for epoch in count():
            order = self.used.copy()
            Random(f"{seed}/{self.source.source}/{epoch}").shuffle(order)
            yield from map(self._example, order)

    def held_out(self, number: int) -> list[Example]:
        return [self._example(index) for index in self.kept[:number]]

    def _example(self, index: int) -> Example:
        return example_of(self.rows[index], self.source, index)


def example_of(record: Any, source: Source, index: int) -> Example:
    """From `messages`, or `question` and `response` (or `answer`), with or without a `label`."""
    if not isinstance(record, dict):
        raise _fault(source, index, f"an object is needed, got {record!r:.80}")
    label = record.get("label") or source.label or None
    if record.get("messages") is not None:
        return _conversation(record["messages"], label, source, index)
    question, response = record.get("question"), record.get("response", record.get("answer"))
    if not (isinstance(question, str) and isinstance(response, str)):
        raise _fault(
            source,
            index,
            "text is needed under `question` and `response` (or `answer`), or a conversation under "
            f"`messages`; it has {', '.join(map(str, record)) or 'nothing'}",
        )
    return Example(question, response, label)


def _conversation(messages: Any, label: str | None, source: Source, index: int) -> Example:
    try:
        said = [(str(m["role"]), m["content"]) for m in messages]
    except (TypeError, KeyError) as err:
        raise _fault(source, index, "every message needs `role` and `content`") from err
    system = said.pop(0)[1] if said and said[0][0] == "system" else None
    roles, texts = [role for role, _ in said], [text for _, text in said]
    if not said or roles != ["user", "assistant"] * (len(said) // 2):
        raise _fault(
            source,
            index,
            "`messages` must be user and assistant in turn, behind a system message or none; "
            f"got {', '.join(roles) or 'none'}",
        )
    if not all(isinstance(text, str) for text in texts):
        raise _fault(source, index, "`content` must be text")
    *earlier, (question, response) = zip(texts[::2], texts[1::2], strict=True)
    return Example(question, response, label, tuple(earlier), system)


def _read_lines(source: Source) -> list[dict[str, Any]]:
    """Every line is looked at now: a fault is told before hours of training, not after."""
    rows = []
    try:
        with Path(source.source).open(encoding="utf-8") as file:
            for line in file:
                rows.append(json.loads(line))
                example_of(rows[-1], source, len(rows) - 1)
    except (OSError, UnicodeDecodeError) as err:
        raise InvalidInput(f"the data {source.source} cannot be read: {err}") from err
    except json.JSONDecodeError as err:
        raise _fault(source, len(rows), f"no JSON: {err}") from err
    return rows


def _read_data_set(source: Source) -> Any:
    """Read when used, not held in memory: a `datasets.Dataset`, a sequence of dictionaries."""
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as err:
        raise Unavailable(
            f"{source.source} is not `{TASKS}` and no .jsonl file; a data set needs the package "
            "`datasets`: pip install datasets"
        ) from err
    folder = Path(source.source)
    try:
        if (folder / "state.json").exists():  # written by Dataset.save_to_disk
            return datasets.load_from_disk(str(folder))
        return datasets.load_dataset(source.source, split=source.split)
    except (OSError, ValueError) as err:
        raise InvalidInput(f"the data set {source.source} cannot be read: {err}") from err


def _fault(source: Source, index: int, said: str) -> InvalidInput:
    return InvalidInput(f"{source.source}, example {index + 1}: {said}")

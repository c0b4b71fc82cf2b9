"""Where commands write: results to standard output, progress to standard error."""

import json
import sys
from typing import Any


def result(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def as_json(value: dict[str, Any]) -> None:
    """One JSON object, the only thing on standard output."""
    result(json.dumps(value, ensure_ascii=False))


def show(values: dict[str, Any], json_: bool) -> None:
    """Named values: one JSON object, or a line each."""
    if json_:
        as_json(values)
        return
    for key, value in values.items():
        result(f"{key}: {value}")


def progress(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()

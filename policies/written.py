"""YAML as it was written: its value, and the line of every field, so that a fault can be found.

Takes plain YAML only: no tags, aliases or repeated keys, nothing deeper or longer than a person
writes. So reading is safe and takes time in proportion to the text.
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import ValidationError

Path = tuple[str | int, ...]
"""Keys and places from the top of a document down to a field."""

MAX_CHARACTERS = 200_000
MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a document."""

    source: str
    line: int
    """From 1; 0 where the text as a whole is at fault."""
    field: str
    """Dotted, as `rungs.high.gate`; empty for the document itself."""
    problem: str
    """What is wrong and what is legal."""
    got: str = ""
    """What stands there, where it is short enough to show."""

    def __str__(self) -> str:
        place = f"{self.source}, line {self.line}" if self.line else self.source
        name = f": {self.field}" if self.field else ""
        return f"{place}{name}: {self.problem}" + (f", got {self.got}" if self.got else "")


@dataclass(frozen=True, slots=True)
class Written:
    """A document that could be read."""

    source: str
    value: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def fault(self, path: Path, problem: str, got: Any = None) -> Fault:
        """A fault at a field, on its line or, where the field is missing, on that around it."""
        known = next(p for p in _upwards(path) if p in self.lines or not p)
        name = ".".join(str(part) for part in path)
        return Fault(self.source, self.lines.get(known, 1), name, problem, _shown(got))

    def faults(self, err: ValidationError, schema: Mapping[str, Any]) -> list[Fault]:
        """What pydantic found, each on its line and with what would be legal."""
        return [self._fault(error, schema) for error in err.errors()]

    def _fault(self, error: Any, schema: Mapping[str, Any]) -> Fault:
        path = tuple(part for part in error["loc"] if part != "[key]")
        problem = str(error["msg"]).removeprefix("Value error, ")
        if error["type"] == "extra_forbidden":
            known = ", ".join(_known(schema, path[:-1]))
            return self.fault(path, f"unknown field; known here: {known}")
        if error["type"] == "missing":
            return self.fault(path, "is missing")
        if error["type"] == "string_type" and isinstance(error["input"], bool | int | float):
            problem += ": put it in quotes"
        return self.fault(path, problem, error["input"])


def read(text: str, source: str) -> Written | Fault:
    """The document in a text, or the first thing that keeps it from being read."""
    if len(text) > MAX_CHARACTERS:
        return Fault(source, 0, "", f"{len(text)} characters, at most {MAX_CHARACTERS} are read")
    try:
        if fault := _unplain(text, source):
            return fault
        node = yaml.compose(text, yaml.SafeLoader)
        if node is None:
            return Written(source, None)
        lines: dict[Path, int] = {}
        if fault := _repeated(node, (), lines, source):
            return fault
        return Written(source, yaml.safe_load(text), lines)
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None) or getattr(err, "context_mark", None)
        problem = getattr(err, "problem", None) or "characters that YAML does not take"
        return Fault(source, mark.line + 1 if mark else 0, "", f"not YAML: {problem}")
    except ValueError as err:  # of a date or number that cannot be, as 2026-13-01
        return Fault(source, 0, "", f"not YAML: {err}")


def _unplain(text: str, source: str) -> Fault | None:
    """Looks at the text piece by piece, before anything nested is built from it."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        mark = event.start_mark
        line = mark.line + 1 if mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return Fault(source, line, "", "anchors and aliases are not taken: write it out")
        if tag := getattr(event, "tag", None):
            return Fault(source, line, "", "tags are not taken: leave them out", str(tag))
        if isinstance(event, yaml.ScalarEvent) and (bad := _unprintable(event.value)):
            return Fault(source, line, "", "control characters are not taken", repr(bad))
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            return Fault(source, line, "", f"nested deeper than {MAX_DEPTH}")
    return None


def _unprintable(text: str) -> str | None:
    """A character that no one types and not every database keeps."""
    bad = ("Cc", "Cs", "Zl", "Zp")
    return next((c for c in text if unicodedata.category(c) in bad and c not in "\n\t"), None)


def _repeated(node: yaml.Node, path: Path, lines: dict[Path, int], source: str) -> Fault | None:
    """Fills in the lines; a key that stands twice would silently hide its first value."""
    lines.setdefault(path, node.start_mark.line + 1)
    for key, child in _children(node):
        below = (*path, key)
        if isinstance(node, yaml.MappingNode) and below in lines:
            line = child.start_mark.line + 1
            return Written(source, None, {below: line}).fault(below, "stands here a second time")
        if fault := _repeated(child, below, lines, source):
            return fault
    return None


def _children(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)
    elif isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), child) for key, child in node.value)


def _upwards(path: Path) -> Iterator[Path]:
    return (path[:n] for n in range(len(path), -1, -1))


def _known(schema: Mapping[str, Any], path: Path) -> list[str]:
    """Fields of the object at a path, by the document's JSON schema."""
    at: Mapping[str, Any] = _resolved(schema, schema)
    for part in path:
        named = at.get("properties", {}).get(part) or at.get("additionalProperties")
        at = _resolved(at.get("items", {}) if isinstance(part, int) else named or {}, schema)
    return list(at.get("properties", {}))


def _resolved(at: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follows a reference, and of an optional field takes what it is when it is there."""
    for option in at.get("anyOf", []):
        if option.get("type") != "null":
            at = option
    if "$ref" in at:
        definitions: Mapping[str, Any] = schema["$defs"]
        return _resolved(definitions[at["$ref"].rpartition("/")[2]], schema)
    return at


def _shown(got: Any) -> str:
    """Short plain values as YAML-like text; of collections nothing, they are where the line says"""
    if got is None or isinstance(got, dict | list):
        return ""
    text = repr(got)
    return text if len(text) <= 80 else text[:77] + "..."
